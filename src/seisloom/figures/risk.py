"""What abstention buys: the error of the picks that are kept, against how many are kept."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from seisloom.figures.style import GREY, drawn, grid, method_looks, new_figure, short
from seisloom.sample import Array

SETTLED = 0.05
"""Kept share from which on a curve is shown in full."""
ROOM = 1.6
"""Errors of others are in view up to so many times the largest of the first method."""


@drawn
def draw_risk_coverage(
    curves: Mapping[str, tuple[Array, Array]],
    *,
    oracle: tuple[Array, Array] | None = None,
    noun: str = "picks",
    risk_label: str = "mean |error| of kept picks (samples)",
    title: str = "",
) -> Figure:
    """Draw the mean error of kept picks against the kept share, a curve a method, the most certain picks first.

    The axis ends a little above the first method's curve: one that is far worse would make it a flat line.

    Args:
        curves: by method, the one in question first, kept share (0 to 1) and risk, as
            `metrics.intervals.risk_coverage` gives them.
        oracle: the same for the order by true error: nothing can lie below it.
        noun: what is kept.
        risk_label: what the risk is, with its unit.
        title: for instance the data.
    """
    figure = new_figure(10.0, 5.6)
    axes = figure.subplots()
    looks = method_looks(curves)
    top = _top(curves)
    for name, (share, risk) in curves.items():
        share, risk = np.asarray(share) * 100, np.asarray(risk)
        beyond = "" if _settled(share / 100, risk).min(initial=np.inf) <= top else " (above the axis)"
        axes.plot(share, risk, label=f"{short(name)}: {risk[-1]:.3g} at 100 %{beyond}", **looks[name])
        axes.plot(share[-1], risk[-1], "o", color=looks[name]["color"])
    if oracle is not None:
        axes.plot(np.asarray(oracle[0]) * 100, oracle[1], color=GREY, linewidth=1, label="best possible order")
    axes.set(
        xlim=(0, 101), ylim=(0, top),
        xlabel=f"{noun} kept (%)", ylabel=risk_label, title=title,
    )  # fmt: skip
    if curves or oracle is not None:
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    grid(axes)
    return figure


def _settled(share: Array, risk: Array) -> Array:
    """The part of a curve that is not chance: the first few picks are a mean of a few."""
    return np.asarray(risk)[np.asarray(share) >= SETTLED]


def _top(curves: Mapping[str, tuple[Array, Array]]) -> float:
    """End of the axis: above the first method that has a curve, and above what of the others is not far worse."""
    settled = [one for share, risk in curves.values() if (one := _settled(share, risk)).size]
    if not settled or settled[0].max() <= 0:
        return 1.0
    every = np.concatenate(settled)
    return 1.08 * float(every[every <= ROOM * settled[0].max()].max())
