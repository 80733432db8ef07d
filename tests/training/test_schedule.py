"""Terms that begin to count later: how much they weigh when, and that validation counts them in full."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from seisloom.augment.batch import Batch
from seisloom.config import LossTerm
from seisloom.recipe import read_recipe
from seisloom.sample import Schema
from seisloom.training.module import Module, sum_terms

TERMS = {"presence": torch.tensor(3.0), "onset_error": torch.tensor(4.0)}
LATER = "loss=[{name: presence, weight: 2}, {name: onset_error, weight: 0.5, from_share: 0.25, ramp_share: 0.5}]"


@pytest.mark.parametrize(("share", "weight"), [(0, 0), (0.2, 0), (0.25, 0), (0.5, 0.25), (0.75, 0.5), (1, 0.5)])
def test_a_weight_begins_and_rises_on_a_line(share: float, weight: float) -> None:
    recipe = read_recipe("picking", [LATER])
    assert float(sum_terms(TERMS, recipe, share=share)) == pytest.approx(2 * 3 + weight * 4)


def test_a_weight_without_a_rise_is_there_at_once_and_without_keys_always() -> None:
    late = LossTerm(name="one", weight=3, from_share=0.5)
    assert [late.weight_at(share) for share in (0, 0.49, 0.5, 1)] == [0, 0, 3, 3]
    always = LossTerm(name="one", weight=3)
    assert [always.weight_at(share) for share in (0, 1)] == [3, 3]
    for changes in ({"from_share": 1.0}, {"ramp_share": -0.1}):
        with pytest.raises(ValidationError):
            LossTerm.model_validate({"name": "one", **changes})


def test_learnt_weights_keep_to_the_schedule() -> None:
    recipe = read_recipe("picking", [LATER, "train.learn_weights=true"])
    s = torch.tensor([0.3, -0.2])
    before = sum_terms(TERMS, recipe, s, share=0.1)
    alone = sum_terms(
        {"presence": TERMS["presence"]}, read_recipe("picking", ["loss=[{name: presence, weight: 2}]"]), s[:1]
    )
    torch.testing.assert_close(before, alone)


class Fixed(torch.nn.Module):
    """Gives logits of presence that are one parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))


@pytest.mark.parametrize(("step", "share"), [(0, 0.0), (10, 0.5), (20, 1.0), (25, 1.0)])
def test_training_counts_by_its_steps_and_validation_in_full(
    step: int, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = read_recipe("picking", [LATER])
    module = Module(Fixed(), recipe)
    trainer = SimpleNamespace(global_step=step, estimated_stepping_batches=20)
    module._trainer = trainer  # type: ignore[assignment]  # only these two numbers are asked for
    logged: dict[str, Any] = {}  # Any: tensors and floats
    monkeypatch.setattr(module, "_terms", lambda outputs, batch: TERMS)
    monkeypatch.setattr(module, "forward", lambda batch: {})
    monkeypatch.setattr(module, "log_dict", lambda values, **_: logged.update(values))
    monkeypatch.setattr(module, "log", lambda *_, **__: None)
    module.valid_metrics.clear()
    monkeypatch.setattr("seisloom.training.module.augment", lambda batch, *_, **__: (batch, None))
    batch = Batch({"x": torch.zeros(1, 1, 4)}, ("one",), Schema(()))
    loss = module.training_step(batch, 0)
    assert float(loss) == pytest.approx(float(sum_terms(TERMS, recipe, share=share)))
    module.validation_step(batch, 0)
    assert float(logged["valid/loss"]) == pytest.approx(2 * 3 + 0.5 * 4)
    assert float(logged["train/onset_error"]) == 4.0, "terms are logged apart, unweighted"
