"""Prediction along traces at each frequency: straight events are predictable, noise is not."""

from __future__ import annotations

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.restoration.masks import regular_step
from seisloom.signal.restoration.panel import checked, put_back
from seisloom.signal.restoration.solve import solve_chosen
from seisloom.signal.restoration.spectra import Spectra, by_frequency
from seisloom.signal.restoration.windows import Windows

FLOOR = 1e-6
"""Of the mean diagonal of the normal equations of missing traces: those that no equation reaches become 0."""


def fx_denoise(
    values: Array, *, n_filter: int = 4, n_traces: int = 30, n_samples: int = 100, prewhitening: float = 0.01
) -> Array:
    """Return what of a panel (trace, time) the traces on either side predict: f-x deconvolution.

    Args:
        values: all traces live, equally spaced.
        n_filter: length of the prediction filter: straight events in a window, a few more for noise.
        n_traces, n_samples: size of the windows; a window of a smaller panel has all of its traces.
        prewhitening: share of the mean power added to the diagonal; more of it predicts less.
    Raises:
        DataError: see `panel.checked`; or a parameter does not fit.
    Source: Canales (1984), SEG abstracts, 525-527; the mean of forward and backward prediction after Gulunay (1986),
        SEG abstracts, 279-281, and where a window ends, the one of them that there is.
    """
    check(n_filter, n_traces, prewhitening)
    x, live = checked(values)
    if len(x) <= n_filter:
        return x

    def denoise(seen: Spectra) -> Array:
        data = seen.values
        forward = -prediction_error(data, n_filter, prewhitening)[..., 1:]
        n = data.shape[-1]
        total, count = np.zeros_like(data), np.zeros(n, dtype=data.real.dtype)
        for lag in range(1, n_filter + 1):
            a = forward[..., lag - 1, None]
            total[..., n_filter:] += a * data[..., n_filter - lag : n - lag]
            total[..., : n - n_filter] += a.conj() * data[..., lag : n - n_filter + lag]
        count[n_filter:] += 1
        count[: n - n_filter] += 1
        return np.where(count > 0, total / np.maximum(count, 1), data)

    return by_frequency(x, live, Windows.of(x.shape, n_traces, n_samples), denoise)


def fx_fill(
    values: Array,
    is_live: Array,
    *,
    n_filter: int = 4,
    n_traces: int = 24,
    n_samples: int = 64,
    prewhitening: float = 0.01,
    n_iterations: int = 5,
) -> Array:
    """Return dead traces filled so that prediction errors of windows at each frequency are least.

    Where every n-th trace is live the filter at a frequency f is that of the live traces at f / n, which straight
    events share with it: Spitz's interpolation, beyond aliasing. Else it is found from the traces as filled last.

    Args:
        values, is_live, n_filter, n_traces, n_samples, prewhitening: as for `fx_denoise`.
        n_iterations: fillings, each with a filter from the one before; only one is needed for regular steps.
    Raises:
        DataError: as for `fx_denoise`.
    Source: Spitz (1991), Geophysics 56(6), 785-794; for irregular gaps the same equations, filters and missing traces
        in turns, where Naghizadeh & Sacchi (2007), Multistep autoregressive reconstruction of seismic records,
        Geophysics 72, take filters from lower frequencies that were filled by other means.
    """
    check(n_filter, n_traces, prewhitening)
    x, live = checked(values, is_live)
    step = regular_step(live)

    def fill(seen: Spectra) -> Array:
        if step > 1:
            return _fill_regular(seen, step, n_filter, prewhitening)
        filled, n_filters = seen.values, min(n_filter, (x.shape[0] - 1) // 2)
        for _ in range(n_iterations):
            filled = least_errors(seen, prediction_error(filled, n_filters, prewhitening))
        return filled

    if len(x) < 3 or live.all():
        return put_back(x, x, live)
    return put_back(by_frequency(x, live, Windows.of(x.shape, n_traces, n_samples), fill), x, live)


def _fill_regular(seen: Spectra, step: int, n_filter: int, prewhitening: float) -> Array:
    """Return spectra with filters of the live traces at frequencies `step` times lower."""
    slow, filled = seen.slowed(step), seen.values
    for first in range(step):  # windows differ in the first live trace they have
        some = seen.is_live[:, first] if seen.is_live.shape[1] > first else np.zeros(len(filled), bool)
        if not some.any():
            continue
        coarse = slow[some][..., first::step]
        length = min(n_filter, (coarse.shape[-1] - 1) // 2)
        if length < 1:
            continue
        filters = np.zeros((len(slow), *slow.shape[1:2], length + 1), dtype=slow.dtype)
        filters[some] = prediction_error(coarse, length, prewhitening)
        filled = np.where(some[:, None, None], least_errors(seen, filters), filled)
    return filled


def prediction_error(spectra: Array, n_filter: int, prewhitening: float) -> Array:
    """Return prediction-error filters (..., 1 + n_filter), the first 1, that fit forward and, conjugated, backward.

    Args:
        spectra: complex (window, frequency, trace), more traces than the filter is long.
        n_filter, prewhitening: see `fx_denoise`.
    """
    lines = np.lib.stride_tricks.sliding_window_view(spectra, n_filter + 1, axis=-1)[..., ::-1]
    both = np.concatenate([lines, lines[..., ::-1].conj()], axis=-2)
    normal = both.conj().swapaxes(-1, -2) @ both
    # The power is all but 0 where everything is dead: the filter is then 1, 0, 0 ...
    power = np.trace(normal, axis1=-2, axis2=-1).real[..., None, None] / (n_filter + 1)
    inner = normal[..., 1:, 1:] + np.where(power > 0, prewhitening * power, 1) * np.eye(n_filter, dtype=normal.dtype)
    coefficients = np.linalg.solve(inner, -normal[..., 1:, :1])[..., 0]
    return np.concatenate([np.ones_like(coefficients[..., :1]), coefficients], axis=-1)


def least_errors(seen: Spectra, filters: Array) -> Array:
    """Return spectra whose dead traces make the errors of filters (window, frequency, length), both ways, least."""
    n, length = seen.values.shape[-1], filters.shape[-1]
    rows = np.arange(n - length + 1)
    errors = np.zeros((*filters.shape[:2], 2, len(rows), n), dtype=filters.dtype)
    for lag in range(length):
        errors[..., 0, rows, rows + length - 1 - lag] = filters[..., lag, None]
        errors[..., 1, rows, rows + lag] = filters[..., lag, None].conj()
    errors = errors.reshape(*filters.shape[:2], -1, n)
    normal = errors.conj().swapaxes(-1, -2) @ errors
    live = seen.is_live[:, None]
    observed = np.where(live, seen.values, 0)
    right = -(normal @ observed[..., None])[..., 0]
    diagonal = np.arange(n)
    normal[..., diagonal, diagonal] += FLOOR * (1 + normal[..., diagonal, diagonal].real.mean(axis=-1, keepdims=True))
    return np.where(
        live, seen.values, solve_chosen(normal.astype(np.complex128), right.astype(np.complex128), ~seen.is_live)
    )


def check(n_filter: int, n_traces: int, prewhitening: float) -> None:
    """Raise DataError unless the parameters of a prediction fit."""
    if not 1 <= n_filter <= (n_traces - 1) // 2 or not prewhitening > 0:
        raise DataError(
            f"n_filter is {n_filter} and prewhitening {prewhitening}: a filter has 1 coefficient at least, and less "
            f"than half of the {n_traces} traces of a window; prewhitening is above 0"
        )
