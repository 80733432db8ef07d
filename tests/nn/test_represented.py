"""Representations stand before a network wherever it is built, and leave the batch as it is."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from seisloom.nn.represented import Represented


class Times(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {**batch, "x": self.factor * batch["x"] + 1}


class Sum(nn.Module):
    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"sum": batch["x"].sum(), "mask": batch["mask"]}


def test_they_act_in_their_order_on_a_batch_that_stays() -> None:
    batch = {"x": torch.ones(3), "mask": torch.zeros(3)}
    found = Represented([Times(2.0), Times(10.0)], Sum())(batch)
    assert float(found["sum"]) == 3 * ((1 * 2 + 1) * 10 + 1)
    assert found["mask"] is batch["mask"]
    assert float(batch["x"].sum()) == 3
