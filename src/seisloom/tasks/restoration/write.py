"""Restored panels to a file: SEG-Y and SU with every header as it was, or an array."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

import numpy as np

from seisloom.errors import OutputError
from seisloom.io.beside import beside
from seisloom.io.segy.layout import IBM, IEEE, TRACE_HEADER, SegyLayout, read_layout, read_su_layout
from seisloom.io.volumes.segy.samples import encode
from seisloom.sample import Array
from seisloom.tasks.restoration.apply import Restored
from seisloom.tasks.restoration.sources import NUMPY, SEGY, SU

logger = logging.getLogger("seisloom")
FLOATS = (IBM, IEEE, 6)


def write(products: Iterable[Restored], path: Path) -> None:
    """Write panels, one after the other as they come; the suffix chooses: .sgy .segy .su or .npy.

    SEG-Y and SU are a copy of the file that the panels came from, in which samples alone are replaced, and only those
    of traces that have changed: headers, format and byte order stay. With intervals, half their width goes to a second
    file beside it, called NAME.uncertainty.SUFFIX.

    Raises:
        OutputError: if the panels came from no such file, from several, are of different shapes for an array, or the
            file cannot be written.
    """
    first, products = _first(products)
    suffix = path.suffix.lower()
    if suffix in NUMPY:
        _write_arrays(products, path)
    elif suffix in (*SEGY, *SU):
        _write_copy(first, products, path)
    else:
        raise OutputError(f"{path}: restored panels are written to {' '.join((*SEGY, *SU, *NUMPY))}; volumes by tiles")


def beside_of(path: Path) -> Path:
    """Return the file of half-widths that goes with a file.

    >>> beside_of(Path("restored.sgy")).name
    'restored.uncertainty.sgy'
    """
    return path.with_name(f"{path.stem}.uncertainty{path.suffix}")


def _first(products: Iterable[Restored]) -> tuple[Restored, Iterator[Restored]]:
    rest = iter(products)
    first = next(rest, None)
    if first is None:
        raise OutputError("there are no panels to write")
    return first, chain([first], rest)


def _write_copy(first: Restored, products: Iterable[Restored], path: Path) -> None:
    source = first.panel.source
    kind = SU if path.suffix.lower() in SU else SEGY
    if source is None or source.traces is None or source.path.suffix.lower() not in kind:
        raise OutputError(
            f"{path}: a copy with headers needs a source of the same kind, and {first.panel.name} is none. Write .npy"
        )
    if path.resolve() == source.path.resolve():
        raise OutputError(f"{path}: is the source itself. Choose another place")
    layout = read_su_layout(source.path) if kind is SU else read_layout(source.path)
    n_restored = n_panels = 0
    with ExitStack() as files:
        copy = _copied(files, source.path, path, layout)
        widths: _Samples | None = None
        for one in products:
            if one.panel.source is None or one.panel.source.path != source.path:
                raise OutputError(f"{path}: panels of several files do not go into one; restore them one by one")
            numbers = one.panel.source.traces
            assert numbers is not None
            rows, given = (values.reshape(len(numbers), -1) for values in (one.values, one.panel.values))
            # A dead trace with NaN stands as 0 in the panel, so it is written, too
            changed = (rows != given).any(axis=1) | (~one.panel.is_live.ravel() & (not one.notes))
            copy.put(numbers[changed], rows[changed])
            if one.half_width is not None:
                widths = widths or _copied(files, source.path, beside_of(path), layout)
                widths.put(numbers, np.minimum(one.half_width.reshape(len(numbers), -1), np.finfo(np.float32).max))
            n_restored, n_panels = n_restored + int(changed.sum()), n_panels + 1
    logger.info("%s: %d traces of %d panels are restored", path, n_restored, n_panels)


def _copied(files: ExitStack, source: Path, path: Path, layout: SegyLayout) -> _Samples:
    partial = files.enter_context(beside(path))
    shutil.copyfile(source, partial)
    return _Samples(files.enter_context(partial.open("r+b")), path, layout)


class _Samples:
    """Samples of a SEG-Y or SU file that are replaced trace by trace."""

    def __init__(self, file: object, path: Path, layout: SegyLayout) -> None:
        if layout.format_code not in FLOATS:
            raise OutputError(
                f"{path}: samples of format {layout.format_code} are whole numbers, which would round what is restored "
                "away. Convert the source to floats first: seisloom convert"
            )
        self.file, self.path, self.layout = file, path, layout

    def put(self, numbers: Array, rows: Array) -> None:
        """Write rows (trace, time) as the samples of some traces."""
        layout = self.layout
        stored = encode(np.asarray(rows, np.float32), layout.format_code, layout.order)
        for number, row in zip(numbers.tolist(), stored, strict=True):
            start = layout.first_trace + number * layout.trace_bytes if layout.starts is None else layout.starts[number]
            self.file.seek(int(start) + TRACE_HEADER)  # type: ignore[attr-defined]
            self.file.write(row.tobytes())  # type: ignore[attr-defined]


def _write_arrays(products: Iterable[Restored], path: Path) -> None:
    every = list(products)
    shapes = {one.values.shape for one in every}
    if len(shapes) > 1:
        raise OutputError(f"{path}: panels of {len(shapes)} shapes make no array; restore them one by one, or to .sgy")
    _save(path, [one.values for one in every])
    halves = [one.half_width for one in every if one.half_width is not None]
    if halves:
        _save(beside_of(path), halves)


def _save(path: Path, panels: list[Array]) -> None:
    """Write panels (line, trace, time) as one array; of a single gather or section (trace, time)."""
    whole = np.concatenate(panels)
    with beside(path) as partial, partial.open("wb") as opened:
        np.save(opened, whole[0] if len(whole) == 1 else whole)
