"""Outputs that were left half-written by a killed process, and are gone on with: the same bytes in the end."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest

from seisloom.convert import create_volume, format_of, formats, open_volume, resume_volume
from seisloom.errors import OutputError
from seisloom.io.volumes.grid import Axis, Box, Grid, boxes
from seisloom.io.volumes.volume import Spec, Wanted, Writer
from seisloom.testing import check_format, check_resume

SURVEY = Path(__file__).parents[2] / "data" / "mdio_v1" / "small.sgy"
"""4 inlines, 5 crosslines, two of the traces missing, 16 samples."""
BEGUN = Wanted(chunk=(2, 2, 8))
CASES: dict[str, tuple[str, tuple[str, ...], Wanted, bool]] = {
    # output, variables, how it is stored, with the frame and the headers of the survey
    "zarr": ("out.zarr", ("amplitude", "fault"), BEGUN, True),
    "zarr with shards": ("out.zarr", ("amplitude",), Wanted(chunk=(2, 2, 8), shard=(2, 4, 16)), False),
    "new segy": ("out.sgy", ("amplitude",), BEGUN, False),
    "segy copy": ("out.sgy", ("amplitude",), BEGUN, True),
    "segy copy, samples first": ("out.sgy", ("amplitude",), BEGUN, True),
    "segys": ("out.sgy", ("fault", "dip"), BEGUN, True),
    "raw": ("out.bin", ("amplitude",), BEGUN, False),
    "raws": ("out.bin", ("amplitude", "fault", "phase"), BEGUN, False),
    "vti": ("out.vti", ("amplitude", "fault"), BEGUN, False),
    "nrrd": ("out.nhdr", ("amplitude",), BEGUN, False),
    "nrrds": ("out.nhdr", ("fault", "dip"), BEGUN, False),
}
AT_RENAME = -1.0
KILLED_AT = [(step, share) for step in (1, 6, 7) for share in (0.3, 0.7, AT_RENAME)]
"""Which step does not end, and after which share of the calls that it makes; or before it renames a file."""
Step = Callable[[Writer], None]


def described(case: str) -> Spec:
    _, names, _, as_survey = CASES[case]
    spec = open_volume(SURVEY).spec
    attributes = {"made by": {"hash": "abc", "numbers": (1, 2.5, np.nan)}} if "zarr" not in case else {}
    spec = replace(spec, variables=dict.fromkeys(names, np.dtype(np.float32)), attributes=attributes)
    return spec if as_survey else replace(spec, frame=None, has_headers=False, has_xy=True)


def steps(case: str) -> list[Step]:
    """Return all that is written, in order."""
    volume, spec = open_volume(SURVEY), described(case)
    size = CASES[case][2].shard or (2, 2, 8)

    def write_traces(box: Box, writer: Writer) -> None:
        traces = volume.traces(box)
        grid = np.stack(np.meshgrid(*(np.arange(one.start, one.stop) for one in box), indexing="ij"))
        writer.write_traces(box, replace(traces, x=1000.0 + 25 * grid[0], y=2000.0 + 12.5 * grid[1]))

    def write(box: Box, name: str, writer: Writer) -> None:
        values = np.random.default_rng(len(name)).normal(size=spec.grid.shape).astype(np.float32)
        writer.write(box, np.where(volume.traces(box[:-1]).live[..., None], values[box], np.float32(0)), name)

    traces: list[Step] = [partial(write_traces, box) for box in boxes(spec.grid.trace_shape, size[:-1])]
    samples: list[Step] = [partial(write, box, name) for box in boxes(spec.grid.shape, size) for name in spec.variables]
    return [*samples, *traces] if "samples first" in case else [*traces, *samples]


def left(case: str, n_done: int) -> list[Step]:
    """Return what is written by a run that goes on: traces come first in it."""
    todo = steps(case)[n_done:]
    return todo[::-1] if "samples first" in case else todo


def begin(case: str, folder: Path, n_steps: int | None = None) -> Writer:
    folder.mkdir(parents=True, exist_ok=True)
    writer = create_volume(folder / CASES[case][0], described(case), CASES[case][2])
    for step in steps(case)[:n_steps]:
        step(writer)
    return writer


def go_on(case: str, folder: Path) -> Writer | None:
    return resume_volume(folder / CASES[case][0], described(case), CASES[case][2])


def there(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def be_killed(case: str, folder: Path, step: int, share: float) -> None:
    """Write what comes before a step, begin it, and die by SIGKILL in its middle."""
    made = {"calls": 0, "os.rename": 0}
    last = dict.fromkeys(made, sys.maxsize)

    def count(what: str) -> None:
        if what in made:
            made[what] += 1
            if made[what] > last[what]:
                os.kill(os.getpid(), signal.SIGKILL)

    def count_call(*_: Any) -> None:
        count("calls")

    threading.setprofile(count_call)  # zarr writes from threads that it starts now
    sys.addaudithook(lambda event, _: count(event))
    writer, todo = begin(case, folder, step), steps(case)
    writer.path.with_name("in the middle").touch()
    sys.setprofile(count_call)
    made.update(dict.fromkeys(made, 0))
    todo[step - 1](writer)  # once more, to see what a step does
    if share == AT_RENAME and made["os.rename"]:
        last["os.rename"] = 0
    else:
        last["calls"] = int((0.5 if share == AT_RENAME else share) * made["calls"])
    made.update(dict.fromkeys(made, 0))
    while True:  # threads do not make the same calls each time
        todo[step](writer)


def kill_all(case: str, folder: Path) -> None:
    """Have a process killed at each place; from a process of its own, since it forks."""
    for k, (step, share) in enumerate(KILLED_AT):
        child = os.fork()
        if not child:
            try:
                be_killed(case, folder / str(k), step, share)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), (case, step, share, status)
        assert os.WTERMSIG(status) == signal.SIGKILL


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What killed processes have left: a folder for each case and place."""
    folder = tmp_path_factory.mktemp("killed")
    subprocess.run([sys.executable, __file__, folder], check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    return folder


@pytest.mark.parametrize("case", CASES)
def test_a_killed_run_goes_on_to_the_same_bytes(case: str, killed: Path, tmp_path: Path) -> None:
    begin(case, tmp_path).finish()
    undisturbed = there(tmp_path)
    for k, (step, _) in enumerate(KILLED_AT):
        folder = killed / case / str(k)
        (folder / "in the middle").unlink()
        writer = go_on(case, folder)
        assert writer is not None
        writer = pickle.loads(pickle.dumps(writer))
        assert isinstance(writer, Writer)
        for one in left(case, step - 1):  # what was written last, what was not written whole, and the rest
            one(writer)
        assert len(writer.finish()) >= 1
        assert there(folder).keys() == undisturbed.keys()
        assert there(folder) == undisturbed
        assert go_on(case, folder) is None


@pytest.mark.parametrize("case", CASES)
def test_one_that_was_begun_otherwise_is_refused_and_left_alone(case: str, tmp_path: Path) -> None:
    begin(case, tmp_path, 5)
    before, spec, (name, _, wanted, _) = there(tmp_path), described(case), CASES[case]
    inline, *others = spec.grid.axes
    moved = replace(spec, grid=Grid((Axis(inline.name, inline.values + 1, inline.unit), *others)))
    for other, why in (
        (moved, f"coordinates of {inline.name} was .* and is now "),
        (replace(spec, attributes={"made by": {"hash": "def"}}), r'attributes\.made by.*"def"'),
        (replace(spec, has_xy=not spec.has_xy), "CDP coordinates was (true|false) and is now (true|false)"),
    ):
        with pytest.raises(OutputError, match=rf"out.*\.partial: was begun by another run: .*{why}.*--force"):
            resume_volume(tmp_path / name, other, wanted)
    assert there(tmp_path) == before
    writer = go_on(case, tmp_path)
    assert writer is not None
    writer.abandon()
    assert not any(tmp_path.iterdir())
    assert go_on(case, tmp_path) is None


def test_other_chunks_are_refused(tmp_path: Path) -> None:
    begin("zarr with shards", tmp_path, 3)
    path, spec = tmp_path / "out.zarr", described("zarr with shards")
    with pytest.raises(OutputError, match=r"chunk was \[2, 2, 8\] and is now \[4, 2, 8\]"):
        resume_volume(path, spec, Wanted(chunk=(4, 2, 8), shard=(4, 4, 16)))
    with pytest.raises(OutputError, match=r"shard was \[2, 4, 16\] and is now null"):
        resume_volume(path, spec, Wanted(chunk=(2, 2, 8)))
    assert go_on("zarr with shards", tmp_path) is not None


@pytest.mark.parametrize("case", ["segy copy", "raw", "raws", "vti"])
def test_one_that_is_not_whole_is_refused(case: str, tmp_path: Path) -> None:
    begin(case, tmp_path, 5)
    part = next(one for one in tmp_path.glob("*.partial") if one.name.startswith("out.bin") or "raw" not in case)
    os.truncate(part, 100)
    with pytest.raises(OutputError, match=r"out.*\.partial: has 100 bytes instead of \d+.*--force"):
        go_on(case, tmp_path)
    (tmp_path / (CASES[case][0] + ".partial.json")).write_text("{")
    with pytest.raises(OutputError, match=r"out.*\.partial\.json: does not read.*--force"):
        go_on(case, tmp_path)
    writer = begin(case, tmp_path)  # begun anew
    assert len(writer.finish()) >= 1
    begin(case, tmp_path / "undisturbed").finish()
    undisturbed = there(tmp_path / "undisturbed")
    assert {name: one for name, one in there(tmp_path).items() if "/" not in name} == undisturbed


def test_samples_that_waited_in_a_killed_run_are_not_written_to_one_that_begins_anew(tmp_path: Path) -> None:
    case = "segy copy, samples first"
    begin(case, tmp_path, 3)
    assert any((tmp_path / "out.sgy.partial.late").iterdir())
    begin(case, tmp_path, 0)
    assert not (tmp_path / "out.sgy.partial.late").exists()


def test_samples_that_wait_are_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def torn(file: BinaryIO, **_: Any) -> None:
        file.write(b"PK")
        raise OSError("killed")

    case = "segy copy, samples first"
    begin(case, tmp_path / "undisturbed").finish()
    folder = tmp_path / "torn"
    writer = begin(case, folder, 3)
    with monkeypatch.context() as patched:
        patched.setattr(np, "savez", torn)
        with pytest.raises(OutputError, match="killed"):
            steps(case)[3](writer)
    resumed = go_on(case, folder)
    assert resumed is not None
    for one in left(case, 3):  # traces are known now, so that samples do not wait
        one(resumed)
    resumed.finish()
    assert there(folder) == there(tmp_path / "undisturbed")


def test_a_file_that_is_in_the_way_leaves_nothing_begun(tmp_path: Path) -> None:
    (tmp_path / "out_dip.sgy").touch()
    with pytest.raises(OutputError, match=r"out_dip\.sgy: is there already"):
        begin("segys", tmp_path, 0)
    assert [one.name for one in tmp_path.iterdir()] == ["out_dip.sgy"]


@pytest.mark.parametrize("case", ["segys", "nrrds"])
def test_a_run_that_ended_between_two_files_goes_on(case: str, tmp_path: Path) -> None:
    begin(case, tmp_path / "undisturbed").finish()
    folder, suffix = tmp_path / "ended", Path(CASES[case][0]).suffix
    writer = begin(case, folder)
    in_the_way = folder / f"out_dip{'.raw' if suffix == '.nhdr' else suffix}"
    in_the_way.mkdir()
    with pytest.raises(OutputError, match="out_dip"):
        writer.finish()
    in_the_way.rmdir()
    with pytest.raises(OutputError, match=r"out_fault.*: is there already"):
        begin(case, folder)
    assert (folder / f"out_fault{suffix}").exists()
    resumed = go_on(case, folder)
    assert resumed is not None
    resumed = pickle.loads(pickle.dumps(resumed))
    assert resumed.grain == (1, 1, 1)
    for one in steps(case)[-3:]:
        one(resumed)
    assert resumed.finish()[0] == folder / f"out_fault{suffix}"
    assert there(folder) == there(tmp_path / "undisturbed")


def test_where_nothing_was_begun_there_is_nothing_to_go_on_with(tmp_path: Path) -> None:
    for case, (name, _, wanted, _) in CASES.items():
        assert resume_volume(tmp_path / "absent" / name, described(case), wanted) is None
    (tmp_path / "cubes").mkdir()
    assert format_of(tmp_path / "cubes").resume is None
    assert resume_volume(tmp_path / "cubes", described("raw")) is None


@pytest.mark.parametrize("path", ["v.zarr", "v.sgy", "v.bin", "v.vti", "v.nhdr"])
def test_ours_keep_the_contract(path: str, tmp_path: Path) -> None:
    check_resume(format_of(Path(path)), tmp_path / path)


def test_a_format_that_breaks_a_promise_does_not_pass(tmp_path: Path) -> None:
    raw = formats()["raw"]
    assert raw.create is not None
    with pytest.raises(AssertionError, match="goes on where nothing was begun"):
        check_resume(replace(raw, resume=raw.create), tmp_path / "v.bin")
    with pytest.raises(AssertionError, match="OutputError was promised, nothing was raised"):
        check_resume(replace(raw, resume=lambda *_: None), tmp_path / "v.bin")
    values = b"0123"
    with pytest.raises(AssertionError, match="nothing was raised"):
        check_format(
            lambda path: _read(path), lambda value, path: _write(path, value), values, tmp_path / "w.bin",
            notices_damage=False, volumes=replace(raw, resume=lambda *_: None),
        )  # fmt: skip
    assert sorted(one.name for one in tmp_path.iterdir()) == ["w.bin"]


def _read(path: Path) -> bytes:
    from seisloom.errors import DataError, MissingDataError

    if not path.exists():
        raise MissingDataError(f"{path}: no such file")
    if not path.stat().st_size:
        raise DataError(f"{path}: is empty")
    return path.read_bytes()


def _write(path: Path, value: bytes) -> None:
    try:
        path.write_bytes(value)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written") from error


if __name__ == "__main__":
    formats()  # loaded once, not in each child
    for one_case in CASES:
        kill_all(one_case, Path(sys.argv[1]) / one_case)
