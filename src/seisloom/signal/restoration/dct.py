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


def dct_denoise(
    values: Array, *, threshold: float = 3.0, n_traces: int = 16, n_samples: int = 32, noise: float | None = None
) -> Array:
    """Return a panel (trace, time) without the cosine coefficients of windows that noise may have made.

    Args:
        values: all traces live.
        threshold: in standard deviations of noise; coefficients below it are set to 0, others kept.
        n_traces, n_samples: size of the windows; a window of a smaller panel has all of its traces.
        noise: standard deviation of white noise in the panel; None measures it by the median size of the coefficients
            in the upper quarter of wavenumbers, where there is little signal.
    Raises:
        DataError: see `panel.checked`; or threshold or noise is below 0.
    Source: hard thresholds of Donoho & Johnstone (1994), Biometrika 81(3), 425-455; in overlapping cosine windows after
        Yu & Sapiro (2011), IPOL 1, 292-296.
    """
    if threshold < 0 or (noise is not None and noise < 0):
        raise DataError(f"threshold {threshold} and noise {noise} cannot be below 0")
    x, _ = checked(values)
    windows = Windows.of(x.shape, n_traces, n_samples)
    coefficients = dctn(windows.cut(x), axes=(1, 2), norm="ortho")
    # The taper takes half of the power of noise, the same for all coefficients but for a few at the ends
    loss = float(np.sqrt(np.mean(windows.fade**2)))
    if noise is None:
        upper = coefficients[:, -max(coefficients.shape[1] // 4, 1) :]
        sizes = np.abs(upper[np.abs(coefficients).max(axis=(1, 2)) > 0])
        noise = float(np.median(sizes)) / MEDIAN_OF_NOISE / loss if sizes.size else 0.0
    kept = np.where(np.abs(coefficients) >= threshold * noise * loss, coefficients, 0)
    return windows.join(np.asarray(idctn(kept, axes=(1, 2), norm="ortho"), dtype=x.dtype))
