"""The JSON side-car of a raw cube: sizes, coordinates and byte order, which the cube itself does not say.

    {"n": [751, 951, 651], "d": [0.004, 1, 1], "o": [0, 300, 100], "axes": ["time", "crossline", "inline"],
     "units": ["s", "1", "1"], "byte_order": "little", "order": "fastest first",
     "variables": {"fault": "result.fsem", "rgt": "result.rgt"}, "n_dead_traces": 0}

`n` alone is needed. One that we write may also have `coordinates` (of axes whose steps differ), `cdp_xy` (CDP x and y
in m as linear functions of the coordinates, where they are) and `attributes`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import DataError, OutputError
from seisloom.io.volumes.grid import Axis, Grid
from seisloom.io.volumes.raw.cube import ORDERS, cannot_write
from seisloom.io.volumes.raw.plane import Plane
from seisloom.io.volumes.volume import partial_of

ORDER = "fastest first"
NAMES = {1: ("sample",), 2: ("sample", "trace"), 3: ("sample", "crossline", "inline")}
"""Of axes that nobody named, by their number, the fastest first."""
UNITS = {"time": "s", "depth": "m", "offset": "m"}
"""Of axes whose unit nobody said, by their name."""
SI = {"ms": (1e-3, "s"), "us": (1e-6, "s"), "km": (1e3, "m"), "ft": (0.3048, "m")}


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a side-car says."""

    grid: Grid
    byte_order: str = "little"
    variables: Mapping[str, str] = field(default_factory=dict)
    """Names of files beside the side-car, by variable; empty where it does not say."""
    n_dead_traces: int | None = None
    """Traces whose samples are all zero: dead ones, and holes of the grid. None where nobody counted."""
    cdp_xy: Plane = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON values

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """Return what is stored."""
        said: dict[str, Any] = {  # Any: JSON values
            **grid_to_json(self.grid), "byte_order": self.byte_order, "order": ORDER,
            "variables": dict(self.variables), "n_dead_traces": self.n_dead_traces,
        }  # fmt: skip
        if self.cdp_xy:
            said["cdp_xy"] = {"x": list(self.cdp_xy[0]), "y": list(self.cdp_xy[1])}
        return said | ({"attributes": dict(self.attributes)} if self.attributes else {})


def grid_to_json(grid: Grid) -> dict[str, Any]:  # Any: JSON values
    """Return axes as a side-car says them, the fastest first."""
    axes = grid.axes[::-1]
    uneven = {axis.name: axis.values.tolist() for axis in axes if axis.step is None}
    return {
        "n": [len(axis) for axis in axes],
        "d": [None if axis.step is None else float(f"{axis.step:.12g}") for axis in axes],
        "o": [axis.first for axis in axes],
        "axes": [axis.name for axis in axes],
        "units": [axis.unit for axis in axes],
        **({"coordinates": uneven} if uneven else {}),
    }


def grid_of(sizes: Sequence[int], said: Mapping[str, Any] | None = None) -> Grid:  # Any: JSON values
    """Return a grid from sizes, the fastest first, and what is said of steps, origins, names and units.

    Raises:
        DataError: if lists differ in length, or values are no numbers.
    """
    said, n_axes = said or {}, len(sizes)
    defaults: dict[str, Sequence[Any]] = {  # Any: numbers or words
        "d": [1.0] * n_axes, "o": [0.0] * n_axes,
        "axes": NAMES.get(n_axes, (*NAMES[3], *(f"axis{k}" for k in range(4, n_axes + 1)))),
    }  # fmt: skip
    rows: dict[str, Any] = {key: said.get(key) or default for key, default in defaults.items()}  # Any: JSON values
    rows["units"] = said.get("units") or [UNITS.get(str(name), "1") for name in rows["axes"]]
    for key, row in rows.items():
        if not isinstance(row, list | tuple) or len(row) != n_axes:
            raise DataError(
                f"{key!r} must be a list of {n_axes} values, one for each of n = {list(sizes)}, not {row!r}"
            )
    if len(set(rows["axes"])) < n_axes:
        raise DataError(f"'axes' has a name twice: {rows['axes']}")
    uneven = said.get("coordinates") or {}
    try:
        axes = [
            _in_si(
                Axis(name, np.array(uneven[name], dtype=np.float64), str(unit)) if name in uneven
                else Axis.regular(str(name), n, first=float(o), step=float(d), unit=str(unit))
            )
            for n, d, o, name, unit in zip(sizes, rows["d"], rows["o"], rows["axes"], rows["units"], strict=True)
        ]  # fmt: skip
    except (TypeError, ValueError) as error:
        raise DataError(f"'d', 'o' and 'coordinates' do not describe axes: {error}") from error
    if (found := tuple(map(len, axes))) != tuple(sizes):
        raise DataError(f"'coordinates' are for n = {list(found)}, and n is {list(sizes)}")
    return Grid(tuple(axes[::-1]))


def _in_si(axis: Axis) -> Axis:
    """Return an axis in s or m where its unit is a part of them, or feet."""
    factor, unit = SI.get(axis.unit, (1.0, axis.unit))
    return axis if factor == 1 else Axis(axis.name, axis.values * factor, unit)


def sidecar_from(said: Mapping[str, Any]) -> Sidecar:  # Any: JSON values
    """Return what a side-car says; keys that are not ours are passed over.

    Raises:
        DataError: if a key has no value of its kind.
    """
    sizes = said.get("n")
    if not isinstance(sizes, list) or not sizes or not all(type(n) is int and n > 0 for n in sizes):
        raise DataError(f"'n' must be a list of whole numbers above 0, the fastest axis first, not {sizes!r}")
    if said.get("order", ORDER) != ORDER:
        raise DataError(f"'order' is {said['order']!r}; only {ORDER!r} is known")
    byte_order = said.get("byte_order") or "little"
    if byte_order not in ORDERS:
        raise DataError(f"'byte_order' must be little or big, not {byte_order!r}")
    variables = said.get("variables") or {}
    if not isinstance(variables, Mapping):
        raise DataError(f"'variables' must name a file for each variable, not {variables!r}")
    xy = said.get("cdp_xy") or {}
    return Sidecar(
        grid=grid_of(sizes, said), byte_order=byte_order, variables={name: str(variables[name]) for name in variables},
        n_dead_traces=said.get("n_dead_traces"), attributes=said.get("attributes") or {},
        cdp_xy=_plane(xy, len(sizes)),
    )  # fmt: skip


def _plane(said: Any, n_axes: int) -> Plane:  # Any: JSON values
    """Return the CDP coordinates of a side-car: for x and y a constant and a factor for each axis but the fastest."""
    if not said:
        return ()
    try:
        plane = tuple(tuple(map(float, said[one])) for one in "xy")
    except (KeyError, TypeError, ValueError):
        plane = ()
    if [len(one) for one in plane] != [n_axes, n_axes]:
        raise DataError(f"'cdp_xy' must have x and y, each a list of {n_axes} numbers, not {said!r}")
    return plane


def read_sidecar(path: Path) -> Sidecar | None:
    """Return what a file says; None if it is not there, or is no side-car (it has no `n`).

    Raises:
        DataError: if it is one, and is damaged.
    """
    said = read_json(path)
    if said is None or "n" not in said:
        return None
    try:
        return sidecar_from(said)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def read_json(path: Path) -> dict[str, Any] | None:  # Any: JSON values
    """Return the object in a JSON file; None if there is no such file, or it holds something else.

    Raises:
        DataError: if it is no JSON.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return None
    except ValueError as error:
        raise DataError(f"{path}: is no JSON that can be read ({error}). Mend it, or move it away") from error
    return said if isinstance(said, dict) else None


def write_json(path: Path, said: Mapping[str, Any]) -> None:  # Any: JSON values
    """Write a JSON file in one go, a key a line.

    Raises:
        OutputError: if it cannot be written.
    """
    rows = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value, default=_plain)}" for key, value in said.items())
    try:
        partial_of(path).write_text(f"{{\n{rows}\n}}\n", encoding="utf-8")
        os.replace(partial_of(path), path)
    except OSError as error:
        raise cannot_write(path, error) from error


def _plain(value: Any) -> Any:  # Any: what attributes hold, NumPy's numbers and arrays among it
    return value.tolist() if hasattr(value, "tolist") else str(value)


def places_of(path: Path) -> list[Path]:
    """Return where the side-car of a cube may stand, the nearest name first.

    >>> [place.name for place in places_of(Path("result_fault.bin"))]
    ['result_fault.bin.json', 'result_fault.json', 'result.json']
    """
    words = path.stem.split("_")
    stems = ["_".join(words[:k]) for k in range(len(words), 0, -1)]
    names = dict.fromkeys([path.name, *filter(None, stems)])
    return [path.with_name(name + ".json") for name in names]


def place_for(path: Path, sidecar: Sidecar) -> tuple[Path, Sidecar]:
    """Return where to write the side-car of cubes, and what to say there.

    `result.json` is shared by cubes of one grid. One that is of another volume, or is no side-car, is left alone: the
    side-car is then `result.bin.json`.

    Raises:
        OutputError: if that is taken too.
    """
    own = set(sidecar.variables.values())
    shared, alone = path.with_suffix(".json"), path.with_name(path.name + ".json")
    for place in dict.fromkeys([alone, shared] if alone.exists() else [shared, alone]):  # the nearest is read first
        if not place.exists():
            return place, sidecar
        there = read_sidecar(place)
        is_alike = there is not None and grid_to_json(there.grid) == grid_to_json(sidecar.grid)
        if there is None or not (there.variables or is_alike):
            continue
        others = {
            name: file for name, file in there.variables.items()
            if file not in own and name not in sidecar.variables and place.with_name(file).exists()
        }  # fmt: skip
        if not others:
            return place, sidecar
        if is_alike and there.byte_order == sidecar.byte_order:
            return place, replace(sidecar, variables={**others, **sidecar.variables})
    raise OutputError(f"{alone}: is there, and describes something else. Choose another name for {path.name}")
