"""The networks behind the room's entries: traces with gaps and noise in, their clean selves out.

Each is one class for traces, gathers and cubes. What comes in always has the axes (item, line, trace, time); what a
network sees together is an item of its own to it.

They have no norms and no biases, so that an output is as loud as its input: on 48 made gathers with half of the traces
missing, after 300 steps of eight, filled traces had a mean SNR of 5.5 dB at any gain. A U-Net with norms had 2.6 dB, or
1.1 dB at three times the gain; linear interpolation had 0.6 dB.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from seisloom.errors import SchemaError
from seisloom.nn.autoencoder import Autoencoder
from seisloom.nn.unet import UNet
from seisloom.tasks.restoration.model import DenoisingAutoencoder, UNetConfig

SMALL = 0.01
"""Factor on the weights of the last layer: an untrained network adds about a hundredth of the RMS of its input."""


class AddingUNet(nn.Module):
    """A U-Net that adds to what is given: to the traces themselves, or to a classical method's guess of the dead ones.

    It begins near what is given, so it need not learn first what it is to keep. Where live traces are kept they come
    back bit by bit, and no loss on them reaches the network. A guess is seen in two parts, of live and of dead traces.
    So many times the input gives as many times the output, except beside a mask that is seen as 1 and 0.
    """

    def __init__(self, config: UNetConfig, *, sees_mask: bool, keeps_live: bool) -> None:
        """Build an untrained network.

        Args:
            config: sizes, and the guess it needs, if any.
            sees_mask: whether it is told which traces are live.
            keeps_live: whether live traces come back bit by bit.
        """
        super().__init__()
        self.dims, self.needs_guess = config.dims, config.needs_guess
        self.sees_mask, self.keeps_live = sees_mask, keeps_live
        n_in = 1 + int(sees_mask) + int(self.sees_misfit)
        self.unet = UNet(
            config.dims, n_in, decoders={"clean": 1}, widths=config.n_channels, n_blocks=config.n_blocks,
            attention=config.attention, homogeneous=True,
        )  # fmt: skip
        with torch.no_grad():
            for parameter in self.unet.decoders["clean"].get_submodule("head").parameters():
                parameter.mul_(SMALL)

    @property
    def sees_misfit(self) -> bool:
        """Whether it sees by how much live traces differ from the guess, for which there is no use if they are kept."""
        return self.needs_guess is not None and not self.keeps_live

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `clean` (item, line, trace, time) on the scale of `x`.

        Args:
            batch: `x` (item, line, trace, time), finite, scaled, 0 in dead traces; `live` (item, line, trace), 1 for
                traces that are given and 0 for dead ones; for a network on top of one, `guess` like `x`.
        Raises:
            SchemaError: if the guess that it needs is missing.
        """
        x, is_live = batch["x"], (batch["live"] > 0)[..., None]
        given = x if self.needs_guess is None else self._guess(batch)
        seen = torch.cat([as_items(one, self.dims) for one in self._seen(x, given, is_live.expand_as(x))], dim=1)
        clean = given + as_panels(self.unet(seen)["clean"], x.shape[1:], self.dims)
        return {"clean": torch.where(is_live, x, clean) if self.keeps_live else clean}

    def _seen(self, x: Tensor, given: Tensor, is_live: Tensor) -> list[Tensor]:
        """Return the channels."""
        if self.needs_guess is None:
            return [x, is_live.to(x.dtype)] if self.sees_mask else [x]
        # Two channels are the mask, too, and one that is as loud as the guess
        parts = [torch.where(is_live, given, 0), torch.where(is_live, 0, given)]
        return [*parts, torch.where(is_live, x - given, 0)] if self.sees_misfit else parts

    def _guess(self, batch: Mapping[str, Tensor]) -> Tensor:
        if "guess" not in batch:
            raise SchemaError(
                f"the network corrects the guess of {self.needs_guess!r}, and the batch has none. Put that method's "
                f"answer there as 'guess', or take mask_unet, which needs none"
            )
        return batch["guess"]


class DenoisingAutoencoderNetwork(nn.Module):
    """An autoencoder on the traces alone; so many times the input gives as many times the output."""

    def __init__(self, config: DenoisingAutoencoder) -> None:
        super().__init__()
        self.dims = config.dims
        self.autoencoder = Autoencoder(
            config.dims, 1, 1, widths=config.n_channels[: config.levels], latent=config.n_latent,
            n_blocks=config.n_blocks,
        )  # fmt: skip

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `clean` (item, line, trace, time) of `x`, which has the same axes and is finite and scaled."""
        x = batch["x"]
        return {"clean": as_panels(self.autoencoder(as_items(x, self.dims)), x.shape[1:], self.dims)}


def as_items(x: Tensor, dims: int) -> Tensor:
    """Return (item, 1, *place) of (item, line, trace, time): of so many dimensions as are seen together.

    Args:
        x: (item, line, trace, time).
        dims: 1 makes every trace an item, 2 every line; 3 keeps the items, with places of (time, line, trace).
    """
    # The longest axis first: of a single item with few rows along the first two, torch convolves volumes ten times
    # more slowly
    ordered = x.movedim(-1, 1) if dims == 3 else x
    return ordered.reshape(-1, 1, *ordered.shape[-dims:])


def as_panels(items: Tensor, place: Sequence[int], dims: int) -> Tensor:
    """Return (item, line, trace, time) of what `as_items` makes; place is (line, trace, time)."""
    if dims == 3:
        return items[:, 0].movedim(1, -1)
    return items.reshape(-1, *place)
