"""Sizes of the room's networks: each preset in sections and in volumes, and a step of each."""

from __future__ import annotations

import itertools

import pytest
import torch

from seisloom.tasks.interpretation.model import WIDTHS, InterpretationRefiner, InterpretationUNet
from seisloom.tasks.interpretation.recipe import ITEM

KINDS = (InterpretationUNet, InterpretationRefiner)
TASKS = {"fault": True, "rgt": True, "dhr": True}


def n_parameters(kind: type, dims: int, preset: str) -> int:
    with torch.device("meta"):
        network = kind(dims=dims, preset=preset, **TASKS).build(ITEM)
    return sum(one.numel() for one in network.parameters())


@pytest.mark.parametrize(("kind", "dims"), list(itertools.product(KINDS, (2, 3))))
def test_presets_grow_and_the_small_one_is_for_a_cpu(kind: type, dims: int) -> None:
    small, base, large = (n_parameters(kind, dims, preset) for preset in ("small", "base", "large"))
    assert small <= 700_000
    assert 2 * small < base
    assert 2 * base < large


@pytest.mark.parametrize(("dims", "preset"), list(WIDTHS))
def test_a_step_of_every_preset_reaches_all_weights(dims: int, preset: str) -> None:
    network = InterpretationUNet(dims=dims, preset=preset, **TASKS).build(ITEM)
    shape = (1, 1, 32, 32) if dims == 2 else (1, 1, 16, 16, 32)
    outputs = network({"x": torch.randn(shape, generator=torch.Generator().manual_seed(0))})
    assert set(outputs) == {"fault", "normal", "rgt", "rgt_steps", "dhr"}
    torch.stack([(one**2).mean() + one.mean() for one in outputs.values()]).sum().backward()
    still = [name for name, one in network.named_parameters() if one.grad is None or not one.grad.isfinite().all()]
    assert not still
