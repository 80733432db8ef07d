"""A network that says where signal is, and a panel that says how strong: denoising that loses little."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from seisloom.sample import Array, Predictor
from seisloom.signal.restoration.dct import dct_select
from seisloom.tasks.restoration.gated import network
from seisloom.tasks.restoration.methods import DenoiseMethod, on_panels


class GuidedDCT(DenoiseMethod):
    """Local cosine coefficients of the panel itself, those that a network's estimate has, and no others.

    Dead traces are the network's. See `seisloom.signal.restoration.dct.dct_select`.
    """

    name: str = "guided_dct"
    network: str = "restoration-denoising"
    """A bundle that denoises, by folder or shipped name."""
    threshold: float = Field(1.0, ge=0)
    """Of the network's coefficients, in standard deviations of the noise, which is measured."""
    device: str = "auto"
    """What the network runs on: cpu, cuda, or auto."""

    def stands_beside(self, recipe: Any) -> bool:  # Any: a recipe of the room
        """Return False: it is scored where somebody names it, with the network that they mean."""
        return False

    def predictor(self, recipe: Any) -> Predictor:  # Any: a recipe of the room
        """Return the method on items of panels.

        Raises:
            PluginError, RecipeError: if there is no such bundle, or it is of another room.
        """
        told = network(self.network, "denoise", device=self.device, key="guided_dct.network")

        def work(x: Array, live: Array) -> Array:
            guide = told(x, live)
            return dct_select(np.where(live[:, None], x, guide), guide, threshold=self.threshold)

        return on_panels(work)
