"""A network of volumes that begins as one of sections."""

from __future__ import annotations

import torch

from seisloom.nn.inflate import inflated
from seisloom.nn.unet import UNet


def test_a_volume_of_equal_sections_comes_out_as_each_of_them() -> None:
    torch.manual_seed(0)
    sections, volumes = (UNet(dims, 1, decoders={"a": 2}, widths=(4, 8, 8)) for dims in (2, 3))
    volumes.load_state_dict(inflated(sections.state_dict(), volumes.state_dict()))
    x = torch.randn(2, 1, 13, 18)
    with torch.inference_mode():
        one = sections(x)["a"]
        many = volumes(x[:, :, None].expand(-1, -1, 9, -1, -1))["a"]
    torch.testing.assert_close(many, one[:, :, None].expand_as(many), atol=1e-5, rtol=1e-4)


def test_what_has_as_many_axes_already_or_is_unknown_stays_as_it_is() -> None:
    given = {"norm": torch.arange(3.0), "kernel": torch.ones(2, 2, 3, 3), "other": torch.ones(2, 2, 3, 3)}
    found = inflated(given, {"norm": torch.zeros(3), "kernel": torch.zeros(2, 2, 3, 3)})
    assert found.keys() == given.keys()
    assert all(found[name] is given[name] for name in given)
