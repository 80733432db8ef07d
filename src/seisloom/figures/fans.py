"""Fan charts: what records or spectra of a class have in common, and how far they spread, class by channel."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from seisloom.errors import DataError
from seisloom.figures.style import BLACK, BLUE, SKY, VERMILION, drawn, grid, new_figure, short, write_nothing
from seisloom.sample import Array

Scale = Literal["linear", "symlog", "log"]
BANDS = ((0.10, 0.90), (0.25, 0.75))
DENSE = 600
"""Steps from which on a median is drawn as a thin line."""
LEAST_SHARE = 0.2
"""Quantiles are drawn where at least so many of the records of a class reach; of a few they would be single records."""


@drawn
def draw_fans(
    fans: Mapping[str, Array],
    axis: Array,
    *,
    channels: Sequence[str],
    axis_label: str,
    value_label: str,
    scale: Scale = "linear",
    mark: float | None = None,
    mark_label: str = "onset",
    title: str = "",
) -> Figure:
    """Draw the median and the bands from 10 to 90 and 25 to 75 % of stacked records, a row a class, a column a channel.

    Panels of a channel share their axes, so that classes can be compared at a glance.

    Args:
        fans: by class, records or spectra (item, channel, step); NaN where a record does not reach. `align` makes them
            of records of any length.
        axis: time in s, or frequency in Hz, of each step, (step,), rising.
        channels: names, such as Z, N, E.
        axis_label, value_label: with their units.
        scale: of the values; `symlog` is linear about 0, up to the median size of the values, and logarithmic beyond;
            weak and strong parts are both seen.
        mark: place on the axis of a vertical line, such as 0 for the onset; None draws none.
        mark_label: what it is.
        title: for instance the data.
    Raises:
        DataError: if shapes do not fit.
    """
    axis = np.asarray(axis, float)
    for name, values in fans.items():
        if np.ndim(values) != 3 or np.shape(values)[1:] != (len(channels), axis.size):
            raise DataError(
                f"class {name!r} has values of shape {np.shape(values)}; give (item, channel, step) with "
                f"{len(channels)} channels and {axis.size} steps"
            )
    n_rows = max(len(fans), 1)
    figure = new_figure(max(4.0 + 2.6 * len(channels), 7.0), 1.6 + 1.9 * n_rows)
    panels = figure.subplots(n_rows, len(channels), sharex=True, sharey="col", squeeze=False)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    if not fans:
        write_nothing(panels[0, 0], "no records")
    for one, channel in zip(panels[0], channels, strict=True):
        one.set_title(channel)
    for row, (name, values) in zip(panels, fans.items(), strict=False):
        for column, one in enumerate(row):
            _fan(one, axis, np.asarray(values, float)[:, column])
            if mark is not None:
                one.axvline(mark, color=VERMILION, linewidth=1.2, linestyle="--", label=mark_label)
        row[0].set_ylabel(f"{short(name)}\n(n = {len(values)})", fontweight="bold")
    _scale(panels, fans, scale)
    figure.supxlabel(axis_label, fontsize=11)
    figure.supylabel(value_label, fontsize=11)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside upper right", ncols=len(handles))
    return figure


def align(records: Sequence[Array], onset_idx: Sequence[float], *, n_before: int, n_after: int) -> Array:
    """Return records of any length cut about their onsets, NaN where one does not reach, (item, channel, step).

    Args:
        records: each (channel, time), of one sampling rate.
        onset_idx: sample of each onset; records whose onset is NaN are left out.
        n_before, n_after: samples before the onset, and from it on.
    Raises:
        DataError: if there are not as many onsets as records.

    >>> align([np.arange(4.0)[None]], [1], n_before=2, n_after=2)
    array([[[nan,  0.,  1.,  2.]]])
    """
    if len(records) != len(onset_idx):
        raise DataError(f"{len(records)} records and {len(onset_idx)} onsets; give one each")
    n_channels = len(records[0]) if records else 1
    found = []
    for record, onset in zip(records, onset_idx, strict=True):
        if not np.isfinite(onset):
            continue
        first = round(onset) - n_before
        cut = np.full((n_channels, n_before + n_after), np.nan)
        begin, end = max(first, 0), min(first + n_before + n_after, record.shape[1])
        if end > begin:
            cut[:, begin - first : end - first] = record[:, begin:end]
        found.append(cut)
    return np.array(found).reshape(len(found), n_channels, n_before + n_after)


def _fan(axes: Axes, axis: Array, values: Array) -> None:
    """One panel: bands and median of values (item, step)."""
    known = np.isfinite(values).mean(axis=0) >= LEAST_SHARE if len(values) else np.zeros(axis.size, bool)
    grid(axes)
    if not known.any():
        write_nothing(axes, "no records")
        return
    quantiles = np.full((5, axis.size), np.nan)
    shares = sorted({0.5, *(share for band in BANDS for share in band)})
    quantiles[:, known] = np.nanquantile(np.where(np.isfinite(values), values, np.nan)[:, known], shares, axis=0)
    for (low, high), colour in zip(BANDS, (SKY, BLUE), strict=True):
        lower, upper = quantiles[shares.index(low)], quantiles[shares.index(high)]
        axes.fill_between(
            axis, lower, upper, color=colour, alpha=0.45, linewidth=0, label=f"{low * 100:.0f}-{high * 100:.0f} %"
        )
    # A median of many samples swings many times within a dot: drawn wide it would hide the bands
    width = 1.3 if axis.size <= DENSE else 0.5
    axes.plot(axis, quantiles[shares.index(0.5)], color=BLACK, linewidth=width, label="median")
    axes.set_xlim(axis[0], axis[-1])


def _scale(panels: Array, fans: Mapping[str, Array], scale: Scale) -> None:
    """Give the panels of each channel their scale of values."""
    if scale == "linear" or not fans:
        return
    for column, first in enumerate(panels[0]):
        if scale == "log":
            first.set_yscale("log", nonpositive="mask")
            continue
        size = np.concatenate([np.abs(np.asarray(one, float)[:, column]).ravel() for one in fans.values()])
        size = size[np.isfinite(size) & (size > 0)]
        linear = float(np.median(size)) if size.size else 1.0
        first.set_yscale("symlog", linthresh=linear, linscale=0.5)
        first.yaxis.set_major_locator(FixedLocator(_symlog_ticks(linear, float(size.max(initial=linear)))))
        first.yaxis.set_minor_locator(NullLocator())


def _symlog_ticks(linear: float, largest: float) -> list[float]:
    """Zero and at most three powers of ten to either side; in the linear part they would stand on each other."""
    low, high = math.floor(math.log10(linear)) + 1, math.floor(math.log10(largest))
    powers = [10.0**k for k in range(low, high + 1, max(1, math.ceil((high - low + 1) / 3)))]
    return [*(-one for one in reversed(powers)), 0.0, *powers]
