"""A first guess: attributes with errors, from the generator or from files, in the form of a network's outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from seisloom.errors import DataError
from seisloom.inference.integrate import increments
from seisloom.metrics.orientation import normal_of
from seisloom.physics.volumes.corruption import Corruption, corrupt_attributes
from seisloom.physics.volumes.model import VolumeModel
from seisloom.sample import Array, Arrays

GUESS = "guess_"
"""What the name of an attribute begins with where it is a first guess."""
SUREST = 0.5 * 0.993
"""Distance from one half of the surest probability, a logit of 5: a mask of 0 and 1 has none."""


@dataclass(frozen=True, slots=True)
class Sureness:
    """How a mask of 0 and 1 is made to look like what a network says, which is neither sharp nor sure."""

    blur: float = 0.7
    """Standard deviation of the blur, in samples."""
    logit: float = 3.0
    """Logit in the middle of a wide fault."""

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Sureness:
        """Return one of the many ways in which networks differ: a refiner must not rely on one of them."""
        return cls(float(rng.uniform(0.3, 1.2)), float(rng.uniform(1.0, 5.0)))


def guessed(model: VolumeModel, truth: Arrays, corruption: Corruption, needs: tuple[str, ...]) -> dict[str, Array]:
    """Return a drawn volume's attributes with the errors of a first guess, by `guess_` and the attribute's name."""
    found = corrupt_attributes(model, corruption=corruption, truth=truth)
    from_generator = {"fault": "fsem", "dip": "fdip", "strike": "fstrike", "rgt": "rgt", "dhr": "dhr"}
    return {GUESS + name: found[f"i_{from_generator[name]}"] for name in needs}


def as_outputs(arrays: Arrays, where: str, needs: tuple[str, ...], sureness: Sureness) -> dict[str, Array]:
    """Return a first guess in the form of a network's outputs, float32.

    Args:
        arrays: `guess_fault`, a mask or a probability; `guess_dip` and `guess_strike` in degrees; `guess_rgt` of any
            rising scale; `guess_dhr` on the scale of the image; those of `needs`, (inline, crossline, time) each.
        where: name of the sample, for errors.
        needs: attributes that the network takes in.
        sureness: how sharp and sure faults are.
    Returns:
        `guess_fault`, logit; `guess_normal`, (component, inline, crossline, time) as depth, crossline, inline, 0 off
        faults; `guess_rgt_steps`, (axis, inline, crossline, time), steps in samples; `guess_dhr`; those of the tasks
            that are needed.
    Raises:
        DataError: if one that is needed is not there.
    """
    if missing := [name for name in needs if GUESS + name not in arrays]:
        raise DataError(
            f"{where}: has no first guess of {', '.join(missing)}, which the network refines. Read samples with this "
            "recipe: shards that another one wrote have none"
        )
    given = {name: np.nan_to_num(arrays[GUESS + name]) for name in needs}
    found: dict[str, Array] = {}
    if "fault" in given:
        soft = ndimage.gaussian_filter(given["fault"].astype(np.float64), sureness.blur) - 0.5
        share = 0.5 + np.tanh(sureness.logit / 2) * np.clip(soft, -SUREST, SUREST)
        found["guess_fault"] = np.log(share / (1 - share))
        found["guess_normal"] = normal_of(given["dip"], given["strike"]) * (given["fault"] > 0)
    if "rgt" in given:
        found["guess_rgt_steps"] = np.stack(increments(given["rgt"] / _usual_step(given["rgt"])))
    if "dhr" in given:
        found["guess_dhr"] = given["dhr"]
    return {name: np.asarray(one, dtype=np.float32) for name, one in found.items()}


def _usual_step(rgt: Array) -> float:
    """Return the median step of relative time from a sample to the next one below; labels are scaled alike."""
    steps = np.diff(rgt, axis=-1)
    usual = float(np.median(steps)) if steps.size else 0.0
    return usual if usual > 0 else 1.0


def parted(arrays: Mapping[str, Array]) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return what is no first guess, and what is one."""
    guess = {name: one for name, one in arrays.items() if name.startswith(GUESS)}
    return {name: one for name, one in arrays.items() if name not in guess}, guess
