"""Priors of layered media: what they accept, and how they say no."""

from __future__ import annotations

from itertools import pairwise

import pytest
from pydantic import TypeAdapter, ValidationError

from seisloom.physics.surface_waves.priors import (
    SITE_CLASSES,
    LowVelocityPrior,
    MediumPrior,
    MixturePrior,
    NormalPrior,
    SeedPrior,
    Vs30ClassPrior,
)

READ: TypeAdapter[MediumPrior] = TypeAdapter(MediumPrior)


@pytest.mark.parametrize("name", ["normal", "low_velocity", "stiff_crust", "seed", "vs30_class"])
def test_an_entry_is_the_kind_that_it_names_and_comes_back_from_what_it_writes(name: str) -> None:
    prior = READ.validate_python({"name": name})
    assert prior.name == name
    assert READ.validate_python(prior.model_dump(mode="json")) == prior


def test_a_mixture_holds_kinds_with_weights() -> None:
    mixture = READ.validate_python(
        {"name": "mixture", "parts": [{"weight": 3, "prior": {"name": "normal"}}, {"prior": {"name": "seed"}}]}
    )
    assert isinstance(mixture, MixturePrior)
    assert [(part.weight, type(part.prior)) for part in mixture.parts] == [(3.0, NormalPrior), (1.0, SeedPrior)]


def test_the_seeds_keys_have_its_values() -> None:
    assert SeedPrior().model_dump(exclude={"constraints"}) == {
        "name": "seed",
        "layer_count": 5,
        "fluctuation_percentage": 0.2,
        "vs_bounds_kms": (0.1, 1.1),
        "thickness_bounds_km": (0.005, 0.07),
        "modes": 3,
    }


def test_site_classes_follow_each_other_without_gaps() -> None:
    for ranges in SITE_CLASSES.values():
        by_velocity = sorted(ranges.values())
        assert all(low[1] == high[0] for low, high in pairwise(by_velocity))


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"name": "norml"}, "normal"),
        ({"name": "normal", "vs_ms": [100, 200]}, "vs_ms"),
        ({"name": "normal", "vs_m_s": [300, 100]}, r"\[300, 100\]: write \[smallest, largest\]"),
        ({"name": "normal", "poisson": [0.2, 0.5]}, "largest <= 0.4999"),
        ({"name": "normal", "n_layers": [0, 3]}, "1 <= smallest"),
        ({"name": "normal", "density_kg_m3": "gardener"}, "gardner"),
        ({"name": "low_velocity", "n_layers": [2, 5]}, "needs at least 3"),
        ({"name": "stiff_crust", "n_layers": [1, 5]}, "needs at least 3"),
        ({"name": "vs30_class", "standard": "ec8", "classes": ["E"]}, "class E of ec8 is no range of Vs30"),
        ({"name": "mixture", "parts": []}, "at least 1"),
        ({"name": "mixture", "parts": [{"weight": 0, "prior": {"name": "seed"}}]}, "greater than 0"),
    ],
)
def test_mistakes_are_named_with_what_to_write(entry: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        READ.validate_python(entry)


def test_priors_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        LowVelocityPrior().n_low = (1, 1)  # type: ignore[misc]


def test_every_key_has_a_description() -> None:
    for prior in (NormalPrior, LowVelocityPrior, Vs30ClassPrior, SeedPrior, MixturePrior):
        undescribed = [key for key, field in prior.model_fields.items() if key != "name" and not field.description]
        assert not undescribed
