"""What every network must keep."""
# ruff: noqa: PT018 -- these are asserts of a library, not of a pytest test

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from seisloom.errors import LeftOut
from seisloom.recipe import Recipe
from seisloom.sample import Arrays
from seisloom.task import Task, task_of
from seisloom.testing.same import assert_same

if TYPE_CHECKING:
    from torch import Tensor, nn

    from seisloom.config import ModelConfig
    from seisloom.training.closed_form import ClosedForm

N_STEP, N_CLOSED_FORM = 2, 12
"""Items that a step is taken on, and that a network in closed form learns from."""


def first_items(task: Task[Any], recipe: Recipe, *, n: int = N_STEP) -> Arrays:  # Any: any room
    """Return the first `n` items of one size of a room's data as arrays with a leading axis `item`.

    Items with a sample that does not qualify are passed over; fewer than `n` come where there are fewer.
    """
    by_size: dict[int, list[Arrays]] = {}
    for item in task.group(recipe, task.plan(recipe), False):
        try:
            found = task.join(recipe, [task.read(recipe, ref) for ref in item], None)
        except LeftOut:
            continue
        some = by_size.setdefault(len(item), [])
        some.append(found)
        if len(some) == n:
            break
    chosen = max(by_size.values(), key=len)
    names = [field.name for field in task.item.fields if not field.optional or field.name in chosen[0]]
    return {name: np.stack([one[name] for one in chosen]) for name in names}


def n_items(entry: ModelConfig) -> int:
    """Return how many items a network is tried on: one in closed form needs some of each class."""
    return N_CLOSED_FORM if entry.is_closed_form else N_STEP


def as_batch(items: Arrays) -> dict[str, Tensor]:
    """Return items as tensors."""
    import torch

    return {name: torch.from_numpy(np.ascontiguousarray(one)) for name, one in items.items()}


def check_model(entry: ModelConfig, recipe: Recipe, *, items: Arrays | None = None) -> None:
    """Check that a network can be trained, stored and applied in the room of a recipe.

    The recipe's losses take its outputs and teach it by a step against their gradient; a network in closed form learns
    from the items at once instead. What it has learnt stands for all that follows: its outputs fill the promised fields
    and are finite; an item's outputs do not depend on the other items of its batch (but for the last bits of float32);
    two calls in evaluation are bit-equal; and its weights, stored and read back, give the same outputs.

    Args:
        entry: the entry `model:`.
        recipe: a recipe of the room; its losses and representations are tried. Its own model plays no part.
        items: arrays of at least two items with a leading axis `item`; by default the first of the recipe's data. A
            network in closed form takes each of them for a group of its own, and needs items of every class.
    Raises:
        AssertionError: with what was promised and what came instead.
    """
    import torch

    own = recipe.model_copy(update={"model": entry})
    batch = as_batch(first_items(task_of(own), own, n=n_items(entry)) if items is None else items)
    torch.manual_seed(0)
    network = own.network(task_of(own).item)
    where = f"model {entry.name}"
    assert type(entry).model_validate(entry.model_dump()) == entry, f"{where}: its entry does not survive a recipe"

    before = {name: one.numpy().tobytes() for name, one in network.state_dict().items()}
    if entry.is_closed_form:
        learn_at_once(network, batch)
    else:
        _step(network, own, batch, where)
    after = {name: one.numpy().tobytes() for name, one in network.state_dict().items()}
    assert after != before, f"{where}: the network is the same before and after it learns"
    _check_outputs(network.eval(), own, batch, where)


def _step(network: nn.Module, recipe: Recipe, batch: Mapping[str, Tensor], where: str) -> None:
    """Take a step of the room's learning rate against the gradient of the sum of all losses."""
    import torch

    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.train.lr, weight_decay=0.0)
    torch.stack(list(_losses(network, recipe, batch, where).values())).sum().backward()  # type: ignore[no-untyped-call]
    gradients = {name: one.grad for name, one in network.named_parameters() if one.grad is not None}
    bad = [name for name, one in gradients.items() if not bool(torch.isfinite(one).all())]
    assert not bad, f"{where}: the gradient of {bad[0]} is not finite"
    assert any(bool(one.any()) for one in gradients.values()), f"{where}: the losses teach no parameter"
    optimizer.step()


def learn_at_once(network: nn.Module, batch: Mapping[str, Tensor]) -> None:
    """Let a network in closed form learn from all items, each a group of its own."""
    import torch

    n_item = len(next(iter(batch.values())))
    with torch.no_grad():
        cast("ClosedForm", network).learn(batch, [str(k) for k in range(n_item)])


def _losses(network: nn.Module, recipe: Recipe, batch: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    """Return each term of the loss, checked: a finite scalar."""
    import torch

    outputs = network(batch)
    terms = {one.name: one(outputs, batch) for one in recipe.loss}
    for name, value in terms.items():
        assert value.ndim == 0 and bool(torch.isfinite(value)), f"{where}: loss {name} is {value}"
    return terms


def _check_outputs(network: nn.Module, recipe: Recipe, batch: Mapping[str, Tensor], where: str) -> None:
    """Check what a network gives in evaluation: for all items, for each alone, and once it has been stored."""
    import torch
    from safetensors.torch import load, save

    task = task_of(recipe)
    # Not in inference mode, as no bundle is opened there: torch may take other kernels for weights that are born in it
    fresh = recipe.network(task.item)
    fresh.load_state_dict(load(save({name: one.contiguous() for name, one in network.state_dict().items()})))
    fresh.eval()
    with torch.inference_mode():
        _losses(network, recipe, batch, where)
        outputs = {name: one.numpy() for name, one in network(batch).items()}
        again = {name: one.numpy() for name, one in network(batch).items()}
        assert_same(outputs, again, f"{where}: two calls")
        n_item = len(next(iter(batch.values())))
        for k in range(n_item):
            promised = {field.name: outputs[field.name][k] for field in task.output.fields if field.name in outputs}
            task.output.check(promised, where=where)
            alone = network({name: one[k : k + 1] for name, one in batch.items()})
            for field in [one for one in task.output.fields if one.name in promised]:
                assert np.isfinite(outputs[field.name]).all(), f"{where}: {field.name} is not finite"
                off = np.abs(alone[field.name][0].numpy() - outputs[field.name][k]).max(initial=0.0)
                # float32 sums in another order: a few units in the sixth digit
                room = 1e-3 * max(1.0, float(np.abs(outputs[field.name]).max()))
                assert off <= room, f"{where}: {field.name} of an item alone differs by {off:g} from the batch"
        stored = {name: one.numpy() for name, one in fresh(batch).items()}
        assert_same(outputs, stored, f"{where}: weights that were stored and read back")
