"""Classical detectors of a change in a trace: STA/LTA and the Akaike criterion."""

from __future__ import annotations

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.moving import RunningSum

# A mean that is smaller than this part of the trace's whole energy is the rounding of a running sum, not a signal.
ROUNDING = 1e-14


def sta_lta(x: Array, *, fs_hz: float, sta_s: float, lta_s: float) -> Array:
    """Return the ratio of short- to long-term mean energy, causal.

    Both windows end at the sample itself, so no value knows what comes after it.

    Args:
        x: amplitudes, shape (..., time); any unit, since the ratio has none; finite.
        fs_hz: sampling rate in Hz.
        sta_s, lta_s: window lengths in s, rounded to samples; needs 0 < sta_s < lta_s.
    Returns:
        Ratio, float64 of the same shape, between 0 and lta/sta; 0 in the first `lta_s`, where it is not defined,
        and where the long window holds no energy.
    Raises:
        DataError: if the windows are not 0 < sta_s < lta_s, in samples. A trace shorter than `lta_s` is all 0.
    Source: Allen (1978), BSSA 68(5), 1521-1532; energy instead of his characteristic function.

    >>> sta_lta(np.ones(100), fs_hz=10, sta_s=0.5, lta_s=5)[-1]
    np.float64(1.0)
    """
    n_sta, n_lta = window_lengths(fs_hz, sta_s, lta_s)
    total = RunningSum.of(np.square(np.asarray(x, dtype=np.float64))).total
    n_time = total.shape[-1] - 1
    ratio = np.zeros((*total.shape[:-1], n_time))
    if n_time < n_lta:
        return ratio
    end = total[..., n_lta:]
    lta = (end - total[..., : n_time + 1 - n_lta]) / n_lta
    sta = (end - total[..., n_lta - n_sta : n_time + 1 - n_sta]) / n_sta
    alive = lta > ROUNDING * total[..., -1:]
    np.divide(sta, lta, out=ratio[..., n_lta - 1 :], where=alive)
    return ratio


def centred_sta_lta(x: Array, *, fs_hz: float, sta_s: float, lta_s: float) -> Array:
    """Return the ratio of short- to long-term mean energy, both windows centred on the sample.

    As `sta_lta`, but not causal: it rises before an onset. Near the ends the windows are cut at the end and the
    means taken over what is left, so all samples have a value; 0 where the long window holds no energy.
    """
    n_sta, n_lta = window_lengths(fs_hz, sta_s, lta_s)
    return centred_ratio(RunningSum.of(np.square(np.asarray(x, dtype=np.float64)), reach=n_lta), n_sta, n_lta)


def centred_ratio(energy: RunningSum, n_sta: int, n_lta: int) -> Array:
    """Return `centred_sta_lta` from the running sum of the energy, shape (..., time); windows in samples."""
    sta, lta = energy.mean_around(n_sta), energy.mean_around(n_lta)
    silent = lta <= ROUNDING * energy.whole
    if silent.any():
        sta[silent], lta[silent] = 0.0, 1.0
    return np.asarray(np.divide(sta, lta, out=sta))


def sta_lta_onset(x: Array, *, fs_hz: float, sta_s: float, lta_s: float, threshold: float) -> Array:
    """Return the first sample whose STA/LTA reaches `threshold`: integers, shape (...), -1 where none does."""
    reached = sta_lta(x, fs_hz=fs_hz, sta_s=sta_s, lta_s=lta_s) >= threshold
    if reached.shape[-1] == 0:
        return np.full(reached.shape[:-1], -1)
    return np.where(reached.any(axis=-1), reached.argmax(axis=-1), -1)


def aic_onset(x: Array, *, margin: int = 5) -> tuple[Array, Array]:
    """Return the sample that best parts each trace into two stationary pieces, and the criterion itself.

    AIC(k) = k log(var(x[:k])) + (N - k - 1) log(var(x[k:])), smallest at the onset k. It always finds a place, also
    in pure noise, and prefers the strongest change: give it a window around one onset.

    Args:
        x: amplitudes, shape (..., time); finite; unit and offset do not matter.
        margin: number of samples that each piece has at least; 2 or more.
    Returns:
        Index of the first sample after the change, shape (...), -1 for a trace that is constant or shorter than
        2 * margin; and AIC, float64, shape (..., time), NaN where it is not defined.
    Source: Maeda (1985), Zisin 38, 365-379. A variance below 1e-15 of the trace's own counts as that much, so
    that a noise-free trace has a finite minimum, at its onset.
    """
    if margin < 2:
        raise DataError(f"margin is {margin}; a variance needs 2 samples or more")
    x = np.asarray(x, dtype=np.float64)
    n_time = x.shape[-1]
    aic = np.full(x.shape, np.nan)
    if n_time < 2 * margin:
        return np.full(x.shape[:-1], -1), aic
    # The sums run from both ends to the change: each then adds up its own piece only, and a weak first piece
    # does not drown in the rounding of the strong second one.
    centred = x - np.median(x, axis=-1, keepdims=True)
    before = _prefix_variance(centred)[..., margin - 1 : n_time - margin]
    after = _prefix_variance(centred[..., ::-1])[..., ::-1][..., margin : n_time - margin + 1]
    whole = centred.var(axis=-1, keepdims=True)
    live = whole[..., 0] > 0
    floor = np.where(whole > 0, 1e-15 * whole, 1.0)
    k = np.arange(margin, n_time - margin + 1)
    aic[..., k] = k * np.log(np.maximum(before, floor)) + (n_time - k - 1) * np.log(np.maximum(after, floor))
    aic[~live] = np.nan
    return np.where(live, margin + np.argmin(aic[..., k], axis=-1), -1), aic


def window_lengths(fs_hz: float, sta_s: float, lta_s: float) -> tuple[int, int]:
    """Return both windows in samples."""
    n_sta, n_lta = round(sta_s * fs_hz), round(lta_s * fs_hz)
    if not 0 < n_sta < n_lta:
        raise DataError(
            f"STA of {sta_s} s and LTA of {lta_s} s are {n_sta} and {n_lta} samples at {fs_hz} Hz; "
            "it needs 0 < STA < LTA. Choose longer windows"
        )
    return n_sta, n_lta


def _prefix_variance(x: Array) -> Array:
    """Return the variance of x[:1], x[:2], ... along the last axis."""
    n = np.arange(1, x.shape[-1] + 1)
    mean = np.cumsum(x, axis=-1) / n
    return np.asarray(np.cumsum(x * x, axis=-1) / n - mean * mean)
