"""Arrays that NumPy saved (`.npy`) as volumes: axes inline, crossline and time, or trace and time; only read.

Where the axes are in another order, `--n1` (time or depth), `--n2` and `--n3` say by their sizes which is which. What
the samples stand on is in a JSON side-car of the same name, as for raw cubes; without one they are counted.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from seisloom.errors import DataError, MissingDataError
from seisloom.io.volumes.grid import Box
from seisloom.io.volumes.raw.plane import xy_on
from seisloom.io.volumes.raw.sidecar import Sidecar, grid_of, places_of, read_sidecar
from seisloom.io.volumes.volume import AMPLITUDE, Format, Given, Spec, Traces, Volume
from seisloom.sample import Array


class NpyVolume:
    """One array in a file."""

    def __init__(self, path: Path, sidecar: Sidecar, order: tuple[int, ...]) -> None:
        self.path, self.notes = path, tuple[str, ...]()
        self._xy, self._order = sidecar.cdp_xy, order
        self.spec = Spec(
            grid=sidecar.grid,
            variables={AMPLITUDE: np.dtype(np.float32)},
            has_xy=bool(sidecar.cdp_xy),
            attributes=sidecar.attributes,
        )
        self.chunks = self.spec.grid.shape

    def read(self, box: Box, name: str = AMPLITUDE) -> Array:
        """Return the samples of a box, float32, see `Volume`.

        Raises:
            DataError: if there is no such variable.
        """
        if name != AMPLITUDE:
            raise DataError(f"{self.path}: no variable {name!r}; there is {AMPLITUDE}")
        # mapped anew for each box: nothing has to travel to other processes
        return np.array(_mapped(self.path).transpose(self._order)[box], np.float32)

    def traces(self, box: Box) -> Traces:
        """Return all traces as live, an array has no holes; and CDP coordinates where the side-car has them."""
        return xy_on(self.spec.grid, self._xy, box)


def open_npy(path: Path, given: Given) -> Volume:
    """Return the volume of an array.

    Args:
        path: of the file.
        given: sizes, where the axes of the array are in another order.
    Raises:
        MissingDataError: if it is not there.
        DataError: if it is no array of numbers with two or three axes, or is of other sizes than given or in its
            side-car.
    """
    if not path.is_file():
        raise MissingDataError(f"{path}: no such volume")
    order = _order_of_axes(path, _mapped(path).shape, given)
    shape = _mapped(path).transpose(order).shape
    said = next((one for one in map(read_sidecar, places_of(path)[:2]) if one is not None), None)
    if said is not None and said.grid.shape != shape:
        raise DataError(
            f"{path}: has sizes {list(shape)}, and its side-car says n = {list(said.grid.shape[::-1])}, the fastest "
            "first. Mend the side-car, or move it away"
        )
    return NpyVolume(path, said or Sidecar(grid_of(shape[::-1])), order)


def _order_of_axes(path: Path, shape: tuple[int, ...], given: Given) -> tuple[int, ...]:
    """Return the axes of an array in the order inline, crossline, time; as they are where no sizes are given."""
    as_is = tuple(range(len(shape)))
    orders = [as_is, as_is[::-1], *itertools.permutations(as_is)]  # the usual ones first, where sizes are equal
    wanted = (given.n3, given.n2, given.n1)[-len(shape) :]
    fits = (one for one in orders if all(n in (None, shape[k]) for n, k in zip(wanted, one, strict=True)))
    if (order := next(fits, None)) and (len(shape) == 3 or given.n3 in (None, 1)):
        return order
    some = "--n1 (time or depth) and --n2" if len(shape) == 2 else "--n1 (time or depth), --n2 and --n3"
    raise DataError(f"{path}: has sizes {list(shape)}; {some} must be these in any order")


def _mapped(path: Path) -> Array:
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    except (ValueError, EOFError) as error:  # NumPy's words advise to unpickle what it does not know
        raise DataError(f"{path}: is no array of numbers as NumPy saves them, or is cut off. Save it again") from error
    if values.dtype.kind not in "fiub" or values.ndim not in (2, 3) or not values.size:
        raise DataError(
            f"{path}: is an array of sizes {list(values.shape)} of {values.dtype}; needed are real numbers with axes "
            "inline, crossline and time, or trace and time"
        )
    return np.asarray(values)


NPY = Format("npy", (".npy",), open_npy, None)
