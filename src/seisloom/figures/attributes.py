"""A section with the attributes that were found in it, each in a panel of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from seisloom.figures.style import BLUE, VERMILION, drawn, new_figure
from seisloom.sample import Array

SHOWN = ("fault", "dip", "strike", "rgt", "dhr")
N_HORIZONS = 14
SMALL = 256
"""Traces up to which a section is drawn in panels side by side, its voxels about as high as wide."""
HIGHEST = 18.0
"""Inches that all panels of a longer section take."""
TITLES = {
    "fault": "fault probability",
    "dip": "dip of faults (degrees)",
    "rgt": "relative time",
    "dhr": "denoised, high resolution",
}
LEAST_LEAN = 15.0
"""Degrees on either side of upright that the colours of dips span at least."""


@drawn
def draw_attributes(
    section: Array,
    attributes: Mapping[str, Array],
    *,
    threshold: float = 0.5,
    labels: Array | None = None,
    title: str = "",
) -> Figure:
    """Draw a section with its faults, and each attribute in a panel: side by side if small, else one below the other.

    Args:
        section: amplitudes, (trace, sample).
        attributes: of the same shape, by name: fault (probability), dip, strike, rgt, dhr.
        threshold: probability from which on a voxel is drawn as fault.
        labels: bool, true faults, drawn beside the predicted ones.
        title: above all panels.
    """
    names = [name for name in SHOWN if name in attributes and name not in ("strike",)]
    n_rows, n_columns, size = _layout(section.shape, 1 + len(names))
    figure = new_figure(*size)
    panels = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False).ravel()
    axes = panels[: 1 + len(names)]
    _image(axes[0], section)
    axes[0].set_title("section")
    fault = attributes.get("fault")
    keys = [] if labels is None else [_points(axes[0], labels, BLUE, "label")]
    if fault is not None:
        keys.append(_outline(axes[0], fault, threshold))
    if keys:
        figure.legend(handles=keys, loc="outside lower left", ncols=len(keys))
    for one, name in zip(axes[1:], names, strict=True):
        one.set_title(TITLES[name])
        _attribute(one, name, np.asarray(attributes[name], dtype=float), section, fault, threshold)
    for idx, one in enumerate(panels):
        below = idx + n_columns < len(axes)
        one.set(xlabel="" if below else "trace", ylabel="" if idx % n_columns else "sample")
        one.tick_params(labelbottom=not below)
    for one in panels[len(axes) :]:
        one.set_axis_off()
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    return figure


def _layout(shape: tuple[int, ...], n: int) -> tuple[int, int, tuple[float, float]]:
    """Return rows and columns of n panels, and width and height of the figure in inches."""
    n_traces, n_samples = shape
    if n_traces > SMALL:
        high = float(np.clip(n_samples / n_traces * 9.0, 1.6, HIGHEST / max(n, 4)))
        return n, 1, (10.0, 1.2 + (high + 0.3) * n)
    ratio = float(np.clip(n_samples / n_traces, 0.25, 1.6))
    n_columns = min(3 if ratio >= 0.5 else 2, n)
    n_rows = -(-n // n_columns)
    wide = {1: 6.0, 2: 4.6, 3: 3.1}[n_columns]  # without its colour bar
    return n_rows, n_columns, (n_columns * (wide + 1.0), 1.2 + n_rows * (wide * ratio + 0.5))


def _attribute(axes: Axes, name: str, values: Array, section: Array, fault: Array | None, threshold: float) -> None:
    """Draw one attribute with its colour bar, over the section where that helps to read it."""
    if name == "dhr":
        _image(axes, values)
        return
    shown, look = _looks(name, values, fault, threshold)
    if name != "fault":
        _image(axes, section, alpha=0.5 if name == "dip" else 1.0)
    image = axes.imshow(shown.T, aspect="auto", interpolation="nearest", **look)
    axes.figure.colorbar(image, ax=axes, pad=0.01)
    there = values[np.isfinite(values)]
    if name == "rgt" and there.size:
        levels = np.unique(np.quantile(there, np.linspace(0.03, 0.97, N_HORIZONS)))
        axes.contour(values.T, levels=levels, colors="black", linewidths=0.5, linestyles="solid")


def dip_span(dip: Array) -> tuple[float, float]:
    """Return what the colours of dips span, in degrees: as far on either side of upright as the flattest fault leans.

    Args:
        dip: of fault voxels, degrees 0..180, any shape; NaN is left out.

    >>> dip_span(np.array([62.0, 100.0, np.nan])), dip_span(np.array([]))
    ((62.0, 118.0), (75.0, 105.0))
    """
    lean = max(float(np.nanmax(np.abs(dip - 90.0), initial=0.0)), LEAST_LEAN)
    return 90.0 - lean, 90.0 + lean


def _looks(name: str, values: Array, fault: Array | None, threshold: float) -> tuple[Array, dict[str, Any]]:
    """Return what is drawn of an attribute, and how. Any: keyword arguments of the drawing."""
    if name == "fault":
        return values, {"cmap": "magma", "vmin": 0, "vmax": 1}
    if name == "dip":
        shown = np.where(values > 0 if fault is None else fault >= threshold, values, np.nan)
        low, high = dip_span(shown)
        return shown, {"cmap": "plasma", "vmin": low, "vmax": high}
    return values, {"cmap": "viridis", "alpha": 0.75}


def _image(axes: Axes, section: Array, *, alpha: float = 1.0) -> None:
    there = np.abs(section[np.isfinite(section)])
    strongest = (float(np.percentile(there, 99)) if there.size else 0.0) or 1.0
    axes.imshow(
        section.T, cmap="gray", vmin=-strongest, vmax=strongest, aspect="auto", interpolation="bilinear", alpha=alpha
    )


def _points(axes: Axes, mask: Array, colour: str, label: str) -> Line2D:
    """Draw a point on each voxel of a mask; returns the key of a legend."""
    trace, sample = np.nonzero(mask)
    axes.plot(trace, sample, ".", color=colour, markersize=2.2)
    return Line2D([], [], color=colour, marker=".", linestyle="", label=label)


def _outline(axes: Axes, fault: Array, threshold: float) -> Line2D:
    """Draw where a probability reaches a threshold; returns the key of a legend."""
    if (fault >= threshold).any() and (fault < threshold).any():
        axes.contour(fault.T, levels=[threshold], colors=VERMILION, linewidths=1.0)
    return Line2D([], [], color=VERMILION, linewidth=1.0, label=f"found: probability of {threshold:g} or more")
