"""Three sections of a volume at once, with what was found in it laid over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seisloom.figures.attributes import SHOWN, dip_span
from seisloom.figures.style import PALE, VERMILION, drawn, new_figure
from seisloom.sample import Array

CLIP = 99.0
LEAST = 0.05
"""Probability at or below which an overlay is not drawn: an image under a veil cannot be read."""
NEGATIVE = 0.1
"""Share of the largest value that the least one must fall below 0 for a variable to count as one of both signs."""
NO_NAME = ("", "amplitude")
"""What a variable is called where its format has no names, as SEG-Y."""


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
    """Of the same shape; NaN is not drawn, nor a probability near 0, nor the angle of no fault."""
    cuts: tuple[float | None, float | None] = (None, None)
    """Coordinates across and down at which the other two sections cut it."""


def named_by_file(file: str | Path, variable: str) -> str:
    """Return the attribute that a file holds, told from its name where its variable has none.

    >>> named_by_file("found_rgt.sgy", "amplitude"), named_by_file("found.zarr", "fault"), named_by_file("a.sgy", "")
    ('rgt', 'fault', '')
    """
    ending = Path(file).stem.rpartition("_")[2]
    return ending if variable in NO_NAME and ending in SHOWN else variable


@drawn
def draw_planes(planes: tuple[Plane, Plane, Plane], *, label: str, overlay_label: str = "", title: str = "") -> Figure:
    """Draw a slice above an inline, and a crossline beside it, each with lines where the others cut it.

    Of a volume of one line only two axes have a length: the section along both fills the figure.

    Args:
        planes: the slice, the inline and the crossline.
        label: name of the values with the unit.
        overlay_label: of what is laid over; "fault" is drawn where it is likely, "dip" and "strike" where they are not
            0, anything else everywhere.
        title: for instance the file.
    """
    line = _only_section(planes)
    shown: Sequence[Plane] = planes if line is None else [replace(line, cuts=(None, None))]
    colours = _colours([plane.values for plane in shown])
    look = _overlay_look([plane.overlay for plane in shown if plane.overlay is not None], overlay_label)
    figure = new_figure(11.0, 8.2 if line is None else 6.4)
    if line is None:
        axes = figure.subplots(2, 2, width_ratios=[3, 2])
        places, beside = [axes[0, 0], axes[1, 0], axes[1, 1]], axes[0, 1]
        beside.axis("off")
    else:
        places, beside = [figure.subplots()], None
    images = [_draw(place, plane, colours, look) for place, plane in zip(places, shown, strict=True)]
    over = next((one for _, one in images if one is not None), None)
    for image, name, left in ((images[0][0], label, 0.1), (over, overlay_label, 0.5)):
        if image is None:
            continue
        if beside is None:
            figure.colorbar(image, ax=places[0], pad=0.015, label=name)
        else:
            figure.colorbar(image, cax=beside.inset_axes((left, 0.0, 0.06, 1.0)), label=name)
    figure.suptitle(title)
    return figure


def _only_section(planes: tuple[Plane, Plane, Plane]) -> Plane | None:
    """Return the largest of the planes where another is a mere row of samples; None where all three are sections."""
    if all(min(plane.values.shape) > 1 for plane in planes):
        return None
    return max(planes, key=lambda plane: plane.values.size)


def _draw(axes: Axes, plane: Plane, colours: tuple[float, float], look: _Look) -> tuple[Any, Any]:
    """Draw one section; returns its image and that of its overlay. Any: Matplotlib's images."""
    n_down, n_across = plane.values.shape
    extent = (*_with_edges(plane.across, n_across), *_with_edges(plane.down, n_down)[::-1])
    drawing: dict[str, Any] = {"aspect": "auto", "extent": extent, "interpolation": "bilinear"}
    axes.set_facecolor(PALE)
    image = axes.imshow(plane.values, cmap="gray", vmin=colours[0], vmax=colours[1], **drawing)
    over = None
    if plane.overlay is not None:
        shown = np.where(plane.overlay > look.above, plane.overlay, np.nan)
        drawing["interpolation"] = "nearest"
        alpha = np.clip(np.nan_to_num(shown), 0, 1) * look.alpha if look.fades else look.alpha
        over = axes.imshow(shown, cmap=look.cmap, vmin=look.low, vmax=look.high, alpha=alpha, **drawing)
    for at, line in zip(plane.cuts, (axes.axvline, axes.axhline), strict=True):
        if at is not None:
            line(at, color=VERMILION, linewidth=0.7, linestyle="--")
    axes.set(xlabel=plane.across_label, ylabel=plane.down_label, title=plane.title)
    return image, over


def _with_edges(ends: tuple[float, float], n: int) -> tuple[float, float]:
    """Return where the cells of the first and the last of n samples end: half a step outside; one alone is 1 wide."""
    first, last = ends
    half = (last - first) / (n - 1) / 2 if n > 1 and last != first else 0.5
    return first - half, last + half


def _colours(sections: list[Array]) -> tuple[float, float]:
    """Return what the colours of sections span: as far below 0 as above, or from the least if hardly any."""
    strongest = max(_strongest(one) for one in sections)
    least = min(float(np.nanmin(one, initial=0.0)) for one in sections)
    return (least if -least < NEGATIVE * strongest else -strongest), strongest


def _strongest(values: Array) -> float:
    there = np.abs(values[np.isfinite(values)])
    return float(np.percentile(there, CLIP)) or float(there.max()) or 1.0 if there.size else 1.0


@dataclass(frozen=True, slots=True)
class _Look:
    """How an overlay is drawn."""

    low: float
    high: float
    above: float
    """What is not above it is not drawn."""
    cmap: str
    alpha: float
    fades: bool = False
    """Whether it is fainter the less likely: many unlikely voxels would hide the few that count."""


def _overlay_look(overlays: list[Array], name: str) -> _Look:
    """Return how overlays of one attribute are drawn: what lies on few voxels in warm colours, the rest as a veil."""
    there = np.concatenate([np.zeros(0), *(one[np.isfinite(one)].ravel() for one in overlays)])
    there = there if there.size else np.zeros(1)
    low, high = float(there.min()), float(there.max())
    if name in ("dip", "strike"):  # apply writes 0 where there is no fault
        low, high = dip_span(there[there > 0]) if name == "dip" else (0.0, 180.0)
        return _Look(low, high, 0.0, "plasma", 0.8)
    within = low >= 0 and high <= 1
    if name == "fault" or (name in NO_NAME and within and float(np.median(there)) <= LEAST):
        return _Look(0.0, 1.0, LEAST, "autumn_r", 0.9, fades=True)
    low, high = (0.0, 1.0) if within else (low, high if high > low else low + 1)
    return _Look(low, high, -np.inf, "viridis", 0.5)
