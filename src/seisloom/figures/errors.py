"""Errors of picks: how they are spread, and what they depend on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seisloom.figures.style import (
    BLACK,
    GREY,
    SKY,
    VERMILION,
    drawn,
    grid,
    method_looks,
    new_figure,
    short,
    write_nothing,
)
from seisloom.sample import Array


@drawn
def draw_error_histogram(
    error_ms: Mapping[str, Array], *, limit_ms: float | None = None, n_bins: int | None = None, title: str = ""
) -> Figure:
    """Draw how signed errors are spread, the first method filled, and beside it the picks within a given error.

    Args:
        error_ms: by method, picked minus true in ms, shape (pick,); NaN (no pick) counts as beyond every limit.
        limit_ms: errors to show, +-; by default the 95 % largest of the best method, errors beyond are counted.
        n_bins: bins of the histogram; by default about the root of the number of picks, 15 to 31.
        title: for instance the data.
    """
    figure = new_figure(10.0, 5.0)
    left, right = figure.subplots(1, 2)
    looks = method_looks(error_ms)
    sizes = {name: np.abs(np.nan_to_num(np.asarray(e, float), nan=np.inf)) for name, e in error_ms.items()}
    sizes = {name: size for name, size in sizes.items() if np.isfinite(size).any()}
    if not sizes:
        write_nothing(left, "no errors")
        return figure
    limit = limit_ms or min(float(np.quantile(size[np.isfinite(size)], 0.95)) for size in sizes.values()) or 1.0
    n_bins = n_bins or int(np.clip(np.sqrt(max(size.size for size in sizes.values())), 15, 31)) | 1
    edges = np.linspace(-limit, limit, n_bins + 1)
    for name, size in sizes.items():
        error = np.asarray(error_ms[name], float)
        share = np.histogram(error[np.isfinite(error)], edges)[0] / error.size * 100
        beyond = float(np.mean(size > limit))
        label = f"{short(name)} ({beyond:.0%} beyond)"
        if name == next(iter(sizes)):
            left.stairs(share, edges, fill=True, color=looks[name]["color"], alpha=0.35, label=label, zorder=1)
        else:
            left.stairs(share, edges, label=label, linewidth=1.3, zorder=2, **looks[name])
        right.plot(np.append(0, np.sort(size)), np.linspace(0, 100, size.size + 1), label=short(name), **looks[name])
    left.axvline(0, color=GREY, linewidth=1, zorder=0)
    left.set(xlim=(-limit, limit), xlabel="picked minus true (ms)", ylabel="picks (% a bin)", title=title or "errors")
    left.set_ylim(top=left.get_ylim()[1] * (1.05 + 0.09 * len(sizes)))
    right.set(xlim=(0, 1.5 * limit), ylim=(0, 101), xlabel="|error| at most (ms)", ylabel="picks (%)", title="hit rate")
    left.legend(loc="upper left")
    right.legend(loc="lower right")
    for axes in (left, right):
        grid(axes)
    return figure


@drawn
def draw_error_against(
    values: Array,
    error_ms: Array,
    *,
    label: str,
    half_width_ms: Array | None = None,
    others_ms: Mapping[str, Array] | None = None,
    n_bins: int = 8,
    limit_ms: float | None = None,
    title: str = "",
) -> Figure:
    """Draw errors against offset, SNR or whatever else in bins, and beside it how large they are by method.

    Args:
        values: what errors may depend on, shape (pick,).
        error_ms: picked minus true in ms, shape (pick,).
        label: name of the values with their unit, such as "offset (m)".
        half_width_ms: half of each interval in ms, shape (pick,); its median a bin is drawn beside the errors.
        others_ms: errors of other methods on the same picks, by name; with them there is a second panel.
        n_bins: bins of equal counts.
        limit_ms: errors to show, +-; by default the 98 % largest. Errors beyond are drawn at the edge.
        title: for instance the data.
    """
    values, error_ms = np.asarray(values, float), np.asarray(error_ms, float)
    known = np.isfinite(values) & np.isfinite(error_ms)
    figure = new_figure(10.0, 5.2)
    axes, *beside = figure.subplots(1, 2 if others_ms else 1, squeeze=False)[0]
    if not known.any():
        write_nothing(axes, "no errors")
        return figure
    for panel in beside:
        _sizes_against(panel, values, {title or "this method": error_ms, **(others_ms or {})}, label, n_bins)
    values, error_ms = values[known], error_ms[known]
    limit = limit_ms or float(np.quantile(np.abs(error_ms), 0.98)) * 1.1 or 1.0
    beyond = np.abs(error_ms) > limit
    axes.plot(values, np.clip(error_ms, -limit, limit), ".", color=GREY, alpha=0.5, markersize=4, zorder=2)
    if beyond.any():
        axes.plot(
            values[beyond], np.sign(error_ms[beyond]) * limit, "^", color=GREY, markersize=6, clip_on=False,
            label=f"{beyond.sum()} beyond",
        )  # fmt: skip
    centre, parts = _bins(values, n_bins)
    low, mid, high = np.array([np.quantile(error_ms[one], [0.05, 0.5, 0.95]) for one in parts]).T
    axes.fill_between(centre, low, high, color=SKY, alpha=0.4, linewidth=0, label="middle 90 % of errors", zorder=1)
    axes.plot(centre, mid, "o-", color=BLACK, label="median", zorder=4)
    if half_width_ms is not None:
        width = np.asarray(half_width_ms, float)[known]
        middle = np.array([np.median(width[one]) for one in parts])
        for sign, name in ((1, "median interval"), (-1, None)):
            axes.plot(centre, sign * middle, color=VERMILION, linewidth=1.8, label=name, zorder=3)
    axes.axhline(0, color=GREY, linewidth=1, zorder=0)
    axes.set(xlabel=label, ylabel="picked minus true (ms)", ylim=(-limit, limit), title=title)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=2 if beside else 4)
    grid(axes)
    return figure


def _bins(values: Array, n_bins: int) -> tuple[list[float], list[Array]]:
    """Return the median of each bin of equal counts, and the places of its values."""
    parts = [one for one in np.array_split(np.argsort(values, kind="stable"), n_bins) if one.size]
    return [float(np.median(values[one])) for one in parts], parts


def _sizes_against(axes: Axes, values: Array, error_ms: Mapping[str, Array], label: str, n_bins: int) -> None:
    """Draw the median size of the errors in bins, a line a method."""
    looks = method_looks(error_ms)
    for name, one in error_ms.items():
        size = np.abs(np.asarray(one, float))
        known = np.isfinite(values) & np.isfinite(size)
        centre, parts = _bins(values[known], n_bins)
        axes.plot(centre, [float(np.median(size[known][part])) for part in parts], label=short(name), **looks[name])
    axes.set(xlabel=label, ylabel="median |error| (ms)", title="by method", ylim=(0, None))
    axes.legend(loc="best")
    grid(axes)
