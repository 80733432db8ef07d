"""Weights of another network: what both have is found, what one lacks is named in whole parts, the rest is refused."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seisloom.nn.unet import UNet
from seisloom.training.match import channels, left_and_untrained, match, misfit, parts

WIDTHS = (8, 12, 16)


def unet(*decoders: str, n_in: int = 1, widths: tuple[int, ...] = WIDTHS, n_blocks: int = 1) -> dict[str, Tensor]:
    network = UNet(2, n_in, decoders=dict.fromkeys(decoders, 2), widths=widths, n_blocks=n_blocks)
    return dict(network.state_dict())


def test_the_same_network_is_whole() -> None:
    found = match(unet("fault"), unet("fault"))
    assert found.is_whole
    assert found.is_enough
    assert left_and_untrained(found, "it") == ""


def test_decoders_are_named_as_whole_parts() -> None:
    found = match(unet("fault", "rgt"), unet("fault", "dhr"))
    assert not found.is_whole
    assert found.is_enough
    assert found.spare == ("decoders.rgt",)
    assert found.lacking == ("decoders.dhr",)
    assert left_and_untrained(found, "it") == (
        "decoders.rgt left out, which this network does not have; decoders.dhr untrained, which it does not have"
    )


def test_a_head_of_other_channels_begins_untrained() -> None:
    found = match(unet("fault"), unet("fault", n_in=3))
    assert found.is_enough
    assert left_and_untrained(found, "it") == "stem untrained, which it has in another shape"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (unet("fault", widths=(8, 12, 20)), "its levels have 8, 12, 20 channels, and those here 8, 12, 16"),
        (unet("fault", widths=(8, 12)), "its levels have 8, 12 channels, and those here 8, 12, 16"),
        (unet("fault", n_blocks=2), "it has encoders.0.1, encoders.1.1, encoders.2.1, decoders.fault.blocks.0.1"),
        ({"gru.weight": torch.zeros(3)}, "nothing in it is called as in this network: it has gru, not stem, encoders"),
        ({"stem.weight": torch.zeros(8, 1, 5, 5)}, "stem.weight is 8 x 1 x 5 x 5 there and 8 x 1 x 3 x 3 here; it doe"),
    ],
)
def test_a_network_of_another_size_is_not_enough(given: dict[str, Tensor], said: str) -> None:
    assert not match(given, own := unet("fault")).is_enough
    assert said in misfit(given, own)


def test_a_level_less_is_not_taken_for_a_part_that_is_left_out() -> None:
    given, own = unet("fault"), unet("fault", widths=WIDTHS[:2])
    assert all(given[name].shape == one.shape for name, one in own.items())
    assert not match(given, own).is_enough


def test_channels_are_those_of_levels_alone() -> None:
    assert channels(unet("fault", "rgt", n_blocks=2)) == list(WIDTHS)
    assert channels({"stem.weight": torch.zeros(3)}) == []


def test_a_part_is_not_taken_for_one_whose_name_begins_alike() -> None:
    assert parts(["a.10.weight", "a.1.weight"], ["a.1.weight"]) == ("a.10",)
