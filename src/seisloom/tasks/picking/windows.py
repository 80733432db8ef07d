"""Cutting windows from prepared records: where they begin, what they hold, and where the pick is in them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from seisloom.errors import LeftOut
from seisloom.sample import Array
from seisloom.signal.triggers import sta_lta
from seisloom.tasks.picking.recipe import PickingShards

GUARD_S = 0.01
"""Least distance in s between a window of noise and the pick: picks err by a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One trace after preparation, with what is known of it."""

    x: Array
    """Shape (channel, time)."""
    fs_hz: float
    t0_s: float
    """Time of the first sample after the shot."""
    pick_s: float
    """Time of the onset after the shot; NaN without."""

    @property
    def end_s(self) -> float:
        """Time of the last sample after the shot."""
        return float(self.t0_s + (self.x.shape[-1] - 1) / self.fs_hz)


def window_length_s(config: PickingShards, record: Prepared) -> float:
    """Return the length of the stored window in s."""
    if config.win_mode == "none":
        return float(record.x.shape[-1] / record.fs_hz)
    return config.win_len_s if config.win_mode == "fixed" else config.pre_s + config.post_s


def window_samples(config: PickingShards, record: Prepared) -> int:
    """Return the number of stored samples."""
    return config.target_len or max(int(window_length_s(config, record) * record.fs_hz + 0.5), 1)


def jitter_reach_s(config: PickingShards) -> float:
    """Return how far a pick may move from its place in the window, in s; 0 where windows do not follow the pick."""
    if config.win_mode != "pick":
        return 0.0
    return 0.8 * min(config.pre_s, config.post_s) if config.jitter_s is None else config.jitter_s


def window_start_s(config: PickingShards, record: Prepared, rng: np.random.Generator | None) -> float:
    """Return where the window begins, in s after the shot.

    Args:
        config, record: what is cut, and from what.
        rng: draws the jitter of the pick; None if `jitter_reach_s` is 0, since to make one takes as long as the rest.
    Raises:
        LeftOut: for a window around a pick that is not there.
    """
    if config.win_mode == "none":
        return record.t0_s
    if config.win_mode == "fixed":
        return config.win_start_s
    if config.win_mode == "center":
        return (record.t0_s + record.end_s) / 2 - config.pre_s
    if not math.isfinite(record.pick_s):
        raise LeftOut("no pick to cut a window around")
    jitter_s = 0.0 if rng is None else jitter_reach_s(config) * rng.uniform(-1, 1)
    return record.pick_s - config.pre_s + jitter_s


def noise_start_s(config: PickingShards, record: Prepared, rng: np.random.Generator) -> float:
    """Return where a window of noise begins: before the pick, or anywhere on a trace without an onset.

    Raises:
        LeftOut: if no place is quiet by STA/LTA, or the quiet part is shorter than the window.
    """
    first_s = record.t0_s
    last_s = record.end_s if math.isnan(record.pick_s) else record.pick_s - GUARD_S - config.pos_win_s
    room_s = last_s - first_s - window_length_s(config, record)
    if room_s < 0:
        raise LeftOut("noise: no room for a window before the pick")
    if config.neg_mode == "leading":
        places = [first_s]
    elif config.neg_mode == "trailing":
        places = [first_s + room_s]
    else:
        places = [first_s + room_s * rng.random() for _ in range(config.neg_stalta_max_tries)]
    for start_s in places:
        if _loudest(config, record, start_s) <= config.neg_stalta_thresh:
            return start_s
    raise LeftOut(f"noise: STA/LTA above {config.neg_stalta_thresh:g} in each place tried ({config.neg_mode})")


def _loudest(config: PickingShards, record: Prepared, start_s: float) -> float:
    """Return the largest STA/LTA within a window."""
    n_window = window_samples(config, record)
    part, _ = cut(record, start_s, n_window)
    length_s = n_window / record.fs_hz
    # The long window must leave half of the window to look at; in the ancestor it did not fit, and nothing was loud
    lta_s = min(config.neg_lta_s, length_s / 2)
    sta_s = min(config.neg_sta_s, lta_s / 4)
    return float(np.max(sta_lta(part[0], fs_hz=record.fs_hz, sta_s=sta_s, lta_s=lta_s)))


def cut(record: Prepared, start_s: float, n_samples: int) -> tuple[Array, float]:
    """Return the window from `start_s` on, zero where the record has no samples, and the time of its first sample.

    The window begins on the sample that is nearest to `start_s`.
    """
    start = round((start_s - record.t0_s) * record.fs_hz)
    window = np.zeros((record.x.shape[0], n_samples), dtype=np.float32)
    first, last = max(start, 0), min(start + n_samples, record.x.shape[-1])
    if last > first:
        window[:, first - start : last - start] = record.x[:, first:last]
    return window, record.t0_s + start / record.fs_hz


def mask_around(y_idx: float, n_samples: int, half_width: float) -> Array:
    """Return int8 (time,): 1 within `half_width` samples of the pick; all 0 for a pick outside of the window."""
    if not 0 <= y_idx <= n_samples - 1:
        return np.zeros(n_samples, dtype=np.int8)
    return np.asarray(np.abs(np.arange(n_samples) - y_idx) <= half_width, dtype=np.int8)
