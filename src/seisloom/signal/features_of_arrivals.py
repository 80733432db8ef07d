"""Arrivals and motion: how strong P is against what comes later, and how the ground moves in three components."""

from __future__ import annotations

import numpy as np

from seisloom.sample import Array
from seisloom.signal.feature_list import Feature
from seisloom.signal.features_of_form import LOUD, SMOOTH_S
from seisloom.signal.features_of_spectrum import band_name, fits
from seisloom.signal.filters import bandpass, envelope
from seisloom.signal.moving import RunningSum, moving_mean
from seisloom.signal.noise import snr_db

WINDOW_S = 2.5
"""Windows of P and of S in s."""
NOISE_S = 5.0
P_OVER_S_HZ = ((1.0, 3.0), (3.0, 10.0), (10.0, 20.0))
"""Bands in Hz of the ratio of P to S; explosions are told from earthquakes by it above a few Hz."""
MOTION_HZ = (1.0, 20.0)

ARRIVALS = (
    Feature("snr_db", "dB", "RMS in 2.5 s from the P onset on over RMS in the 5 s before it, first channel"),
    Feature("p_over_s_log10", "1", "log10 of RMS in the P window over RMS in the S window, all channels together"),
    *(
        Feature(f"p_over_s_{band_name(one)}_log10", "1", f"the same, band-passed to {one[0]:g} to {one[1]:g} Hz")
        for one in P_OVER_S_HZ
    ),
    Feature("rectilinearity", "1", "1 - (l2 + l3) / (2 l1) of the motion while the record is loud; 1 along a line"),
    Feature("planarity", "1", "1 - 2 l3 / (l1 + l2); 1 in a plane"),
    Feature("incidence_deg", "degree", "angle between the main axis of the motion and the vertical, 0 to 90"),
    Feature("horizontal_over_vertical_log10", "1", "log10 of horizontal over vertical RMS while the record is loud"),
    Feature("p_rectilinearity", "1", "rectilinearity in the P window"),
)


def arrival_features(
    x: Array, real: Array, *, fs_hz: float, onset_s: float | None, s_onset_s: float | None
) -> dict[str, float]:
    """Return SNR and ratios of P to S, or nothing where the P onset is not known.

    The P window is the 2.5 s from the onset on. The S window is that from the S onset on; where that is not known, the
    window of 2.5 s behind the P window in which the record is strongest. Neither may have a gap.

    Args:
        x: amplitudes about 0, shape (channel, time), 0 where not real.
        real: bool, shape (time,).
        fs_hz: sampling rate in Hz.
        onset_s, s_onset_s: in s after the first sample, None or NaN where not known.
    """
    first, n = _idx(onset_s, fs_hz), round(WINDOW_S * fs_hz)
    if first is None or not _whole(real, first, n):
        return {}
    found = {}
    if _whole(real, first - round(NOISE_S * fs_hz), round(NOISE_S * fs_hz)):
        ratio = snr_db(x[0], float(first), fs_hz=fs_hz, signal_s=WINDOW_S, noise_s=NOISE_S)
        found["snr_db"] = float(ratio) if np.isfinite(ratio) else np.nan
    second = _idx(s_onset_s, fs_hz)
    bands: dict[str, tuple[float, float] | None] = {"p_over_s_log10": None}
    bands |= {f"p_over_s_{band_name(one)}_log10": one for one in P_OVER_S_HZ if fits(one, fs_hz)}
    for name, band in bands.items():
        filtered = x if band is None else bandpass(x, fs_hz=fs_hz, low_hz=band[0], high_hz=band[1])
        energy = RunningSum.of(np.where(real, filtered**2, 0.0).sum(axis=0)).inside(n)
        gaps = RunningSum.of((~real).astype(float)).inside(n) > 0.5
        p = energy[first]
        if second is not None:
            s = energy[second] if _whole(real, second, n) else 0.0
        else:
            s = np.where(gaps, 0.0, energy)[first + n :].max(initial=0.0)
        if p > 0 and s > 0:
            found[name] = float(0.5 * np.log10(p / s))
    return found


def polarization_features(x: Array, real: Array, *, fs_hz: float, onset_s: float | None) -> dict[str, float]:
    """Return how the ground moves, or nothing for other than three channels; arguments as `arrival_features`.

    Between 1 and 20 Hz, or to 0.95 of Nyquist if that is less.
    Source: Jurkevics (1988), BSSA 78, 1725-1743, of the covariance over one window.
    """
    if len(x) != 3:
        return {}
    band_hz = (MOTION_HZ[0], min(MOTION_HZ[1], 0.95 * fs_hz / 2))
    if band_hz[1] > band_hz[0]:
        x = np.where(real, bandpass(x, fs_hz=fs_hz, low_hz=band_hz[0], high_hz=band_hz[1]), 0.0)
    hull = np.sqrt(np.sum([envelope(one) ** 2 for one in x], axis=0))
    smooth = np.where(real, moving_mean(hull, n_window=max(1, round(SMOOTH_S * fs_hz))), 0.0)
    if not smooth.max() > 0:
        return {}
    loud = real & (smooth >= LOUD * smooth.max())
    motion = _motion(x[:, loud])
    if not motion:
        return {}
    vertical, north, east = np.mean(x[:, loud] ** 2, axis=1)
    if vertical > 0 and north + east > 0:
        motion["horizontal_over_vertical_log10"] = float(0.5 * np.log10((north + east) / vertical))
    first, n = _idx(onset_s, fs_hz), round(WINDOW_S * fs_hz)
    if first is not None and _whole(real, first, n):
        of_p = _motion(x[:, first : first + n])
        if of_p:
            motion["p_rectilinearity"] = of_p["rectilinearity"]
    return motion


def _motion(x: Array) -> dict[str, float]:
    """Rectilinearity, planarity and incidence of (Z, N, E) over time; nothing where nothing moves."""
    values, axes = np.linalg.eigh(x @ x.T)
    l3, l2, l1 = np.maximum(values, 0.0)
    if not l1 > 0:
        return {}
    return {
        "rectilinearity": float(1 - (l2 + l3) / (2 * l1)),
        "planarity": float(1 - 2 * l3 / (l1 + l2)),
        "incidence_deg": float(np.degrees(np.arccos(min(abs(axes[0, 2]), 1.0)))),
    }


def _idx(onset_s: float | None, fs_hz: float) -> int | None:
    """The sample of an onset, None where it is not known."""
    return None if onset_s is None or not np.isfinite(onset_s) else round(onset_s * fs_hz)


def _whole(real: Array, first: int, n: int) -> bool:
    """Whether n samples from the first on lie in the record and were recorded."""
    return 0 <= first <= real.size - n and n > 0 and bool(real[first : first + n].all())
