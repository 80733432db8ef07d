"""Labels of a volume: those that lie with it, and what they may be."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path

import numpy as np

from seisloom.convert import file_each, open_volume
from seisloom.errors import DataError
from seisloom.io.volumes.grid import whole
from seisloom.io.volumes.volume import AMPLITUDE, Volume
from seisloom.sample import Array
from seisloom.tasks.interpretation.recipe import UNITS

logger = logging.getLogger("seisloom")


def labels_with(path: Path, volume: Volume) -> dict[str, Array]:
    """Return the labels of a volume's amplitudes, float32 by attribute.

    They are its other variables (fault, dip, strike, rgt, dhr); or, of formats that hold one, files beside it:
    survey_fault.sgy beside survey.sgy.

    Raises:
        DataError: if a file has another size than the volume, or faults are marked by other numbers than 1, 0 and -1.
    """
    if AMPLITUDE not in volume.spec.variables:
        return {}
    box = whole(volume.spec.grid.shape)
    found = {name: volume.read(box, name) for name in UNITS if name in volume.spec.variables}
    for name in UNITS if len(volume.spec.variables) == 1 else ():
        file = file_each(path, name)
        if not file.is_file():
            continue
        other = open_volume(file)
        if other.spec.grid.shape != volume.spec.grid.shape:
            raise DataError(f"{file}: is {other.spec.grid.lengths}, and {path} is {volume.spec.grid.lengths}")
        found[name] = other.read(box, next(iter(other.spec.variables)))
        logger.info("%s: taken for the labels of %s", file, path)
    if "fault" in found:
        check_faults(found["fault"], str(path))
    return {name: np.asarray(one, np.float32) for name, one in found.items()}


def check_faults(labels: Array, where: str) -> None:
    """Raise DataError if fault labels are other numbers than 1 (fault), 0 (none), -1 and NaN (nobody knows)."""
    # Compared one by one, since cubes are read anew in each epoch and `np.isin` sorts
    wrong = (labels != 0) & (labels != 1) & (labels != -1) & ~np.isnan(labels)
    if wrong.any():
        raise DataError(
            f"{where}: {int(wrong.sum())} fault labels are neither 1 (fault), 0 (none) nor -1 (nobody knows), such as "
            f"{float(labels[wrong][0]):.3g}. Write them so, as float32"
        )


def finite(values: Array, where: str) -> Array:
    """Return amplitudes with 0 where they are NaN or infinite, as they are seen in volumes of any size; it is said."""
    there = np.isfinite(values)
    if there.all():
        return values
    _say_not_finite(where, int((~there).sum()))
    return np.where(there, values, values.dtype.type(0))


@cache
def _say_not_finite(where: str, n: int) -> None:
    logger.warning("%s: %d samples are NaN or infinite; 0 stands in their place", where, n)
