"""What augmentations do to one sample: before and after, a row for each, with the labels that moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seisloom.errors import DataError
from seisloom.figures.style import BLACK, HUMAN, PICK, drawn, new_figure
from seisloom.sample import Array, Arrays

VERTICAL = ("time", "depth")
LABELS = ("has_pick", "y_idx", "fault", "curve")
"""Labels that are drawn."""


@dataclass(frozen=True, slots=True)
class Change:
    """One augmentation of one sample."""

    title: str
    """Its place in the list and its name."""
    drawn: str
    """What was drawn, in words."""
    axes: Mapping[str, tuple[str, ...]]
    """Names of the axes of each field, such as ("trace", "channel", "time") of `x`."""
    before: Arrays
    """Fields of the sample, by name."""
    after: Arrays
    """The same fields, changed."""


@drawn
def draw_augmentations(changes: Sequence[Change], *, title: str = "") -> Figure:
    """Draw a row for each augmentation: the sample before, and after; labels of before are blue, those of after red.

    A gather is drawn as shades with picks, records of few channels as lines with a pick, a volume as the inline section
    with most fault, a dispersion panel with its curves. Both sides of a row have one scale of amplitudes, a
    gather one for each trace.

    Args:
        changes: rows from top to bottom.
        title: what the sample is.
    Raises:
        DataError: if there is none, or its data are of none of these kinds.
    """
    if not changes:
        raise DataError("there is no augmentation to draw: the list `augment:` is empty")
    figure = new_figure(11.0, 0.9 + 2.5 * len(changes))
    rows = figure.subplots(len(changes), 2, squeeze=False, sharex="row", sharey="row")
    for (left, right), change in zip(rows, changes, strict=True):
        draw = _kind(change.axes["x"])
        scale = _scale(change.before["x"])
        draw(left, change.axes, change.before, change.before, scale)
        draw(right, change.axes, change.after, change.before, scale)
        left.set_title(change.title)
        right.set_title(change.drawn or " ", fontweight="normal", fontsize=10)
        right.set_ylabel("")
        said = _what_changed(change)
        if said:
            box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85}
            right.text(0.5, 0.5, said, transform=right.transAxes, ha="center", color=PICK, bbox=box)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    handles: dict[str, Any] = {}  # Any: Matplotlib's artists
    for one in rows.ravel():
        handles |= dict(zip(*reversed(one.get_legend_handles_labels()), strict=True))
    if handles:
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4)
    return figure


def _kind(axes: tuple[str, ...]) -> Any:  # Any: one of the drawings below
    if "velocity" in axes and "frequency" in axes:
        return _panel
    if "crossline" in axes and any(one in axes for one in VERTICAL):
        return _section
    if "trace" in axes and "time" in axes:
        return _gather
    if "time" in axes:
        return _record
    raise DataError(f"data with axes {', '.join(axes)} cannot be drawn; only traces, gathers, volumes and panels can")


def _scale(x: Array) -> float:
    finite = np.abs(x[np.isfinite(x)])
    large = float(np.quantile(finite, 0.98)) if finite.size else 0.0
    return large or float(finite.max(initial=0.0)) or 1.0


def _what_changed(change: Change) -> str:
    """Return in words what a picture of `x` and its labels does not show."""
    names = [
        name for name, one in change.before.items()
        if not np.array_equal(one, change.after[name], equal_nan=one.dtype.kind == "f")
    ]  # fmt: skip
    if not names:
        return "not changed"
    return "" if {"x", *LABELS} & set(names) else f"changed: {', '.join(names)}"


def _gather(axes: Axes, names: Mapping[str, tuple[str, ...]], now: Arrays, before: Arrays, scale: float) -> None:
    # Each trace by what it was before, since traces near the source are a thousand times as strong as the others
    was = _first_channel(before["x"], names["x"])
    own = np.quantile(np.abs(was), 0.98, axis=1, keepdims=True)
    x = _first_channel(now["x"], names["x"])
    own = own[::-1] if np.array_equal(x, was[::-1]) else own  # a flip takes the scale along
    x = x / np.where(own > 0, own, scale)
    axes.imshow(x.T, aspect="auto", cmap="gray_r", vmin=-1, vmax=1, interpolation="nearest")
    for arrays, colour, marker, label in _sides(now, before):
        if "y_idx" in arrays:
            has = arrays["has_pick"] == 1
            axes.plot(
                np.flatnonzero(has), arrays["y_idx"][has], marker, color=colour, markersize=5, markeredgewidth=1.6,
                linestyle="none", label=f"pick {label}",
            )  # fmt: skip
    axes.set(xlabel="trace", ylabel="sample", ylim=(x.shape[1] - 0.5, -0.5))


def _record(axes: Axes, names: Mapping[str, tuple[str, ...]], now: Arrays, before: Arrays, scale: float) -> None:
    x = now["x"].reshape(-1, now["x"].shape[-1])
    largest = float(np.abs(before["x"]).max()) or 1.0
    for k, trace in enumerate(x):
        axes.plot(k - 0.5 * np.clip(trace / largest, -1.2, 1.2), color=BLACK, linewidth=0.6)
    for arrays, colour, _, label in _sides(now, before):
        if "y_idx" in arrays and arrays["has_pick"] == 1:
            style = "-" if label == "after" or arrays is now else ":"
            axes.axvline(float(arrays["y_idx"]), color=colour, linestyle=style, label=f"pick {label}")
    axes.set(xlabel="sample", ylabel="channel", ylim=(len(x) - 0.3, -0.7), xlim=(0, x.shape[-1] - 1))


def _section(axes: Axes, names: Mapping[str, tuple[str, ...]], now: Arrays, before: Arrays, scale: float) -> None:
    x, there = _first_channel(now["x"], names["x"]), [one for one in names["x"] if one != "channel"]
    inline = there.index("inline") if "inline" in there else None
    number = 0
    if inline is not None:
        at = before["fault"] == 1 if "fault" in before else np.zeros(x.shape, bool)
        others = tuple(k for k in range(x.ndim) if k != inline)
        number = int(at.sum(axis=others).argmax()) if at.any() else x.shape[inline] // 2
        x = x.take(number, axis=inline)
    axes.imshow(x.T, aspect="auto", cmap="gray_r", vmin=-scale, vmax=scale, interpolation="nearest")
    if "fault" in now:
        fault = now["fault"].take(number, axis=inline) if inline is not None else now["fault"]
        colour, label = (HUMAN, "before") if now is before else (PICK, "after")
        where = np.argwhere(fault == 1)
        axes.plot(where[:, 0], where[:, 1], "s", color=colour, markersize=3, label=f"fault {label}")
    axes.set(xlabel="crossline", ylabel=there[-1], ylim=(x.shape[1] - 0.5, -0.5))


def _panel(axes: Axes, names: Mapping[str, tuple[str, ...]], now: Arrays, before: Arrays, scale: float) -> None:
    order = [one for one in names["x"] if one != "channel"]
    x = _first_channel(now["x"], names["x"])
    x = x if order.index("velocity") == 0 else x.T
    velocity = now.get("velocity_m_s", np.arange(x.shape[0]))
    frequency = now.get("frequency_hz", np.arange(x.shape[1]))
    axes.pcolormesh(frequency, velocity, x, cmap="Greys", vmin=0, vmax=max(scale, float(before["x"].max())),
                    shading="nearest", rasterized=True)  # fmt: skip
    for arrays, colour, _, label in _sides(now, before):
        for curve in arrays.get("curve", []):
            style = "-" if arrays is now else ":"
            axes.plot(frequency, curve, color=colour, linestyle=style, label=f"curve {label}")
    axes.set(xlabel="frequency (Hz)", ylabel="velocity (m/s)")


def _sides(now: Arrays, before: Arrays) -> list[tuple[Arrays, str, str, str]]:
    """Labels to draw, with colour, marker and name: those of before on both sides, to see how far they moved."""
    was = (before, HUMAN, "_", "before")
    return [was] if now is before else [was, (now, PICK, "x", "after")]


def _first_channel(x: Array, names: tuple[str, ...]) -> Array:
    return x.take(0, axis=names.index("channel")) if "channel" in names else x
