"""Velocity spectra with the curves of their modes, picks, masks and limits of the array."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

from seisloom.errors import DataError
from seisloom.figures.dispersion_modes import COLOURS, draw_curves, draw_picks, picked_modes
from seisloom.figures.profile import draw_profile as draw_profile
from seisloom.figures.style import BLUE, drawn, new_figure
from seisloom.sample import Array
from seisloom.signal.velocity_spectra.limits import ArrayLimits

SHADES = "gray_r"
"""Even steps of lightness, and no hue: those are the modes'."""


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
        handles = [*draw_curves(panels[0], f, c, np.asarray(curves, float), flags or {}), *handles]
    if picks is not None:
        modes = [] if curves is not None else picked_modes(np.asarray(picks, float))
        handles = [*modes, *handles, *draw_picks(panels[0], f, picks, lower, upper, pick_label, interval_label)]
    panels[0].set(title=title, ylabel="phase velocity (m/s)")
    if masks is not None:
        _masks(panels[1], f, c, np.asarray(masks, float))
    for one in panels:
        _as_spaced(one, f, c)
        one.set(xlim=(f[0], f[-1]), ylim=(c[0], c[-1]), xlabel="frequency (Hz)")
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
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
