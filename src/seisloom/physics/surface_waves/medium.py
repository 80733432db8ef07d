"""Layered media: flat layers over a half-space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array


@dataclass(frozen=True, slots=True, eq=False)
class LayeredMedium:
    """Flat elastic layers over a half-space, from above; each array has one value a layer, the half-space last."""

    thickness_m: Array
    """(layer,); that of the half-space is not looked at."""
    vp_m_s: Array
    """(layer,), velocity of P waves."""
    vs_m_s: Array
    """(layer,), velocity of S waves."""
    density_kg_m3: Array
    """(layer,)."""

    def __post_init__(self) -> None:
        """Take lists too.

        Raises:
            DataError: if lengths differ, a value is not positive and finite, or vp is not above sqrt(4/3) vs: a
                material with less resists compression less than nothing.
        """
        names = ("thickness_m", "vp_m_s", "vs_m_s", "density_kg_m3")
        for name in names:
            object.__setattr__(self, name, np.atleast_1d(np.asarray(getattr(self, name), dtype=np.float64)))
        lengths = {name: len(getattr(self, name)) for name in names}
        if len(set(lengths.values())) > 1:
            raise DataError(f"a layered medium needs one value a layer of each, the half-space included; got {lengths}")
        for name in names:
            checked = getattr(self, name)[: -1 if name == "thickness_m" else None]
            if (wrong := np.flatnonzero(~(np.isfinite(checked) & (checked > 0)))).size:
                at = int(wrong[0])
                raise DataError(f"{name} of layer {at} is {checked[at]:g}; it must be positive")
        if (soft := np.flatnonzero(self.vp_m_s <= np.sqrt(4 / 3) * self.vs_m_s)).size:
            at = int(soft[0])
            raise DataError(
                f"layer {at}: vp {self.vp_m_s[at]:g} m/s must be more than 1.155 vs, and vs is {self.vs_m_s[at]:g} m/s"
            )

    def __len__(self) -> int:
        return len(self.vs_m_s)

    @property
    def table(self) -> Array:
        """Thickness, vp, vs and density, (layer, 4): what compiled functions take."""
        return np.stack([self.thickness_m, self.vp_m_s, self.vs_m_s, self.density_kg_m3], axis=1)

    @property
    def depths_m(self) -> Array:
        """Depth of the top of each layer in m, (layer,)."""
        return np.concatenate([[0.0], np.cumsum(self.thickness_m[:-1])])

    @property
    def poisson_ratio(self) -> Array:
        """Poisson's ratio of each layer, (layer,)."""
        ratio = (self.vp_m_s / self.vs_m_s) ** 2
        return (ratio - 2) / (2 * (ratio - 1))

    @property
    def vs30_m_s(self) -> float:
        """Mean velocity of S waves of the upper 30 m in m/s: 30 m over the time they take."""
        tops = np.minimum(self.depths_m, 30.0)
        through = np.diff(np.append(tops, 30.0))
        return float(30.0 / np.sum(through / self.vs_m_s))
