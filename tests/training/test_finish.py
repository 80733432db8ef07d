"""The last stage: it changes the parts that it names, and learns how far a spread is to be believed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor, nn

from seisloom.recipe import FinishConfig, Recipe
from seisloom.split import split
from seisloom.tasks.picking.network import Trust
from seisloom.tasks.picking.task import PICKING
from seisloom.training.finish import finish
from seisloom.training.loader import LiveSource, loader

Tiny = Callable[..., Recipe]
NLL = ("loss=[{name: onset_nll, density: laplace}]", "augment=[]", "train.batch_size=4")


class Oracle(nn.Module):
    """Errs by so much as its spread says, or by the same everywhere, and gives its spread to `Trust`."""

    def __init__(self, *, honest: bool) -> None:
        super().__init__()
        self.trust, self.other, self.honest = Trust(0.0), nn.Linear(1, 1), honest
        self.draws = torch.Generator().manual_seed(0)

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        y = batch["y_idx"]
        log_sigma = torch.randn(y.shape, generator=self.draws)
        error = torch.distributions.Laplace(0.0, 1 / 2**0.5).sample(y.shape)
        return {
            "mean": y + error * (log_sigma.exp() if self.honest else 1.0),
            "log_sigma": self.trust(log_sigma) + 0 * self.other.weight.sum(),
        }


def finished(network: nn.Module, tiny: Tiny, *, parts: str = "trust", steps: int = 200) -> nn.Module:
    recipe = tiny(*NLL)
    source = LiveSource(PICKING, recipe)
    valid = split(source.refs, seed=recipe.seed, config=recipe.split)["valid"]
    config = FinishConfig(parts=(parts,), steps=steps, lr=0.02)
    finish(network, recipe, loader(PICKING, recipe, source, valid, training=True), config)
    return network


@pytest.mark.parametrize(("honest", "scale"), [(True, 1.0), (False, 0.0)])
def test_a_spread_that_orders_the_errors_is_kept_and_one_that_does_not_becomes_constant(
    tiny: Tiny, honest: bool, scale: float
) -> None:
    torch.manual_seed(0)
    network = finished(Oracle(honest=honest), tiny)
    assert isinstance(network, Oracle)
    assert float(network.trust.scale) == pytest.approx(scale, abs=0.2)
    assert float(network.trust.shift) == pytest.approx(0.0, abs=0.2)


def test_only_the_parts_that_are_named_change(tiny: Tiny) -> None:
    network = tiny().model.build(PICKING.item)
    before = {name: one.clone() for name, one in network.state_dict().items()}
    finished(network, tiny, parts="spread", steps=3)
    changed = {name.split(".")[0] for name, one in network.state_dict().items() if not torch.equal(one, before[name])}
    assert changed == {"spread"}
    assert all(one.requires_grad for one in network.parameters())


def test_a_part_that_the_network_lacks_is_left_out_and_said(tiny: Tiny, caplog: pytest.LogCaptureFixture) -> None:
    finished(Oracle(honest=True), tiny, parts="spred", steps=1)
    assert "no part spred (it has trust, other)" in caplog.text
