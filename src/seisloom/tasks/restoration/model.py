"""The room's networks as entries of a recipe: three U-Nets that add to what is given, and an autoencoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from seisloom.config import ModelConfig
from seisloom.sample import Schema

if TYPE_CHECKING:
    from torch import nn

Preset = Literal["small", "base", "large"]
WIDTHS = {
    (1, "small"): (16, 32, 48, 64, 96), (1, "base"): (32, 64, 96, 128, 192), (1, "large"): (48, 96, 192, 256, 384),
    (2, "small"): (8, 16, 32, 64, 96), (2, "base"): (16, 32, 64, 96, 128), (2, "large"): (32, 64, 128, 192, 256),
    (3, "small"): (8, 16, 32, 64), (3, "base"): (16, 32, 64, 96), (3, "large"): (24, 48, 96, 192),
}  # fmt: skip
"""Channels of each level by dimensions and preset: few at full resolution, which takes most of the time."""


class RestorerConfig(ModelConfig):
    """Keys that the room's networks share: what they see, and how large they are."""

    dims: Literal[1, 2, 3] = 2
    """1 sees every trace alone, 2 the traces of each line together, 3 whole cubes."""
    preset: Preset = "small"
    """Size: small runs and trains on a CPU."""
    widths: tuple[int, ...] | None = Field(None, min_length=1)
    """Channels of each level, full resolution first; None takes those of the preset."""
    n_blocks: int = Field(1, ge=1)
    """Residual blocks of each level, on the way down and up."""

    @property
    def needs_guess(self) -> str | None:
        """Name of the classical method whose answer the network takes in as `guess`; None for none."""
        return None

    @property
    def n_channels(self) -> tuple[int, ...]:
        """Channels of each level, full resolution first."""
        return self.widths or WIDTHS[self.dims, self.preset]


class UNetConfig(RestorerConfig):
    """Keys that the U-Nets share."""

    attention: bool = False
    """Whether gates at each place weigh what the decoder takes over from the encoder; see `seisloom.nn.unet.Gate`."""


class DenoisingUNet(UNetConfig):
    """A U-Net that adds to the traces what makes them clean. It is not told which traces are dead."""

    name: str = "denoising_unet"

    def build(self, schema: Schema) -> nn.Module:
        """Return the untrained network; see `seisloom.tasks.restoration.network.AddingUNet`."""
        from seisloom.tasks.restoration.network import AddingUNet

        return AddingUNet(self, sees_mask=False, keeps_live=False)


class MaskUNet(UNetConfig):
    """A U-Net that sees the traces and which of them are live, and fills the dead ones."""

    name: str = "mask_unet"
    keeps_live: bool = True
    """Whether live traces come back bit by bit; otherwise they are denoised as well."""

    @model_validator(mode="after")
    def _something_to_fill_from(self) -> MaskUNet:
        if self.dims == 1 and self.keeps_live:
            raise ValueError(
                "dims=1 sees every trace alone, and there is nothing to fill a dead trace from: say dims=2 or 3, or "
                "keeps_live=false for a network that denoises"
            )
        return self

    def build(self, schema: Schema) -> nn.Module:
        """Return the untrained network; see `seisloom.tasks.restoration.network.AddingUNet`."""
        from seisloom.tasks.restoration.network import AddingUNet

        return AddingUNet(self, sees_mask=True, keeps_live=self.keeps_live)


class GuessUNet(UNetConfig):
    """A U-Net that corrects a classical method's guess of the dead traces."""

    name: str = "guess_unet"
    guess: str = "linear"
    """The classical method, by its name among those of the room."""
    keeps_live: bool = True
    """Whether live traces come back bit by bit; otherwise they are denoised as well."""

    @property
    def needs_guess(self) -> str | None:
        """Name of the classical method."""
        return self.guess

    def build(self, schema: Schema) -> nn.Module:
        """Return the untrained network; see `seisloom.tasks.restoration.network.AddingUNet`."""
        from seisloom.tasks.restoration.network import AddingUNet

        return AddingUNet(self, sees_mask=True, keeps_live=self.keeps_live)


class DenoisingAutoencoder(RestorerConfig):
    """An autoencoder: all that comes out has gone through a few latent numbers, which noise does not fit in."""

    name: str = "denoising_autoencoder"
    levels: int = Field(3, ge=1)
    """Levels, the first so many of the widths; each halves the samples along every axis, and the last has the latent.
    """
    latent: int | None = Field(None, ge=1)
    """Channels of the latent; None takes a quarter of the samples that one latent vector stands for."""

    @model_validator(mode="after")
    def _enough_widths(self) -> DenoisingAutoencoder:
        if self.levels > len(self.n_channels):
            raise ValueError(f"levels={self.levels} needs as many widths, and there are {len(self.n_channels)}")
        return self

    @property
    def n_latent(self) -> int:
        """Channels of the latent."""
        return self.latent or max(2 ** ((self.levels - 1) * self.dims) // 4, 1)

    def build(self, schema: Schema) -> nn.Module:
        """Return the untrained network; see `seisloom.tasks.restoration.network.DenoisingAutoencoderNetwork`."""
        from seisloom.tasks.restoration.network import DenoisingAutoencoderNetwork

        return DenoisingAutoencoderNetwork(self)
