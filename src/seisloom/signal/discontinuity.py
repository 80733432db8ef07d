"""Where reflectors break: semblance along their slope, and lines of low semblance, without any training."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from seisloom.sample import Array

QUIET = 0.05
"""Energy, over that of the survey, at which a break counts half; 13 dB below it. Zones without signal hold noise, and
what smoothing and filters have leaked into them, neither of which is continuous."""
FAINT = 0.02
"""Added to breaks before they are compared, so that next to nothing does not stand out of nothing. More of it
quietens clean surveys and costs faults of small throw: on synthetic volumes ODS is .54 with .02, .51 with .1."""


def recorded(values: Array) -> Array:
    """Return which samples lie between the first and the last of their trace that are not 0: not padded, not dead.

    Args:
        values: amplitudes, (..., time).
    Returns:
        bool of the same shape.
    """
    there = values != 0
    begun = np.logical_or.accumulate(there, axis=-1)
    not_ended = np.logical_or.accumulate(there[..., ::-1], axis=-1)[..., ::-1]
    return np.asarray(begun & not_ended)


def reflector_slopes(values: Array, *, gradient: float = 1.0, lateral: float = 2.0, vertical: float = 4.0) -> Array:
    """Return the slope of reflectors along each lateral axis, samples of time per trace.

    Args:
        values: amplitudes, (crossline, time) or (inline, crossline, time).
        gradient: width in samples of the Gaussian whose derivatives are the gradient.
        lateral, vertical: widths in samples of the Gaussian that smooths the structure tensor.
    Returns:
        float64 (lateral axis, *values.shape); 0 where there is nothing to follow. The edge of a mute is no reflector:
        gradients that see samples which were not recorded do not count.
    Source: gradient structure tensor, van Vliet and Verbeek (1995), Estimators for orientation and anisotropy.
    """
    n = values.ndim
    steps = [ndimage.gaussian_filter(values, gradient, order=[int(k == axis) for k in range(n)]) for axis in range(n)]
    inner = ndimage.gaussian_filter(recorded(values).astype(np.float64), gradient) > 1 - 1e-6
    steps = [np.where(inner, step, 0.0) for step in steps]
    widths = [lateral] * (n - 1) + [vertical]
    tensor = np.empty((*values.shape, n, n))
    for a in range(n):
        for b in range(a, n):
            smooth = ndimage.gaussian_filter(steps[a] * steps[b], widths)
            tensor[..., a, b] = tensor[..., b, a] = smooth
    _, vectors = np.linalg.eigh(tensor)
    main = np.moveaxis(vectors[..., -1], -1, 0)  # across reflectors
    steep = np.abs(main[-1]) < 0.1  # slopes beyond ten samples a trace are noise
    return np.where(steep, 0.0, -main[:-1] / np.where(steep, 1.0, main[-1]))


def discontinuity(values: Array, *, half: int = 2, vertical: float = 3.0, level: float | None = None) -> Array:
    """Return 1 - semblance along the slope of reflectors, over 2 half + 1 traces of each lateral axis; 0 to 1.

    Traces are compared where they were recorded; a mute, a padded end and a dead trace break nothing beside them.

    Args:
        values: amplitudes, (crossline, time) or (inline, crossline, time); finite.
        half: traces on each side.
        vertical: width in samples of the Gaussian along time over which energies are summed.
        level: RMS of the survey, in the unit of `values`; None takes that of the samples that were recorded here.
    Returns:
        float64 of the same shape; 0 where nothing was recorded, small where there is little energy.
    Source: semblance after Marfurt et al. (1998), Geophysics 63(4), 1150-1165, eq. 3, along one axis at a time; a
        share `QUIET` of the survey's energy is added to both energies as if it were continuous.
    """
    values = values.astype(np.float64)
    there = recorded(values)
    if level is None:
        level = float(np.sqrt(np.mean(values[there] ** 2))) if there.any() else 0.0
    quiet = QUIET * ((2 * half + 1) * level) ** 2
    worst = np.zeros(values.shape)
    for axis, slope in enumerate(reflector_slopes(values)):
        if values.shape[axis] == 1:
            continue
        total, power, n_seen = (np.zeros(values.shape) for _ in range(3))
        beside = zip(_beside(values, slope, axis, half), _beside(there.astype(float), slope, axis, half), strict=True)
        for trace, share in beside:
            seen = there * share
            total, power, n_seen = total + seen * trace, power + seen * trace**2, n_seen + seen
        over, under = (ndimage.gaussian_filter1d(one, vertical, axis=-1) for one in (total**2, n_seen * power))
        worst = np.maximum(worst, np.divide(under - over, under + quiet, out=np.zeros_like(over), where=under > 0))
    return np.where(there, np.clip(worst, 0.0, 1.0), 0.0)


def _beside(values: Array, slope: Array, axis: int, half: int) -> Iterator[Array]:
    """Yield each trace's neighbours along an axis, each moved in time by the slope at the trace; edges continued."""
    n_traces, n_time = values.shape[axis], values.shape[-1]
    time = np.arange(n_time)
    for step in range(-half, half + 1):
        index = np.clip(np.arange(n_traces) + step, 0, n_traces - 1)
        beside = np.take(values, index, axis=axis)
        place = np.clip(time + step * slope, 0, n_time - 1)
        below = np.minimum(place.astype(int), max(n_time - 2, 0))
        share = place - below
        above = np.take_along_axis(beside, np.minimum(below + 1, n_time - 1), axis=-1)
        yield np.take_along_axis(beside, below, axis=-1) * (1 - share) + above * share


def fault_lines(breaks: Array, *, length: int = 17, dips_deg: tuple[float, ...] = tuple(range(50, 131, 8))) -> Array:
    """Return the largest mean of breaks along straight lines of the last two axes, and the dip of that line.

    Args:
        breaks: discontinuity, (..., crossline, time).
        length: samples of a line.
        dips_deg: dips that are tried, degrees: below 90 a line falls towards larger indices.
    Returns:
        float64 (2, *breaks.shape): the mean, and the dip in degrees.
    """
    best, dip = np.full(breaks.shape, -np.inf), np.full(breaks.shape, 90.0)
    along = np.arange(length) - length // 2
    for one in dips_deg:
        angle = np.deg2rad(one)
        kernel = np.zeros((length, length))
        crossline, time = along * np.cos(angle), along * np.sin(angle)
        for c, t in zip(crossline, time, strict=True):
            kernel[round(c) + length // 2, round(t) + length // 2] += 1 / length
        flat = breaks.reshape(-1, *breaks.shape[-2:])
        mean = np.stack([ndimage.correlate(part, kernel, mode="nearest") for part in flat]).reshape(breaks.shape)
        better = mean > best
        best, dip = np.where(better, mean, best), np.where(better, one, dip)
    return np.stack([best, dip])


def stands_out(lines: Array, breaks: Array, there: Array, *, width: float = 6.0) -> Array:
    """Return the logarithm of breaks along lines over those around them: noise breaks everywhere, a fault along a line.

    Args:
        lines: mean of breaks along lines, see `fault_lines`; (..., crossline, time).
        breaks: discontinuity, of the same shape.
        there: what was recorded, bool of the same shape.
        width: of the Gaussian in samples and traces over which breaks are averaged.
    Returns:
        float64 of the same shape; about 0 where nothing stands out, and where nothing was recorded.
    """
    around, n = (
        ndimage.gaussian_filter(one, width) for one in (np.where(there, breaks, 0.0), there.astype(np.float64))
    )
    usual = np.divide(around, n, out=np.zeros_like(around), where=there)
    return np.where(there, np.log((lines + FAINT) / (usual + FAINT)), 0.0)
