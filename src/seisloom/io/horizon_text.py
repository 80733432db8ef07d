"""Horizons in text: XYZ and IJK, a block for each horizon, and CSV with all that is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np

from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.io.beside import beside
from seisloom.io.volumes.grid import Axis, Grid
from seisloom.sample import Array

if TYPE_CHECKING:
    import pandas as pd

HEAD = "# horizon"
UNITS = {"s": "time_s", "m": "depth_m"}
"""Column of the third coordinate by the unit of its axis; `sample` where nobody knows it."""


@dataclass(frozen=True, slots=True, eq=False)
class Horizons:
    """Surfaces of equal relative geologic time on the traces of a volume, the uppermost first."""

    grid: Grid
    """Of the volume, or of the box of it that they are of."""
    levels: Array
    """Relative geologic time of each, rising, shape (horizon,)."""
    depth: Array
    """In samples from 0, fractions between two, shape (horizon, *trace_shape); NaN where a trace has none."""
    x: Array | None = None
    """CDP x in m, trace_shape; NaN where not known."""
    y: Array | None = None

    def table(self, number: int) -> pd.DataFrame:
        """Return the points of a horizon, counted from 0, one row a trace that has it.

        Returns:
            Columns horizon (from 1), level, the lateral axes, sample, time_s or depth_m where the axis says its unit,
            x_m and y_m where they are known.
        """
        import pandas as pd

        depth = self.depth[number]
        index = np.nonzero(~np.isnan(depth))
        sample = depth[index]
        down = self.grid.axes[-1]
        columns: dict[str, Array | float | int] = {"horizon": number + 1, "level": float(self.levels[number])}
        for axis, one in zip(self.grid.axes[:-1], index, strict=True):
            columns[axis.name] = axis.values[one]
        columns["sample"] = sample
        if down.unit in UNITS:
            columns[UNITS[down.unit]] = down_at(down, sample)
        if self.x is not None and self.y is not None:
            columns |= {"x_m": self.x[index], "y_m": self.y[index]}
        return pd.DataFrame(columns)


def down_at(axis: Axis, sample: Array) -> Array:
    """Return the coordinate of fractional samples, linear between two."""
    return np.asarray(np.interp(sample, np.arange(len(axis)), axis.values))


def check_suffix(path: str | Path, *, has_xy: bool) -> None:
    """Raise before any work if horizons cannot be written to a path.

    Raises:
        OutputError: if no format has its suffix.
        DataError: if the format needs x and y, and they are not known.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITERS:
        raise OutputError(f"{path}: horizons are written to {' '.join(_WRITERS)}; choose one of these suffixes")
    if suffix == ".xyz" and not has_xy:
        raise DataError(
            f"{path}: XYZ needs x and y, which the volume does not have. Take them from the survey (seisloom convert "
            "VOLUME with_xy.zarr --like survey.sgy), or write .csv, or .dat for inline, crossline and sample"
        )


def write_horizons(path: str | Path, horizons: Horizons) -> None:
    """Write horizons; the suffix chooses the format.

    .xyz: a line `x y z` for each point, z time in s, depth in m or the sample, downwards; .dat: `inline crossline
    sample`, the sample from 0 with fractions, and a 2-D line without the inline; each horizon is a block below a line
    `# horizon 1 level 0.25 x_m y_m time_s`. .csv: a row for each point with the columns of `Horizons.table`.

    Args:
        path: replaced if it is there.
        horizons: those without points make an empty block.
    Raises:
        OutputError, DataError: see `check_suffix`; or if the file cannot be written.
    """
    file = Path(path)
    check_suffix(file, has_xy=horizons.x is not None)
    with beside(file) as partial, partial.open("w", encoding="utf-8") as out:
        _WRITERS[file.suffix.lower()](out, horizons)


def _write_xyz(out: TextIO, horizons: Horizons) -> None:
    z = UNITS.get(horizons.grid.axes[-1].unit, "sample")
    _write_blocks(out, horizons, {"x_m": "%.2f", "y_m": "%.2f", z: "%.6f" if z == "time_s" else "%.3f"})


def _write_ijk(out: TextIO, horizons: Horizons) -> None:
    _write_blocks(out, horizons, {**dict.fromkeys(horizons.grid.names[:-1], "%g"), "sample": "%.3f"})


def _write_blocks(out: TextIO, horizons: Horizons, formats: dict[str, str]) -> None:
    for k, level in enumerate(horizons.levels):
        rows = horizons.table(k)[list(formats)].to_numpy(float)
        if unknown := int(np.isnan(rows).any(axis=1).sum()):
            raise DataError(f"horizon {k + 1}: {unknown} of its traces have no x and y. Write .csv")
        out.write(f"{HEAD} {k + 1} level {level:.9g} {' '.join(formats)}\n")
        np.savetxt(out, rows, fmt=list(formats.values()))


def _write_csv(out: TextIO, horizons: Horizons) -> None:
    for k in range(len(horizons.levels)):
        horizons.table(k).to_csv(out, index=False, header=k == 0, float_format="%.9g")


def read_horizons(path: str | Path) -> pd.DataFrame:
    """Return the points of a file that `write_horizons` wrote, with the columns that its format has.

    Raises:
        MissingDataError: if there is no such file.
        DataError: if it is none of the formats, or a line is not what the block's head says; with the line.
    """
    import pandas as pd

    file = Path(path)
    if not file.is_file():
        raise MissingDataError(f"{file}: no such file of horizons")
    if file.suffix.lower() == ".csv":
        try:
            return pd.read_csv(file)
        except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
            raise DataError(f"{file}: not a CSV of horizons: {str(error).strip()}") from error
    number, level, rows, names = 0, float("nan"), list[tuple[float, ...]](), list[str]()
    for k, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        words = line.split()
        try:
            if line.startswith(HEAD):
                number, level, names = int(words[2]), float(words[4]), words[5:]
            elif words:
                rows.append((number, level, *(float(word) for _, word in zip(names, words, strict=True))))
        except (ValueError, IndexError):
            raise DataError(f"{file}: line {k}: {line!r} is not {' '.join(names) or HEAD}") from None
    return pd.DataFrame(rows, columns=["horizon", "level", *names])


_WRITERS: dict[str, Callable[[TextIO, Horizons], None]] = {
    ".csv": _write_csv, ".xyz": _write_xyz, ".dat": _write_ijk,
}  # fmt: skip
