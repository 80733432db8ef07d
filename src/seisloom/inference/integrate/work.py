"""What travels to the workers: the plan, and where samples are read and written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from seisloom.errors import DataError
from seisloom.inference.integrate.plan import Integration
from seisloom.inference.lattice import Box
from seisloom.sample import Array

ReadIncrement: TypeAlias = Callable[[Box, str], Array]
"""Returns the samples of a box of a named variable."""
WriteRgt: TypeAlias = Callable[[Box, Array], None]
"""Stores the samples of a box, float32; the edges of boxes are multiples of `grain`."""


@dataclass(frozen=True, slots=True)
class Work:
    """A plan and where the samples are; it travels to the workers."""

    plan: Integration
    names: tuple[str, ...]
    read: ReadIncrement
    write: WriteRgt


def finite(work: Work, box: Box, axis: int) -> Array:
    """Return a box of the increment along an axis, checked."""
    if any(side.stop <= side.start for side in box):
        return np.zeros([side.stop - side.start for side in box], np.float32)
    values = np.asarray(work.read(box, work.names[axis]))
    if not np.isfinite(values).all():
        where = ", ".join(f"{side.start}:{side.stop}" for side in box)
        raise DataError(
            f"{work.names[axis]} has values that are not finite in [{where}]; one of them would spoil the whole "
            "volume: give 0, or the increments of a neighbour, where nothing is known"
        )
    return values
