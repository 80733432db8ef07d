"""Profiles of Vs over depth with their bands."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from seisloom.errors import DataError
from seisloom.figures.style import BLACK, BLUE, GREY, PALE, SKY, drawn, grid, new_figure
from seisloom.sample import Array


@drawn
def draw_profile(
    depth_edges: Array,
    median: Array,
    low: Array | None = None,
    high: Array | None = None,
    truth: tuple[Array, Array] | None = None,
    *,
    start: tuple[Array, Array] | None = None,
    reach_m: float | None = None,
    band_label: str = "90 % interval",
    title: str = "",
) -> Figure:
    """Draw a profile of Vs as steps over depth, with its band; depth grows downwards.

    Args:
        depth_edges: tops of the layers and the lower end of the last one in m, rising, (layer + 1,); an infinite end,
            that of a half-space, is drawn a quarter farther.
        median: Vs of each layer in m/s, (layer,).
        low, high: ends of its band in m/s, (layer,).
        truth, start: depth edges and Vs of the true profile, and of the first guess; of layers of their own.
        reach_m: depth in m down to which the data tell; what is below is shaded.
        band_label: what the band is.
        title: for instance the site.
    Raises:
        DataError: if there is not one edge more than layers.
    """
    figure = new_figure(6.4, 7.2)
    axes = figure.subplots()
    others = {"true profile": truth, "first guess": start}
    shown = {name: one for name, one in {"": (depth_edges, median), **others}.items() if one is not None}
    for name, (edges, values) in shown.items():
        if len(edges) != len(values) + 1:
            raise DataError(f"{name or 'profile'}: {len(values)} layers have {len(values) + 1} edges, not {len(edges)}")
    every = np.concatenate([np.asarray(edges, float) for edges, _ in shown.values()])
    ends = [float(one[-1]) for one, _ in shown.values() if np.isfinite(one[-1])]
    bottom = max(ends) if ends else 1.25 * float(every[np.isfinite(every)].max()) or 1.0

    def steps(values: Array, edges: Array, **look: Any) -> None:  # Any: keyword arguments of the drawing
        depth = np.array(edges, float)
        if not np.isfinite(depth[-1]):
            depth[-1] = max(bottom, depth[-2])
        axes.stairs(np.asarray(values, float), depth, orientation="horizontal", **look)

    if low is not None and high is not None:
        steps(high, depth_edges, baseline=np.asarray(low, float), fill=True, color=SKY, alpha=0.4, label=band_label)
    if start is not None:
        steps(start[1], start[0], baseline=None, color=GREY, linewidth=1.2, linestyle=":", label="first guess")
    if truth is not None:
        steps(truth[1], truth[0], baseline=None, color=BLACK, linewidth=1.6, linestyle="--", label="true profile")
    steps(median, depth_edges, baseline=None, color=BLUE, linewidth=2.4, label="median")
    if reach_m is not None and reach_m < bottom:
        axes.axhspan(reach_m, bottom, color=PALE, alpha=0.7, zorder=0, label=f"below the data's reach, {reach_m:.3g} m")
    axes.set(ylim=(bottom, 0.0), xlabel="Vs (m/s)", ylabel="depth (m)", title=title)
    axes.set_xlim(left=0.0)
    grid(axes)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
