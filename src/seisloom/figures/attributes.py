"""A section with the attributes that were found in it, one below the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seisloom.figures.style import BLUE, VERMILION, drawn, new_figure
from seisloom.sample import Array

SHOWN = ("fault", "dip", "strike", "rgt", "dhr")
N_HORIZONS = 14


@drawn
def draw_attributes(
    section: Array,
    attributes: Mapping[str, Array],
    *,
    threshold: float = 0.5,
    labels: Array | None = None,
    title: str = "",
) -> Figure:
    """Draw a section with its faults, and below it each attribute.

    Args:
        section: amplitudes, (trace, sample).
        attributes: of the same shape, by name: fault (probability), dip, strike, rgt, dhr.
        threshold: probability from which on a voxel is drawn as fault.
        labels: bool, true faults, drawn beside the predicted ones.
        title: above the section.
    """
    names = [name for name in SHOWN if name in attributes and name not in ("strike",)]
    n = 1 + len(names)
    tall = float(np.clip(section.shape[1] / section.shape[0] * 9.0, 1.6, 5.0))
    figure = new_figure(10.0, 0.8 + tall * n)
    axes = figure.subplots(n, 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    _image(axes[0], section)
    fault = attributes.get("fault")
    if labels is not None:
        _points(axes[0], labels, BLUE, "label")
    if fault is not None:
        _outline(axes[0], fault, threshold)
    axes[0].set_title(title)
    for one, name in zip(axes[1:], names, strict=True):
        values = np.asarray(attributes[name], dtype=float)
        if name == "dhr":
            _image(one, values)
            one.set_title("denoised, high resolution")
            continue
        shown, look = _looks(name, values, fault, threshold)
        if name != "fault":
            _image(one, section)
        image = one.imshow(shown.T, aspect="auto", interpolation="nearest", **look)
        figure.colorbar(image, ax=one, pad=0.01, label=LABELS[name])
        if name == "rgt":
            levels = np.quantile(values[np.isfinite(values)], np.linspace(0.03, 0.97, N_HORIZONS))
            one.contour(values.T, levels=np.unique(levels), colors="black", linewidths=0.5)
    axes[-1].set_xlabel("trace")
    for one in axes:
        one.set_ylabel("sample")
    return figure


LABELS = {"fault": "probability", "dip": "dip (degrees)", "rgt": "relative time"}


def _looks(name: str, values: Array, fault: Array | None, threshold: float) -> tuple[Array, dict[str, Any]]:
    """Return what is drawn of an attribute, and how. Any: keyword arguments of the drawing."""
    if name == "fault":
        return values, {"cmap": "magma", "vmin": 0, "vmax": 1}
    if name == "dip":
        where = values > 0 if fault is None else fault >= threshold
        return np.where(where, values, np.nan), {"cmap": "twilight", "vmin": 0, "vmax": 180}
    return values, {"cmap": "viridis", "alpha": 0.75}


def _image(axes: Axes, section: Array) -> None:
    strongest = float(np.percentile(np.abs(section[np.isfinite(section)]), 99)) or 1.0
    axes.imshow(section.T, cmap="gray", vmin=-strongest, vmax=strongest, aspect="auto", interpolation="bilinear")


def _points(axes: Axes, mask: Array, colour: str, label: str) -> None:
    trace, sample = np.nonzero(mask)
    axes.plot(trace, sample, ".", color=colour, markersize=2.2, label=label)
    axes.legend(loc="upper right")


def _outline(axes: Axes, fault: Array, threshold: float) -> None:
    if (fault >= threshold).any() and (fault < threshold).any():
        axes.contour(fault.T, levels=[threshold], colors=VERMILION, linewidths=1.0)
