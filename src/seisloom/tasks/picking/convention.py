"""How a line's human picks differ from the onset that a picker sees: what `data.pick_shift_s` mends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seisloom.tasks.picking.records import PickRecord

if TYPE_CHECKING:
    from seisloom.bundle import Opened

NEAR_S = 0.008
"""Picks that differ by more are misses of one or the other, and no matter of convention."""


@dataclass(frozen=True, slots=True)
class Lateness:
    """By how much human picks come after a picker's, in s: median and quartiles over so many picks."""

    median_s: float
    quartiles_s: tuple[float, float]
    n_picks: int


def label_convention(opened: Opened, records: Iterable[PickRecord]) -> dict[str, Lateness]:
    """Return how late the human picks of each line are.

    People pick the onset, the first trough, or something between, each line in its own way. A picker that was trained
    on synthetic records alone, whose onsets are known, is the same yardstick for all lines.

    Args:
        opened: that picker.
        records: whole records with human picks; of the shots that train, when a model is to be made with the result.
    """
    table = opened.task.apply(opened.recipe, opened.predictor, None, records)
    late_s = (table["truth_s"] - table["time_s"]).to_numpy(float)
    found = {}
    for line in sorted(set(table["geometry"])):
        here = late_s[(table["geometry"] == line).to_numpy() & (np.abs(late_s) < NEAR_S)]
        if here.size:
            low, middle, high = np.quantile(here, [0.25, 0.5, 0.75])
            found[str(line)] = Lateness(float(middle), (float(low), float(high)), int(here.size))
    return found
