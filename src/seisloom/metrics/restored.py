"""Every score of one restored panel or cube (line, trace, time), on the traces that count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy import ndimage

from seisloom.errors import DataError
from seisloom.metrics.dips import dip_edges, dip_parts, signal_slopes
from seisloom.metrics.image import snr_db, ssim
from seisloom.metrics.restoration import (
    amplitude_slope,
    fk_leakage,
    frequency_shift,
    local_similarity,
    phase_rotation_deg,
    psnr_db,
    swing,
)
from seisloom.sample import Array

Scores: TypeAlias = dict[str, Any]  # Any: nested numbers
N_BANDS = 4
"""Of time and of offset."""
LEAST_ENERGY = 1e-3
"""Share of the energy below which a band's slope is that of its silence, and not told."""
QUIET = 0.02
"""Local RMS over that of the panel below which a place is silent: 34 dB."""
LOCAL = (3.0, 10.0)
"""Traces and samples of the Gaussian of `local_similarity`."""
N_DRAWS = 500


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What a panel should be, and what is compared: the same for all methods, so it is worked out once."""

    clean: Array
    """(line, trace, time), zeros where nobody knows."""
    given: Array
    """What the methods were given, of that shape."""
    is_known: Array
    """bool (line, trace)."""
    scored: Array
    """Known traces that count: the missing ones, or all; bool (line, trace)."""
    value_range: float
    """2 P99.5 |clean|: the L of PSNR and SSIM."""
    slopes: tuple[float, float]
    """Of the fan that holds 99 % of the energy, in samples a trace."""
    dips: tuple[float, ...]
    """|slope| between bands of dip."""
    band_of_trace: Array
    """Band of offset, or of the trace's number, int (line, trace)."""
    ends_of_trace: tuple[float, ...]
    """Ends of those bands in m, or traces: one more than there are bands."""
    by_offset: bool
    """Whether they are of offset."""

    @classmethod
    def of(cls, clean: Array, given: Array, is_known: Array, scored: Array, offset_m: Array | None = None) -> Truth:
        """Return the truth of a panel.

        Args:
            clean, given: (line, trace, time).
            is_known, scored: bool (line, trace).
            offset_m: (line, trace); bands are of its size where it is known of all scored traces, else of the trace's
                number.
        Raises:
            DataError: if nothing is to be scored, or what is known is not finite.
        """
        known, use = np.asarray(is_known, dtype=bool), np.asarray(scored, dtype=bool) & np.asarray(is_known, dtype=bool)
        clean = np.where(known[..., None], np.asarray(clean, np.float64), 0.0)
        if not use.any() or not np.isfinite(clean).all():
            raise DataError("there is nothing to score: no trace that counts has a finite truth")
        by_offset = offset_m is not None and bool(np.isfinite(np.asarray(offset_m)[use]).all())
        number = np.broadcast_to(np.arange(float(use.shape[1])), use.shape)
        place = np.abs(np.asarray(offset_m, float)) if by_offset else number
        ends = np.unique(np.quantile(place[use], np.linspace(0, 1, N_BANDS + 1)))
        ends = ends if ends.size > 1 else np.array([ends[0], ends[0]])
        band = np.clip(np.searchsorted(ends, np.nan_to_num(place), side="right") - 1, 0, ends.size - 2)
        return cls(
            clean, np.asarray(given, np.float64), known, use, swing(clean[known]), signal_slopes(clean),
            dip_edges(clean), band, tuple(ends.tolist()), by_offset,
        )  # fmt: skip

    def leakage(self, restored: Array, *, denoise: bool) -> Array:
        """Return the local similarity of output and lost signal, (line, trace, time), NaN where it does not count.

        Lost is what was taken off the input, or without `denoise` the error: what was added to an empty trace resembles
        itself. Traces that do not count are left out of the means. So is silence, QUIET below the panel: there all that
        is left resembles itself.
        """
        use = self.scored[..., None]
        x, base = (np.where(use, one, 0.0) for one in (restored, self.given if denoise else self.clean))
        alike = np.stack([local_similarity(a, b, width=LOCAL) for a, b in zip(x, base - x, strict=True)])
        near = ndimage.gaussian_filter(self.clean**2, (0, *LOCAL))
        heard = near > QUIET**2 * np.mean(self.clean**2)
        return np.where(heard & use, alike, np.nan)


def score_panel(restored: Array, truth: Truth, *, half_width: Array | None, denoise: bool, seed: int = 0) -> Scores:
    """Return the scores of one method on one panel; those that are not defined are NaN.

    Args:
        restored: (line, trace, time).
        truth: of the panel.
        half_width: half of each sample's interval, of that shape; None without intervals.
        denoise: whether every trace was replaced: then leakage is told of what was taken off the input, else of the
            error, since what was added to an empty trace resembles itself.
        seed: of the draws of traces.
    Raises:
        DataError: if the shape differs, or a known trace is not finite.
    """
    known, use = truth.is_known, truth.scored
    x = np.where(known[..., None], np.asarray(restored, np.float64), 0.0)
    if x.shape != truth.clean.shape or not np.isfinite(x).all():
        raise DataError(f"{int((~np.isfinite(x)).sum())} samples of shape {x.shape} are not finite")
    d = truth.clean
    given_db, snr = (snr_db(one, d, known=use[..., None]) for one in (truth.given, x))
    low, high = _over_traces(x[use], d[use], seed)
    fans = [_fan(a, b, truth.slopes) for a, b in zip(x, d, strict=True)]
    energy = np.array([np.sum(one**2) for one in d])
    inside, outside = (np.sum(energy * np.nan_to_num([one[k] for one in fans])) / energy.sum() for k in (0, 1))
    alike = truth.leakage(x, denoise=denoise)[use]
    alike = alike[~np.isnan(alike)]
    found: Scores = {
        "snr_db": snr, "snr_low_db": low, "snr_high_db": high, "gain_db": snr - given_db,
        "psnr_db": psnr_db(x, d, value_range=truth.value_range, known=use[..., None]),
        "ssim": ssim(x, d, value_range=truth.value_range, known=known[..., None]),
        "value_range": truth.value_range, "slopes": list(truth.slopes),
        "leak_inside": float(inside), "leak_outside": float(outside),
        "similarity_mean": float(alike.mean()) if alike.size else float("nan"),
        "similarity_p95": float(np.quantile(alike, 0.95)) if alike.size else float("nan"),
        "phase_deg": phase_rotation_deg(x[use], d[use]), "frequency_shift": frequency_shift(x[use], d[use]),
        **_amplitudes(x, truth),
    }  # fmt: skip
    if half_width is not None:
        half = np.asarray(half_width, np.float64)[use]
        rms = float(np.sqrt(np.mean(d[use] ** 2)))
        found["coverage"] = float(np.mean(np.abs(x[use] - d[use]) <= half))
        found["width"] = 2 * float(half.mean()) / rms if rms > 0 else float("nan")
    return found


def _fan(restored: Array, true: Array, slopes: tuple[float, float]) -> tuple[float, float]:
    found = fk_leakage(restored, true, slopes)
    return found["inside"], found["outside"]


def _over_traces(x: Array, d: Array, seed: int) -> tuple[float, float]:
    """Return the ends of the 95 % bootstrap interval of SNR over traces (trace, time) that are drawn anew."""
    signal, error = np.sum(d**2, axis=-1), np.sum((x - d) ** 2, axis=-1)
    if len(signal) < 2:
        return float("nan"), float("nan")
    n = len(signal)
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=N_DRAWS)
    signal, error = drawn @ signal, drawn @ error
    fine = (signal > 0) & (error > 0)
    if not fine.any():
        return float("nan"), float("nan")
    low, high = np.quantile(10 * np.log10(signal[fine] / error[fine]), [0.025, 0.975])
    return float(low), float(high)


def _amplitudes(x: Array, truth: Truth) -> Scores:
    """Return slopes of amplitude over all, and by bands of time, of offset or trace, and of dip."""
    d, use = truth.clean, truth.scored
    n_time = d.shape[-1]
    quarter = np.arange(n_time) * N_BANDS // n_time
    beside = np.broadcast_to(truth.band_of_trace[..., None], d.shape)[use]
    parts = [part[use] for part in dip_parts(d, truth.dips)]
    return {
        "amplitude": float(amplitude_slope(x[use], d[use])[0]),
        "amplitude_time": _slopes(x[use], d[use], np.broadcast_to(quarter, d[use].shape)),
        "amplitude_offset" if truth.by_offset else "amplitude_trace": _slopes(x[use], d[use], beside),
        "offset_ends_m" if truth.by_offset else "trace_ends": list(truth.ends_of_trace),
        # Beside each true part, so that live neighbours, over which a part reaches, add nothing
        "amplitude_dip": _told([_ratio(x[use], d[use], one) for one in parts], [np.sum(d[use] * one) for one in parts]),
        "dip_edges": list(truth.dips),
    }  # fmt: skip


def _ratio(x: Array, d: Array, part: Array) -> float:
    under = float(np.sum(d * part))
    return float(np.sum(x * part)) / under if under else float("nan")


def _slopes(x: Array, d: Array, band: Array) -> list[float]:
    return _told(amplitude_slope(x, d, band), np.bincount(np.ravel(band), weights=np.ravel(d**2)))


def _told(slopes: Sequence[float] | Array, energy: Sequence[float] | Array) -> list[float]:
    """Return slopes, NaN where a band is silent beside the others."""
    least = LEAST_ENERGY * np.sum(energy)
    return [float(one) if e > least else float("nan") for one, e in zip(slopes, energy, strict=True)]
