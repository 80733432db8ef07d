"""Whole records through a predictor to a table of picks with intervals, or abstentions with their reasons."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from seisloom.calibration.abstention import ABSTAINED, abstain
from seisloom.calibration.intervals import IntervalCalibration
from seisloom.errors import DataError
from seisloom.inference.windows import predict_in_batches, window_starts
from seisloom.sample import Array, Arrays, Predictor
from seisloom.signal.noise import snr_db
from seisloom.tasks.picking.noise_check import NoiseCheck, line_of
from seisloom.tasks.picking.recipe import PickingRecipe
from seisloom.tasks.picking.records import PickRecord

logger = logging.getLogger("seisloom")
COLUMNS = (
    "trace", "station", "shot_id", "phase", "time_s", "sigma_s", "lower_s", "upper_s", "probability", "snr_db",
    "status", "reason", "geometry", "offset_m", "record_fs_hz", "path", "source_x", "source_y", "group_x", "group_y",
)  # fmt: skip
"""Columns of a table of picks; in evaluation those of HUMAN and half-widths at each level follow."""
HUMAN = ("truth_s", "pick_status", "pick_uncertainty_s", "pick_shift_s", "record_s")
"""What a person found on each trace, by how much it was moved, and the length of its record; only where some record
has a human pick."""
SHIFT_SAMPLES = 9
"""Between the views that `apply.n_shifts` averages: no multiple of a network's stride, so that each view falls
differently on its coarse grid."""
CONSTANT = "half_constant_s"
"""Column with the half-width at the recipe's level that a calibration without sigma gives; only evaluation has it."""
PRESENT = 0.5
"""A window whose probability is above this has an onset; the earliest such window has the first arrival."""


def apply(
    recipe: PickingRecipe, predictor: Predictor, calibration: IntervalCalibration | None, records: Iterable[PickRecord]
) -> Any:  # Any: a pandas table; pandas is imported late
    """Return a row for each trace: time and interval in s after the shot, probability, SNR, status and reason.

    Without a calibration there is no interval, and no pick is refused for its width. A dead trace is abstained from.
    """
    import pandas as pd

    tables, lines = [], []
    noise = NoiseCheck(recipe, lambda record: _signs(_pick(recipe, predictor, None, record)))
    n_bad = 0
    for record in records:
        n_bad += record.n_non_finite
        tables.append(pd.DataFrame(_pick(recipe, predictor, calibration, record)))
        lines += [line_of(record)] * record.n_traces
        noise.see(record)
    if not tables:
        raise DataError("there are no records to pick")
    if n_bad:
        logger.warning("%d samples were not finite, and count as 0", n_bad)
    table = pd.concat(tables, ignore_index=True)
    limits = {line: noise.limits(line) for line in dict.fromkeys(lines)}
    _decide(recipe, table, calibration, np.array([limits[line] for line in lines]))
    if table["truth_s"].notna().any():
        return table
    return table.drop(columns=[*HUMAN, *(name for name in table if str(name).startswith("half_"))])


def column_of(level: float) -> str:
    """Return the name of the column with the half-width of a nominal coverage; only evaluation has them.

    >>> column_of(0.9)
    'half_90_s'
    """
    return f"half_{round(100 * level)}_s"


def _pick(
    recipe: PickingRecipe, predictor: Predictor, calibration: IntervalCalibration | None, record: PickRecord
) -> Mapping[str, Any]:  # Any: columns of a table
    place, sigma, probability = locate(recipe, predictor, record)
    config = recipe.apply
    time_s = record.t0_s + place / record.fs_hz
    sigma_s = sigma / record.fs_hz
    snr = snr_db(
        record.x[:, 0], np.clip(np.round(place), 0, record.x.shape[-1] - 1).astype(int),
        fs_hz=record.fs_hz, signal_s=config.snr_signal_s, noise_s=config.snr_noise_s,
    )  # fmt: skip
    half = np.full(record.n_traces, np.nan)
    if calibration is not None:
        half = calibration.half_width(sigma_s, snr, alpha=1 - recipe.calibrate.level)
    levels = {} if calibration is None else {
        column_of(level): calibration.half_width(sigma_s, snr, alpha=1 - level) for level in calibration.levels
    }  # fmt: skip
    if calibration is not None and calibration.constant:
        constant_s = calibration.constant[calibration.levels.index(recipe.calibrate.level)]
        levels[CONSTANT] = np.full(record.n_traces, constant_s)
    dead = ~np.any(record.x[:, 0] != 0, axis=-1)
    return {
        "trace": record.trace, "station": record.station, "shot_id": record.shot_id, "phase": "P",
        "time_s": np.where(dead, np.nan, time_s), "sigma_s": np.where(dead, np.nan, sigma_s),
        "lower_s": np.where(dead, np.nan, time_s - half), "upper_s": np.where(dead, np.nan, time_s + half),
        "probability": np.where(dead, 0.0, probability), "snr_db": snr, "status": ABSTAINED, "reason": "",
        "geometry": record.geometry, "offset_m": record.offset_m, "record_fs_hz": record.record_fs_hz,
        "path": record.path, "truth_s": record.truth_s, "pick_status": record.pick_status,
        "pick_uncertainty_s": record.pick_uncertainty_s, "pick_shift_s": record.pick_shift_s,
        "record_s": record.x.shape[-1] / record.fs_hz,
        **{f"{end}_{axis}": getattr(record, f"{end}_{axis}") for end in ("source", "group") for axis in ("x", "y")},
        **levels,
    }  # fmt: skip


def _decide(
    recipe: PickingRecipe, table: Any, calibration: IntervalCalibration | None, limits: Array
) -> None:  # Any: a pandas table
    """Set status and reason of each row, in place; `limits` is what noise reaches, shape (row, sign), or NaN."""
    config = recipe.apply
    dead = table["time_s"].isna().to_numpy()
    half = (table["upper_s"] - table["time_s"]).to_numpy()
    status, reason = abstain(
        half, table["snr_db"].to_numpy(), table["probability"].to_numpy(),
        as_noise=~np.any(_signs(table) > limits, axis=1) & ~np.isnan(limits).any(axis=1),
        abstain_width_s=config.abstain_width_s if calibration is not None else None,
        min_snr_db=config.min_snr_db, min_probability=config.min_probability,
    )  # fmt: skip
    table["status"] = np.where(dead, ABSTAINED, status)
    table["reason"] = np.where(dead, "dead trace", reason)


def _signs(picks: Mapping[str, Any]) -> Array:  # Any: columns of a table
    """Return what makes picks sure, larger where they are surer: probability, a narrow spread, SNR in dB."""
    signs = [np.asarray(picks["probability"]), -np.asarray(picks["sigma_s"]), np.asarray(picks["snr_db"])]
    return np.asarray(np.nan_to_num(np.stack(signs, axis=1), nan=-np.inf, neginf=-np.inf, posinf=np.inf))


def locate(recipe: PickingRecipe, predictor: Predictor, record: PickRecord) -> tuple[Array, Array, Array]:
    """Return place and spread of the onset in samples of the record, and its probability, each of shape (trace,)."""
    config = recipe.apply
    n_time = record.x.shape[-1]
    longest_s = config.window_s or config.max_s
    n_window = (
        n_time if config.window_s is None and n_time <= longest_s * record.fs_hz else round(longest_s * record.fs_hz)
    )
    starts = window_starts(n_time, n_window, overlap=config.overlap)
    views = [
        _views(predictor, record, starts, n_window, shift=shift, batch_size=config.batch_size)
        for shift in range(0, config.n_shifts * SHIFT_SAMPLES, SHIFT_SAMPLES)
    ]
    return mean_view([_believed(view, starts, n_window) for view in views])


Picked = tuple[Array, Array, Array]
"""Place and spread in samples of the record, and probability; (trace,) or (window, trace)."""


def _views(
    predictor: Predictor, record: PickRecord, starts: Array, n_window: int, *, shift: int, batch_size: int
) -> Picked:
    """Return what the predictor says of each window, shown `shift` samples late; shape (window, trace)."""
    items = [_item(record, int(start) - shift, n_window + shift) for start in starts]
    outputs = predict_in_batches(predictor, items, batch_size=min(batch_size, len(items)))
    place = outputs["mean"].astype(np.float64) + starts[:, None] - shift
    probability = 1 / (1 + np.exp(-outputs["presence"].astype(np.float64)))
    return place, np.exp(outputs["log_sigma"].astype(np.float64)), probability


def _believed(view: Picked, starts: Array, n_window: int) -> Picked:
    """Return the answer of the window that is believed for each trace."""
    place, sigma, probability = view
    best, across = choose_window(place, probability, starts, n_window), np.arange(place.shape[1])
    return place[best, across], sigma[best, across], probability[best, across]


def mean_view(views: Sequence[Picked]) -> Picked:
    """Return the median place of several views, their mean probability, and a spread that has their scatter in it."""
    place, sigma, probability = (np.stack(one) for one in zip(*views, strict=True))
    scatter = place.var(axis=0) if len(views) > 1 else 0.0
    return np.median(place, axis=0), np.sqrt(np.square(sigma).mean(axis=0) + scatter), probability.mean(axis=0)


def _item(record: PickRecord, start: int, n_window: int) -> Arrays:
    """A window of the record; before its begin the first sample goes on, behind its end there are zeros."""
    x = record.x[..., max(start, 0) : start + n_window]
    if start < 0:
        x = np.pad(x, ((0, 0), (0, 0), (-start, 0)), mode="edge")
    if x.shape[-1] < n_window:
        x = np.pad(x, ((0, 0), (0, 0), (0, n_window - x.shape[-1])))
    return {
        "x": np.ascontiguousarray(x, dtype=np.float32),
        "fs": np.asarray(record.fs_hz, dtype=np.float32),
        "t0_s": (record.t0_s + start / record.fs_hz).astype(np.float32),
        "offset_m": record.offset_m.astype(np.float32),
    }


def choose_window(place: Array, probability: Array, starts: Array, n_window: int) -> Array:
    """Return for each trace the window that is believed: the earliest with an onset, or one that sees it better.

    Args:
        place: onset of each window in samples of the record, shape (window, trace).
        probability: that the window has an onset, shape (window, trace).
        starts: first sample of each window, shape (window,), increasing.
        n_window: samples of a window.
    Returns:
        Number of the window, shape (trace,); where no window has an onset, the one with the largest probability.
    """
    has = probability >= PRESENT
    first = np.where(has.any(axis=0), has.argmax(axis=0), probability.argmax(axis=0))
    seen = np.take_along_axis(place, first[None], axis=0)
    # Windows that hold the place of the first one's onset see the same onset, maybe with more record around it
    holds = (starts[:, None] <= seen) & (seen <= starts[:, None] + n_window - 1)
    rank = np.where(holds, probability, -1.0)
    rank[first, np.arange(rank.shape[1])] = probability[first, np.arange(rank.shape[1])]
    return np.asarray(rank.argmax(axis=0))
