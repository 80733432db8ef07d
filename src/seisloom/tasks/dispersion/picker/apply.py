"""Spectra through a predictor to a table of picks with intervals, or abstentions with their reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from scipy.special import expit

from seisloom.calibration.abstention import ABSTAINED, PICKED
from seisloom.calibration.conformal import LEVELS
from seisloom.calibration.modes import ModeCalibration
from seisloom.errors import DataError
from seisloom.inference.windows import in_chunks, predict_in_batches
from seisloom.metrics.curves import column_of
from seisloom.sample import Array, Arrays, Predictor
from seisloom.signal.velocity_spectra.modal_fit import fit_modes
from seisloom.tasks.dispersion.picker.data import item_arrays
from seisloom.tasks.dispersion.picker.grid import array_numbers, interpolate, on_grid, ratios_of
from seisloom.tasks.dispersion.picker.recipe import DispersionApply, DispersionRecipe
from seisloom.tasks.dispersion.picker.records import SpectrumRecord

COLUMNS = (
    "record", "mode", "frequency_hz", "velocity_m_s", "low_m_s", "high_m_s", "level", "probability", "sigma",
    "wavelength_m", "picked_lengths", "fitted", "status", "reason",
)  # fmt: skip
"""Of a table of picks, a row for each mode and frequency; sigma is the spread of ln velocity, and fitted says whether
both come from the spectra of the traces, or from the network alone."""
SEEN = ("seen_m_s", "seen_sigma")
"""The network's own, beside what was fitted, where curves are known: intervals are calibrated of both."""
TRUTH = ("truth_m_s", "visible", "resolved", "lengths", "nacd", "medium", *SEEN)
"""Columns that follow where curves are known; lengths are wavelengths over the array's length, and nacd is the mean
offset over wavelengths, both of the true velocity. Records of one medium are no independent witnesses."""


def apply(
    recipe: DispersionRecipe,
    predictor: Predictor,
    calibration: ModeCalibration | None,
    records: Iterable[SpectrumRecord],
) -> Any:  # Any: a pandas table; pandas is imported late
    """Return a row for each record, mode and frequency: velocity and interval in m/s, probability, status and reason.

    Without a calibration there is no interval, and no pick is refused for its width.
    """
    import pandas as pd

    tables = [
        pd.DataFrame(_picks(recipe, calibration, record, outputs))
        for record, outputs in _through(recipe, predictor, records)
    ]
    if not tables:
        raise DataError("there are no spectra to pick")
    table = pd.concat(tables, ignore_index=True)
    return table if table["truth_m_s"].notna().any() else table.drop(columns=[*TRUTH, *map(column_of, LEVELS)])


def _through(
    recipe: DispersionRecipe, predictor: Predictor, records: Iterable[SpectrumRecord]
) -> Iterator[tuple[SpectrumRecord, Arrays]]:
    """Yield records with the network's outputs at their own frequencies; neighbours of one shape run together."""
    ratios, size = ratios_of(recipe.data), recipe.apply.batch_size
    beyond = getattr(predictor, "looks_beyond", True)
    seen = ((one, *((beyond and one.context) or (one.panel, one.frequency_hz))) for one in records)
    gridded = ((one, on_grid(panel, one.velocity_m_s, frequency, ratios)) for one, panel, frequency in seen)
    for _, alike in groupby(gridded, key=lambda pair: pair[1].panel.shape):
        for some in in_chunks(alike, size):
            items = [
                item_arrays(
                    grid.panel, grid.velocity_m_s, grid.frequency_hz, array_numbers(one.limits, one.n_receivers)
                )
                for one, grid in some
            ]
            outputs = predict_in_batches(predictor, items, batch_size=size)
            for k, (record, grid) in enumerate(some):
                own = {name: np.asarray(outputs[name][k], np.float64) for name in ("velocity", "log_sigma", "presence")}
                own["velocity"] = np.log(own["velocity"])
                if grid.frequency_hz is not record.frequency_hz:
                    own = {name: interpolate(one, grid.frequency_hz, record.frequency_hz) for name, one in own.items()}
                yield record, own


def _picks(
    recipe: DispersionRecipe, calibration: ModeCalibration | None, record: SpectrumRecord, outputs: Arrays
) -> Mapping[str, Any]:  # Any: columns of a table
    """Return the columns of one record, a row for each mode and frequency."""
    said = recipe.apply
    n_modes, n_frequency = outputs["velocity"].shape
    kept = slice(0, min(n_modes, said.modes or n_modes))
    every = outputs["velocity"], np.exp(outputs["log_sigma"]), expit(outputs["presence"])
    # All modes are fitted, whichever are kept: those that are not would else stand for noise
    fitted = tuple(one[kept] for one in _fitted(recipe, record, *every))
    own_ln_c, own_sigma, likely = (one[kept] for one in every)
    is_fitted, seen = np.isfinite(fitted[0]).ravel(), (np.exp(own_ln_c).ravel(), own_sigma.ravel())
    ln_c, sigma = (
        np.where(np.isfinite(new), new, own).ravel() for new, own in zip(fitted, (own_ln_c, own_sigma), strict=True)
    )
    probability, n = likely.ravel(), len(ln_c)
    mode = np.repeat(np.arange(n_modes)[kept], n_frequency)
    frequency = np.tile(record.frequency_hz, n // n_frequency)
    is_empty = np.tile(record.panel.max(axis=0) <= 0, n // n_frequency)
    velocity, level = np.exp(ln_c), recipe.calibrate.level
    length_m = np.nan if record.limits is None else record.limits.length_m
    lengths = velocity / frequency / length_m
    nothing = np.full(n, np.nan)
    halves = {
        column_of(one): nothing
        if calibration is None
        else calibration.half_width(sigma, mode, lengths, level=one, is_fitted=is_fitted)
        for one in LEVELS
    }
    half = halves[column_of(level)]
    with np.errstate(over="ignore"):
        low, high = velocity * np.exp(-half), velocity * np.exp(half)
    reason = _reasons(said, probability, half, lengths, is_empty)
    if said.apart is not None:
        _part(reason, ln_c, probability, mode, said.apart)
    return {
        "record": record.key, "mode": mode, "frequency_hz": frequency, "velocity_m_s": velocity, "low_m_s": low,
        "high_m_s": high, "level": level, "probability": np.where(is_empty, 0.0, probability), "sigma": sigma,
        "wavelength_m": velocity / frequency, "picked_lengths": lengths, "fitted": is_fitted,
        "status": np.where(reason == "", PICKED, ABSTAINED), "reason": reason,
        **_truth(record, mode, frequency), **dict(zip(SEEN, seen, strict=True)), **halves,
    }  # fmt: skip


def _fitted(
    recipe: DispersionRecipe, record: SpectrumRecord, ln_c: Array, sigma: Array, probability: Array
) -> tuple[Array, Array]:
    """Return ln velocity and its spread as the traces have them, (mode, frequency); NaN where nothing is fitted.

    The spread is that of the fit and the network's together: a fit that began at a wrong place ends near it.
    """
    likely = probability >= recipe.apply.min_probability
    if not recipe.apply.fit or record.traces is None or not likely.any():
        nothing = np.full(ln_c.shape, np.nan)
        return nothing, nothing
    velocity, spread = fit_modes(
        record.traces.values, record.traces.offsets_m, record.frequency_hz, np.where(likely, np.exp(ln_c), np.nan),
        sigma,
    )  # fmt: skip
    return np.log(velocity), np.hypot(spread, sigma)


def _reasons(said: DispersionApply, probability: Array, half: Array, lengths: Array, is_empty: Array) -> Array:
    """Return why each pick is abstained from, "" where it is not."""
    reasons: list[list[str]] = [["nothing recorded"] if one else [] for one in is_empty]
    limits: Sequence[tuple[Array, str, float | None]] = (
        (~(probability >= said.min_probability), "probability < {:g}", said.min_probability),
        (
            ~(half <= (said.abstain_width or np.inf)) & ~np.isnan(half),
            "half-width > {:g} of velocity",
            said.abstain_width,
        ),
        (lengths > (said.longest or np.inf), "wavelength > {:g} lengths of the array", said.longest),
    )
    for wrong, text, limit in limits:
        for k in np.flatnonzero(wrong & ~is_empty):
            reasons[k].append(text.format(limit))
    return np.array(["; ".join(one) for one in reasons], dtype=object)


def _part(reason: Array, ln_c: Array, probability: Array, mode: Array, apart: float) -> None:
    """Abstain, in place, from the less probable of two modes that are picked as good as at one velocity."""
    rows = [np.flatnonzero(mode == m) for m in np.unique(mode)]
    for k, one in enumerate(rows):
        for m, other in enumerate(rows[:k]):
            is_near = (reason[one] == "") & (reason[other] == "") & (np.abs(ln_c[one] - ln_c[other]) < apart)
            loses = probability[one] <= probability[other]
            reason[one[is_near & loses]] = f"nearer than {apart:g} to mode {m}"
            reason[other[is_near & ~loses]] = f"nearer than {apart:g} to mode {k}"


def _truth(record: SpectrumRecord, mode: Array, frequency: Array) -> Mapping[str, Any]:  # Any: columns of a table
    """Return what is known of each mode and frequency; NaN and False where nothing is."""
    n, n_frequency = len(mode), len(record.frequency_hz)
    truth, flags = np.full(n, np.nan), np.zeros((2, n), dtype=bool)
    if record.curves is not None and record.visible is not None and record.resolved is not None:
        there = mode < len(record.curves)
        at = mode[there], np.arange(n)[there] % n_frequency
        truth[there], flags[0, there], flags[1, there] = record.curves[at], record.visible[at], record.resolved[at]
    wavelength = truth / frequency
    length_m, offset_m = (np.nan, np.nan) if record.limits is None else (
        record.limits.length_m, record.limits.mean_offset_m)  # fmt: skip
    values = (truth, *flags, wavelength / length_m, offset_m / wavelength, record.medium or record.key)
    return dict(zip(TRUTH[: -len(SEEN)], values, strict=True))
