"""How near a restored or sharpened image comes to the true one: PSNR, SNR, SSIM, bandwidth, and faults kept sharp.

Images are sections (crossline, time) or volumes (inline, crossline, time); a first axis of length 1 is a section. A
voxel that is NaN in the target, or that `known` leaves out, counts in nothing.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from seisloom.errors import DataError
from seisloom.sample import Array

BAND = (0.1, 0.9)
"""The band holds what lies between these shares of the summed amplitude spectrum."""
SSIM_SIGMA, SSIM_RADIUS = 1.5, 5
SSIM_K1, SSIM_K2 = 0.01, 0.03
"""Window and constants of Wang, Bovik, Sheikh & Simoncelli (2004), IEEE TIP 13(4), 600-612, sec. III-C."""


def data_range(target: Array) -> float:
    """Return 2 max|target|: amplitudes swing about zero, and one strong event must not move the middle."""
    return 2 * float(np.nanmax(np.abs(target), initial=0))


def psnr_db(predicted: Array, target: Array, *, known: Array | None = None) -> float:
    """Return the peak signal-to-noise ratio, 20 log10(range / RMSE), with the range 2 max|target|.

    Args:
        predicted, target: amplitudes, same shape and unit.
        known: bool, of a shape that stretches to the target's: live traces are `live[..., None]`.
    Returns:
        dB; inf if equal, NaN if the target is zero or nothing is known.
    """
    p, t = _known_values(predicted, target, known)
    if not t.any():
        return float("nan")
    rmse = float(np.sqrt(np.mean((p - t) ** 2)))
    return float(20 * np.log10(data_range(t) / rmse)) if rmse else float("inf")


def snr_db(predicted: Array, target: Array, *, known: Array | None = None) -> float:
    """Return 10 log10(energy of the target / energy of the error) in dB; inf if equal, NaN for a zero target.

    Args:
        predicted, target, known: as in `psnr_db`.
    """
    p, t = _known_values(predicted, target, known)
    signal, error = float(np.sum(t**2)), float(np.sum((p - t) ** 2))
    if signal == 0:
        return float("nan")
    return float(10 * np.log10(signal / error)) if error else float("inf")


def ssim(predicted: Array, target: Array, *, value_range: float | None = None, known: Array | None = None) -> float:
    """Return the mean structural similarity in a Gaussian window: 1 for equal images, 0 for unlike ones.

    The window has sigma 1.5 and 11 samples along each axis, or as many, odd, as a shorter axis has: an axis of length 1
    is not looked along. Only windows that lie inside, and touch nothing unknown, count.

    Args:
        predicted, target: same shape, two or three axes.
        value_range: L of the constants (0.01 L)^2 and (0.03 L)^2; 2 max|target| without it.
        known: as in `psnr_db`.
    Returns:
        Mean over windows, in -1..1; NaN if no window is known or the range is 0.
    Source: Wang et al. (2004), IEEE TIP 13(4), eq. 13; weighted, not sample, variances, as there.
    """
    p, t, use = _filled(predicted, target, known)
    value_range = data_range(t[use]) if value_range is None else value_range
    radii = [min(SSIM_RADIUS, (n - 1) // 2) for n in t.shape]
    inside = tuple(slice(r, n - r) for r, n in zip(radii, t.shape, strict=True))
    whole = ndimage.minimum_filter(use, [2 * r + 1 for r in radii])[inside]
    if not whole.any() or not value_range > 0:
        return float("nan")
    mean_p, mean_t, pp, tt, pt = (_window_mean(one, radii)[inside] for one in (p, t, p * p, t * t, p * t))
    c1, c2 = (SSIM_K1 * value_range) ** 2, (SSIM_K2 * value_range) ** 2
    luminance = (2 * mean_p * mean_t + c1) / (mean_p**2 + mean_t**2 + c1)
    structure = (2 * (pt - mean_p * mean_t) + c2) / (pp - mean_p**2 + tt - mean_t**2 + c2)
    return float((luminance * structure)[whole].mean())


def band(image: Array, *, known: Array | None = None) -> tuple[float, float]:
    """Return the frequencies below which 10 % and 90 % of the summed amplitude spectrum lie, in cycles a sample.

    Args:
        image: amplitudes, shape (..., time); traces that are not fully known are left out.
        known: as in `psnr_db`.
    Returns:
        Low and high end, linear between the discrete frequencies; both NaN without traces or amplitudes. The spectrum
        is the mean over traces of |FFT| along the last axis, with the mean of each trace taken off.
    """
    traces = _known_traces(image, known)
    spectrum = np.abs(np.fft.rfft(traces - traces.mean(axis=-1, keepdims=True), axis=-1)).sum(axis=0)
    if not spectrum.sum() > 0:
        return float("nan"), float("nan")
    frequencies = np.fft.rfftfreq(traces.shape[-1])
    share = np.cumsum(spectrum) / spectrum.sum()
    low, high = np.interp(BAND, share, frequencies)
    return float(low), float(high)


def bandwidth_gain(predicted: Array, source: Array, *, known: Array | None = None) -> float:
    """Return the width of the predicted image's band over that of the image it was made from; above 1 is sharper.

    Args:
        predicted, source: amplitudes, shape (..., time).
        known: as in `psnr_db`.
    """
    widths = [high - low for low, high in (band(predicted, known=known), band(source, known=known))]
    return widths[0] / widths[1] if widths[1] > 0 else float("nan")


def band_correlation(predicted: Array, target: Array, *, known: Array | None = None) -> float:
    """Return the correlation of both images inside the target's band (see `band`), along depth.

    Args:
        predicted, target: amplitudes, shape (..., time); traces that are not fully known are left out.
        known: as in `psnr_db`.
    Returns:
        In -1..1, phases included; NaN if one has nothing in the band.
    """
    p, t, use = _filled(predicted, target, known)
    low, high = band(t, known=use)
    whole = use.all(axis=-1)
    frequencies = np.fft.rfftfreq(t.shape[-1])
    chosen = (frequencies >= low) & (frequencies <= high)
    P, T = (np.fft.rfft(one[whole], axis=-1)[:, chosen] for one in (p, t))
    # Frequencies between zero and Nyquist stand for two
    weight = np.where((frequencies == 0) | (frequencies == 0.5), 1, 2)[chosen]
    energy = np.sqrt(np.sum(weight * np.abs(P) ** 2) * np.sum(weight * np.abs(T) ** 2))
    return float(np.sum(weight * (P * T.conj()).real) / energy) if energy > 0 else float("nan")


def fault_sharpness(predicted: Array, target: Array, fault: Array, *, known: Array | None = None) -> float:
    """Return the lateral gradient energy on fault voxels of the predicted image over that of the target.

    Args:
        predicted, target: amplitudes, (crossline, time) or (inline, crossline, time), same unit.
        fault: labels, same shape; 1 is a fault.
        known: as in `psnr_db`.
    Returns:
        1 as sharp as the truth, below 1 faults are smeared, above 1 something rough was added; NaN without faults
        whose neighbours are known. Central differences; a factor in amplitude counts squared.
    """
    p, t, use = _filled(predicted, target, known)
    lateral = [axis for axis in range(t.ndim - 1) if t.shape[axis] > 1]
    cross = [3 if axis in lateral else 1 for axis in range(t.ndim)]
    at = (np.asarray(fault) == 1) & ndimage.minimum_filter(use, cross)
    energies = [sum(float(np.sum(np.gradient(one, axis=axis)[at] ** 2)) for axis in lateral) for one in (p, t)]
    return energies[0] / energies[1] if energies[1] > 0 else float("nan")


def image_scores(
    predicted: Array,
    target: Array,
    *,
    source: Array | None = None,
    fault: Array | None = None,
    known: Array | None = None,
) -> dict[str, float]:
    """Return all scores of an image by name; those that need `source` or `fault` only where it is given.

    Args:
        predicted, target: amplitudes, same shape and unit.
        source: the image that the prediction was made from, same unit as the target for its PSNR to mean anything.
        fault: labels; 1 is a fault.
        known: as in `psnr_db`.
    """
    scores = {
        "psnr_db": psnr_db(predicted, target, known=known),
        "snr_db": snr_db(predicted, target, known=known),
        "ssim": ssim(predicted, target, known=known),
        "band_correlation": band_correlation(predicted, target, known=known),
    }
    if source is not None:
        scores["psnr_gain_db"] = scores["psnr_db"] - psnr_db(source, target, known=known)
        scores["bandwidth_gain"] = bandwidth_gain(predicted, source, known=known)
    if fault is not None:
        scores["fault_sharpness"] = fault_sharpness(predicted, target, fault, known=known)
    return scores


def _filled(predicted: Array, target: Array, known: Array | None) -> tuple[Array, Array, Array]:
    """Both in float64 with 0 where nothing is known, and where it is known."""
    predicted, target = np.asarray(predicted, float), np.asarray(target, float)
    if predicted.shape != target.shape:
        raise DataError(f"the image has shape {predicted.shape} and its target {target.shape}; give the same grid")
    use = ~np.isnan(target)
    if known is not None:
        use &= np.broadcast_to(np.asarray(known, bool), target.shape)
    if not np.isfinite(predicted[use]).all():
        raise DataError(
            "the predicted image is not finite where the target is known; leave those voxels out by `known`"
        )
    return np.where(use, predicted, 0.0), np.where(use, target, 0.0), use


def _known_values(predicted: Array, target: Array, known: Array | None) -> tuple[Array, Array]:
    """Both where the target is known, shape (voxel,)."""
    p, t, use = _filled(predicted, target, known)
    return p[use], t[use]


def _known_traces(image: Array, known: Array | None) -> Array:
    """The traces that are known throughout, shape (trace, time)."""
    values, _, use = _filled(np.nan_to_num(np.asarray(image, float)), image, known)
    return np.asarray(values[use.all(axis=-1)])


def _window_mean(values: Array, radii: list[int]) -> Array:
    """The Gaussian mean about each voxel; what reaches over the edge is cut off by the caller."""
    for axis, radius in enumerate(radii):
        weights = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * SSIM_SIGMA**2))
        values = ndimage.convolve1d(values, weights / weights.sum(), axis=axis)
    return values
