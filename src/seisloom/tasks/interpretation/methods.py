"""A classical method behind the face of a network: what it is measured against, and what needs no weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field
from scipy.special import ndtri

from seisloom.config import Method
from seisloom.errors import RecipeError
from seisloom.sample import Array, Arrays, Predictor
from seisloom.signal.discontinuity import discontinuity, fault_lines, recorded, stands_out

FOUND = ("fault", "dip", "strike")
LOGIT_SCALE, LOGIT_OFFSET = 5.14, -2.94
"""Of the logit of a fault within two voxels, by how far a line of breaks stands out: Platt's fit on 40 synthetic
sections and 8 volumes of the default priors, with a calibration error of .003. `tools/fit_discontinuity.py` prints it.
"""
NEVER = -10.0
"""Logit where nothing was recorded, and the lowest there is."""


class Discontinuity(Method):
    """One minus semblance along reflectors, averaged along steep lines, over what is usual around them.

    See `seisloom.signal.discontinuity`. A probability of a half means that a fault within two voxels is as likely as
    none, on synthetic volumes of the default priors; a survey of another kind may differ.
    """

    is_calibrated = True
    name: str = "discontinuity"
    task: str = "interpretation"
    half: int = Field(2, ge=1)
    """Traces on each side that are compared."""
    vertical: float = Field(3.0, gt=0)
    """Width in samples of the Gaussian along time over which energies are summed."""
    length: int = Field(17, ge=3)
    """Samples of the lines along which breaks are averaged."""

    def adapt(self, recipe: Any) -> Any:  # Any: any interpretation recipe
        """Return the recipe with the attributes that are found here; a volume is seen as it is, not by sections."""
        keys = recipe.apply
        wanted = tuple(name for name in keys.attributes or FOUND if name in FOUND)
        if not wanted:
            raise RecipeError(f"{self.name} finds {', '.join(FOUND)}, and none of {', '.join(keys.attributes)}")
        # It knows dead traces for itself
        changes = {"attributes": wanted, "along": keys.along or "cube", "views": 1, "fill_dead": 0}
        # The recipe may be that of a network without faults, to whose volumes the method is applied beside it
        model = recipe.model.model_copy(update={"fault": True})
        return recipe.model_copy(update={"model": model, "apply": keys.model_copy(update=changes)})

    def predictor(self, recipe: Any) -> Predictor:  # Any: any interpretation recipe
        """Return the method on tiles: logit and normal of faults, and what it does not know as it came."""

        # Amplitudes come scaled: the percentile is 1. Of normally distributed ones this is the RMS
        level = float(1 / ndtri(recipe.scale.percentile / 100))

        def predict(arrays: Arrays) -> Arrays:
            x = np.asarray(arrays["x"])[:, 0]
            found = [self._section_or_volume(one, level) for one in x]
            return {name: np.stack([one[name] for one in found]) for name in found[0]}

        return predict

    def _section_or_volume(self, values: Array, level: float) -> dict[str, Array]:
        found, normal = self.lines(values, level)
        logit = np.maximum(LOGIT_SCALE * found + LOGIT_OFFSET, NEVER)
        fault = np.where(recorded(values), logit, NEVER)
        return {"fault": fault.astype(np.float32), "normal": normal.astype(np.float32)}

    def lines(self, values: Array, level: float | None = None) -> tuple[Array, Array]:
        """Return how far lines of breaks stand out, of the shape of the values, and their normals, (3, *shape).

        Args:
            values: amplitudes, (crossline, time) or (inline, crossline, time).
            level: RMS of the survey, see `seisloom.signal.discontinuity.discontinuity`.
        """
        breaks = discontinuity(values, half=self.half, vertical=self.vertical, level=level)
        mean, dip = fault_lines(breaks, length=self.length)
        normal = _normal(dip, crossline=True)
        if values.ndim == 3 and values.shape[0] > 1:
            turned = fault_lines(breaks.swapaxes(0, 1), length=self.length).swapaxes(1, 2)
            better = turned[0] > mean
            mean = np.where(better, turned[0], mean)
            normal = np.where(better, _normal(turned[1], crossline=False), normal)
        return stands_out(mean, breaks, recorded(values)), normal


def _normal(dip_deg: Array, *, crossline: bool) -> Array:
    """Return the normal (depth, crossline, inline) of lines of this dip in sections along one lateral axis."""
    depth, across = -np.cos(np.deg2rad(dip_deg)), np.sin(np.deg2rad(dip_deg))
    zero = np.zeros_like(depth)
    return np.stack([depth, across, zero] if crossline else [depth, zero, across])
