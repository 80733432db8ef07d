"""Shrinkage of local cosine coefficients: what is weaker than noise would be is taken off."""

from __future__ import annotations

import numpy as np
from scipy.fft import dctn, idctn

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.restoration.panel import checked
from seisloom.signal.restoration.windows import Windows

MEDIAN_OF_NOISE = 0.6745
"""Median of |z| of a standard normal z: Donoho & Johnstone (1994) measure noise by it."""


def check_strength(threshold: float, noise: float | None) -> None:
    """Raise DataError if a threshold or a noise level is below 0."""
    if threshold < 0 or (noise is not None and noise < 0):
        raise DataError(f"threshold {threshold} and noise {noise} cannot be below 0")


def dct_denoise(
    values: Array,
    *,
    threshold: float = 3.0,
    n_traces: int = 16,
    n_samples: int = 32,
    noise: float | None = None,
    by_band: bool = True,
) -> Array:
    """Return a panel (trace, time) without the cosine coefficients of windows that noise may have made.

    Args:
        values: all traces live.
        threshold: in standard deviations of noise; coefficients below it are set to 0, others kept.
        n_traces, n_samples: size of the windows; a window of a smaller panel has all of its traces.
        noise: standard deviation of white noise in the panel; None measures it by the median size of the coefficients
            in the upper quarter of wavenumbers, where there is little signal.
        by_band: whether noise is measured anew at each frequency, for noise that is not white. Events that are steep
            enough to fill the upper wavenumbers of a frequency are then taken for noise.
    Raises:
        DataError: see `panel.checked`; or threshold or noise is below 0.
    Source: hard thresholds of Donoho & Johnstone (1994), Biometrika 81(3), 425-455; in overlapping cosine windows after
        Yu & Sapiro (2011), IPOL 1, 292-296.
    """
    check_strength(threshold, noise)
    x, _ = checked(values)
    windows = Windows.of(x.shape, n_traces, n_samples)
    coefficients = dctn(windows.cut(x), axes=(1, 2), norm="ortho")
    level = _noise_of(coefficients, by_band) if noise is None else noise * _loss(windows)
    kept = np.where(np.abs(coefficients) >= threshold * level, coefficients, 0)
    return windows.join(np.asarray(idctn(kept, axes=(1, 2), norm="ortho"), dtype=x.dtype))


def dct_select(
    values: Array, guide: Array, *, threshold: float = 1.0, n_traces: int = 16, n_samples: int = 32
) -> Array:
    """Return a panel (trace, time) with its own cosine coefficients where an estimate of it has some, and no others.

    A network tells signal from noise better than a threshold does, and it makes what it is not sure of too weak: signal
    that is lost, and resembles the rest. Here it says where signal is, and the recording how strong.

    Args:
        values: all traces live.
        guide: the estimate, of their shape.
        threshold: of the guide's coefficients, in standard deviations of the panel's noise: the larger of what
            `dct_denoise` measures at each frequency and of what the guide took off, coefficient by coefficient.
        n_traces, n_samples: see `dct_denoise`.
    Raises:
        DataError: see `panel.checked`; or the threshold is below 0, or shapes differ.
    Source: an estimate in the place of the recording in the rule that keeps coefficients, as in the second step of
        Ghael, Sayeed & Baraniuk (1997), Proc. SPIE 3169, 389-399; theirs shrinks, this one keeps or drops.
    """
    check_strength(threshold, None)
    x, _ = checked(values)
    told, _ = checked(guide)
    if told.shape != x.shape:
        raise DataError(f"the guide has shape {told.shape} and the panel {x.shape}")
    windows = Windows.of(x.shape, n_traces, n_samples)
    own, guiding = (dctn(windows.cut(one), axes=(1, 2), norm="ortho") for one in (x, told))
    # Noise that goes on over traces has little in the upper wavenumbers; of signal the guide leaves little
    taken = np.median(np.abs(own - guiding)[np.abs(own).max(axis=(1, 2)) > 0], axis=0) if own.any() else 0.0
    noise = np.maximum(_noise_of(own, by_band=True), taken / MEDIAN_OF_NOISE)
    kept = np.where(np.abs(guiding) >= threshold * noise, own, 0)
    return windows.join(np.asarray(idctn(kept, axes=(1, 2), norm="ortho"), dtype=x.dtype))


def _noise_of(coefficients: Array, by_band: bool) -> Array:
    """Return the deviation of noise in coefficients (window, trace, time) by their upper wavenumbers: (time,) or ()."""
    upper = coefficients[:, -max(coefficients.shape[1] // 4, 1) :]
    sizes = np.abs(upper[np.abs(coefficients).max(axis=(1, 2)) > 0])
    if not sizes.size:
        return np.zeros(())
    return np.asarray(np.median(sizes, axis=(0, 1) if by_band else None)) / MEDIAN_OF_NOISE


def _loss(windows: Windows) -> float:
    """Return by how much the taper weakens noise: the same for all coefficients but for a few at the ends."""
    return float(np.sqrt(np.mean(windows.fade**2)))
