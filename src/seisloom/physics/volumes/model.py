"""A drawn volume: the small tables that any box of it is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from seisloom.physics.volumes import inverse_map as m
from seisloom.physics.volumes.priors import Style, WaveletKind
from seisloom.sample import Array

Shape = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Noise:
    """What is added to the signal: parts of unit RMS, each with an amplitude, and patches where it is stronger."""

    white: float
    coloured: float
    coherent: float
    """RMS of each kind, in units of the nominal RMS of the signal."""
    taps: tuple[Array, Array, Array]
    """Kernels that colour white noise along inline, crossline and time; each of unit energy."""
    events: Array
    """Traces of linear events, each as dipping as its slopes say, shape (event, time); they repeat themselves."""
    slopes: Array
    """Samples a trace along inline and crossline of each of them, shape (event, 2)."""
    footprint: Array
    """Amplitude, wave numbers in rad a trace along inline and crossline, their phases, and the depth at which it has
    halved; shape (6,)."""
    bursts: Array
    """Centre, reciprocals of half axes, and factor less 1 of patches of strong noise, shape (burst, 7)."""


@dataclass(frozen=True, slots=True)
class VolumeModel:
    """A synthetic volume: everything that its voxels follow from, drawn once. Indices and lengths are in voxels."""

    shape: Shape
    """Number of voxels along (inline, crossline, time)."""
    seed: int
    style: Style
    faults: Array
    """The youngest first; columns as in `inverse_map`, shape (fault, 21)."""
    n_young: int
    """Number of faults younger than the unconformity, where there is one."""
    bends: Array
    """Flexures and sags, shape (bend, 8)."""
    controls: Array
    """Control points of the relief at the top, at the bottom, and of the unconformity: (surface, inline, crossline)."""
    controls_at: tuple[float, float, float]
    """Inline and crossline of the first control point, and their spacing."""
    unconformity: tuple[float, float, float] | None
    """Share of its relief that the layers above follow, its mean depth, and samples of depth in the stack missing."""
    table: Array
    """Half the log impedance of the layers, `PER_SAMPLE` entries a sample of depth in the stack."""
    rgt_range: tuple[float, float]
    """Depths in the stack at which `rgt` is 0 and 1."""
    fault_reflection: float
    """Share of the contrast across a fault that the fault itself reflects."""
    label: tuple[float, float]
    """Thickness of fault labels in voxels, and throw in samples from which there are any."""
    wavelet: WaveletKind
    f0: float
    """Peak frequency of `seismic` in cycles a sample."""
    phase_rad: float
    taps: Array
    """Wavelet of `seismic`, scaled so that the nominal RMS of the signal is 1."""
    taps_hr: Array
    """Wavelet of `dhr`, with 1.25 f0, scaled likewise."""
    blur: tuple[Array, Array]
    """Kernels of the lateral blur along inline and crossline, each of unit sum."""
    dims: Array
    """Centre, reciprocals of half axes, and largest loss of amplitude of dim zones, shape (dim, 7)."""
    noise: Noise
    variation: tuple[float, float, float, float] = (0.0, 1.0, 1.0, 1.0)
    """RMS by which amplitudes vary from place to place, and over how many voxels along inline, crossline and time."""

    def provenance(self) -> dict[str, Any]:  # Any: JSON values
        """Return what was drawn, as plain JSON values: enough to judge a sample by, not to make it again."""
        dip = np.degrees(np.arctan2(1.0, self.faults[:, m.COT]))
        strike = np.degrees(np.arctan2(self.faults[:, m.SIN_STRIKE], self.faults[:, m.COS_STRIKE]))
        noise = self.noise
        return {
            "shape": list(self.shape),
            "seed": self.seed,
            "style": self.style,
            "throw_samples": _rounded(self.faults[:, m.THROW]),
            "drag_share": _rounded(self.faults[:, m.DRAG]),
            "dip_degrees": _rounded(dip),
            "strike_degrees": _rounded(strike),
            "f0_cycles_per_sample": round(self.f0, 5),
            "wavelet": self.wavelet,
            "phase_degrees": round(float(np.degrees(self.phase_rad)), 2),
            "noise_ratio": round(float(np.sqrt(noise.white**2 + noise.coloured**2 + noise.coherent**2)), 4),
            "noise": {name: round(getattr(noise, name), 4) for name in ("white", "coloured", "coherent")},
            "unconformity": self.unconformity is not None,
            "n_flexures": int(np.sum(self.bends[:, m.KIND] == m.FLEXURE)),
            "n_sags": int(np.sum(self.bends[:, m.KIND] == m.SAG)),
            "n_dim_zones": len(self.dims),
            "amplitude_variation": round(self.variation[0], 4),
            "n_bursts": len(noise.bursts),
        }

    def stack_numbers(self) -> Array:
        """Return the numbers of the model in the order that `map_columns` reads them."""
        onlap, depth, gap = self.unconformity or (0.0, 0.0, 0.0)
        low, high = self.rgt_range
        return np.array(
            [
                *self.controls_at,
                self.n_young,
                self.unconformity is not None,
                onlap,
                depth,
                gap,
                1.0 / self.shape[2],
                low,
                1.0 / (high - low),
                self.label[0] / 2,
                self.label[1] * (1 - 1e-9),  # a throw of exactly the least one counts, whatever its rounding
                self.fault_reflection,
            ]
        )


def _rounded(values: Array) -> list[float]:
    return [round(float(value), 3) for value in values]
