"""Restored panels: what was given, what came out, what it should be and the difference, and their spectra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seisloom.errors import DataError
from seisloom.figures.fk import draw_spectrum, frequency_label, strongest
from seisloom.figures.style import BLACK, drawn, new_figure, short
from seisloom.sample import Array

CLIP = 98.0
"""Per cent of the samples that the shades span; the rest are drawn as the strongest."""
DEAD = "#C8C8C8"
"""Colour of traces that are missing: grey, which is no amplitude."""
SMALL = 9
NARROW = 0.2
"""Share of the traces: where all missing ones lie within so many, only their surroundings are drawn."""
FEWEST_BESIDE = 8


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line of a panel before and after; arrays (trace, time) on one scale."""

    given: Array
    restored: Array
    is_live: Array
    """bool (trace,)."""
    truth: Array | None = None
    is_known: Array | None = None
    """Where the truth is known, bool (trace,); None is everywhere."""
    half_width: Array | None = None
    fs_hz: float | None = None

    def __post_init__(self) -> None:
        """Check that shapes fit."""
        for one in (self.restored, self.truth, self.half_width):
            if one is not None and np.shape(one) != np.shape(self.given):
                raise DataError(f"a line of shape {np.shape(self.given)} cannot be drawn beside {np.shape(one)}")

    @property
    def clip(self) -> float:
        """Amplitude of the darkest shade: CLIP per cent of the truth's samples are below, or of the given ones."""
        seen = np.zeros(len(self.given), dtype=bool)
        seen[slice(*self.shown)] = True
        reference = self.given[self.is_live & seen] if self.truth is None else self.truth[self.known & seen]
        size = np.abs(reference[np.isfinite(reference)])
        size = size[size > 0]  # before the first arrival there may be nothing but zeros
        return float(np.percentile(size, CLIP)) if size.size else 1.0

    @property
    def shown(self) -> tuple[int, int]:
        """First trace that is drawn, and the one behind the last: all, or those around a gap that would be a stripe."""
        n, missing = len(self.given), np.flatnonzero(~self.is_live)
        width = int(np.ptp(missing)) + 1 if missing.size else n
        if width > n * NARROW:
            return 0, n
        beside = max(2 * width, FEWEST_BESIDE)
        return max(int(missing[0]) - beside, 0), min(int(missing[-1]) + 1 + beside, n)

    @property
    def known(self) -> Array:
        """Where the truth is known, bool (trace,)."""
        return np.ones(len(self.given), dtype=bool) if self.is_known is None else self.is_known

    @property
    def difference(self) -> Array:
        """Truth less restored, or where nobody knows the truth given less restored; NaN in traces without either."""
        if self.truth is None:
            return np.where(self.is_live[:, None], self.given - self.restored, np.nan)
        return np.where(self.known[:, None], self.truth - self.restored, np.nan)


@drawn
def draw_restored(line: Line, *, slopes: tuple[float, float] | None = None, title: str = "") -> Figure:
    """Draw input, output, truth and difference at one clip, bars over traces that were missing, and their spectra.

    Args:
        line: with truth or without; without it there are input, output and difference.
        slopes: of the fan that is drawn into the spectra, samples a trace; None leaves spectra out.
        title: for instance method, panel and SNR.
    """
    sections = {"input": np.where(line.is_live[:, None], line.given, np.nan), "output": line.restored}
    if line.truth is not None:
        sections["truth"] = np.where(line.known[:, None], line.truth, np.nan)
    sections["truth − output" if line.truth is not None else "input − output"] = line.difference
    if line.truth is None and line.half_width is not None:
        sections["half of the interval"] = line.half_width
    rows = 1 if slopes is None else 2
    figure = new_figure(11.0, 4.6 if rows == 1 else 7.6)
    axes = figure.subplots(
        rows, len(sections), squeeze=False, sharey="row",
        gridspec_kw={"height_ratios": [1.25, 1.0][:rows]},
    )  # fmt: skip
    image: Any = None  # Any: Matplotlib's images
    for one, (name, values) in zip(axes[0], sections.items(), strict=True):
        image = draw_section(one, values, line, clip=line.clip)
        one.set_title(name)
    axes[0, 0].set_ylabel(time_label(line.fs_hz))
    figure.colorbar(image, ax=list(axes[0]), label="amplitude", pad=0.01, aspect=30, extend="both")
    if slopes is not None:
        reference = strongest(np.nan_to_num(sections.get("truth", sections["input"])))
        for one, values in zip(axes[1], sections.values(), strict=True):
            image = draw_spectrum(one, np.nan_to_num(values), reference=reference, fs_hz=line.fs_hz, slopes=slopes)
        axes[1, 0].set_ylabel(frequency_label(line.fs_hz))
        axes[1, 0].set_title(f"fan: {slopes[0]:g} to {slopes[1]:g} samples a trace", fontweight="normal")
        figure.colorbar(image, ax=list(axes[1]), label="dB below the strongest", pad=0.01, aspect=24)
    _finish(figure, axes, title)
    return figure


@drawn
def draw_methods(line: Line, restored: Mapping[str, Array], *, labels: Mapping[str, str], title: str = "") -> Figure:
    """Draw what several methods made of one line, and below each its difference from the truth, all at one clip.

    Args:
        line: with truth.
        restored: (trace, time), by method.
        labels: what stands beside a method's name, such as its SNR.
        title: for instance the panel.
    """
    if line.truth is None:
        raise DataError("methods are drawn with their differences from the truth, and this line has none")
    figure = new_figure(11.0, 7.2)
    axes = figure.subplots(2, len(restored), squeeze=False, sharex=True, sharey=True)
    image: Any = None  # Any: Matplotlib's images
    for column, (name, values) in zip(axes.T, restored.items(), strict=True):
        image = draw_section(column[0], np.where(line.known[:, None], values, np.nan), line, clip=line.clip)
        draw_section(column[1], np.where(line.known[:, None], line.truth - values, np.nan), line, clip=line.clip)
        column[0].set_title(f"{short(name)}\n{labels.get(name, '')}".strip())
        column[1].set_title("truth − output", fontweight="normal")
    for row in axes:
        row[0].set_ylabel(time_label(line.fs_hz))
    figure.colorbar(image, ax=list(axes.ravel()), label="amplitude", pad=0.01, aspect=45, extend="both")
    _finish(figure, axes, title)
    return figure


def draw_section(axes: Axes, values: Array, line: Line, *, clip: float) -> Any:  # Any: Matplotlib's image
    """Draw a panel (trace, time), white at 0, time downwards, missing traces grey; returns the image."""
    n_traces, n_time = values.shape
    step = 1.0 if line.fs_hz is None else 1 / line.fs_hz
    axes.set_facecolor(DEAD)
    image = axes.imshow(
        values.T, aspect="auto", cmap="RdBu_r", vmin=-clip, vmax=clip, interpolation="nearest",
        extent=(0.5, n_traces + 0.5, (n_time - 0.5) * step, -0.5 * step),
    )  # fmt: skip
    mark_missing(axes, line)
    axes.set_xlabel("trace (from 1)")
    return image


def mark_missing(axes: Axes, line: Line) -> None:
    """Draw bars above the axes where traces are missing, and limit the axes to what is shown."""
    bars = [(float(trace) + 0.5, 1.0) for trace in np.flatnonzero(~line.is_live)]
    above = axes.get_xaxis_transform()
    axes.broken_barh(bars, (1.005, 0.025), transform=above, color=BLACK, linewidth=0, clip_on=False)
    first, behind = line.shown
    axes.set_xlim(first + 0.5, behind + 0.5)


def time_label(fs_hz: float | None) -> str:
    """Return the name of the axis of time with its unit."""
    return "time (samples)" if fs_hz is None else "time (s)"


def _finish(figure: Figure, axes: Array, title: str) -> None:
    for one in axes.ravel():
        one.tick_params(labelsize=SMALL)
        one.xaxis.label.set_size(SMALL + 1)
        one.spines[["top", "right"]].set_visible(True)
        one.set_title(one.get_title(loc="left"), fontsize=11, pad=9)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
