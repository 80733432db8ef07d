"""The room's network as an entry of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from seisloom.config import ModelConfig
from seisloom.sample import Schema

if TYPE_CHECKING:
    from torch import nn


class CurveUNet(ModelConfig):
    """A U-Net over velocity and frequency that says of each mode where it is, how sure that is, and whether it shows.

    It sees a spectrum on axes of equal ratios, and lengths in wavelengths alone: sites and arrays that differ by a
    scale look alike to it.
    """

    name: str = "curve_unet"
    modes: int = Field(4, ge=1, le=20)
    """Modes, the fundamental one first; records must label as many (data.physics.modes)."""
    widths: tuple[int, ...] = Field((24, 32, 48, 64, 96), min_length=1)
    """Channels of each level, the finest first; it has half as many bins as the spectrum along both axes."""
    n_blocks: int = Field(1, ge=1)
    """Residual blocks of each level, on the way down and on the way up."""
    reach: float = Field(0.08, gt=0)
    """A velocity is the mean of the network's distribution within this share of it around the main peak."""
    label_width: float = Field(0.0, ge=0)
    """Standard deviation of the distributions that it learns from, as a share of the velocity (`width` of the loss
    `curve_distribution`): what is no doubt of its own is taken off the spread of its answers. 0 takes off nothing."""

    def build(self, schema: Schema) -> nn.Module:
        """Return the untrained network; see `seisloom.tasks.dispersion.picker.network.CurveNetwork`."""
        from seisloom.tasks.dispersion.picker.network import CurveNetwork

        return CurveNetwork(self)
