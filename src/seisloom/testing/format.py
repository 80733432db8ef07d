"""What every file format must keep."""
# ruff: noqa: PT017 -- these are asserts of a library, not of a pytest test

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from seisloom.errors import MissingDataError, OutputError, SeisloomError
from seisloom.io.volumes.grid import Axis, Box, Grid, boxes, whole
from seisloom.io.volumes.volume import AMPLITUDE, Format, Spec, Traces, Wanted, Writer
from seisloom.testing.same import bytes_of

V = TypeVar("V")


def check_format(
    read: Callable[[Path], V],
    write: Callable[[V, Path], object],
    value: V,
    path: Path,
    *,
    same: Callable[[V, V], bool] | None = None,
    notices_damage: bool = True,
    volumes: Format | None = None,
) -> None:
    """Check that a file format gives back what was written, and that bad files and folders are clear errors.

    What is written reads as the same; writing it again gives the same bytes; nothing else is left beside the file. A
    file that is not there is MissingDataError; an empty one, and one that is cut in half, are a SeisloomError that
    names the file; a path that cannot be written is OutputError.

    Args:
        read: from a path to a value.
        write: a value to a path.
        value: what is written.
        path: where, with the suffix of the format; in an empty folder that may be written to.
        same: whether two values are the same; by default equality of arrays, tables or plain values.
        notices_damage: False for formats that cannot tell a file that was cut off, such as a table of text.
        volumes: the format, where it is one of volumes; if it gives `resume`, `check_resume` is called as well.
    Raises:
        AssertionError: with what was promised and what came instead.
    """
    equal = same if same is not None else lambda a, b: bytes_of(a) == bytes_of(b)
    where = f"format {path.suffix}"
    missing = path.with_name("not_there" + path.suffix)
    _assert_raises(MissingDataError, lambda: read(missing), f"{where}: a file that is not there", names=missing)
    write(value, path)
    assert equal(read(path), value), f"{where}: what was written does not read as the same"
    first = path.read_bytes()
    write(value, path)
    assert path.read_bytes() == first, f"{where}: the same value written again has other bytes"
    beside = sorted(one.name for one in path.parent.iterdir() if one.name != path.name)
    assert not beside, f"{where}: leaves {', '.join(beside)} beside the file"
    for what, content in (("an empty file", b""), ("a file that is cut in half", first[: len(first) // 2])):
        if notices_damage or not content:
            path.write_bytes(content)
            _assert_raises(SeisloomError, lambda: read(path), f"{where}: {what}", names=path)
    path.write_bytes(first)
    inside = path / ("inside_a_file" + path.suffix)
    _assert_raises(OutputError, lambda: write(value, inside), f"{where}: a path inside of a file", names=inside)
    assert path.read_bytes() == first, f"{where}: a write that failed changed another file"
    if volumes is not None and volumes.resume is not None:
        check_resume(volumes, path)


def check_resume(volumes: Format, path: Path) -> None:
    """Check that a format of volumes goes on with an output that was left half-written, see `Format.resume`.

    The output is the same, byte for byte, as one that was written in one go, with boxes that were written twice; where
    nothing was begun there is None; an output that was begun with another spec is OutputError and stays as it is; and
    nothing else is left beside an output that is finished or abandoned.

    Args:
        volumes: a format that gives `create` and `resume`; one variable, float32, is written.
        path: of an output, with the suffix of the format; its folder may be written to.
    Raises:
        AssertionError: with what was promised and what came instead.
    """
    assert volumes.create is not None, f"format {volumes.name}: gives resume, and does not give create"
    assert volumes.resume is not None, f"format {volumes.name}: does not give resume"
    where = f"format {volumes.name}.resume"
    axes = Axis.regular("inline", 4), Axis.regular("crossline", 6), Axis.regular("time", 8, step=0.004, unit="s")
    spec, wanted = Spec(Grid(axes), {AMPLITUDE: np.dtype(np.float32)}), Wanted()
    other = replace(spec, grid=Grid((Axis.regular("inline", 4, first=1), *axes[1:])))
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        first, second = (Path(folder) / name / path.name for name in ("in_one_go", "resumed"))
        for one in (first, second):
            one.parent.mkdir()
        assert volumes.resume(second, spec, wanted) is None, f"{where}: goes on where nothing was begun"
        writer = volumes.create(first, spec, wanted)
        todo = list(boxes(spec.grid.shape, [-(-n // 2 // k) * k for n, k in zip((4, 6, 8), writer.grain, strict=True)]))
        _write_made_up(writer, todo)
        writer.finish()

        _write_made_up(volumes.create(second, spec, wanted), todo[: len(todo) // 2])
        begun = _files_in(second.parent)
        _assert_raises(
            OutputError, partial(volumes.resume, second, other, wanted), f"{where}: another spec",
            names=second.with_suffix(""),
        )  # fmt: skip
        assert _files_in(second.parent) == begun, f"{where}: changed an output that was begun with another spec"
        taken_up = volumes.resume(second, spec, wanted)
        assert taken_up is not None, f"{where}: None for an output that was begun and not finished"
        _write_made_up(taken_up, todo[max(len(todo) // 2 - 1, 0) :])
        taken_up.finish()
        assert _files_in(second.parent) == _files_in(first.parent), f"{where}: the output is not that of one go"

        volumes.create(first, spec, wanted)
        taken_up = volumes.resume(first, spec, wanted)
        assert taken_up is not None, f"{where}: None for an output that was begun a second time"
        taken_up.abandon()
        assert _files_in(first.parent) == _files_in(second.parent), f"{where}: leaves something when it is abandoned"
        assert volumes.resume(first, spec, wanted) is None, f"{where}: goes on with what was abandoned"


def _write_made_up(writer: Writer, todo: Sequence[Box]) -> None:
    shape = (4, 6)
    writer.write_traces(whole(shape), Traces(np.ones(shape, dtype=bool)))
    values = np.random.default_rng(0).normal(size=(*shape, 8)).astype(np.float32)
    for box in todo:
        writer.write(box, values[box])


def _files_in(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def _assert_raises(kind: type[SeisloomError], call: Callable[[], object], what: str, *, names: Path) -> None:
    try:
        call()
    except kind as error:
        assert str(names) in str(error), f"{what}: the error does not name {names}: {error}"
        return
    except Exception as error:
        raise AssertionError(f"{what}: {kind.__name__} was promised, {type(error).__name__} came: {error}") from error
    raise AssertionError(f"{what}: {kind.__name__} was promised, nothing was raised")
