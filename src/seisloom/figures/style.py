"""The look that all figures share: colours that colour-blind readers tell apart, text readable at 1000 pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

P = ParamSpec("P")

# Okabe & Ito (2008), Color universal design: distinct for all common kinds of colour blindness.
BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW, VERMILION = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#F0E442", "#D55E00",
)  # fmt: skip
BLACK, GREY, PALE = "#1A1A1A", "#7F7F7F", "#E6E6E6"

PICK, HUMAN, REFUSED = VERMILION, BLUE, GREY
"""A pick of ours, one of a person, and one that was abstained from: the same in every figure."""

_METHODS = (VERMILION, BLUE, GREEN, PURPLE, ORANGE, SKY, BLACK)
_LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))

_MOST_LETTERS = 32
"""Of a method's name in a legend; two panels of 500 pixels hold about 50 letters each."""

_LOOK: Any = {  # Any: Matplotlib types the names of its settings one by one
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelsize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": PALE,
    "grid.linewidth": 0.8,
    "legend.frameon": True,
    "legend.framealpha": 0.92,
    "legend.edgecolor": PALE,
    "legend.fontsize": 10,
    "lines.linewidth": 1.8,
    "figure.dpi": 100,
    "savefig.dpi": 100,
}


def drawn(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Return the drawing function with the shared look while it draws; the user's own settings are left alone."""

    @wraps(draw)
    def with_look(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with mpl.rc_context(_LOOK):
            return draw(*args, **kwargs)

    return with_look


def new_figure(width: float = 10.0, height: float = 5.6) -> Figure:
    """Return an empty figure in inches, 100 dots each; it belongs to nobody's global list of figures."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def method_looks(names: Iterable[str]) -> dict[str, dict[str, Any]]:  # Any: Matplotlib's own values
    """Return colour and line style of each method by its place in the list; after seven they repeat."""
    return {
        name: {"color": _METHODS[i % len(_METHODS)], "linestyle": _LINES[i % len(_LINES)]}
        for i, name in enumerate(names)
    }


def short(name: str) -> str:
    """Return the end of a long name: a legend with a whole path in it would leave no room for the curves.

    >>> short("a-long-name/surveys/line-12/bundles/refraction")
    '…veys/line-12/bundles/refraction'
    """
    return name if len(name) <= _MOST_LETTERS else "…" + name[1 - _MOST_LETTERS :]


def grid(axes: Axes) -> None:
    """Draw a pale grid behind the data."""
    axes.grid(True)


def write_nothing(axes: Axes, text: str) -> None:
    """Say in the middle of empty axes why they are empty."""
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, color=GREY)
