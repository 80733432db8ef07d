"""Sections and slices of volumes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from seisloom.errors import DataError
from seisloom.figures.style import PALE, drawn, new_figure
from seisloom.sample import Array

CLIP = 99.0
"""Per cent of the samples that the colours span; the rest are drawn as the strongest."""


@drawn
def draw_section(
    values: Array,
    *,
    across: Array,
    down: Array,
    across_label: str,
    down_label: str,
    live: Array | None = None,
    clip: float = CLIP,
    label: str = "amplitude",
    title: str = "",
) -> Figure:
    """Draw a section of a volume, or a slice through it.

    What takes both signs is drawn from blue over white to red around 0; what does not, such as a probability or a
    geological time, from dark to light.

    Args:
        values: shape (down, across), any unit; NaN is drawn grey.
        across, down: coordinates, rising or falling, shapes (across,) and (down,); `down` grows downwards.
        across_label, down_label: their names with units.
        live: bool, shape as `values` or (across,): False is drawn grey.
        clip: per cent of the samples that the colours span.
        label: name of the values with the unit.
        title: for instance the file and the inline.
    """
    values = np.array(values, dtype=float)
    if values.shape != (len(down), len(across)) or values.size == 0:
        raise DataError(
            f"a section of shape {values.shape} needs as many coordinates, not {len(down)} and {len(across)}"
        )
    if not 50 < clip <= 100:
        raise DataError(f"clip is {clip:g} per cent of the samples: it must be above 50 and at most 100")
    if live is not None:
        values[~np.broadcast_to(live, values.shape)] = np.nan
    figure = new_figure(10.0, 6.4)
    axes = figure.subplots()
    axes.set_facecolor(PALE)
    image = axes.pcolormesh(
        _edges(across), _edges(down), values, shading="flat", rasterized=True, **_colours(values, clip)
    )
    axes.set(xlabel=across_label, ylabel=down_label, title=title)
    low, high = sorted((float(_edges(down)[0]), float(_edges(down)[-1])))
    axes.set_ylim(high, low)
    figure.colorbar(image, ax=axes, label=label, pad=0.015, extend="both")
    return figure


def _colours(values: Array, clip: float) -> dict[str, Any]:  # Any: keyword arguments of the drawing
    there = values[np.isfinite(values)]
    if not there.size:
        return {"cmap": "gray"}
    if there.min() < 0 < there.max():
        strongest = float(np.percentile(np.abs(there), clip)) or float(np.abs(there).max())
        return {"cmap": "RdBu_r", "vmin": -strongest, "vmax": strongest}
    low, high = np.percentile(there, [100 - clip, clip]).tolist()
    if low == high:
        low, high = float(there.min()), float(there.max())
    return {"cmap": "viridis", "vmin": low, "vmax": high if high > low else low + 1}


def _edges(middles: Array) -> Array:
    """Return the edges of cells from their middles."""
    middles = np.asarray(middles, dtype=float)
    if len(middles) == 1:
        return np.array([middles[0] - 0.5, middles[0] + 0.5])
    between = (middles[1:] + middles[:-1]) / 2
    return np.concatenate([[2 * middles[0] - between[0]], between, [2 * middles[-1] - between[-1]]])
