"""An autoencoder on traces, sections and volumes: all that comes out has gone through a few latent numbers.

Shapes are `(item, channel, *place)`, where `place` has 1, 2 or 3 axes, as in `nn.unet`. There is no way around the
latent: what it cannot hold, noise above all, does not come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from seisloom.nn.convolutions import CHANNELS_LAST, CONVOLUTIONS, blocks, convolution
from seisloom.nn.unet import Halve, double_to


class Autoencoder(nn.Module):
    """An encoder to a coarse grid of latent vectors and a decoder from these alone, on tensors (item, channel, *place).

    Every size goes through, lengths of 1 included. The output is linear, and so many times the input gives as many
    times the output: there are no norms and no biases. Edges are continued by their last sample, and latent vectors
    lie at multiples of `multiple`.

    Source: denoising autoencoders after Vincent et al. (2010), JMLR 11, 3371-3408; networks without biases after Mohan
    et al. (2020), arXiv 1906.05478. Differs in convolutions and residual blocks.
    """

    def __init__(
        self, dims: int, n_in: int, n_out: int, *, widths: Sequence[int], latent: int, n_blocks: int = 1
    ) -> None:
        """Build an untrained network; its weights are drawn from torch's own generator.

        Args:
            dims: axes of a place: 1 for traces, 2 for sections, 3 for volumes.
            n_in: channels of the input.
            n_out: channels of the output.
            widths: channels of each level, full resolution first; each level has half as many samples along each axis.
            latent: channels of the latent, which has the resolution of the coarsest level.
            n_blocks: residual blocks of each level, on the way down and on the way up.
        Raises:
            ValueError: if there is no level, no latent channel, or `dims` is not 1, 2 or 3.
        """
        super().__init__()
        if dims not in CONVOLUTIONS or not widths or latent < 1 or n_blocks < 1:
            raise ValueError(
                f"dims={dims}, widths={tuple(widths)}, latent={latent}, n_blocks={n_blocks}: an autoencoder needs dims "
                "of 1, 2 or 3 and at least one width, one latent channel and one block"
            )
        self.n_levels = len(widths)
        self.stem = convolution(dims, n_in, widths[0], 3, bias=False)
        self.encoders = nn.ModuleList(blocks(dims, width, n_blocks, homogeneous=True) for width in widths)
        self.downs = nn.ModuleList(Halve(dims, fine, coarse, bias=False) for fine, coarse in pairwise(widths))
        self.to_latent = convolution(dims, widths[-1], latent, 1, bias=False)
        self.from_latent = convolution(dims, latent, widths[-1], 1, bias=False)
        self.ups = nn.ModuleList(convolution(dims, coarse, fine, 1, bias=False) for fine, coarse in pairwise(widths))
        self.decoders = nn.ModuleList(blocks(dims, width, n_blocks, homogeneous=True) for width in widths)
        self.head = convolution(dims, widths[0], n_out, 1, bias=False)
        # Of torch's own initial weights each of these would pass a third of the power on, and there is no way around
        for path in (
            self.stem,
            *(down.mix for down in self.downs),
            self.to_latent,
            self.from_latent,
            *self.ups,
            self.head,
        ):
            nn.init.kaiming_normal_(path.weight, nonlinearity="linear")
        if dims in CHANNELS_LAST:
            self.to(memory_format=CHANNELS_LAST[dims])  # type: ignore[call-overload]

    @property
    def multiple(self) -> int:
        """Samples between two latent vectors along every axis; origins of tiles should be multiples of it."""
        return int(2 ** (self.n_levels - 1))

    def encode(self, x: Tensor) -> Tensor:
        """Return the latent (item, latent, *place / multiple), rounded up, of x (item, n_in, *place), finite."""
        h = self.encoders[0](self.stem(x))
        for down, encoder in zip(self.downs, self.encoders[1:], strict=True):
            h = encoder(down(h))
        latent: Tensor = self.to_latent(h)
        return latent

    def decode(self, latent: Tensor, place: Sequence[int]) -> Tensor:
        """Return the output (item, n_out, *place), without activation, of a latent.

        Args:
            latent: (item, latent, *place / multiple), rounded up.
            place: lengths of the output along its axes: several round up to the same latent.
        """
        places = [[-(-n // 2**level) for n in place] for level in range(self.n_levels)]
        h = self.decoders[-1](self.from_latent(latent))
        for level, up in reversed(list(enumerate(self.ups))):
            h = self.decoders[level](double_to(up(h), places[level]))
        out: Tensor = self.head(h)
        return out.contiguous()

    def forward(self, x: Tensor) -> Tensor:
        """Return the output (item, n_out, *place) of x (item, n_in, *place), finite."""
        return self.decode(self.encode(x), x.shape[2:])
