"""What is done to a panel before anybody sees it: the recipe's gaps and noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from seisloom.augment.augmentation import augment
from seisloom.sample import Array, Arrays, Schema
from seisloom.sample import Field as Axis
from seisloom.tasks.restoration.recipe import PLACE, RestorationRecipe

SEEN = Schema(
    (
        Axis("x", PLACE),
        Axis("live", PLACE[:2]),
        Axis("offset_m", ("trace",), unit="m"),
        Axis("fs", (), "float64", "Hz"),
    )
)
"""What entries of `corrupt` act on; `offset_m` is that of the first line."""


def corrupted(
    recipe: RestorationRecipe, key: str, arrays: Arrays, *, epoch: int
) -> tuple[Array, Array, Mapping[str, Any]]:  # Any: drawn numbers
    """Return a panel with gaps and noise, which of its traces are live, and what was drawn.

    Args:
        recipe: has the list `corrupt`.
        key: of the panel; with the epoch it decides what is drawn.
        arrays: `clean`, `known`, `offset_m` and `fs_hz` of it.
        epoch: 0 outside of training.
    Returns:
        Amplitudes (line, trace, time), 0 in dead traces; live, float32 (line, trace); drawn values by name.
    """
    import torch

    from seisloom.augment.batch import Batch

    known = arrays["known"]
    x = np.where(known[..., None] > 0, arrays["clean"], 0).astype(np.float32)
    given = {"x": x, "live": known, "offset_m": arrays["offset_m"][0], "fs": np.asarray(arrays["fs_hz"], np.float64)}
    tensors = {name: torch.from_numpy(np.array(one)[None]) for name, one in given.items()}
    found, drawn = augment(Batch(tensors, (key,), SEEN, epoch), recipe.corrupt, seed=recipe.seed)
    live = found.arrays["live"][0].numpy()
    return np.where(live[..., None] > 0, found.arrays["x"][0].numpy(), 0), live, drawn[0]


def words_for(drawn: Mapping[str, Any]) -> str:  # Any: drawn numbers
    """Return the entries that acted on a panel, in words: "missing, add_noise"; "nothing" for none.

    >>> words_for({"0.missing.live": 1, "1.0.add_noise.snr_db": 2, "1.0.add_noise.noise_key": 3})
    'missing, add_noise'
    """
    names = [path.split(".")[-2] for path in drawn]
    return ", ".join(dict.fromkeys(names)) or "nothing"
