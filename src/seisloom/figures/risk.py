"""What abstention buys: the error of the picks that are kept, against how many are kept."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from seisloom.figures.style import GREY, drawn, grid, method_looks, new_figure
from seisloom.sample import Array


@drawn
def draw_risk_coverage(
    curves: Mapping[str, tuple[Array, Array]],
    *,
    oracle: tuple[Array, Array] | None = None,
    unit: str = "samples",
    title: str = "",
) -> Figure:
    """Draw the mean error of kept picks against the kept share, a curve a method, the most certain picks first.

    Args:
        curves: by method, kept share (0 to 1) and risk, as `metrics.intervals.risk_coverage` gives them.
        oracle: the same for the order by true error: nothing can lie below it.
        unit: of the risk.
        title: for instance the data.
    """
    figure = new_figure(10.0, 5.6)
    axes = figure.subplots()
    looks = method_looks(curves)
    for name, (share, risk) in curves.items():
        share, risk = np.asarray(share) * 100, np.asarray(risk)
        axes.plot(share, risk, label=f"{name}: {risk[-1]:.3g} at 100 %", **looks[name])
        axes.plot(share[-1], risk[-1], "o", color=looks[name]["color"])
    if oracle is not None:
        axes.plot(np.asarray(oracle[0]) * 100, oracle[1], color=GREY, linewidth=1, label="best possible order")
    # The first few picks are a mean of a few: what they do is chance.
    shown = [np.asarray(risk)[np.asarray(share) >= 0.05] for share, risk in curves.values()]
    top = max((one.max() for one in shown if one.size), default=1.0)
    axes.set(
        xlim=(0, 101), ylim=(0, 1.08 * top if top > 0 else 1.0),
        xlabel="picks kept (%)", ylabel=f"mean |error| of kept picks ({unit})", title=title,
    )  # fmt: skip
    axes.legend(loc="upper left")
    grid(axes)
    return figure
