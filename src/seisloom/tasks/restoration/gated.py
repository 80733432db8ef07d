"""The gate as a method: several methods, networks among them, blended by how well each fills hidden traces."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any, Literal

import numpy as np
from pydantic import Field

from seisloom import plugins
from seisloom.errors import RecipeError
from seisloom.sample import Array, Predictor
from seisloom.signal.restoration.gate import gate
from seisloom.signal.restoration.hidden import hidings
from seisloom.signal.restoration.panel import Restore
from seisloom.tasks.restoration.methods import FEWEST_TO_HIDE, FillMethod, Linear, on_panels

logger = logging.getLogger("seisloom")


class Gate(FillMethod):
    """Methods blended place by place by how well each fills traces that were hidden there; see `restoration.gate`.

    Each finds its own parameters first. What it says of the SNR to expect is logged.
    """

    name: str = "gate"
    fillers: tuple[str, ...] = ("linear", "cubic", "pocs", "fx", "mssa", "soft_impute", "plane_wave", "radon")
    """Methods that are blended, the simplest first."""
    networks: tuple[str, ...] = ("restoration-prestack", "restoration-poststack")
    """Bundles that are blended with them, by folder or shipped name; those that ship by default."""
    hidings: int = Field(6, ge=1)
    """How often live traces are hidden, to find parameters and to weigh the methods."""
    device: str = "auto"
    """What the networks run on: cpu, cuda, or auto."""

    def stands_beside(self, recipe: Any) -> bool:  # Any: a recipe of the room
        """Return False: it takes as long as all others together, and is scored where somebody names it."""
        return False

    def predictor(self, recipe: Any) -> Predictor:  # Any: a recipe of the room
        """Return the blend on items of panels; live traces come back as they are."""
        methods = [self._filler(name) for name in self.fillers]
        networks = {name: network(name, device=self.device) for name in self.networks}

        def work(x: Array, live: Array) -> Array:
            if live.all():
                return x
            if live.sum() < FEWEST_TO_HIDE:
                return Linear().choices[0].restore(x, live)
            hidden = hidings(live, self.hidings, np.random.default_rng(0))
            found = gate(x, live, {one.name: one.chosen(x, live) for one in methods} | networks, hidden)
            shares = ", ".join(
                f"{name} {share:.0%}"
                for name, share in zip(found.names, found.weights.mean(axis=(1, 2)), strict=True)
                if share >= 0.01
            )
            judged = "; the traces that chose it judge it" if len(hidden) == 1 else ""
            logger.info("hidden traces were filled with %.1f dB by %s%s", found.snr_db, shares, judged)
            return found.values

        return on_panels(work)

    def _filler(self, name: str) -> FillMethod:
        kind = plugins.load("methods", name)
        if not issubclass(kind, FillMethod) or issubclass(kind, Gate):
            raise RecipeError(f"gate.fillers: {name} is no method that fills panels")
        made: FillMethod = kind(name=name, tune=self.tune, hidings=self.hidings)
        return made


def network(
    name: str, goal: Literal["fill", "denoise"] = "fill", *, device: str = "auto", key: str = "gate.networks"
) -> Restore:
    """Return a bundle as a function of one panel (trace, time).

    Args:
        name: folder, or name of a shipped one.
        goal: what it is to do.
        device: cpu, cuda, or auto.
        key: that names it, for what is said if it is of another room.
    Raises:
        PluginError, RecipeError: if there is no such bundle, or it is of another room.
    """
    from seisloom.bundle import open_predictor
    from seisloom.tasks.restoration.apply import estimate

    opened = open_predictor(name, device=device)
    if opened.task.name != "restoration":
        raise RecipeError(f"{key}: {name} is of the room {opened.task.name}")
    opened = opened.with_changes(f"goal={goal}")
    recipe: Any = opened.recipe  # Any: one of this room, as its task says
    return partial(_restored, partial(estimate, recipe, opened.predictor))


def _restored(restore: Any, values: Array, is_live: Array) -> Array:  # Any: `estimate` of a bundle
    found: Array = restore(values[None].astype(np.float32), is_live[None])[0]
    return found.astype(values.dtype)
