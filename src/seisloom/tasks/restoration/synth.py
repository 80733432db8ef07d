"""Panels that are made: gathers by rays, and sections of folded and faulted layers without their noise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from seisloom.io.volumes.grid import whole
from seisloom.physics.gathers.make import make_gather
from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.draw import draw_volume
from seisloom.physics.volumes.model import VolumeModel
from seisloom.sample import Array


def make_panel(synth: Any, index: int, *, seed: int) -> tuple[Array, Array, float]:  # Any: a SyntheticPanels
    """Return amplitudes (line, trace, time), offsets in m (line, trace), NaN for sections, and the rate in Hz.

    Args:
        synth: a `seisloom.tasks.restoration.recipe.SyntheticPanels`.
        index: number of the panel; with the seed it decides everything.
        seed: of the recipe.
    """
    is_section = synth.kind == "poststack" or (synth.kind == "both" and index % 2 == 1)
    if not is_section:
        made = make_gather(synth.gathers, synth.shape[1:], seed=seed, index=index)
        return made.traces[None], made.offset_m[None], float(made.fs_hz)
    model = draw_volume(synth.shape, (seed << 32) + index, synth.sections)
    values = make_box(without_noise(model), whole(synth.shape))["seismic"]
    return values, np.full(values.shape[:2], np.nan), float("nan")


def without_noise(model: VolumeModel) -> VolumeModel:
    """Return a volume without any noise, footprint or burst."""
    noise = model.noise
    footprint = noise.footprint.copy()
    footprint[..., 0] = 0.0
    silent = replace(noise, white=0.0, coloured=0.0, coherent=0.0, footprint=footprint, bursts=noise.bursts[:0])
    return replace(model, noise=silent)
