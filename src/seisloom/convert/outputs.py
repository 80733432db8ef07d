"""What is written: a writer for a path, begun or gone on with, a file for each variable where a format holds one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from seisloom.convert.formats import format_of, formats
from seisloom.errors import OutputError
from seisloom.io.volumes.begun import Begun, begun_with
from seisloom.io.volumes.grid import Box
from seisloom.io.volumes.volume import AMPLITUDE, Format, Spec, Traces, Wanted, Writer
from seisloom.sample import Array


def create_volume(path: str | Path, spec: Spec, wanted: Wanted | None = None, *, force: bool = False) -> Writer:
    """Return a writer of a volume; the suffix chooses the format.

    Args:
        path: what is to be written; where the format holds one variable and there are several, their names are
            added: result.sgy becomes result_fault.sgy, result_dip.sgy, ...
        spec: what the volume is.
        wanted: how it is to be stored.
        force: replace what is there.
    Raises:
        OutputError: if it is there already, the format is only read, or the folder cannot be written to.
    """
    file = Path(path)
    kind = format_of(file)
    if kind.create is None:
        writable = sorted(name for name, one in formats().items() if one.create is not None)
        raise OutputError(f"{file}: {kind.name} is only read. Formats that are written: {', '.join(writable)}")
    if kind.holds_many or len(spec.variables) == 1:
        _check_place(kind, file, spec, force=force)
        return kind.create(file, spec, wanted or Wanted())
    each = _one_file_each(file, spec)
    for place, one in each.values():
        _check_place(kind, place, one, force=force)
    finishing = _finishing(file, spec)
    finishing.forget()  # of a run that was killed
    alone = {name: kind.create(place, one, wanted or Wanted()) for name, (place, one) in each.items()}
    return _OneFileEach(file, alone, finishing)


def resume_volume(path: str | Path, spec: Spec, wanted: Wanted | None = None) -> Writer | None:
    """Return a writer that goes on with the partial output of a run that was killed, see `Format.resume`.

    Boxes that were written are there still, and any may be written again. An output that is in its place already is
    replaced when the writer finishes: whoever began the run had leave to.

    Args:
        path: what is to be written, as it was given to `create_volume`.
        spec: what the volume is, as it was then.
        wanted: how it is to be stored, as it was then.
    Returns:
        None where there is no partial output that can be gone on with, or the format begins anew; `create_volume` then
        begins it, and no box of it is written.
    Raises:
        OutputError: if what is there was begun with another spec, chunk or shard, or is not whole.
        DataError: if no format has the suffix.
    """
    file, wanted = Path(path), wanted or Wanted()
    kind = format_of(file)
    if kind.resume is None:
        return None
    if kind.holds_many or len(spec.variables) == 1:
        return kind.resume(file, spec, wanted)
    finishing, alone = _finishing(file, spec), dict[str, Writer]()
    was_finishing = finishing.is_noted()
    if was_finishing:
        finishing.check()
    for name, (place, one) in _one_file_each(file, spec).items():
        writer = kind.resume(place, one, wanted)
        if writer is None and was_finishing and place.exists():
            writer = _Finished(place, spec)
        if writer is None:
            return None
        alone[name] = writer
    return _OneFileEach(file, alone, finishing)


def file_each(file: Path, variable: str) -> Path:
    """Return the file of one of several variables in a format that holds one: survey_fault.sgy of survey.sgy."""
    return file.with_name(f"{file.stem}_{variable}{file.suffix}")


def _one_file_each(file: Path, spec: Spec) -> dict[str, tuple[Path, Spec]]:
    """Return the file of each variable, and what it is."""
    return {
        name: (file_each(file, name), replace(spec, variables={name: dtype})) for name, dtype in spec.variables.items()
    }


def _finishing(file: Path, spec: Spec) -> Begun:
    """Return what is noted while the files of several variables are put in their places, one after the other."""
    return begun_with(file, "a file for each variable", spec)


def _check_place(kind: Format, file: Path, spec: Spec, *, force: bool) -> None:
    """Raise OutputError if something is there that is not to be replaced, or there is no folder."""
    there = [one for one in (kind.files(file, spec) if kind.files else [file]) if one.exists()]
    if there and not force:
        raise OutputError(f"{there[0]}: is there already. Choose another place, or replace it with --force")
    if not file.parent.is_dir():
        raise OutputError(f"{file.parent}: no such folder. Make it first")


class _OneFileEach:
    """Several variables in a format that holds one: a file each.

    From when the first is finished until the last one is, this is noted: a run that goes on then knows that a file
    without a partial one is whole.
    """

    def __init__(self, path: Path, alone: Mapping[str, Writer], finishing: Begun) -> None:
        self.path, self._alone, self._finishing = path, dict(alone), finishing
        self.grain = tuple(map(math.lcm, *(one.grain for one in self._alone.values())))

    def write(self, box: Box, values: Array, name: str = AMPLITUDE) -> None:
        self._alone[name].write(box, values, name)

    def write_traces(self, box: Box, traces: Traces) -> None:
        for one in self._alone.values():
            one.write_traces(box, traces)

    def finish(self) -> tuple[Path, ...]:
        try:
            self._finishing.note()
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written: {error.strerror or error}. Free some space") from error
        files = tuple(file for one in self._alone.values() for file in one.finish())
        self._finishing.forget()
        return files

    def abandon(self) -> None:
        self._finishing.forget()
        for one in self._alone.values():
            one.abandon()


class _Finished:
    """A file of several that was put in its place before the run was killed: it has all its boxes."""

    def __init__(self, path: Path, spec: Spec) -> None:
        self.path, self.grain = path, (1,) * len(spec.grid.axes)

    def write(self, box: Box, values: Array, name: str = AMPLITUDE) -> None:
        """Do nothing: the same values are there."""

    def write_traces(self, box: Box, traces: Traces) -> None:
        """Do nothing: the same headers are there."""

    def finish(self) -> tuple[Path, ...]:
        return (self.path,)

    def abandon(self) -> None:
        """Do nothing: what is in its place stays, as that of any writer that has finished."""
