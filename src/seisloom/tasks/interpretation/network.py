"""The multitask network: sections or volumes in, fault logits with normals, relative time and a clean image out."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from seisloom.errors import SchemaError
from seisloom.nn.inflate import inflated
from seisloom.nn.integral import integral
from seisloom.nn.unet import UNet
from seisloom.tasks.interpretation.model import WIDTHS, InterpretationUNet

RARE = -3.0
"""Logit of a fault before any training: a voxel in twenty."""


class InterpretationNetwork(nn.Module):
    """A U-Net on batches of `x` (item, channel, *place); place is what the network has dimensions for.

    Items of a batch may have the axes inline, crossline and time also where the network sees sections: the inline axis
    then has one sample, and outputs have it too.
    """

    def __init__(self, config: InterpretationUNet) -> None:
        super().__init__()
        self.dims, self.tasks = config.dims, config.tasks
        # Beside the logit of a fault its normal; of time the steps: two in a section, three in a volume
        channels = {"fault": 1 + config.dims, "rgt": config.dims, "dhr": 1}
        self.unet = UNet(
            config.dims, 1, decoders={task: channels[task] for task in config.tasks},
            widths=config.widths or WIDTHS[config.dims, config.preset], n_blocks=config.n_blocks,
        )  # fmt: skip
        if config.fault:
            head = self.unet.decoders["fault"].get_submodule("head")
            with torch.no_grad():
                bias = head.bias
                assert isinstance(bias, Tensor)
                bias.zero_()
                bias[0] = RARE

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the outputs of the tasks that are on.

        Args:
            batch: `x`, (item, 1, *place), scaled amplitude.
        Returns:
            `fault` (item, *place) logit; `normal` (item, 3, *place) as depth, crossline, inline, of any length and
            sign; `rgt_steps` (item, axis, *place), steps of relative time in samples from each sample to the next one
            along each axis of the place, and `rgt` (item, *place), their integral with mean 0: only the steps are free
            of how large the tile is; `dhr` (item, *place) on the scale of `x`.
        """
        x = batch["x"]
        place = x.shape[2:]
        found = self.unet(as_seen(x, self.dims))
        outputs = {}
        if "fault" in found:
            outputs["fault"] = found["fault"][:, 0].reshape(-1, *place)
            normal = found["fault"][:, 1:].reshape(x.shape[0], self.dims, *place)
            outputs["normal"] = normal if self.dims == 3 else functional.pad(normal, (0, 0) * len(place) + (0, 1))
        if "rgt" in found:
            outputs["rgt_steps"] = as_steps(found["rgt"], place)
            outputs["rgt"] = integral(outputs["rgt_steps"])
        if "dhr" in found:
            outputs["dhr"] = found["dhr"][:, 0].reshape(-1, *place)
        return outputs

    def adopted(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the weights of another network of this kind in the form of this one's.

        Those of a network of sections see a volume inline by inline, with no step of relative time and no part of a
        normal along the inline axis yet.
        """
        own = self.state_dict()
        adopted = inflated(weights, own)
        if self.dims == 3:
            for task, at in (("fault", 3), ("rgt", 0)):  # the normal's inline comes last, the steps' comes first
                for name in (f"unet.decoders.{task}.head.weight", f"unet.decoders.{task}.head.bias"):
                    head = adopted.get(name)
                    if head is not None and name in own and len(head) == len(own[name]) - 1:
                        adopted[name] = torch.cat([head[:at], torch.zeros_like(head[:1]), head[at:]])
        return adopted


def as_steps(change: Tensor, place: tuple[int, ...]) -> Tensor:
    """Return steps of relative time (item, axis, *place) of what a network adds to those of flat layers.

    Args:
        change: (item, axis that is seen, *axes that are seen), 0 for flat layers.
        place: lengths of all axes; steps along one of a single sample that is not seen are 0.
    """
    steps = (flat_steps(change) + change).reshape(*change.shape[:2], *place)
    return functional.pad(steps, (0, 0) * len(place) + (len(place) - change.shape[1], 0))


def flat_steps(like: Tensor) -> Tensor:
    """Return steps of relative time in flat layers, 1 from sample to sample, of this shape (item, axis, *place)."""
    flat = torch.zeros_like(like)
    flat[:, -1] = 1.0
    return flat


def as_seen(x: Tensor, dims: int) -> Tensor:
    """Return (item, channel, *place) with as many axes of a place as a network sees: an inline axis of 1 is left out.

    Raises:
        SchemaError: if there are others.
    """
    place = x.shape[2:]
    if len(place) == dims:
        return x
    if dims != 2 or len(place) != 3 or place[0] != 1:
        raise SchemaError(
            f"the network sees {dims} dimensions, and is shown places of {tuple(place)}. A 2-D network "
            "takes sections (data.synth.shape or data.crop with an inline axis of 1; apply.along=inline, crossline "
            "or both), a 3-D one volumes"
        )
    return x[:, :, 0]
