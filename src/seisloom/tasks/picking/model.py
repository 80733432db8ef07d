"""The room's networks: a gather U-Net with a head for onset, spread and presence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from seisloom.config import ModelConfig
from seisloom.sample import Schema

if TYPE_CHECKING:
    from torch import nn


class OnsetUNet(ModelConfig):
    """A U-Net that sees neighbouring traces and keeps the place of each sample."""

    name: str = "onset_unet"
    fs_hz: float = Field(1000.0, gt=0)
    """Sampling rate in Hz that the lengths below refer to; records must have it (shards.target_fs)."""
    n_channels: int = Field(1, ge=1)
    """Channels of `x`: 1 for the trace itself, 7 for seed_features. The first one must be the trace."""
    widths: tuple[int, ...] = Field((24, 32, 48, 64), min_length=1)
    """Channels of each level; time is halved from one to the next."""
    n_blocks: tuple[int, ...] = (1, 1, 1, 2)
    """Residual blocks of each level."""
    dilations: tuple[int, ...] = (1, 1, 2, 4)
    """Distance in traces of the neighbours that each level looks at."""
    stride: int = Field(2, ge=1)
    """Samples that the first convolution takes together."""
    reach_s: float = Field(0.010, gt=0)
    """The onset is the mean of the network's distribution within so many s of its main peak."""
    smooth_s: tuple[float, float, float] = (0.003, 0.040, 0.060)
    """Windows in s of a trace's level, of the background that it stands out from, and of its local gain: about a tenth,
    two and three periods of the first arrival."""
    time_scales_s: tuple[float, float, float] = (0.03, 0.1, 0.4)
    """Times in s after the shot over which the network tells early from late: near, middle and far arrivals."""
    use_time: bool = True
    """Whether the network knows the time after the shot, where it is known."""
    use_offset: bool = True
    """Whether the network knows the offset, where it is known."""
    min_sigma: float = Field(0.2, gt=0)
    """Least spread in samples; log-sigma is clamped there."""
    max_sigma: float = Field(200.0, gt=0)
    """Largest spread in samples."""

    @model_validator(mode="after")
    def _levels(self) -> OnsetUNet:
        if not len(self.widths) == len(self.n_blocks) == len(self.dilations):
            raise ValueError("widths, n_blocks and dilations must have one number a level each")
        return self

    def attention(self) -> Mapping[str, int]:
        """Return what the U-Net needs to attend along time: nothing."""
        return {}

    def build(self, schema: Schema) -> nn.Module:
        """Return the untrained network; see `seisloom.tasks.picking.network.OnsetNetwork`."""
        from seisloom.tasks.picking.network import OnsetNetwork

        return OnsetNetwork(self)


class OnsetTransformer(OnsetUNet):
    """The same with attention along time at the coarsest level."""

    name: str = "onset_transformer"
    window_size: int = Field(256, ge=16)
    """Samples of the record that attend to each other."""
    num_heads: int = Field(2, ge=1)
    """Heads of the attention; they share the channels of the coarsest level."""

    @model_validator(mode="after")
    def _heads(self) -> OnsetTransformer:
        if self.widths[-1] % self.num_heads:
            raise ValueError(f"num_heads {self.num_heads} must divide the last of widths, {self.widths[-1]}")
        return self

    def attention(self) -> Mapping[str, int]:
        """Return heads, and the window in steps of the coarsest level."""
        coarse = self.stride * 2 ** (len(self.widths) - 1)
        return {"n_heads": self.num_heads, "window": max(math.ceil(self.window_size / coarse), 2)}
