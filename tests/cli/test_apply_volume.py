"""`seisloom apply` on volumes as a user types it: results where they belong, every mistake one error that helps."""

from __future__ import annotations

import errno
import itertools
import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seisloom.bundle import write_weights
from seisloom.convert import create_volume, open_volume
from seisloom.io.volumes.grid import Axis, Grid, whole
from seisloom.io.volumes.raw.cube import Cube
from seisloom.io.volumes.volume import Spec, Traces
from seisloom.recipe import read_recipe
from seisloom.sample import Array
from seisloom.task import task_of

SHAPE = (12, 14, 40)
SIZES = ("--n1", "40", "--n2", "14", "--n3", "12")
RUN = "import sys; from seisloom.cli.main import main; sys.argv[0] = 'seisloom'; main()"
Said = tuple[int, str, str]


def layers(shape: tuple[int, ...] = SHAPE) -> Array:
    """Reflectors that dip, with noise."""
    rng = np.random.default_rng(0)
    n = shape[-1]
    trace = np.convolve(rng.normal(size=n + 20), np.diff(np.exp(-(np.linspace(-3, 3, 13) ** 2)), 2), "same")[:n]
    dips = 0.15 * np.arange(shape[0])[:, None, None] + 0.1 * np.arange(shape[1])[:, None]
    values = np.interp(np.arange(n) + dips, np.arange(n), trace) + 0.05 * trace.std() * rng.normal(size=shape)
    return np.asarray(values / values.std(), dtype=np.float32)


def write(path: Path, values: Array) -> Path:
    lateral = ("inline", "crossline", "offset")
    axes = [Axis.regular(name, n, first=100) for name, n in zip(lateral, values.shape[:-1], strict=False)]
    grid = Grid((*axes, Axis.regular("time", values.shape[-1], step=0.004, unit="s")))
    writer = create_volume(path, Spec(grid, {"amplitude": np.dtype(np.float32)}))
    writer.write_traces(whole(values.shape[:-1]), Traces(np.ones(values.shape[:-1], dtype=bool)))
    writer.write(whole(values.shape), values)
    writer.finish()
    return path


def make_bundle(folder: Path) -> Path:
    """Write a bundle of a 2-D network that nobody has trained."""
    recipe = read_recipe("interpretation", ["model.widths=[4, 8]"])
    torch.manual_seed(0)
    folder.mkdir()
    (folder / "recipe.yaml").write_text(recipe.to_yaml())
    write_weights(recipe.model.build(task_of(recipe).item).state_dict(), folder)
    return folder


def test_a_raw_cube_without_suffix_gives_cubes_that_say_what_they_are(
    seisloom: Callable[..., Said], tmp_path: Path
) -> None:
    layers().tofile("test_volume")
    code, out, err = seisloom(
        "apply", "discontinuity", "test_volume", "--out", "result", *SIZES, "--fault", "True",
        "apply.patch=[8,8,16]", "--overlap", "0.5", "--window", "gaussian", "--batch_size", "2",
    )  # fmt: skip
    assert code == 0, err
    assert {one.name for one in tmp_path.iterdir()} == {
        "test_volume", "result.fsem", "result.fdip", "result.fstrike", "result.json",
    }  # fmt: skip
    assert "12 inline x 14 crossline x 40 sample; 24 tiles" in out
    assert out.count("wrote ") == 4
    said = json.loads(Path("result.json").read_text())
    assert said["n"] == [40, 14, 12]
    assert said["variables"] == {"fault": "result.fsem", "dip": "result.fdip", "strike": "result.fstrike"}
    assert said["attributes"]["seisloom"]["units"] == {"fault": "1", "dip": "degree", "strike": "degree"}
    fault = np.fromfile("result.fsem", "<f4").reshape(SHAPE)
    assert (fault >= 0).all()
    assert (fault <= 1).all()
    assert fault.std() > 0


def test_a_2d_network_takes_a_patch_as_two_numbers(seisloom: Callable[..., Said], tmp_path: Path) -> None:
    make_bundle(tmp_path / "model")
    layers().tofile("test_volume")
    words = ["apply", "model", "test_volume", *SIZES, "--overlap", "0.5", "--window", "gaussian", "--batch_size", "2"]
    code, out, err = seisloom(*words, "--out", "result", "--fault", "True", "--patch", "64,64")
    assert code == 0, err
    assert "is shorter than the patch (1, 64, 64) along crossline, sample" in out
    code, _, err = seisloom(*words, "--out", "again", "--attributes", "fault,dip,strike", "apply.patch=[64,64]")
    assert code == 0, err
    for ending in ("fsem", "fdip", "fstrike"):
        assert Path(f"result.{ending}").read_bytes() == Path(f"again.{ending}").read_bytes()


@pytest.mark.parametrize("kind", [".sgy", ".zarr", ".bin"])
def test_a_result_has_the_grid_of_its_source(seisloom: Callable[..., Said], kind: str) -> None:
    source = write(Path(f"survey{kind}"), layers())
    code, _, err = seisloom("apply", "discontinuity", str(source), "--out", "r.zarr", "--attributes", "fault")
    assert code == 0, err
    assert open_volume("r.zarr").spec.grid == open_volume(source).spec.grid
    code, _, err = seisloom("apply", "discontinuity", str(source), "--out", "r.sgy", "--attributes", "fault")
    assert code == 0, err
    box = whole(SHAPE)
    assert np.array_equal(open_volume("r.sgy").read(box), open_volume("r.zarr").read(box, "fault"))


OK = ("ok.zarr",)
MISTAKES: dict[str, tuple[tuple[str, ...], str]] = {
    # what is typed after the method, and what is said
    "no such file": (("nothing.sgy",), r"nothing\.sgy: no such volume"),
    "text": (("text.txt",), r"text\.txt: no format of volumes ends with '\.txt'; there are .*\.zarr"),
    "text named SEG-Y": (("text.sgy",), r"text\.sgy: not SEG-Y that can be read: .* Give another file"),
    "empty": (("empty.bin",), r"empty\.bin: is empty"),
    "no float32": (("odd.bin",), r"odd\.bin: 5 bytes are no whole number of float32"),
    "raw without sizes": (("cube.bin",), r"cube\.bin: 6720 samples, and nothing says the sizes\. Give --n1 .* Among"),
    "raw with other sizes": (("cube.bin", "--n1", "41", "--n2", "14", "--n3", "12"), r"cube\.bin: .*41"),
    "4 axes": (("gathers.zarr",), "a volume of 4 axes"),
    "a missing chunk": (("missing.zarr",), r"this chunk is missing, and it has live traces\. Convert"),
    "constant": (("constant.zarr",), r"constant\.zarr: 90 % of the samples are 3.*constant"),
    "zeros": (("zeros.zarr",), r"zeros\.zarr: all samples are 0 or not finite"),
    "duplicate traces": (("duplicate.sgy",), r"1 of 168 traces have those of another trace.*--inline-byte"),
    "irregular": (("irregular.sgy",), r"an irregular grid: .*--inline-byte"),
    "cut off": (("cut.sgy",), r"cut\.sgy: is cut off.*truncate -s 70400 FILE"),
    "unknown variable": ((*OK, "--variable", "velocity"), r"no variable 'velocity'; there are amplitude"),
    "unknown attribute": ((*OK, "--attributes", "falt"), r"no attribute 'falt'; there are fault, dip, strike"),
    "attribute of another network": ((*OK, "--attributes", "rgt"), r"finds fault, dip, strike, and none of rgt"),
    "unknown key": ((*OK, "--ovrlap", "0.5"), r"ovrlap: unknown key; did you mean 'overlap'\?"),
    "overlap 1": ((*OK, "--overlap", "1"), r"apply\.overlap: input should be less than 1"),
    "negative overlap": ((*OK, "--overlap", "-0.1"), r"apply\.overlap: input should be greater than or equal to 0"),
    "unknown window": ((*OK, "--window", "hann"), r"apply\.window: input should be 'cosine', 'gaussian' or 'flat'"),
    "no batch": ((*OK, "--batch_size", "0"), r"apply\.batch_size: input should be greater than or equal to 1"),
    "patch of two numbers": ((*OK, "apply.patch=[8,8]"), r"apply\.patch \[8, 8\]: the network looks along 3 axes here"),
    "patch of none": ((*OK, "apply.patch=[0,8,8]"), "every length must be at least 1"),
    "patch beyond memory": ((*OK, "apply.patch=[640,640,640]"), r"takes 7340\.03 MB .*more memory \(--memory-mb\)"),
    "no workers": ((*OK, "--workers", "0"), r"--workers 0: at least 1 is needed"),
    "no memory": ((*OK, "--memory-mb", "0"), r"more memory \(--memory-mb\)"),
    "memory nan": ((*OK, "--memory-mb", "nan"), "memory_mb nan: give the 10.6 bytes"),
    "a checkpoint": ((*OK, "--checkpoint", "best"), r"without weights: --checkpoint concerns bundles"),
}


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sources that a user may have, good and bad. Not to be written to."""
    folder = tmp_path_factory.mktemp("bad")
    values = layers()
    (folder / "text.txt").write_text("hello\n")
    (folder / "text.sgy").write_text("hello\n" * 1000)
    (folder / "empty.bin").touch()
    (folder / "odd.bin").write_bytes(b"hello")
    values.tofile(folder / "cube.bin")
    write(folder / "ok.zarr", values)
    write(folder / "gathers.zarr", np.random.default_rng(0).normal(size=(3, 4, 3, 30)).astype(np.float32))
    write(folder / "constant.zarr", np.full(SHAPE, 3, dtype=np.float32))
    write(folder / "zeros.zarr", np.zeros(SHAPE, dtype=np.float32))
    write(folder / "missing.zarr", values)
    next(one for one in (folder / "missing.zarr" / "amplitude" / "c").rglob("*") if one.is_file()).unlink()
    good = write(folder / "ok.sgy", values).read_bytes()
    (folder / "cut.sgy").write_bytes(good[:-300])
    trace = 240 + 4 * SHAPE[-1]
    duplicate, irregular = bytearray(good), bytearray(good)
    duplicate[3600 + 7 * trace + 188 : 3600 + 7 * trace + 196] = good[3600 + 6 * trace + 188 : 3600 + 6 * trace + 196]
    for k, numbers in enumerate(np.random.default_rng(0).integers(1, 10_000, (SHAPE[0] * SHAPE[1], 2)).tolist()):
        struct.pack_into(">2i", irregular, 3600 + k * trace + 188, *numbers)
    (folder / "duplicate.sgy").write_bytes(duplicate)
    (folder / "irregular.sgy").write_bytes(irregular)
    return folder


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_an_error_that_says_how_to_mend_it_and_leaves_nothing(
    mistake: str, seisloom: Callable[..., Said], bad: Path, tmp_path: Path
) -> None:
    (source, *words), said = MISTAKES[mistake]
    code, out, err = seisloom("apply", "discontinuity", str(bad / source), "--out", "result.zarr", *words)
    assert code == 2, out
    assert re.search(said, err), err
    assert "Traceback" not in err
    assert len([line for line in err.splitlines() if line.startswith("error: ")]) == 1
    assert not list(tmp_path.iterdir())


WARNINGS: dict[str, tuple[Callable[[Array], Array], str]] = {
    "NaN slab": (
        lambda x: np.where(np.arange(12)[:, None, None] // 3 == 1, np.float32(np.nan), x),
        "1680 samples are NaN or infinite; the model sees 0 there",
    ),
    "padding": (
        lambda x: np.where((np.arange(40) < 30) & (np.arange(12) > 2)[:, None, None], x, np.float32(0)),
        "42 dead traces, 126 padded with zeros",
    ),
}


@pytest.mark.parametrize("what", WARNINGS)
def test_what_can_be_worked_with_is_counted(what: str, seisloom: Callable[..., Said]) -> None:
    change, said = WARNINGS[what]
    write(Path("survey.zarr"), change(layers()))
    code, out, err = seisloom("apply", "discontinuity", "survey.zarr", "--out", "r.zarr", "--attributes", "fault")
    assert code == 0, err
    assert f"survey.zarr: {said}" in out
    assert np.isfinite(open_volume("r.zarr").read(whole(SHAPE), "fault")).all()


def test_a_survey_without_geometry_in_its_headers_is_one_line_and_says_so(seisloom: Callable[..., Said]) -> None:
    good = bytearray(write(Path("survey.sgy"), layers()).read_bytes())
    for k in range(SHAPE[0] * SHAPE[1]):
        at = 3600 + k * (240 + 4 * SHAPE[-1])
        good[at : at + 114], good[at + 180 : at + 240] = bytes(114), bytes(60)
    Path("survey.sgy").write_bytes(good)
    code, out, err = seisloom("apply", "discontinuity", "survey.sgy", "--out", "r.zarr", "--attributes", "fault")
    assert code == 0, err
    assert "no header words number the traces, so they are counted from 1, as one line" in out


def test_an_output_that_is_there_or_is_the_source_is_refused(seisloom: Callable[..., Said]) -> None:
    write(Path("survey.zarr"), layers())
    command = ("apply", "discontinuity", "survey.zarr", "--attributes", "fault", "--out")
    assert seisloom(*command, "r.zarr")[0] == 0
    code, _, err = seisloom(*command, "r.zarr")
    assert code == 2
    assert "r.zarr: is there already. Choose another --out, or replace it with --force" in err
    assert seisloom(*command, "r.zarr", "--force")[0] == 0
    for out in ("survey.zarr", "../" + Path.cwd().name + "/survey.zarr"):
        code, _, err = seisloom(*command, out, "--force")
        assert code == 2
        assert "is the source itself. Choose another place" in err
    assert list(open_volume("survey.zarr").spec.variables) == ["amplitude"]


def test_a_disk_that_is_full_in_the_middle_is_one_line_and_the_command_goes_on(
    seisloom: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(Path("survey.zarr"), layers())
    command = ("apply", "discontinuity", "survey.zarr", "apply.patch=[6,6,10]", "--out")
    assert seisloom(*command, "undisturbed")[0] == 0
    stored, boxes = Cube.write, itertools.count()

    def full(cube: Cube, *box_and_values: Any) -> None:
        if next(boxes) == 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(cube.path.absolute()))
        stored(cube, *box_and_values)

    with monkeypatch.context() as patched:
        patched.setattr(Cube, "write", full)
        code, _, err = seisloom(*command, "r")
    assert code == 2
    assert "No space left on device" in err
    assert "r: not finished. The command that began it goes on where it stopped" in err
    code, _, err = seisloom(*command, "r", "--overlap", "0.5")
    assert code == 2
    assert re.search(r"was begun by another run: .*To begin anew, give --force", err)
    code, out, err = seisloom(*command, "r")
    assert code == 0, err
    assert "r: going on with a run that was not finished" in err
    assert re.search(r"\d+ of \d+ parts were there already", out)
    for ending in ("fsem", "fdip", "fstrike"):
        assert Path(f"r.{ending}").read_bytes() == Path(f"undisturbed.{ending}").read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_command_that_is_stopped_goes_on_to_the_same_bytes(
    number: signal.Signals, seisloom: Callable[..., Said]
) -> None:
    write(Path("survey.zarr"), layers((48, 40, 64)))
    command = ("apply", "discontinuity", "survey.zarr", "apply.patch=[8,8,16]", "--out")
    assert seisloom(*command, "undisturbed")[0] == 0
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, *command, "r"], stderr=subprocess.PIPE, text=True,
        # Tests that run in the background of a shell ignore Ctrl-C, and so would what they start
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    while process.poll() is None and not list(Path("r.tiles").glob("written/*.json")):
        time.sleep(0.005)
    process.send_signal(number)
    _, err = process.communicate()
    assert process.returncode == (130 if number == signal.SIGINT else -9), err
    if number == signal.SIGINT:
        assert "r: not finished. The command that began it goes on where it stopped" in err
        assert "Traceback" not in err
    code, out, err = seisloom(*command, "r")
    assert code == 0, err
    assert "parts were there already" in out
    for ending in ("fsem", "fdip", "fstrike"):
        assert Path(f"r.{ending}").read_bytes() == Path(f"undisturbed.{ending}").read_bytes()
