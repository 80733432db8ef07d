"""A velocity spectrum, what all transforms return: a panel over phase velocity and frequency, its axes and limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.velocity_spectra.axes import check_choice
from seisloom.signal.velocity_spectra.limits import ArrayLimits, array_limits
from seisloom.signal.velocity_spectra.recorded import Recorded

Normalise = Literal["frequency", "overall"]
NORMALISE: tuple[Normalise, ...] = ("frequency", "overall")


@dataclass(frozen=True, slots=True, eq=False)
class VelocitySpectrum:
    """How much of a gather travels with a phase velocity, as an amplitude, at each frequency."""

    panel: Array
    """float32 (velocity, frequency), from 0 to 1."""
    velocity_m_s: Array
    """(velocity,), ascending."""
    frequency_hz: Array
    """(frequency,), ascending."""
    scale: Array
    """(frequency,), what 1 stands for: panel times scale is what the transform gave. 0 where there was nothing."""
    limits: ArrayLimits
    """Of the live traces."""
    transform: str
    n_traces: int
    """Live ones, of one shot."""
    n_dead: int = 0
    n_nan: int = 0

    def __post_init__(self) -> None:
        """Check shapes.

        Raises:
            DataError: if the panel does not have one row a velocity and one column a frequency.
        """
        shape = (len(self.velocity_m_s), len(self.frequency_hz))
        if self.panel.shape != shape or self.scale.shape != shape[1:]:
            raise DataError(f"a panel of shape {self.panel.shape} does not fit its axes, {shape}")

    @property
    def peak_m_s(self) -> Array:
        """Velocity of the largest value at each frequency in m/s, (frequency,); NaN where all values are 0."""
        there = self.panel.max(axis=0) > 0
        return np.where(there, self.velocity_m_s[self.panel.argmax(axis=0)], np.nan)


def normalise_panel(amplitude: Array, normalise: Normalise) -> tuple[Array, Array]:
    """Return a panel from 0 to 1, float32, and what each of its columns was divided by.

    Args:
        amplitude: not negative, finite, (velocity, frequency).
        normalise: "frequency" divides each column by its largest value, "overall" all of them by the largest of the
            panel. Columns of zeros stay zeros.

    >>> normalise_panel(np.array([[1.0, 0.0], [4.0, 2.0]]), "overall")[0].tolist()
    [[0.25, 0.0], [1.0, 0.5]]
    """
    check_choice("normalise", normalise, NORMALISE)
    largest = amplitude.max(axis=0)
    scale = largest if normalise == "frequency" else np.full_like(largest, largest.max())
    return (amplitude / np.where(scale > 0, scale, 1)).astype(np.float32), scale


def velocity_spectrum(transform: str, amplitude: Array, recorded: Recorded, normalise: Normalise) -> VelocitySpectrum:
    """Return the spectrum of what a transform gave, (velocity, frequency)."""
    panel, scale = normalise_panel(amplitude, normalise)
    return VelocitySpectrum(
        panel=panel,
        velocity_m_s=recorded.velocity_m_s,
        frequency_hz=recorded.frequency_hz,
        scale=scale,
        limits=array_limits(recorded.distances_m[recorded.live]),
        transform=transform,
        n_traces=int(recorded.live.sum()),
        n_dead=recorded.n_dead,
        n_nan=recorded.n_nan,
    )
