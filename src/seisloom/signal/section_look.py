"""What a section looks like: frequency, slopes of reflectors, width of folds, noise; nobody has to pick anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.interpolate import CubicSpline

from seisloom.sample import Array
from seisloom.signal.discontinuity import reflector_slopes

FEWEST_TRACES, FEWEST_SAMPLES = 12, 32
"""Of a section that is looked at: slopes are smoothed over about as many."""
LATERAL, VERTICAL = 4.0, 6.0
"""Widths in samples of the Gaussian that smooths the structure tensor; narrower ones follow the noise."""
STEEPEST = 2.0
"""Samples a trace beyond which a slope is that of a fault or of noise."""
MEDIAN_OVER_F0 = 1.08
"""Median frequency of the coherent power over the wavelet's peak frequency: the median of 60 sections from the default
priors, whose layers and wavelets of four kinds spread it from 0.90 to 1.27 (5 and 95 %)."""


@dataclass(frozen=True, slots=True)
class SectionLook:
    """What was measured on one section, in samples and traces."""

    f0: float
    """Peak frequency of the wavelet in cycles a sample, within about 20 %; see `MEDIAN_OVER_F0`."""
    tilt: float
    """Median slope of reflectors, samples a trace."""
    slope_rms: float
    """Standard deviation over traces of their mean slope: folds go through all depths, noise and drag do not."""
    fold_width: float
    """Standard deviation in traces of the smoothing that would make such folds of white noise."""
    noise_ratio: float
    """RMS of what differs between neighbours along reflectors over that of what is common. Noise that is smooth
    laterally or runs along lines is partly common, and even a clean section has about 0.08."""
    noise_width: float
    """Standard deviation in traces of the smoothing that would make such noise of white noise; 0 of white noise."""

    @property
    def relief(self) -> float:
        """Height of the folds in samples, lowest to highest point: 4 standard deviations of a smooth random relief."""
        return float(4 * np.sqrt(2) * self.fold_width * self.slope_rms)


def look_at_section(section: Array) -> SectionLook | None:
    """Return what a section looks like, None if there is too little to see.

    Neighbouring traces are moved onto each other along the reflectors. Their cross spectrum is that of the signal
    alone, since noise differs from trace to trace; the rest is noise.

    Args:
        section: amplitudes of any scale, (trace, time). Traces that are 0 are left out, zeros at both ends of time are
            cut off, what is not finite counts as 0.
    """
    values = _live_part(np.asarray(section, dtype=np.float64))
    if values is None:
        return None
    (slopes,) = reflector_slopes(values, lateral=LATERAL, vertical=VERTICAL)
    slopes = np.clip(slopes, -STEEPEST, STEEPEST)
    left, right = _moved_together(values, slopes)
    power, common = float(np.mean(left**2 + right**2) / 2), float(np.mean(left * right))
    f0 = _median_frequency(left, right) / MEDIAN_OVER_F0
    if not (common > 0 and np.isfinite(f0)):
        return None  # nothing but noise
    return SectionLook(
        f0=f0, tilt=float(np.median(slopes)), slope_rms=float(np.std(slopes.mean(axis=1))),
        fold_width=_fold_width(slopes.mean(axis=1)),
        noise_ratio=float(np.sqrt(max(power - common, 0.0) / common)), noise_width=_noise_width(left - right),
    )  # fmt: skip


def _live_part(values: Array) -> Array | None:
    """Return live traces between the zeros at both ends of time, of unit RMS; None if that is too small."""
    values = np.where(np.isfinite(values), values, 0.0)
    values = values[(values != 0).any(axis=1)]
    if len(values) < FEWEST_TRACES:
        return None
    there = np.flatnonzero((values != 0).mean(axis=0) > 0.5)
    if len(there) < FEWEST_SAMPLES:
        return None
    values = values[:, there[0] : there[-1] + 1]
    values = values - np.median(values)
    rms = np.sqrt(np.mean(values**2))
    return values / rms if rms > 0 else None


def _moved_together(values: Array, slopes: Array) -> tuple[Array, Array]:
    """Return each trace and its neighbour, both moved half way along the slope between them, (trace - 1, time)."""
    n = values.shape[1]
    time, half = np.arange(n), 0.25 * (slopes[:-1] + slopes[1:])
    # Cubic: a linear one takes from the high frequencies what would then count as noise
    splines = [CubicSpline(time, trace) for trace in values]
    left = [spline(np.clip(time - move, 0, n - 1)) for spline, move in zip(splines[:-1], half, strict=True)]
    right = [spline(np.clip(time + move, 0, n - 1)) for spline, move in zip(splines[1:], half, strict=True)]
    return np.stack(left), np.stack(right)


def _median_frequency(left: Array, right: Array) -> float:
    """Return the frequency in cycles a sample below which half of the common power lies."""
    n = left.shape[1]
    taper = np.hanning(n)
    one, other = (np.fft.rfft(traces * taper, 2 * n, axis=1) for traces in (left, right))
    frequency = np.fft.rfftfreq(2 * n)
    common = np.maximum(np.real(np.sum(one * np.conj(other), axis=0)), 0.0)
    common = ndimage.gaussian_filter1d(common, 0.01 / frequency[1])
    total = np.cumsum(common)
    return float(np.interp(0.5, total / total[-1], frequency)) if total[-1] > 0 else float("nan")


def _fold_width(slopes: Array) -> float:
    """Return the width of folds in traces from where the correlation of slopes (trace,) first is 0.

    White noise smoothed by a Gaussian of width w has slopes whose autocorrelation is (1 - x^2 / (2 w^2))
    exp(-x^2 / (4 w^2)): it is 0 at x = sqrt(2) w.
    """
    n = len(slopes)
    correlation = np.fft.irfft(np.abs(np.fft.rfft(slopes - slopes.mean(), 2 * n)) ** 2)[:n] / (n - np.arange(n))
    crossed = np.flatnonzero(correlation <= 0)
    return float((crossed[0] if len(crossed) else n) / np.sqrt(2))


def _noise_width(differences: Array) -> float:
    """Return the lateral width of noise in traces from the correlation of its differences between neighbours.

    Noise smoothed by a Gaussian of width w has the autocorrelation r(k) = exp(-k^2 / (4 w^2)), and its differences
    that of (2 r(1) - 1 - r(2)) / (2 - 2 r(1)) at a lag of one: -1/2 for white noise, 1 for very smooth one.
    """
    power = np.sum(differences**2)
    if not power > 0:
        return 0.0
    n = len(differences)
    measured = np.sum(differences[1:] * differences[:-1]) / power * n / (n - 1)
    widths = np.linspace(0.2, 6.0, 200)
    r1, r2 = np.exp(-1 / (4 * widths**2)), np.exp(-1 / widths**2)
    expected = (2 * r1 - 1 - r2) / (2 - 2 * r1)
    return float(np.interp(measured, expected, np.r_[0.0, widths[1:]]))
