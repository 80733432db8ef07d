"""A U-Net on traces, sections and volumes: one encoder, a decoder for each output, nothing that knows the tile.

Shapes are `(item, channel, *place)`, where `place` has 1, 2 or 3 axes in any order. What comes out at a place depends
on the samples within `reach` of it and on nothing else: no statistic is taken over a tile, so overlapping tiles agree
where both see far enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from seisloom.nn.blocks import ChannelNorm
from seisloom.nn.convolutions import CHANNELS_LAST, CONVOLUTIONS, blocks, convolution

WIDTHS: Mapping[int, tuple[int, ...]] = {1: (24, 48, 96), 2: (16, 32, 64, 96), 3: (16, 32, 64)}
"""Channels of each level for so many axes: 0.10, 0.38 and 0.37 million parameters with one decoder.

Full resolution is narrow since it takes most of the time: 128 x 128 x 128 take 5 s on two busy cores with 16 channels
there, and 3 s with 8.
"""

LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}
OPEN = 2.0
"""Logit of an untrained gate: 0.88 of a level passes, and the gate can still learn to close."""


class UNet(nn.Module):
    """A U-Net with one encoder and any number of named decoders, on tensors (item, channel, *place).

    Every size goes through, lengths of 1 included: a level of n samples has ceil(n / 2) on the next one. Edges are
    continued by their last sample at each convolution; zeros there would be a reflector, and laterally a fault.
    Samples of the coarse levels lie at multiples of `multiple`: tiles whose origins are such multiples agree to
    rounding where both lie `reach` samples within; at other origins the low-pass before each halving keeps the
    difference small, but there is one.

    Source: U-Net after Ronneberger et al. (2015), arXiv 1505.04597; the low-pass after Zhang (2019), arXiv 1904.11486;
    gates after Oktay et al. (2018), arXiv 1804.03999; networks without biases after Mohan et al. (2020), arXiv
    1906.05478. Differs in residual blocks, in levels that are added rather than
    stacked, and in the norms.
    """

    def __init__(
        self,
        dims: int,
        n_in: int,
        *,
        decoders: Mapping[str, int],
        widths: Sequence[int] | None = None,
        n_blocks: int = 1,
        attention: bool = False,
        homogeneous: bool = False,
    ) -> None:
        """Build an untrained network; its weights are drawn from torch's own generator.

        Args:
            dims: axes of a place: 1 for traces, 2 for sections, 3 for volumes.
            n_in: channels of the input.
            decoders: name of each output and its number of channels; a decoder of several channels costs less than
                several decoders.
            widths: channels of each level, full resolution first; by default those of `WIDTHS`.
            n_blocks: residual blocks of each level, on the way down and on the way up.
            attention: whether the coarser level decides at each place how much of a level the decoder takes over.
            homogeneous: whether an input of so many times the amplitude gives as many times the output, for outputs
                that are amplitudes themselves; there are no norms and no biases then, which each have a size of
                their own.
        Raises:
            ValueError: if there is no decoder, no level, or `dims` is not 1, 2 or 3.
        """
        super().__init__()
        widths = tuple(WIDTHS.get(dims, ()) if widths is None else widths)
        if dims not in CONVOLUTIONS or not widths or not decoders or n_blocks < 1:
            raise ValueError(
                f"dims={dims}, widths={widths}, decoders={dict(decoders)}, n_blocks={n_blocks}: a U-Net needs dims of "
                "1, 2 or 3 and at least one width, one decoder and one block"
            )
        self.dims, self.n_levels, self.n_blocks = dims, len(widths), n_blocks
        self.stem = convolution(dims, n_in, widths[0], 3, bias=not homogeneous)
        self.encoders = nn.ModuleList(blocks(dims, width, n_blocks, homogeneous=homogeneous) for width in widths)
        self.downs = nn.ModuleList(Halve(dims, fine, coarse, bias=not homogeneous) for fine, coarse in pairwise(widths))
        self.decoders = nn.ModuleDict(
            {
                name: Decoder(dims, widths, n_out, n_blocks=n_blocks, attention=attention, homogeneous=homogeneous)
                for name, n_out in decoders.items()
            }
        )
        if dims in CHANNELS_LAST:
            self.to(memory_format=CHANNELS_LAST[dims])  # type: ignore[call-overload]

    @property
    def multiple(self) -> int:
        """Samples between two of the coarsest level; origins of tiles should be multiples of it."""
        return int(2 ** (self.n_levels - 1))

    @property
    def reach(self) -> int:
        """Samples on each side of a place, along every axis, beyond which no sample matters to its output."""
        spans = (self.span(place) for place in range(self.multiple))
        return max(max(place - first, last - place) for place, (first, last) in enumerate(spans))

    def span(self, place: int) -> tuple[int, int]:
        """Return the first and last sample that the output at a place depends on, far from edges."""
        first = last = place
        wide = 2 * self.n_blocks  # two convolutions of three samples a block
        for _ in range(self.n_levels - 1):
            first, last = first - wide, last + wide
            # Linear doubling: sample o lies between (o - 1) // 2 and the next one
            first, last = (first - 1) // 2, (last - 1) // 2 + 1
        first, last = first - wide, last + wide
        for _ in range(self.n_levels - 1):
            first, last = 2 * first - 1 - wide, 2 * last + 2 + wide  # kernel of four from 2 j - 1 on
        return first - 1, last + 1  # the stem

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Return the outputs by name.

        Args:
            x: (item, n_in, *place), finite.
        Returns:
            For each decoder (item, its channels, *place), without activation.
        """
        h = self.stem(x)
        levels = []
        for encoder, down in zip(self.encoders, [*self.downs, nn.Identity()], strict=True):
            h = encoder(h)
            levels.append(h)
            h = down(h)
        return {name: decoder(levels).contiguous() for name, decoder in self.decoders.items()}


class Decoder(nn.Module):
    """From the encoder's levels to one output of full resolution."""

    def __init__(
        self,
        dims: int,
        widths: Sequence[int],
        n_out: int,
        *,
        n_blocks: int,
        attention: bool = False,
        homogeneous: bool = False,
    ) -> None:
        super().__init__()
        bias = not homogeneous
        self.ups = nn.ModuleList(convolution(dims, coarse, fine, 1, bias=bias) for fine, coarse in pairwise(widths))
        self.blocks = nn.ModuleList(blocks(dims, fine, n_blocks, homogeneous=homogeneous) for fine in widths[:-1])
        self.norm = nn.Identity() if homogeneous else ChannelNorm(widths[0])
        self.head = convolution(dims, widths[0], n_out, 1, bias=bias)
        self.gates = nn.ModuleList(Gate(dims, fine, coarse) for fine, coarse in pairwise(widths) if attention)

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """Return the output (item, n_out, *place) of levels (item, width, *place / 2^level), finest first."""
        h = levels[-1]
        for level, (up, block) in reversed(list(enumerate(zip(self.ups, self.blocks, strict=True)))):
            skip = self.gates[level](levels[level], h) if self.gates else levels[level]
            h = block(skip + double(up(h), like=skip))
        out: Tensor = self.head(self.norm(h))
        return out


class Gate(nn.Module):
    """An additive attention gate: the coarser level says at each place how much of a level goes to the decoder.

    It weighs by what features are like, whatever their size, so a louder section passes the same gates.

    Source: Oktay et al. (2018), arXiv 1804.03999, eq. 1 and 2. Differs in features of unit length, in weighing at the
    level's own resolution, where theirs weighs at the coarser one, and in beginning nearly open.
    """

    def __init__(self, dims: int, fine: int, coarse: int) -> None:
        super().__init__()
        between = max(fine // 2, 1)
        self.of_level = convolution(dims, fine, between, 1, bias=False)
        self.of_coarse = convolution(dims, coarse, between, 1, bias=False)
        self.weigh = convolution(dims, between, 1, 1)
        with torch.no_grad():
            assert self.weigh.bias is not None
            self.weigh.bias.fill_(OPEN)

    def forward(self, level: Tensor, coarse: Tensor) -> Tensor:
        """Return the level (item, fine, *place) times its weight of 0 to 1 at each place."""
        # Mixing channels commutes with linear doubling, and costs less on the coarser samples
        seen = functional.relu(self.of_level(level) + double(self.of_coarse(coarse), like=level))
        return level * torch.sigmoid(self.weigh(functional.normalize(seen, dim=1)))


class Halve(nn.Module):
    """A low-pass along each axis, every second sample, and a mix of channels.

    Source: Zhang (2019), Making convolutional networks shift-invariant again, arXiv 1904.11486; kernel 1 3 3 1.
    """

    kernel: Tensor

    def __init__(self, dims: int, n_in: int, n_out: int, *, bias: bool = True) -> None:
        super().__init__()
        self.dims = dims
        # The mix needs one place only and commutes with the low-pass, so it runs on the few samples
        self.mix = convolution(dims, n_in, n_out, 1, bias=bias)
        one = kernel = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        for _ in range(dims - 1):
            kernel = kernel[..., None] * one
        self.register_buffer("kernel", kernel, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        n_channels = x.shape[1]
        convolve = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}[self.dims]
        sides = [side for n in reversed(x.shape[2:]) for side in (1, 1 + n % 2)]
        kernel = self.kernel.expand(n_channels, 1, *self.kernel.shape)
        low = convolve(functional.pad(x, sides, mode="replicate"), kernel, stride=2, groups=n_channels)
        out: Tensor = self.mix(low)
        return out


def double(x: Tensor, *, like: Tensor) -> Tensor:
    """Return twice as many samples along each axis, linear in between, without those that `like` does not have."""
    return double_to(x, like.shape[2:])


def double_to(x: Tensor, place: Sequence[int]) -> Tensor:
    """Return twice as many samples along each axis, linear in between, cut to the lengths of a place."""
    mode = LINEAR[x.ndim - 2]
    fine = functional.interpolate(x, scale_factor=2.0, mode=mode, align_corners=False)
    for axis, n in enumerate(place, start=2):
        fine = fine.narrow(axis, 0, n)
    return fine
