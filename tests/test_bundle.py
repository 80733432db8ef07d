"""A bundle: the same picks in a fresh process, and one clear line for each way in which it can be damaged."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save

from seisloom.bundle import Bundle, network_of, open_predictor, shipped_bundles, write_weights
from seisloom.errors import BundleError, MissingDataError, PluginError, RecipeError, SeisloomError

RECORD = np.random.default_rng(0).normal(size=(5, 200)).astype(np.float32)
FRESH = """
import sys
import numpy as np
from seisloom.bundle import open_predictor
open_predictor(sys.argv[1]).apply(np.load(sys.argv[2]), fs_hz=2000).to_parquet(sys.argv[3], index=False)
assert "pytorch_lightning" not in sys.modules, "applying needs no training"
"""


@pytest.fixture
def copy(tiny_bundle: Bundle, tmp_path: Path) -> Path:
    """A copy of the bundle that may be damaged."""
    return Path(shutil.copytree(tiny_bundle.path, tmp_path / "copy"))


def test_a_fresh_process_gives_the_same_picks(tiny_bundle: Bundle, tmp_path: Path) -> None:
    np.save(tmp_path / "record.npy", RECORD)
    here = open_predictor(tiny_bundle.path).apply(RECORD, fs_hz=2000)
    command = [sys.executable, "-c", FRESH, tiny_bundle.path, tmp_path / "record.npy", tmp_path / "picks.parquet"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    there = pd.read_parquet(tmp_path / "picks.parquet")
    # Another number of threads may change the last bit of a convolution
    pd.testing.assert_frame_equal(here, there, check_dtype=False, rtol=1e-5, atol=1e-6)


def test_a_bundle_works_wherever_it_is_moved(copy: Path, tiny_bundle: Bundle) -> None:
    moved = copy.with_name("elsewhere")
    copy.rename(moved)
    a, b = (open_predictor(path).apply(RECORD, fs_hz=2000) for path in (moved, tiny_bundle.path))
    pd.testing.assert_frame_equal(a, b)


def test_opening_needs_no_pickle(copy: Path) -> None:
    (copy / "model.pth").unlink()
    shutil.rmtree(copy / "checkpoints")
    open_predictor(copy).apply(RECORD, fs_hz=2000)


def test_a_bundle_keeps_what_it_has_seen_and_what_it_reached(tiny_bundle: Bundle) -> None:
    assert tiny_bundle.calibration is not None
    assert len(tiny_bundle.seen()) > 20
    assert len(np.unique(tiny_bundle.seen())) == len(tiny_bundle.seen())
    assert tiny_bundle.read_json("metrics.json")["tables"]
    assert "## Calibration" in (tiny_bundle.path / "card.md").read_text()


def test_limits_of_abstention_may_be_changed_and_are_checked(tiny_bundle: Bundle) -> None:
    opened = open_predictor(tiny_bundle.path)
    strict = opened.with_changes(abstain_width_s=1e-9)
    assert set(strict.apply(RECORD, fs_hz=2000)["status"]) == {"abstained"}
    assert "picked" in set(
        opened.with_changes(min_probability=0, false_alarm_rate=None).apply(RECORD, fs_hz=2000)["status"]
    )
    with pytest.raises(RecipeError, match="did you mean 'abstain_width_s'"):
        opened.with_changes(abstain_width=1)


DAMAGE = {
    "no recipe": ("recipe.yaml", None, BundleError, "has no recipe.yaml"),
    "no weights": ("weights.safetensors", None, MissingDataError, "no such weights"),
    "empty weights": ("weights.safetensors", b"", BundleError, "weights.safetensors: damaged"),
    "weights of noise": ("weights.safetensors", b"\x00\x01" * 500, BundleError, "weights.safetensors: damaged"),
    "calibration is no JSON": ("calibration.json", b"{", BundleError, "calibration.json: damaged"),
    "calibration is a list": ("calibration.json", b"[1]", BundleError, "calibration.json: damaged"),
    "calibration is empty": ("calibration.json", b"{}", BundleError, "calibration.json: damaged"),
    "recipe is no YAML": ("recipe.yaml", b"task: [", RecipeError, "is not YAML"),
    "recipe is binary": ("recipe.yaml", b"\xff\xfe\x00", RecipeError, "is not YAML"),
    "recipe of another room": ("recipe.yaml", b"task: cooking\n", RecipeError, "no task is named 'cooking'"),
}


@pytest.mark.parametrize("damage", sorted(DAMAGE))
def test_a_damaged_file_is_a_clear_error(copy: Path, damage: str) -> None:
    name, content, kind, says = DAMAGE[damage]
    (copy / name).unlink() if content is None else (copy / name).write_bytes(content)
    with pytest.raises(kind, match=says) as caught:
        open_predictor(copy)
    assert "\n" not in str(caught.value)


def test_weights_that_are_cut_off_are_a_clear_error(copy: Path) -> None:
    content = (copy / "weights.safetensors").read_bytes()
    (copy / "weights.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(BundleError, match="damaged"):
        open_predictor(copy)


@pytest.mark.parametrize("name", ["weights.safetensors", "model.pth"])
def test_weights_with_another_hash_are_a_clear_error(copy: Path, name: str) -> None:
    bundle, checkpoint = Bundle.open(copy), None if name == "weights.safetensors" else copy / name
    state = bundle.weights(checkpoint)
    first = next(iter(state))
    changed = {**state, first: state[first] + 1}  # a file that opens, and fits the network
    (copy / name).write_bytes(save(changed)) if checkpoint is None else torch.save(changed, checkpoint)
    with pytest.raises(BundleError, match=rf"{name}: damaged or replaced, its hash is not the one in") as caught:
        bundle.network(checkpoint)
    assert "\n" not in str(caught.value)
    (copy / "weights.sha256").unlink()
    assert torch.equal(bundle.network(checkpoint).state_dict()[first], changed[first]), "a bundle without hashes opens"


def test_hashes_of_weights_are_those_of_sha256sum(tiny_bundle: Bundle) -> None:
    lines = (tiny_bundle.path / "weights.sha256").read_text().splitlines()
    assert [line.split("  ")[1] for line in lines] == ["weights.safetensors", "model.pth"]
    for line in lines:
        digest, name = line.split("  ")
        assert digest == hashlib.sha256((tiny_bundle.path / name).read_bytes()).hexdigest()


def test_new_weights_have_new_hashes(copy: Path) -> None:
    bundle = Bundle.open(copy)
    state = {name: one + 1 for name, one in bundle.weights().items()}
    write_weights(state, copy)
    assert all(torch.equal(one, state[name]) for name, one in bundle.weights().items())
    (copy / "weights.sha256").write_text("nonsense\n")
    with pytest.raises(BundleError, match=r"weights\.sha256: damaged"):
        bundle.weights()


def test_weights_of_another_network_are_a_clear_error(copy: Path) -> None:
    text = (copy / "recipe.yaml").read_text()
    (copy / "recipe.yaml").write_text(text.replace("stride: 4", "stride: 2"))
    with pytest.raises(BundleError, match="the weights do not fit model 'onset_unet'") as caught:
        open_predictor(copy)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["metrics.json", "split.json"])
def test_a_damaged_record_of_the_past_is_a_clear_error(copy: Path, name: str) -> None:
    (copy / name).write_text("{")
    with pytest.raises(BundleError, match=f"{name}: damaged"):
        Bundle.open(copy).read_json(name)


def test_a_damaged_memory_is_a_clear_error(copy: Path) -> None:
    (copy / "seen.npy").write_bytes(b"nonsense")
    with pytest.raises(BundleError, match=r"seen\.npy: damaged"):
        Bundle.open(copy).seen()


def test_a_bundle_that_does_not_know_what_calibrated_it_opens(copy: Path) -> None:
    (copy / "calibrated.npy").unlink()
    assert Bundle.open(copy).calibrated().size == 0
    open_predictor(copy).apply(RECORD, fs_hz=2000)


def test_weights_are_readable_for_whom_other_files_are(tiny_bundle: Bundle) -> None:
    modes = {name: (tiny_bundle.path / name).stat().st_mode for name in ("weights.safetensors", "recipe.yaml")}
    assert modes["weights.safetensors"] == modes["recipe.yaml"]


def test_a_checkpoint_that_is_not_there_is_a_clear_error(copy: Path) -> None:
    with pytest.raises(MissingDataError, match="--checkpoint: best, last or a file; 'nonsense' is none of them"):
        open_predictor(copy, checkpoint="nonsense")
    with pytest.raises(MissingDataError, match=r"--checkpoint best: onset-refraction has no such checkpoint.*shipped"):
        open_predictor("onset-refraction", checkpoint="best")
    open_predictor(copy, checkpoint="last").apply(RECORD, fs_hz=2000)


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="did you mean 'sta_lta'"):
        open_predictor("sta_lat")
    with pytest.raises(MissingDataError, match="no such bundle"):
        Bundle.open(tmp_path / "none")
    with pytest.raises(BundleError, match="not a bundle"):
        Bundle.open(tmp_path)


def test_a_checkpoint_in_place_of_a_bundle_is_told_how_to_say_it(copy: Path) -> None:
    file = next((copy / "checkpoints").glob("*.ckpt"))
    with pytest.raises(PluginError, match=re.escape(f"Give {copy} --checkpoint {file}")):
        open_predictor(file)


def test_shipped_bundles_open_and_give_a_product() -> None:
    rooms = set()
    for name in shipped_bundles():
        opened = open_predictor(name)
        rooms.add(opened.task.name)
        if opened.task.name == "picking":
            fs_hz = opened.recipe.shards.target_fs or 2000  # type: ignore[union-attr]
            assert len(opened.apply(RECORD, fs_hz=fs_hz)) == 5
        elif opened.task.name == "dispersion":
            shot = np.random.default_rng(0).normal(size=(24, 400)).astype(np.float32)
            table = opened.with_changes(dx_m=2.0, first_offset_m=10.0).apply(shot, fs_hz=200)
            assert len(table) == 4 * table["frequency_hz"].nunique()
            assert np.isfinite(table[["velocity_m_s", "low_m_s", "high_m_s"]]).all(axis=None)
        elif opened.task.name == "classification":
            record = np.random.default_rng(0).normal(size=(1, 3000)).astype(np.float32)
            record[:, 1550:] *= 20  # of windows that begin every 2 s, that of 14 s has the onset 1.5 s into it
            table = opened.apply(record, fs_hz=100)
            assert set(table["first_s"][table["class"] == "p_wave"]) >= {14.0}
            assert (table["class"] == "noise").sum() >= 10
            assert (table["status"] == "answered").all()
        elif opened.task.name == "restoration":
            panel = np.random.default_rng(0).normal(size=(24, 80)).astype(np.float32)
            panel[5] = 0
            (one,) = opened.apply(panel)
            assert np.isfinite(one.values).all()
            assert one.values[0, 5].any()
            assert one.half_width.any()
        else:
            shape = (64, 80) if opened.recipe.model.dims == 2 else (16, 32, 40)  # type: ignore[attr-defined]
            found = opened.apply(np.random.default_rng(0).normal(size=shape).astype(np.float32))[0].attributes
            assert set(found) == {"fault", "dip", "strike", "rgt", "dhr"}
            assert all(np.isfinite(one).all() for one in found.values())
    assert rooms == {"picking", "interpretation", "dispersion", "restoration", "classification"}


@pytest.mark.parametrize("name", ["calibration.json", "metrics.json", "split.json"])
def test_files_of_a_bundle_are_plain_json(tiny_bundle: Bundle, name: str) -> None:
    # NaN and Infinity are no JSON: other readers refuse them
    json.loads((tiny_bundle.path / name).read_text(), parse_constant=pytest.fail)


def test_every_error_is_of_the_family() -> None:
    assert all(issubclass(kind, SeisloomError) for _, _, kind, _ in DAMAGE.values())


@pytest.mark.parametrize("device", ["tpu", "nonsense", "cuda"])
def test_a_device_that_is_not_here_is_an_error_that_names_those_that_are(device: str, tiny_bundle: Bundle) -> None:
    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("CUDA is here")
    with pytest.raises(BundleError, match=rf"there is no device '{device}' here\. Give auto, or one of: cpu"):
        tiny_bundle.predictor(device)


def test_a_network_comes_by_name_with_its_weights_and_without(tiny_bundle: Bundle) -> None:
    trained, stored = network_of(tiny_bundle.path), tiny_bundle.weights()
    untrained = network_of(tiny_bundle.path, weights=False)
    assert not trained.training
    assert not untrained.training
    assert {name: one.shape for name, one in untrained.state_dict().items()} == {
        name: one.shape for name, one in stored.items()
    }
    assert all(torch.equal(one, stored[name]) for name, one in trained.state_dict().items())
    assert any(not torch.equal(one, stored[name]) for name, one in untrained.state_dict().items())
    for name in shipped_bundles():
        assert network_of(name).state_dict().keys() == Bundle.open(name).weights().keys()


def test_a_network_that_a_recipe_may_name_comes_with_its_keys_and_without_weights() -> None:
    narrow, wide = (network_of("curve_unet", weights=False, widths=widths) for widths in ((4, 8), (8, 16)))
    n_narrow, n_wide = (sum(one.numel() for one in network.parameters()) for network in (narrow, wide))
    assert n_narrow < n_wide


def test_what_no_network_can_be_made_of_is_a_clear_error(tiny_bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="curve_unet is a network without weights: say weights=False"):
        network_of("curve_unet")
    with pytest.raises(BundleError, match="a bundle's recipe has the keys of its network; leave out dims"):
        network_of(tiny_bundle.path, dims=3)
    with pytest.raises(RecipeError, match="did you mean 'widths'"):
        network_of("curve_unet", weights=False, width=(4, 8))
    with pytest.raises(PluginError, match="did you mean 'curve_unet'"):
        network_of("curve_unt", weights=False)


def test_a_methods_own_keys_are_changed_like_those_of_apply() -> None:
    panel = np.random.default_rng(0).normal(size=(24, 64)).astype(np.float32)
    median = open_predictor("median")
    wide = median.with_changes("n_traces=9")
    assert wide.method is not None
    assert wide.method.model_dump()["n_traces"] == 9
    arrays = {"x": panel[None, None], "live": np.ones((1, 1, 24), dtype=np.float32)}
    assert wide.predictor(arrays)["clean"].std() < 0.9 * median.predictor(arrays)["clean"].std()
    # A second change keeps the first, a key that `apply` has too is the method's only by its whole path
    again = open_predictor("gate").with_changes("fillers=[linear]", "networks=[]").with_changes("method.hidings=2")
    assert again.method is not None
    assert again.method.model_dump(include={"fillers", "networks", "hidings"}) == {
        "fillers": ("linear",), "networks": (), "hidings": 2,
    }  # fmt: skip
    assert again.recipe.apply.hidings != open_predictor("gate").with_changes("hidings=7").recipe.apply.hidings == 7
    with pytest.raises(RecipeError, match="n_traces"):
        median.with_changes("n_traces=0")
    with pytest.raises(RecipeError, match=r"n_trace: unknown key[\s\S]*keys of median itself are n_traces"):
        median.with_changes("n_trace=3")
    with pytest.raises(RecipeError, match="task: unknown key"):
        median.with_changes("task=picking")
    with pytest.raises(RecipeError, match="stay as they are"):
        median.with_changes("method.task=picking")
    with pytest.raises(RecipeError, match="not of bundles"):
        open_predictor("restoration-prestack").with_changes("method.n_traces=9")


def test_what_a_method_cannot_do_is_not_passed_over() -> None:
    with pytest.raises(RecipeError, match="median: goal=fill: this method has goal=denoise, and can do nothing else"):
        open_predictor("median").with_changes("goal=fill")
    open_predictor("median").with_changes("goal=denoise")
