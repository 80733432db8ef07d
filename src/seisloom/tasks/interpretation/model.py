"""The room's networks as entries of a recipe: one finds attributes in an image, the other makes given ones better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from seisloom.config import ModelConfig
from seisloom.sample import Schema
from seisloom.tasks.interpretation.recipe import SWITCHES

if TYPE_CHECKING:
    from torch import nn

Preset = Literal["small", "base", "large"]
WIDTHS = {
    (2, "small"): (16, 32, 64, 96), (2, "base"): (32, 64, 96, 128), (2, "large"): (48, 96, 192, 256),
    (3, "small"): (12, 24, 40, 56), (3, "base"): (24, 48, 96, 144), (3, "large"): (48, 96, 192, 256),
}  # fmt: skip
"""Channels of each level by dimensions and preset. With all tasks small has less than 0.7 million parameters."""


class MultitaskConfig(ModelConfig):
    """Keys that the room's networks share: what they see, how large they are, and which tasks are on."""

    dims: Literal[2, 3] = 3
    """2 sees sections, 3 volumes."""
    preset: Preset = "small"
    """Size: small runs and trains on a CPU, large has the size of published multitask networks."""
    fault: bool = True
    """Whether it finds faults, with dip and strike."""
    rgt: bool = True
    """Whether it finds relative geological time."""
    dhr: bool = True
    """Whether it gives a denoised high-resolution image."""
    widths: tuple[int, ...] | None = Field(None, min_length=1)
    """Channels of each level; None takes those of the preset."""
    n_blocks: int = Field(1, ge=1)
    """Residual blocks of each level, on the way down and up."""

    @model_validator(mode="after")
    def _some(self) -> MultitaskConfig:
        if not self.tasks:
            raise ValueError("fault, rgt and dhr are all off: a network needs a task")
        return self

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that are on."""
        return tuple(name for name in SWITCHES if getattr(self, name))

    @property
    def attributes(self) -> tuple[str, ...]:
        """What the network can write."""
        return tuple(one for task in self.tasks for one in SWITCHES[task])


class InterpretationUNet(MultitaskConfig):
    """A U-Net with one encoder, and decoders for faults (with their normals), relative time, and a clean image."""

    name: str = "interpretation_unet"

    def build(self, schema: Schema) -> nn.Module:
        """Return the untrained network; see `seisloom.tasks.interpretation.network.InterpretationNetwork`."""
        from seisloom.tasks.interpretation.network import InterpretationNetwork

        return InterpretationNetwork(self)


class InterpretationRefiner(MultitaskConfig):
    """A U-Net that corrects the attributes of a first network; it learns from attributes with known errors."""

    name: str = "interpretation_refiner"
    image: bool = True
    """Whether it also sees the image that the attributes come from."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Attributes of a first guess that it takes in: those that it gives back."""
        return self.attributes

    def build(self, schema: Schema) -> nn.Module:
        """Return the untrained network; see `seisloom.tasks.interpretation.refining.network.RefinementNetwork`."""
        from seisloom.tasks.interpretation.refining.network import RefinementNetwork

        return RefinementNetwork(self)
