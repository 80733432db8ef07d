"""What a restoration did to a panel (trace, time): its error on missing traces, amplitudes, phase, and signal it lost.

SNR and SSIM of whole panels are in `metrics.image`, all of a panel's scores in `metrics.restored`. None of these
numbers says it alone: an output that is too smooth has a good SNR gain and a low amplitude, and left-over noise
resembles what was taken off.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.fft import rfft2, rfftfreq
from scipy.signal import hilbert

from seisloom.errors import DataError
from seisloom.metrics.image import snr_db
from seisloom.sample import Array
from seisloom.signal.restoration.pocs import in_fan


def missing_snr_db(restored: Array, true: Array, is_live: Array) -> float:
    """Return 10 log10(|d|^2 / |d - d'|^2) in dB on missing traces only; NaN if none is missing, or all are silent.

    With live traces counted, half of which come back as they were, filling with zeros would have 3 dB.

    Args:
        restored, true: (trace, time).
        is_live: bool (trace,).
    """
    return snr_db(restored, true, known=~np.asarray(is_live, dtype=bool)[:, None])


def swing(true: Array) -> float:
    """Return 2 P99.5 |d|, the range of amplitudes of PSNR and SSIM here: a spike must not widen it.

    Of one pair SSIM is 0.76, 0.82 or 0.85, by whether the range is 1, this one or all that there is.
    """
    size = np.abs(np.asarray(true, dtype=np.float64))
    return 2 * float(np.quantile(size, 0.995)) if size.size else 0.0


def psnr_db(restored: Array, true: Array, *, value_range: float, known: Array | None = None) -> float:
    """Return 20 log10(range / RMSE) in dB; inf if equal, NaN if the range is 0 or nothing is known.

    Args:
        restored, true: same shape.
        value_range: such as `swing`; to be told with the number.
        known: bool, of a shape that stretches to theirs.
    """
    d, found = _pair(restored, true)
    use = np.ones(d.shape, dtype=bool) if known is None else np.broadcast_to(np.asarray(known, dtype=bool), d.shape)
    if not use.any() or not value_range > 0:
        return float("nan")
    rmse = float(np.sqrt(np.mean((found - d)[use] ** 2)))
    return float(20 * np.log10(value_range / rmse)) if rmse else float("inf")


def snr_gain_db(restored: Array, noisy: Array, clean: Array) -> float:
    """Return by how many dB the SNR against the clean panel has risen from the noisy one."""
    return snr_db(restored, clean) - snr_db(noisy, clean)


def amplitude_slope(restored: Array, true: Array, groups: Array | None = None) -> Array:
    """Return <d, d'> / <d, d> of each group: 1 keeps amplitudes, 0.9 takes a tenth off whatever the noise.

    Args:
        restored, true: same shape.
        groups: int, 0 to n - 1, of a shape that stretches to theirs: bands of time, offset or dip; None is one group.
    Returns:
        float64 (group,); NaN of a group that is silent.
    """
    d, found = _pair(restored, true)
    number = np.broadcast_to(np.zeros((), int) if groups is None else np.asarray(groups), d.shape).ravel()
    over, under = (np.bincount(number, weights=one.ravel()) for one in (d * found, d * d))
    return np.asarray(np.divide(over, under, out=np.full_like(over, np.nan), where=under > 0))


def phase_rotation_deg(restored: Array, true: Array) -> float:
    """Return the constant phase in degrees, -180 to 180, that turns the true traces best into the restored ones.

    The angle of the inner product of analytic signals; NaN where it is 0.
    """
    d, found = _pair(restored, true)
    inner = np.vdot(hilbert(d, axis=-1), hilbert(found, axis=-1))
    return float(np.degrees(np.angle(inner))) if abs(inner) > 0 else float("nan")


def frequency_shift(restored: Array, true: Array) -> float:
    """Return mean frequency of restored over that of true, less 1; the mean is by power. NaN if one is silent."""
    means = []
    for one in _pair(restored, true):
        power = np.sum(np.abs(np.fft.rfft(one, axis=-1)) ** 2, axis=tuple(range(one.ndim - 1)))
        means.append(np.sum(power * rfftfreq(one.shape[-1])) / power.sum() if power.any() else np.nan)
    return float(means[1] / means[0] - 1) if means[0] else float("nan")


def local_similarity(a: Array, b: Array, *, width: tuple[float, float] = (3.0, 10.0)) -> Array:
    """Return |<a, b>| / sqrt(<a, a> <b, b>) around each sample, 0 to 1; 0 where either is silent.

    Args:
        a, b: (trace, time).
        width: traces and samples of the Gaussian by which products are weighted.
    Source: Fomel (2007), Local seismic attributes, Geophysics 72(3), A29-A33: the root of the product of
        two local regressions; here each by a weighted mean, in closed form, instead of shaping by iterations.
    """
    x, y = _pair(a, b)
    xy, xx, yy = (ndimage.gaussian_filter(one, width) for one in (x * y, x * x, y * y))
    power = np.maximum(xx, 0) * np.maximum(yy, 0)
    similarity = np.divide(np.abs(xy), np.sqrt(power), out=np.zeros_like(xy), where=power > 0)
    return np.asarray(np.clip(similarity, 0, 1))


def signal_leakage(restored: Array, noisy: Array, *, width: tuple[float, float] = (3.0, 10.0)) -> dict[str, float]:
    """Return mean and 95th percentile of the similarity of what was kept and what was taken off.

    Signal in what was taken off looks like the output around it. So does noise that was left: to be read beside SNR.

    Source: Chen & Fomel (2015), Random noise attenuation using local signal-and-noise orthogonalization, Geophysics
        80(6), WD1-WD9.
    """
    similarity = local_similarity(restored, np.asarray(noisy, float) - np.asarray(restored, float), width=width)
    return {"mean": float(similarity.mean()), "p95": float(np.quantile(similarity, 0.95))}


def fk_leakage(restored: Array, true: Array, slopes: tuple[float, float]) -> dict[str, float]:
    """Return where in frequency and wavenumber a restoration errs, as shares of the true panel's energy.

    Args:
        restored, true: (trace, time).
        slopes: smallest and largest slope of the signal in samples a trace, which bound its fan.
    Returns:
        `inside`: error within the fan, signal lost or distorted; `outside`: error beyond it, aliases and noise that
        were left or made; their sum is 10^(-SNR/10). NaN for a silent panel.
    """
    d, found = _pair(restored, true)
    if d.ndim != 2:
        raise DataError(f"a panel has axes (trace, time); this one has shape {d.shape}")
    # Of a real panel's spectrum the columns between zero and Nyquist frequency stand for two
    twice = np.full(d.shape[1] // 2 + 1, 2.0)
    twice[0] = 1
    if d.shape[1] % 2 == 0:
        twice[-1] = 1
    error, energy = (twice * np.abs(rfft2(one)) ** 2 for one in (found - d, d))
    fan, total = in_fan(d.shape, slopes), energy.sum()
    if not total > 0:
        return {"inside": float("nan"), "outside": float("nan")}
    return {"inside": float(error[fan].sum() / total), "outside": float(error[~fan].sum() / total)}


def _pair(a: Array, b: Array) -> tuple[Array, Array]:
    """Return the true (second) and the restored (first) in float64, of one shape and finite."""
    restored, true = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if restored.shape != true.shape:
        raise DataError(f"the restored panel has shape {restored.shape} and the true one {true.shape}")
    if not (np.isfinite(restored).all() and np.isfinite(true).all()):
        raise DataError("panels must be finite; leave traces out that are not known")
    return true, restored
