"""Shrinkage of wavelet coefficients of a whole panel: what is weaker than noise would be is taken off."""

from __future__ import annotations

import numpy as np
import pywt

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.restoration.dct import MEDIAN_OF_NOISE, check_strength
from seisloom.signal.restoration.panel import checked


def wavelet_denoise(
    values: Array,
    *,
    threshold: float = 3.0,
    n_levels: int = 4,
    order: int = 6,
    noise: float | None = None,
    by_band: bool = True,
) -> Array:
    """Return a panel (trace, time) without the wavelet coefficients that noise may have made.

    The transform is the mean of orthonormal ones over all shifts, along traces and time alike, so that no event is
    treated by where it lies on a grid. Beyond its edges a panel goes on mirrored.

    Args:
        values: all traces live.
        threshold: in standard deviations of noise; coefficients below it are set to 0, others kept. 0 gives the panel
            back.
        n_levels: octaves along either axis; fewer where a wavelet would be longer than the mirrored panel. Time
            grows with each, from 6 on up to fourfold.
        order: vanishing moments of Daubechies' wavelets, 1 (Haar) to 10; they have twice as many coefficients.
        noise: standard deviation of white noise in the panel; None measures it, where there is little signal: by the
            median size of what is finest along traces.
        by_band: whether that is measured anew in each octave of frequencies, for noise that is not white.
    Raises:
        DataError: see `panel.checked`; or threshold or noise is below 0, or there is no such order or level.
    Source: hard thresholds of Donoho & Johnstone (1994), Biometrika 81(3), 425-455; over all shifts after Coifman &
        Donoho (1995), Lecture Notes in Statistics 103, 125-150; by band after Johnstone & Silverman (1997), JRSS B
        59(2), 319-351. Wavelets of Daubechies (1988), Communications on Pure and Applied Mathematics 41, 909-996.
    """
    check_strength(threshold, noise)
    if n_levels < 1:
        raise DataError(f"{n_levels} levels: give 1 at least")
    if not 1 <= order <= 10:
        raise DataError(f"Daubechies' wavelets of order {order}: there are orders 1 to 10")
    x, _ = checked(values)
    # The filter of a level is spread by 2^level: beyond the period of the panel it only meets itself
    longest = int(np.log2(max(2 * min(x.shape) / (2 * order - 1), 1))) + 1
    n_levels = min(n_levels, longest)
    panel = _mirrored(x, order, n_levels)
    levels = noise_by_octave(panel, x.shape, order, n_levels)
    if noise is not None:
        levels[:] = noise
    elif not by_band:
        levels[:] = levels[-1, 1]
    smooth, *details = pywt.swt2(panel, f"db{order}", n_levels, trim_approx=True)
    kept = [
        tuple(
            np.where(np.abs(one) >= threshold * level, one, 0.0)
            for one, level in zip((across, along, both), (low, high, high), strict=True)
        )
        for (across, along, both), (low, high) in zip(details, levels, strict=True)
    ]
    # Wavelets are not symmetric, and images come out a little different: this is the one mirrored along both axes
    found = np.flip(pywt.iswt2([smooth, *kept], f"db{order}"))
    return np.asarray(found[: x.shape[0], : x.shape[1]], dtype=x.dtype)


def noise_by_octave(panel: Array, shape: tuple[int, ...], order: int, n_levels: int) -> Array:
    """Return the standard deviation of noise in the frequencies of each level, from the coarsest to the finest.

    It is measured in what is finest along traces. The filters are of norm 1: white noise has in each octave, and in all
    coefficients of `wavelet_denoise`, the deviation that it has in the panel.

    Args:
        panel: (trace, time), periodic, with mirror images; sizes are multiples of 2^n_levels.
        shape: of what it begins with and, mirrored, ends with; what lies between is padding and is not counted.
        order, n_levels: see `wavelet_denoise`.
    Returns:
        (level, 2): below the octave of the level, and in it.
    """
    finest = pywt.swt(panel, f"db{order}", 1, axis=0, trim_approx=True)[1]
    octaves = pywt.swt(finest, f"db{order}", n_levels, axis=1)
    counted = np.ix_(*(np.r_[:n, -n:0] for n in shape))
    # The size of normal noise has this median
    return np.array([[np.median(np.abs(one[counted])) / MEDIAN_OF_NOISE for one in octave] for octave in octaves])


def _mirrored(x: Array, order: int, n_levels: int) -> Array:
    """Return a panel and its mirror images, float64: periodic without a jump, sizes multiples of 2^n_levels.

    Where a size does not fit, the panel goes on for two filters at least: a narrow strip between two mirrors repeats
    its noise, which then passes for signal.
    """
    half = 2 ** (n_levels - 1)
    padding = [(0, 0 if n % half == 0 else 4 * order + -(n + 4 * order) % half) for n in x.shape]
    whole = np.pad(x, padding, mode="symmetric")
    return np.pad(whole, [(0, n) for n in whole.shape], mode="symmetric").astype(np.float64)
