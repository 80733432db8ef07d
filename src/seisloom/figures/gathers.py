"""A gather with its picks: wiggles or grey shades, intervals, abstentions, and human picks beside ours."""

from __future__ import annotations

from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seisloom.errors import DataError
from seisloom.figures.style import BLACK, HUMAN, PICK, REFUSED, drawn, new_figure
from seisloom.sample import Array

MOST_WIGGLES = 72
"""More traces than this are drawn as grey shades: wiggles would be closer than they are wide."""


@drawn
def draw_gather(
    traces: Array,
    *,
    fs_hz: float,
    t0_s: Array | float = 0.0,
    time_s: Array | None = None,
    lower_s: Array | None = None,
    upper_s: Array | None = None,
    kept: Array | None = None,
    human_s: Array | None = None,
    position: Array | None = None,
    position_label: str = "trace (from 0)",
    range_s: tuple[float, float] | None = None,
    kind: Literal["wiggle", "shades"] | None = None,
    interval_label: str = "90 % interval",
    human_label: str = "human pick",
    title: str = "",
) -> Figure:
    """Draw a gather, time downwards, zoomed to its picks.

    Args:
        traces: amplitudes, shape (trace, time), any unit; each trace is scaled by itself. NaN draws nothing.
        fs_hz: sampling rate in Hz.
        t0_s: time of the first sample in s, one for all or shape (trace,).
        time_s, lower_s, upper_s: picks and interval ends in s, shape (trace,); NaN where there is none.
        kept: bool, shape (trace,): False marks a pick that was abstained from; without it all are kept.
        human_s: picks of a person in s, shape (trace,).
        position: place of each trace along the axis, shape (trace,), in any order; by default 0, 1, 2, ...
            as tables of picks count traces.
        position_label: its name with the unit, such as "offset (m)".
        range_s: times to show in s; by default around the picks, or all of the record without any.
        kind: by default wiggles up to 72 traces, grey shades above.
        interval_label: what the bars are.
        human_label: what the person's picks are, for instance that they were moved.
        title: for instance geometry and shot.
    """
    traces = np.asarray(traces, float)
    if traces.ndim != 2:
        raise DataError(f"a gather has shape (trace, time), this one {traces.shape}")
    n_traces, n_time = traces.shape
    start_s = np.broadcast_to(np.asarray(t0_s, float), (n_traces,))
    where = np.arange(float(n_traces)) if position is None else np.asarray(position, float)
    if where.shape != (n_traces,) or not np.isfinite(where).all():
        raise DataError(
            f"a gather of {n_traces} traces needs as many finite positions; leave position out to number them"
        )
    order = np.argsort(where, kind="stable")
    traces, start_s, where = traces[order], start_s[order], where[order]
    time_s, lower_s, upper_s, kept, human_s = (
        None if one is None else np.asarray(one)[order] for one in (time_s, lower_s, upper_s, kept, human_s)
    )
    low, high = range_s or _zoom(time_s, human_s, start_s, n_time / fs_hz)
    figure = new_figure(10.0, 6.4)
    axes = figure.subplots()
    step = float(np.median(np.diff(np.unique(where)))) if np.ptp(where) > 0 else 1.0
    if kind == "wiggle" or (kind is None and n_traces <= MOST_WIGGLES):
        _wiggles(axes, traces, start_s, fs_hz, where, step, (low, high))
    else:
        _shades(axes, traces, start_s, fs_hz, where, step, (low, high))
    thin = 1.0 if n_traces > MOST_WIGGLES else 3.0
    if human_s is not None:
        axes.plot(
            where, human_s, linestyle="none", marker="_", markersize=13 if thin > 1 else 5, markeredgewidth=2.2,
            color=HUMAN, label=human_label, zorder=5,
        )  # fmt: skip
    if time_s is not None:
        refused = np.zeros(n_traces, bool) if kept is None else ~kept.astype(bool)
        refused = refused & np.isfinite(time_s)
        _picks(axes, where, time_s, lower_s, upper_s, ~refused & np.isfinite(time_s), refused, thin, interval_label)
    axes.set(
        xlim=(where.min() - step, where.max() + step), ylim=(high, low),
        xlabel=position_label, ylabel="time (s)", title=title,
    )  # fmt: skip
    if axes.get_legend_handles_labels()[0]:
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _picks(
    axes: Axes, where: Array, time_s: Array, lower_s: Array | None, upper_s: Array | None,
    kept: Array, refused: Array, thin: float, interval_label: str,
) -> None:  # fmt: skip
    """Bars of the intervals below, marks of the picks above; refused ones are hollow and grey."""
    if lower_s is not None and upper_s is not None:
        for which, colour, alpha, label in ((kept, PICK, 0.35, interval_label), (refused, REFUSED, 0.3, "_refused")):
            axes.vlines(
                where[which], lower_s[which], upper_s[which], color=colour, alpha=alpha,
                linewidth=2.4 * thin, label=label, zorder=3,
            )  # fmt: skip
    size = 7 if thin > 1 else 4
    axes.plot(
        where[kept], time_s[kept], "o", markersize=size, markeredgecolor="white", markeredgewidth=0.7,
        color=PICK, label="pick", zorder=6,
    )  # fmt: skip
    if refused.any():
        axes.plot(
            where[refused], time_s[refused], "X", markersize=size + 1.5, markerfacecolor="white",
            markeredgecolor=BLACK, markeredgewidth=1.0, label="abstained", zorder=6,
        )  # fmt: skip


def _wiggles(
    axes: Axes, traces: Array, start_s: Array, fs_hz: float, where: Array, step: float, range_s: tuple[float, float]
) -> None:
    """Each trace as a line around its place, positive lobes filled, scaled to what is in view."""
    for trace, start, place in zip(traces, start_s, where, strict=True):
        first = max(int(np.floor((range_s[0] - start) * fs_hz)), 0)
        last = min(int(np.ceil((range_s[1] - start) * fs_hz)) + 1, trace.size)
        if last <= first:
            continue
        time = start + np.arange(first, last) / fs_hz
        scaled = _scaled(trace[first:last]) * 0.85 * step
        axes.plot(place + scaled, time, color=BLACK, linewidth=0.6, zorder=2)
        axes.fill_betweenx(time, place, place + np.maximum(scaled, 0), color=BLACK, alpha=0.35, linewidth=0, zorder=1)


def _shades(
    axes: Axes, traces: Array, start_s: Array, fs_hz: float, where: Array, step: float, range_s: tuple[float, float]
) -> None:
    """All traces as one grey image on a common time axis, each scaled to what is in view."""
    time = np.arange(range_s[0], range_s[1], 1 / fs_hz)
    own = np.arange(traces.shape[1]) / fs_hz
    shades = [
        _scaled(np.interp(time, start + own, trace, left=0, right=0))
        for trace, start in zip(traces, start_s, strict=True)
    ]
    edges = np.concatenate([[where[0] - step / 2], (where[1:] + where[:-1]) / 2, [where[-1] + step / 2]])
    axes.pcolormesh(
        edges, np.append(time, time[-1] + 1 / fs_hz), np.array(shades).T, cmap="Greys", vmin=-1, vmax=1,
        rasterized=True,
    )  # fmt: skip


def _scaled(trace: Array) -> Array:
    """Amplitudes within -1 and 1: the median taken off, the largest twentieth clipped; a dead trace is 0.

    Clipped because the first arrival is the weakest of a trace: scaled to its peak, it would be a straight line.
    """
    trace = trace - np.nanmedian(trace) if np.isfinite(trace).any() else np.zeros(trace.shape)
    size = np.abs(trace)
    # A trace that is silent but for a spike has a zero quantile.
    large = np.nanquantile(size, 0.95) or np.nanmax(size)
    return np.clip(trace / large, -1, 1) if large > 0 else np.zeros(trace.shape)


def _zoom(time_s: Array | None, human_s: Array | None, start_s: Array, length_s: float) -> tuple[float, float]:
    """Times around the picks: a third of their spread before and after, at least 3 % of the record."""
    first, last = float(start_s.min()), float(start_s.max() + length_s)
    given = [np.asarray(one, float) for one in (time_s, human_s) if one is not None]
    times = np.concatenate([one[np.isfinite(one)] for one in given]) if given else np.zeros(0)
    if not times.size:
        return first, last
    # A wild pick or two must not shrink the rest to nothing.
    low, high = np.quantile(times, [0.01, 0.99])
    pad = max((high - low) / 3, 0.03 * length_s)
    return max(low - pad, first), min(high + pad, last)
