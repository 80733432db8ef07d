"""A refiner behind a network: in one process, tile by tile, for sections and volumes and any set of tasks."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seisloom.bundle import WEIGHTS, Opened, as_predictor, open_predictor, write_weights
from seisloom.calibration.probability import ProbabilityCalibration
from seisloom.convert import open_volume
from seisloom.errors import OutputError, RecipeError
from seisloom.io.shards import write_json
from seisloom.io.volumes.grid import whole
from seisloom.io.volumes.volume import Given, Wanted
from seisloom.recipe import read_recipe
from seisloom.run.apply import apply_volume
from seisloom.run.calibrate import recalibrate
from seisloom.sample import Array, Arrays
from seisloom.tasks.interpretation import apply as room
from seisloom.tasks.interpretation.apply import tiled
from seisloom.tasks.interpretation.network import RARE
from seisloom.tasks.interpretation.recipe import ITEM, SWITCHES, InterpretationRecipe
from seisloom.tasks.interpretation.refining.refine import Refine, chain_of
from seisloom.tasks.interpretation.synth.config import SynthVolumes
from seisloom.tasks.interpretation.synth.dataset import write_dataset
from seisloom.tiled import Place

Make = Callable[..., Path]
SHAPE = (10, 24, 40)
ALL = ("fault", "rgt", "dhr")
COMBINATIONS = [one for n in (1, 2, 3) for one in itertools.combinations(ALL, n)]
TILES = {"along": "both", "patch": [8, 16, 24], "overlap": 0.5}


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Writes a bundle that nobody has trained; a refiner corrects by chance, unless it is to correct nothing."""

    def bundle(kind: str, tasks: tuple[str, ...] = ALL, *changes: str, seed: int = 0, correct: bool = True) -> Path:
        folder = tmp_path_factory.mktemp("bundles") / kind
        folder.mkdir()
        on = [f"model.{name}={name in tasks}" for name in SWITCHES]
        recipe = read_recipe(
            "interpretation", [f"model.name=interpretation_{kind}", "model.widths=[4, 8]", *on, *changes]
        )
        torch.manual_seed(seed)
        network = recipe.model.build(ITEM)
        if kind == "refiner" and correct:
            with torch.no_grad():
                for decoder in network.unet.decoders.values():  # type: ignore[union-attr,operator]
                    for parameter in decoder.head.parameters():
                        parameter.normal_(std=0.2)
        (folder / "recipe.yaml").write_text(recipe.to_yaml())
        write_weights(network.state_dict(), folder)
        return folder

    return bundle


def volume(shape: tuple[int, ...] = SHAPE) -> Array:
    rng = np.random.default_rng(3)
    return (np.cumsum(rng.normal(size=shape), axis=0) + 3 * np.sin(np.arange(shape[-1]))).astype(np.float32)


def refined(network: Path, refiner: Path, **keys: Any) -> Opened:
    return open_predictor(network, device="cpu").with_changes(refine=str(refiner), **keys)


@pytest.mark.parametrize("tasks", COMBINATIONS, ids="+".join)
def test_any_set_of_tasks_is_refined(tasks: tuple[str, ...], make: Make) -> None:
    network, refiner = make("unet", tasks), make("refiner", tasks)
    plain = open_predictor(network, device="cpu").with_changes(**TILES).apply(volume())[0].attributes
    found = refined(network, refiner, **TILES).apply(volume())[0].attributes
    assert set(found) == set(plain) == {name for task in tasks for name in SWITCHES[task]}
    for name, values in found.items():
        assert np.isfinite(values).all()
        assert values.shape == SHAPE
        # Of a network that nobody has trained no voxel is a fault, and there are no angles to differ
        assert name in ("dip", "strike") or np.abs(values - plain[name]).max() > 1e-3, f"{name} was not refined"


def test_volumes_are_refined_by_networks_that_see_volumes(make: Make) -> None:
    network, refiner = make("unet", ALL, "model.dims=3"), make("refiner", ALL, "model.dims=3")
    plain = open_predictor(network, device="cpu").apply(volume())[0].attributes
    found = refined(network, refiner).apply(volume())[0].attributes
    for name in ("fault", "rgt", "dhr"):
        assert np.abs(found[name] - plain[name]).max() > 1e-3


def test_a_refiner_that_corrects_nothing_changes_nothing(make: Make) -> None:
    network, refiner = make("unet"), make("refiner", correct=False)
    plain = open_predictor(network, device="cpu").with_changes(**TILES).apply(volume())[0]
    found = refined(network, refiner, **TILES, iterations=3).apply(volume())[0]
    for name, values in plain.blended.items():
        np.testing.assert_allclose(found.blended[name], values, atol=1e-4, err_msg=name)
    assert abs(np.median(plain.blended["fault"]) - RARE) < 2, "logits are within what the refiner lets in"


def test_two_iterations_are_the_refiner_behind_itself(make: Make) -> None:
    network, refiner = make("unet"), make("refiner")
    first = open_predictor(network, device="cpu").predictor
    names = ("fault", "normal", "rgt_steps", "dhr")
    arrays = {"x": volume((3, 1, 24, 40))}
    twice = Refine(str(refiner), names, 2)(first)(arrays)
    once_more = Refine(str(refiner), names, 1)(Refine(str(refiner), names, 1)(first))(arrays)
    by_hand: Arrays = first(arrays)
    for _ in range(2):
        guess = {f"guess_{name}": by_hand[name] for name in names}
        by_hand = open_predictor(refiner, device="cpu").predictor({**arrays, **guess})
    for name in names:
        np.testing.assert_array_equal(twice[name], once_more[name])
        np.testing.assert_array_equal(twice[name], by_hand[name])
    assert np.abs(twice["fault"] - Refine(str(refiner), names, 1)(first)(arrays)["fault"]).max() > 1e-3


def test_a_mirrored_view_of_a_refined_network_is_turned_back(make: Make) -> None:
    folders = make("unet", ("fault", "dhr")), make("refiner", ("fault", "dhr"), correct=False)
    opened = refined(*folders, along="inline", patch=[24, 40])

    def symmetric(arrays: Arrays) -> Arrays:
        x = arrays["x"][:, 0]
        normal = np.stack([-0.6 + 0 * x, 0.8 * np.sign(np.gradient(np.abs(x), axis=-2)), 0 * x], axis=1)
        return {"fault": np.clip(np.abs(x), 0, 4), "normal": normal, "dhr": x}

    outputs = []
    for views in (1, 4):
        made = tiled(opened.with_changes(views=views).recipe, None, (1, 24, 40))
        outputs.append(made.wrap(symmetric)({"x": volume((2, 1, 24, 40))}))
    for name, values in outputs[0].items():
        np.testing.assert_allclose(outputs[1][name], values, atol=1e-4, err_msg=name)


def test_a_file_has_the_same_bytes_for_any_chunks_and_is_what_memory_gives(make: Make, tmp_path: Path) -> None:
    volume().tofile(cube := tmp_path / "in.bin")
    opened = refined(make("unet"), make("refiner"), **TILES, iterations=2)
    given = Given(n1=SHAPE[2], n2=SHAPE[1], n3=SHAPE[0])
    outputs = []
    for name, chunk in (("a.zarr", (5, 16, 16)), ("b.zarr", (10, 7, 40))):
        apply_volume(opened, cube, tmp_path / name, given=given, wanted=Wanted(chunk=chunk))
        stored = open_volume(tmp_path / name)
        outputs.append({one: stored.read(whole(SHAPE), one) for one in stored.spec.variables})
    expected = opened.apply(volume())[0].attributes
    for name, values in outputs[0].items():
        np.testing.assert_array_equal(outputs[1][name], values, err_msg=name)
        # Percentiles are told from a sketch on disk and from all samples in memory, and a refiner that corrects by
        # chance makes much of it at some voxels; angles may flip at a threshold
        if name in ("fault", "rgt", "dhr"):
            off = np.abs(values - expected[name]).mean()
            assert off < 3e-2 * expected[name].std(), name


def test_an_unfinished_run_is_not_gone_on_with_by_another_refiner(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume().tofile(cube := tmp_path / "in.bin")
    given, out, network = Given(n1=SHAPE[2], n2=SHAPE[1], n3=SHAPE[0]), tmp_path / "out.zarr", make("unet", ("fault",))
    refiner = make("refiner", ("fault",))
    place = Place(workers=1, threads=1, memory_mb=0.5)  # so little that there are many parts
    keys: dict[str, Any] = {"given": given, "wanted": Wanted(chunk=(5, 8, 16)), "place": place}

    calls, real = [], room.derive

    def stopping(*args: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*args, **options)

    opened = refined(network, refiner, **TILES)
    with monkeypatch.context() as patched:
        patched.setattr(room, "derive", stopping)
        with pytest.raises(KeyboardInterrupt):
            apply_volume(opened, cube, out, **keys)
    weights, other = (one / WEIGHTS for one in (refiner, make("refiner", ("fault",), seed=1)))
    before = weights.read_bytes()
    weights.write_bytes(other.read_bytes())
    with pytest.raises(OutputError, match="model_sha256"):
        apply_volume(opened, cube, out, **keys)
    weights.write_bytes(before)
    assert apply_volume(opened, cube, out, **keys).swept.n_resumed > 0


def test_probabilities_are_those_of_the_refiner_unless_the_chain_was_calibrated(make: Make, tmp_path: Path) -> None:
    network, refiner = make("unet", ("fault",)), make("refiner", ("fault",))
    write_json(refiner / "calibration.json", ProbabilityCalibration(0.5, 1.0).to_json())
    recipe = refined(network, refiner).recipe
    assert isinstance(recipe, InterpretationRecipe)

    def used(calibration: ProbabilityCalibration | None) -> ProbabilityCalibration:
        found = tiled(recipe, calibration, SHAPE).derive.keywords["calibration"]  # type: ignore[attr-defined]
        assert isinstance(found, ProbabilityCalibration)
        return found

    assert used(None).scale == used(ProbabilityCalibration(2.0)).scale == 0.5
    write_dataset(SynthVolumes(n_train=2, n_valid=0, shape=(1, 32, 40)), tmp_path / "set")
    records = open_predictor(network).records(tmp_path / "set/data_train")
    chain = recalibrate(network, records, tmp_path / "chain", changes=[f"apply.refine={refiner}"])
    assert chain.calibration is not None
    assert chain.calibration.refined == chain_of(recipe)
    assert used(chain.calibration) == chain.calibration
    assert recalibrate(network, records, tmp_path / "plain").calibration.refined == ""  # type: ignore[union-attr]


def test_a_relative_folder_is_that_of_who_says_it(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = make("unet", ("fault",))
    monkeypatch.chdir(tmp_path)
    opened = open_predictor(network).with_changes("refine=runs/refiner")
    assert opened.recipe.apply.refine == str(tmp_path / "runs/refiner")
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes/r.yaml").write_text(opened.recipe.to_yaml().replace(str(tmp_path / "runs/refiner"), "refiner"))
    assert read_recipe("recipes/r.yaml").apply.refine == str(tmp_path / "recipes/refiner")  # type: ignore[union-attr]
    learnt = read_recipe("interpretation_refinement", ["data.first_network=runs/faults"])
    assert learnt.data.first_network == str(tmp_path / "runs/faults")  # type: ignore[attr-defined]
    assert open_predictor("discontinuity", recipe=opened.recipe).recipe.apply.refine is None, "a baseline stays one"


@pytest.mark.parametrize(
    ("kind", "tasks", "changes", "keys", "said"),
    [
        ("unet", ALL, (), {}, "holds a network interpretation_unet, which refines nothing. Train a refiner"),
        ("refiner", ALL, ("model.dims=3",), {}, "sees 3 dimensions, and the network that it refines 2. Train one with"),
        ("refiner", ("fault",), (), {}, r"and not rgt, dhr. Write the others alone \(apply.attributes=\[fault,dip,"),
        ("refiner", ALL, ("prepare.0.percentile=99",), {}, "trained on amplitudes of another scale"),
        ("refiner", ("fault", "dhr"), (), {"attributes": ["fault"]}, None),
    ],
)
def test_what_does_not_go_together_is_said(
    kind: str, tasks: tuple[str, ...], changes: tuple[str, ...], keys: dict[str, Any], said: str | None, make: Make
) -> None:
    opened = refined(make("unet"), make(kind, tasks, *changes), **keys)
    if said is None:
        tiled(opened.recipe, None, SHAPE[1:])
        return
    with pytest.raises(RecipeError, match=said) as caught:
        tiled(opened.recipe, None, SHAPE[1:])
    assert "\n" not in str(caught.value)


def test_other_mistakes_are_said_too(make: Make, tmp_path: Path) -> None:
    few, refiner = make("unet", ("fault",)), make("refiner")
    with pytest.raises(RecipeError, match=r"takes rgt, dhr of a first guess.*model\.rgt=false model\.dhr=false"):
        tiled(refined(few, refiner).recipe, None, SHAPE)
    with pytest.raises(RecipeError, match=r"apply\.refine: .*nowhere: no such folder\. A refiner is trained by: seis"):
        tiled(refined(few, tmp_path / "nowhere").recipe, None, SHAPE[1:])
    with pytest.raises(RecipeError, match=r"apply\.refine: .*p-wave-window holds a network \w+, which refines nothing"):
        tiled(refined(few, Path("p-wave-window")).recipe, None, SHAPE[1:])
    with pytest.raises(RecipeError, match="finds nothing in a volume by itself"):
        open_predictor(refiner).apply(volume())
    with pytest.raises(RecipeError, match="nothing is refined; give refine=FOLDER"):
        open_predictor(few).with_changes(iterations=2)
    faults = Refine(str(refiner), ("fault", "normal", "rgt_steps", "dhr"), 1)
    with pytest.raises(RecipeError, match=r"takes rgt_steps, dhr of a first guess, and what is refined gives fault"):
        faults(as_predictor(open_predictor(few).bundle.network()))({"x": volume((1, 1, 24, 40))})  # type: ignore[union-attr]


def test_a_refiner_is_trained_applied_and_evaluated_by_commands(
    make: Make, seisloom: Callable[..., tuple[int, str, str]]
) -> None:
    write_dataset(SynthVolumes(n_train=10, n_valid=2, shape=(1, 32, 40), refinement=True), Path("set"))
    network = make("unet", ("fault", "dhr"))
    code, out, err = seisloom(
        "train", "interpretation_refinement", "--data", "set", "--out", "runs/refiner", "model.widths=[4, 8]",
        "train.epochs=1", "train.batch_size=4", "train.threads=1", "train.loggers=[csv]", "train.accelerator=cpu",
        "split.calibrate=0.2", "split.test=0.2",
    )  # fmt: skip
    assert code == 0, err
    assert "refiner" in out
    volume((2, 24, 40)).tofile("in.bin")
    words = ["apply", str(network), "in.bin", "--n1", "40", "--n2", "24", "--n3", "2", "--workers", "1"]
    code, out, err = seisloom(*words, "--out", "r.zarr", "apply.refine=runs/refiner", "apply.iterations=2")
    assert code == 0, err
    assert set(open_volume("r.zarr").spec.variables) == {"fault", "dip", "strike", "dhr"}
    code, _, err = seisloom(*words, "--out", "s.zarr", "--refine", "runs/refinre")
    assert (code, err.count("\n")) == (2, 1)
    assert "runs/refinre: no such folder. A refiner is trained by" in err
    scores = []
    for changes in ([], ["apply.refine=runs/refiner"]):
        code, out, err = seisloom("evaluate", str(network), "set/data_valid", *changes, "--alone", "--out", "e")
        assert code == 0, err
        scores.append(Path("e/metrics.json").read_text())
    assert scores[0] != scores[1]
    code, out, err = seisloom("evaluate", "runs/refiner", "set/data_valid", "--out", "e2")
    assert code == 0, err
    assert "discontinuity" in out
