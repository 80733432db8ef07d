"""Velocity spectra with the curves of their modes, picks and limits of the array; and profiles of Vs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

from seisloom.errors import DataError
from seisloom.figures.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALE,
    PURPLE,
    SKY,
    VERMILION,
    drawn,
    grid,
    new_figure,
)
from seisloom.sample import Array
from seisloom.signal.velocity_spectra.limits import ArrayLimits

SHADES = "gray_r"
"""Even steps of lightness, and no hue: those are the modes'."""
COLOURS = (VERMILION, SKY, ORANGE, GREEN, PURPLE, BLUE)
"""Of the modes, the fundamental one first; they repeat. Told apart from grey of any shade by their white rims."""
KINDS: tuple[tuple[str, Any], ...] = (  # Any: Matplotlib's line styles
    ("resolved and excited", "-"),
    ("not resolved from another mode", (0, (4, 1.6))),
    ("hardly excited, or aliased", (0, (1, 1.4))),
)
"""What a curve's line says, from good to bad."""
RIM = [Stroke(linewidth=4.0, foreground="white"), Normal()]
"""Parts a line from a dark spectrum."""


@drawn
def draw_dispersion(
    spectrum: Array,
    *,
    frequency_hz: Array,
    velocity_m_s: Array,
    curves: Array | None = None,
    flags: Mapping[str, Array] | None = None,
    picks: Array | None = None,
    lower: Array | None = None,
    upper: Array | None = None,
    limits: ArrayLimits | None = None,
    masks: Array | None = None,
    pick_label: str = "pick",
    interval_label: str = "90 % interval",
    title: str = "",
) -> Figure:
    """Draw a spectrum in shades of grey, the strongest black, with a colour for each mode.

    A curve is solid where it is resolved and excited, dashed where it is not resolved, dotted where it is not excited
    or is aliased; the legend says so. It is cut at the border of the spectrum.

    Args:
        spectrum: (velocity, frequency), any unit; NaN is not drawn.
        frequency_hz, velocity_m_s: rising, (frequency,) and (velocity,).
        curves: phase velocities in m/s, (mode, frequency), NaN where there is no mode.
        flags: `resolved`, `excited` and `aliased`, 0 or 1, (mode, frequency); without one of them nothing is said.
        picks, lower, upper: picks and interval ends in m/s, (mode, frequency), NaN where there is none. Dots and bars,
            in the colours of the modes.
        limits: of the array; lines at which a wavelength is the array's length, above which little is resolved; twice
            the least spacing, below which waves of either direction alias; and the mean offset (NACD 1), above which
            the near field makes waves come out too slow.
        masks: (mode, velocity, frequency), 0 to 1: drawn in a second panel.
        pick_label, interval_label: what picks and bars are.
        title: for instance the record.
    Raises:
        DataError: if shapes do not fit the axes.
    """
    spectrum, f, c = np.asarray(spectrum, float), np.asarray(frequency_hz, float), np.asarray(velocity_m_s, float)
    _check((len(c), len(f)), spectrum, masks)
    by_mode = {"curves": curves, **(flags or {}), "picks": picks, "lower": lower, "upper": upper}
    for name, one in by_mode.items():
        if one is not None and (np.ndim(one) != 2 or np.shape(one)[1] != len(f)):
            raise DataError(f"{name} has shape {np.shape(one)}; give (mode, frequency) with {len(f)} frequencies")
    for name, one in (flags or {}).items():
        if curves is not None and np.shape(one) != np.shape(curves):
            raise DataError(f"{name} has shape {np.shape(one)}, and curves {np.shape(curves)}; flags are of curves")
    figure = new_figure(10.0 if masks is None else 15.0, 6.8)
    panels = figure.subplots(1, 1 if masks is None else 2, sharey=True, sharex=True, squeeze=False)[0]
    image = panels[0].pcolormesh(f, c, spectrum, cmap=SHADES, shading="nearest", rasterized=True)
    figure.colorbar(image, ax=panels[0], label="spectrum", pad=0.015)
    handles: list[Line2D] = []
    if limits is not None:
        handles += _limits(panels[0], f, c, limits)
    if curves is not None:
        handles = [*_curves(panels[0], f, c, np.asarray(curves, float), flags or {}), *handles]
    if picks is not None:
        modes = [] if curves is not None else _picked_modes(np.asarray(picks, float))
        handles = [*modes, *handles, *_picks(panels[0], f, picks, lower, upper, pick_label, interval_label)]
    panels[0].set(title=title, ylabel="phase velocity (m/s)")
    if masks is not None:
        _masks(panels[1], f, c, np.asarray(masks, float))
    for one in panels:
        _as_spaced(one, f, c)
        one.set(xlim=(f[0], f[-1]), ylim=(c[0], c[-1]), xlabel="frequency (Hz)")
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


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


def _as_spaced(axes: Axes, f: Array, c: Array) -> None:
    """Make an axis logarithmic where its values are at equal ratios, with plain numbers along it."""
    for values, name in ((f, "x"), (c, "y")):
        if len(values) > 2 and np.ptp(np.diff(np.log(values))) < 1e-6:
            getattr(axes, f"set_{name}scale")("log")
            axis = getattr(axes, f"{name}axis")
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.set_major_formatter(FormatStrFormatter("%g"))
            axis.set_minor_formatter(NullFormatter())


def _check(shape: tuple[int, int], spectrum: Array, masks: Array | None) -> None:
    if spectrum.shape != shape or 0 in shape:
        raise DataError(f"a spectrum of shape {spectrum.shape} does not fit its axes, (velocity, frequency) {shape}")
    if masks is not None and (np.ndim(masks) != 3 or np.shape(masks)[1:] != shape):
        raise DataError(f"masks have shape {np.shape(masks)}; give (mode, velocity, frequency) with {shape}")


def _curves(axes: Axes, f: Array, c: Array, curves: Array, flags: Mapping[str, Array]) -> list[Line2D]:
    """Draw curves by what their flags say, and return a line for each mode in view and for each kind that there is."""
    kind = np.zeros(curves.shape, dtype=int)
    kind[~np.asarray(flags.get("resolved", np.ones(curves.shape)), bool)] = 1
    weak = ~np.asarray(flags.get("excited", np.ones(curves.shape)), bool)
    kind[weak | np.asarray(flags.get("aliased", np.zeros(curves.shape)), bool)] = 2
    modes, kinds = [], set()
    for m, curve in enumerate(curves):
        colour = COLOURS[m % len(COLOURS)]
        for k, x, y in _runs(f, curve, kind[m]):
            axes.plot(x, y, color=colour, linewidth=2.2, linestyle=KINDS[k][1], path_effects=RIM, zorder=4)
            kinds.add(k)
        if ((curve >= c[0]) & (curve <= c[-1])).any():
            modes.append(Line2D([], [], color=colour, linewidth=2.4, label=_name(m)))
    said = [Line2D([], [], color=BLACK, linewidth=1.8, linestyle=KINDS[k][1], label=KINDS[k][0]) for k in sorted(kinds)]
    return modes + (said if flags else [])


def _runs(f: Array, curve: Array, kind: Array) -> Iterator[tuple[int, Array, Array]]:
    """Yield stretches of one kind, each up to where the next one begins; a line between two kinds is of the worse."""
    there = np.isfinite(curve[:-1]) & np.isfinite(curve[1:])
    between = np.where(there, np.maximum(kind[:-1], kind[1:]), -1)
    starts = np.flatnonzero(np.diff(between, prepend=-2))
    for first, stop in zip(starts, [*starts[1:], len(between)], strict=True):
        if between[first] >= 0:
            yield int(between[first]), f[first : stop + 1], curve[first : stop + 1]


def _picks(
    axes: Axes, f: Array, picks: Array, lower: Array | None, upper: Array | None, pick_label: str, interval_label: str
) -> list[Line2D]:
    """Bars below, dots above; as wide as frequencies are apart where there are few."""
    width = float(np.clip(240 / len(f), 2.0, 6.0))
    for m, pick in enumerate(np.asarray(picks, float)):
        there, colour = np.isfinite(pick), COLOURS[m % len(COLOURS)]
        if lower is not None and upper is not None:
            ends = np.asarray(lower, float)[m][there], np.asarray(upper, float)[m][there]
            axes.vlines(f[there], *ends, color=colour, alpha=0.5, linewidth=width, zorder=5)
        axes.plot(
            f[there],
            pick[there],
            "o",
            color=colour,
            markeredgecolor="white",
            markersize=4,
            markeredgewidth=0.6,
            zorder=6,
        )
    dot = Line2D([], [], color=BLACK, marker="o", markersize=6, linestyle="none", label=pick_label)
    bar = Line2D([], [], color=BLACK, alpha=0.5, linewidth=6, label=interval_label)
    return [dot, bar] if lower is not None and upper is not None else [dot]


def _picked_modes(picks: Array) -> list[Line2D]:
    """Return an entry of the legend for each mode that is picked."""
    there = np.flatnonzero(np.isfinite(picks).any(axis=1))
    return [
        Line2D([], [], color=COLOURS[m % len(COLOURS)], marker="o", markersize=6, linestyle="none", label=_name(int(m)))
        for m in there
    ]


def _limits(axes: Axes, f: Array, c: Array, limits: ArrayLimits) -> list[Line2D]:
    """Lines of one wavelength, c = lambda f, that cross the window."""
    lines = (
        (limits.longest_wavelength_m, "-.", f"wavelength {limits.longest_wavelength_m:.3g} m, the array's length"),
        (2 * limits.spacing_m, ":", f"wavelength {2 * limits.spacing_m:.3g} m, twice the spacing"),
        (limits.mean_offset_m, "--", f"wavelength {limits.mean_offset_m:.3g} m, NACD 1"),
    )
    drawn_lines = []
    for wavelength, style, label in lines:
        if (wavelength * f > c[0]).any() and (wavelength * f < c[-1]).any():
            drawn_lines += axes.plot(f, wavelength * f, color=BLUE, linewidth=1.1, linestyle=style, label=label)
    return drawn_lines


def _masks(axes: Axes, f: Array, c: Array, masks: Array) -> None:
    """Draw masks on white, each in its mode's colour; where they overlap, colours mix as inks do."""
    shown = np.ones((*masks.shape[1:], 3))
    for m, mask in enumerate(masks):
        ink = 1 - np.array(to_rgb(COLOURS[m % len(COLOURS)]))
        shown *= 1 - np.clip(np.nan_to_num(mask), 0, 1)[..., None] * ink
    axes.pcolormesh(f, c, shown, shading="nearest", rasterized=True)
    axes.set_title("masks of the modes")


def _name(mode: int) -> str:
    return "mode 0 (fundamental)" if mode == 0 else f"mode {mode}"
