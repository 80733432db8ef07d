"""Three sections of a volume at once, with what was found in it laid over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seisloom.figures.style import PALE, VERMILION, drawn, new_figure
from seisloom.sample import Array

CLIP = 99.0
LEAST = 0.05
"""Share of the overlay's span below which it is not drawn: an image under a veil cannot be read."""


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """A section with its overlay."""

    values: Array
    """Shape (down, across); NaN is drawn grey."""
    across: tuple[float, float]
    """First and last coordinate."""
    down: tuple[float, float]
    across_label: str
    down_label: str
    title: str
    overlay: Array | None = None
    """Of the same shape; NaN and what is near its least value are not drawn."""
    cuts: tuple[float | None, float | None] = (None, None)
    """Coordinates across and down at which the other two sections cut it."""


@drawn
def draw_planes(planes: tuple[Plane, Plane, Plane], *, label: str, overlay_label: str = "", title: str = "") -> Figure:
    """Draw a slice above an inline, and a crossline beside it, each with lines where the others cut it.

    Args:
        planes: the slice, the inline and the crossline.
        label: name of the values with the unit.
        overlay_label: of what is laid over.
        title: for instance the file.
    """
    figure = new_figure(11.0, 8.2)
    axes = figure.subplots(2, 2, width_ratios=[3, 2])
    places = (axes[0, 0], axes[1, 0], axes[1, 1])
    strongest = max(_strongest(plane.values) for plane in planes)
    span = _span([plane.overlay for plane in planes if plane.overlay is not None])
    images: list[Any] = []  # Any: Matplotlib's images
    for place, plane in zip(places, planes, strict=True):
        images.append(_draw(place, plane, strongest, span))
    beside = axes[0, 1]
    beside.axis("off")
    figure.colorbar(images[0][0], cax=beside.inset_axes((0.1, 0.0, 0.06, 1.0)), label=label)
    over = next((one for _, one in images if one is not None), None)
    if over is not None:
        figure.colorbar(over, cax=beside.inset_axes((0.5, 0.0, 0.06, 1.0)), label=overlay_label)
    figure.suptitle(title)
    return figure


def _draw(axes: Axes, plane: Plane, strongest: float, span: tuple[float, float]) -> tuple[Any, Any]:
    """Draw one section; returns its image and that of its overlay. Any: Matplotlib's images."""
    extent = (*plane.across, *plane.down[::-1])
    looks: dict[str, Any] = {"aspect": "auto", "extent": extent, "interpolation": "bilinear"}
    axes.set_facecolor(PALE)
    image = axes.imshow(plane.values, cmap="gray", vmin=-strongest, vmax=strongest, **looks)
    over = None
    if plane.overlay is not None:
        low, high = span
        shown = np.where(plane.overlay > low + LEAST * (high - low), plane.overlay, np.nan)
        looks["interpolation"] = "nearest"
        over = axes.imshow(shown, cmap="autumn_r", vmin=low, vmax=high, alpha=0.6, **looks)
    for at, line in zip(plane.cuts, (axes.axvline, axes.axhline), strict=True):
        if at is not None:
            line(at, color=VERMILION, linewidth=0.7, linestyle="--")
    axes.set(xlabel=plane.across_label, ylabel=plane.down_label, title=plane.title)
    return image, over


def _strongest(values: Array) -> float:
    there = np.abs(values[np.isfinite(values)])
    return float(np.percentile(there, CLIP)) or float(there.max()) or 1.0 if there.size else 1.0


def _span(overlays: list[Array]) -> tuple[float, float]:
    """Return what the colours of overlays span: 0 to 1 for probabilities."""
    there = np.concatenate([one[np.isfinite(one)].ravel() for one in overlays]) if overlays else np.zeros(1)
    low, high = float(there.min(initial=0.0)), float(there.max(initial=0.0))
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    return low, high if high > low else low + 1
