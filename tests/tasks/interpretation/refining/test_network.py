"""The refinement network corrects what it is given, by what does not depend on the tile, nor on signs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from seisloom.nn.integral import integral
from seisloom.recipe import read_recipe
from seisloom.tasks.interpretation.model import InterpretationRefiner
from seisloom.tasks.interpretation.network import flat_steps
from seisloom.tasks.interpretation.recipe import ITEM, InterpretationRecipe
from seisloom.tasks.interpretation.refining.network import RefinementNetwork, normal_of, products_of
from seisloom.tasks.interpretation.task import INTERPRETATION
from seisloom.testing import check_task

Small = Callable[..., InterpretationRecipe]
PLACES = {2: (2, 1, 40, 48), 3: (2, 12, 20, 24)}


def network(dims: int = 2, *, untrained: bool = False, **keys: bool) -> RefinementNetwork:
    """A tiny network, untrained or with weights that correct something."""
    torch.manual_seed(0)
    made = InterpretationRefiner(dims=dims, widths=(4, 8), **keys).build(ITEM).eval()
    assert isinstance(made, RefinementNetwork)
    if not untrained:
        with torch.no_grad():
            for decoder in made.unet.decoders.values():
                for parameter in decoder.get_submodule("head").parameters():
                    parameter.normal_(std=0.3)
    return made


def first_guess(dims: int) -> dict[str, Tensor]:
    """An image and outputs of a first network; in a section there is nothing across it."""
    rng, place = torch.Generator().manual_seed(1), PLACES[dims]

    def noise(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=rng)

    normal = noise(place[0], 3, *place[1:])
    normal[:, dims:] = 0
    steps = flat_steps(noise(place[0], 3, *place[1:])) + 0.2 * noise(place[0], 3, *place[1:])
    steps[:, : 3 - dims] = 0
    return {
        "x": noise(place[0], 1, *place[1:]),
        "guess_fault": 1.5 * noise(*place).clamp(-2, 2), "guess_normal": 2 * normal,
        "guess_rgt_steps": steps, "guess_dhr": noise(*place),
    }  # fmt: skip


def same_planes(a: Tensor, b: Tensor) -> float:
    """The smallest |cosine| between normals (item, 3, *place)."""
    return float(torch.cosine_similarity(a, b, dim=1).abs().min())


@pytest.mark.parametrize("dims", [2, 3])
def test_without_training_nothing_is_corrected(dims: int) -> None:
    given = first_guess(dims)
    with torch.no_grad():
        found = network(dims, untrained=True)(given)
    assert set(found) == {"fault", "normal", "rgt_steps", "rgt", "dhr"}
    torch.testing.assert_close(found["rgt"], integral(given["guess_rgt_steps"]))
    for name in ("fault", "rgt_steps", "dhr"):
        torch.testing.assert_close(found[name], given[f"guess_{name}"], rtol=0, atol=0)
    assert same_planes(found["normal"], given["guess_normal"]) > 1 - 1e-6


@pytest.mark.parametrize("dims", [2, 3])
def test_signs_and_lengths_of_normals_do_not_matter(dims: int) -> None:
    given, refine = first_guess(dims), network(dims)
    sign = torch.where(given["guess_dhr"] > 0, 0.25, -4.0)[:, None]
    changed = {**given, "guess_normal": sign * given["guess_normal"]}
    with torch.no_grad():
        one, other = refine(given), refine(changed)
    assert float((one["fault"] - given["guess_fault"]).abs().max()) > 0.1, "it corrects nothing"
    for name in ("fault", "rgt_steps", "dhr"):
        torch.testing.assert_close(other[name], one[name], rtol=0, atol=1e-4)
    assert same_planes(one["normal"], other["normal"]) > 1 - 1e-4


def test_the_image_is_seen_only_where_it_is_wanted() -> None:
    given = first_guess(2)
    other = {**given, "x": given["x"].flip(-1)}
    for image in (True, False):
        refine = network(2, image=image)
        with torch.no_grad():
            assert bool((refine(given)["fault"] == refine(other)["fault"]).all()) == (not image)


def test_overlapping_tiles_agree_where_both_see_far_enough() -> None:
    given, refine = first_guess(2), network(2)
    reach = refine.unet.reach
    first = 8
    assert first % refine.unet.multiple == 0
    tile = {name: one[..., first:, first:] for name, one in given.items()}
    with torch.no_grad():
        whole, part = refine(given), refine(tile)
    for name in whole.keys() - {"rgt"}:
        inside = part[name][..., reach:, reach:]
        assert inside.numel()
        torch.testing.assert_close(inside, whole[name][..., first + reach :, first + reach :], rtol=0, atol=2e-5)


@pytest.mark.parametrize("dims", [2, 3])
def test_a_normal_comes_back_from_its_products(dims: int) -> None:
    normal = torch.randn(500, dims, 1, generator=torch.Generator().manual_seed(0))
    products = products_of(normal)
    assert products.shape == (500, 3 if dims == 2 else 6, 1)
    assert same_planes(normal_of(0.01 * products), normal) > 1 - 1e-6
    torch.testing.assert_close(products_of(-3 * normal), products)


def test_the_refiner_keeps_the_contract_of_the_room(small: Small) -> None:
    check_task(INTERPRETATION, small("model.name=interpretation_refiner"))


def test_the_refiner_keeps_the_contract_in_three_dimensions(small: Small) -> None:
    changes = "model.name=interpretation_refiner", "data.synth.shape=[16, 20, 24]", "data.synth.n=6", "model.dims=3"
    check_task(INTERPRETATION, small(*changes), n_read=2)


def test_dozens_of_steps_take_errors_away_on_sections_that_were_not_seen() -> None:
    """Faults that are not there go, and an image with dead zones is filled in; both can be seen in the image."""
    recipe = read_recipe(
        "interpretation_refinement",
        [
            "data.synth.shape=[1,48,48]", "model.widths=[8, 16]", "data.synth.n=40",
            "data.synth.priors.label_throw_periods=0",  # so that there are faults enough on so few voxels
            "data.synth.corruption={share_missing: [0, 0.1], share_spurious: [0.5, 0.5]}",
        ],
    )  # fmt: skip
    refs = INTERPRETATION.plan(recipe)
    items = [INTERPRETATION.join(recipe, [INTERPRETATION.read(recipe, ref)], None) for ref in refs]
    batches = [
        {name: torch.stack([torch.from_numpy(one[name]) for one in items[k : k + 8]]) for name in items[0]}
        for k in range(0, len(items), 8)
    ]
    torch.manual_seed(0)
    refiner = recipe.model.build(ITEM)

    def scores(batch: dict[str, Tensor]) -> dict[str, float]:
        with torch.no_grad():
            outputs = refiner(batch)
            values = {f"loss {one.name}": float(one(outputs, batch)) for one in recipe.loss}
        for entry in recipe.metrics:
            metric = entry.build()
            metric.update(outputs, batch)
            values[entry.name] = float(metric.compute())
        return values

    before = scores(batches[-1])
    optimizer = torch.optim.AdamW(refiner.parameters(), lr=5e-3)
    for step in range(120):
        batch = batches[step % (len(batches) - 1)]
        outputs = refiner(batch)
        optimizer.zero_grad()
        sum(one.weight * one(outputs, batch) for one in recipe.loss).backward()  # type: ignore[union-attr]
        optimizer.step()
    after = scores(batches[-1])
    assert after["loss balanced_cross_entropy"] < 0.9 * before["loss balanced_cross_entropy"]
    assert after["loss ssim_l2"] < before["loss ssim_l2"]
    assert after["fault_f1"] > before["fault_f1"] + 0.02
