"""What synthetic volumes are drawn from, and what their files say of axes and units."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field, field_validator

from seisloom.config import Config
from seisloom.io.volumes.grid import Axis, Grid
from seisloom.physics.volumes.corruption import Corruption
from seisloom.physics.volumes.draw import LEAST_TIME
from seisloom.physics.volumes.model import Shape
from seisloom.physics.volumes.priors import VolumePriors
from seisloom.sample import Array
from seisloom.tasks.interpretation.recipe import PLACE, UNITS

ANGLES = {"degree": (1.0, "degree"), "share": (180.0, "180 degrees")}
"""What an angle in degrees is divided by, and the unit it then has."""


class SynthVolumes(Config):
    """Synthetic volumes with known truth, all of them drawn from one seed."""

    n_train: int = Field(100, ge=1)
    """Number of volumes that train; they do not depend on how many there are."""
    n_valid: int = Field(10, ge=0)
    """Number of volumes that validate; none of them is among those that train."""
    shape: Shape = (128, 128, 128)
    """Samples along inline, crossline and time; an inline axis of 1 is a section, and time has at least 16."""
    seed: int = Field(0, ge=0)
    """The same seed gives the same volumes."""
    priors: VolumePriors = VolumePriors()
    """What volumes are drawn from: styles of faults, layers, wavelets, noise, things that mislead."""
    refinement: bool = False
    """Also write attributes with the errors of a first guess, beside the images: the input of a network that refines
    its own output."""
    corruption: Corruption = Corruption()
    """Ranges of those errors."""
    angles: Literal["degree", "share"] = "degree"
    """Unit of dip and strike: degrees, or shares of 180 degrees as in the cubes of LANL's network."""
    interval_s: float = Field(0.004, gt=0)
    """Sampling interval in s that the files say; the samples do not depend on it."""

    @field_validator("shape")
    @classmethod
    def _can_be_drawn(cls, shape: Shape) -> Shape:
        if min(shape) < 1 or shape[2] < LEAST_TIME:
            raise ValueError(
                f"{list(shape)} is too small; write [inline, crossline, time] with at least {LEAST_TIME} samples along "
                "time, and 1 inline for a section"
            )
        return shape


def in_unit(name: str, values: Array, config: SynthVolumes) -> Array:
    """Return an attribute as files are to have it: angles in the unit that the config says."""
    divisor = ANGLES[config.angles][0] if name in ("dip", "strike") else 1.0
    return values if divisor == 1 else values / np.float32(divisor)


def units_of(config: SynthVolumes) -> dict[str, str]:
    """Return the unit of each attribute in files."""
    return {name: ANGLES[config.angles][1] if unit == "degree" else unit for name, unit in UNITS.items()}


def grid_of_config(config: SynthVolumes) -> Grid:
    """Return the axes of a volume: lines counted from 0, time in s."""
    steps = (1.0, 1.0, config.interval_s)
    axes = zip(PLACE, config.shape, steps, ("1", "1", "s"), strict=True)
    return Grid(tuple(Axis.regular(name, n, step=step, unit=unit) for name, n, step, unit in axes))
