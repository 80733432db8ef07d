"""Curves and picks of modes on a spectrum: colours say which mode, lines how well an array can see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, Stroke

from seisloom.figures.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION
from seisloom.sample import Array

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


def draw_curves(axes: Axes, f: Array, c: Array, curves: Array, flags: Mapping[str, Array]) -> list[Line2D]:
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


def draw_picks(
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


def picked_modes(picks: Array) -> list[Line2D]:
    """Return an entry of the legend for each mode that is picked."""
    there = np.flatnonzero(np.isfinite(picks).any(axis=1))
    return [
        Line2D([], [], color=COLOURS[m % len(COLOURS)], marker="o", markersize=6, linestyle="none", label=_name(int(m)))
        for m in there
    ]


def _name(mode: int) -> str:
    return "mode 0 (fundamental)" if mode == 0 else f"mode {mode}"
