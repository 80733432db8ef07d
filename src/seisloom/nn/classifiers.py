"""Small convolutional classifiers of records: of a spectrogram, and of the waveform itself.

Both take any length, and a mask of what was recorded. What is masked is zero after each layer, as what lies beyond the
ends is, so a record says the same whether it ends or is filled up to the length of its batch. No statistic is taken
over time or over the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from seisloom.nn.blocks import ChannelNorm


class SpectrogramCNN(nn.Module):
    """Logits of a log-power spectrogram, by residual 3 x 3 convolutions and a mean and a maximum over all places.

    About 70 000 parameters, as many as QuakeXNet-2D has (Kharita et al. 2025, arXiv 2510.23795), of other layers.
    A convolution does not know at which frequency it stands; a channel that tells it so is added to the input.

    Source: that channel after Liu et al. (2018), CoordConv, arXiv 1807.03247; residual pairs after He et al. (2015),
    arXiv 1512.03385, with the norm ahead of them.
    """

    def __init__(
        self, channels: int, classes: int, *, widths: Sequence[int] = (12, 24, 48), dropout: float = 0.3
    ) -> None:
        """Build an untrained network.

        Args:
            channels: spectrograms of an item, such as those of Z, N, E.
            classes: number of logits.
            widths: channels of each level; both axes are halved between levels.
            dropout: share of values set to zero in training before the last layer.
        """
        super().__init__()
        self.channels = channels
        self.stem = nn.Conv2d(channels + 1, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList(_Residual(nn.Conv2d, width, 3) for width in widths)
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths))
        self.norm = ChannelNorm(widths[-1])
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * widths[-1], classes))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return logits (item, class).

        Args:
            x: (item, channel, frequency, frame), log-power, at the same frequencies as in training; finite where it
                counts.
            mask: (item, frame), nonzero where a frame was recorded; None takes all.
        """
        x, live = _checked(x, mask, self.channels, "(item, channel, frequency, frame)")
        height = torch.linspace(-1, 1, x.shape[2], dtype=x.dtype, device=x.device)
        beside = height[:, None].expand(len(x), 1, -1, x.shape[3])
        live = live[:, None, None, :]
        h = self.stem(torch.cat([x, beside * live], dim=1)) * live
        h = self.blocks[0](h, live)
        for down, block in zip(self.downs, list(self.blocks)[1:], strict=True):
            live = functional.max_pool2d(live, (1, 2), ceil_mode=True)
            h = block(down(h) * live, live)
        return cast("Tensor", self.head(masked_pool(self.norm(h), live.expand(-1, -1, h.shape[2], -1))))


class WaveformCNN(nn.Module):
    """Logits of a waveform, by residual convolutions along time, each level a quarter as long as the one before.

    About 120 000 parameters. A place of the last level sees 3401 samples, 34 s at 100 Hz; the mean and the maximum over
    all of them see the whole record.

    Source: residual pairs after He et al. (2015), arXiv 1512.03385, with the norm ahead of them, in one dimension.
    """

    def __init__(
        self, channels: int, classes: int, *, widths: Sequence[int] = (16, 32, 48, 64), dropout: float = 0.3
    ) -> None:
        """Build an untrained network; arguments as those of `SpectrogramCNN`, of waveforms."""
        super().__init__()
        self.channels = channels
        # Nine taps for every fourth sample: a kernel no longer than its stride could not keep fast swings apart
        self.downs = nn.ModuleList(nn.Conv1d(a, b, 9, stride=4, padding=4) for a, b in pairwise((channels, *widths)))
        self.blocks = nn.ModuleList(_Residual(nn.Conv1d, width, 5) for width in widths)
        self.norm = ChannelNorm(widths[-1])
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * widths[-1], classes))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return logits (item, class).

        Args:
            x: (item, channel, time), brought to one scale; finite where it counts.
            mask: (item, time), nonzero where samples were recorded; None takes all.
        """
        h, live = _checked(x, mask, self.channels, "(item, channel, time)")
        live = live[:, None, :]
        for down, block in zip(self.downs, self.blocks, strict=True):
            live = functional.max_pool1d(live, 4, ceil_mode=True)
            h = block(down(h) * live, live)
        return cast("Tensor", self.head(masked_pool(self.norm(h), live)))


class _Residual(nn.Module):
    """What is there, and what a pair of convolutions adds to it where the mask is 1."""

    def __init__(self, convolution: type[nn.Conv1d] | type[nn.Conv2d], n_channels: int, n_taps: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(ChannelNorm(n_channels) for _ in range(2))
        self.convolutions = nn.ModuleList(
            convolution(n_channels, n_channels, n_taps, padding=n_taps // 2) for _ in range(2)
        )

    def forward(self, x: Tensor, live: Tensor) -> Tensor:
        h = x
        for norm, convolve in zip(self.norms, self.convolutions, strict=True):
            # The norm's shift would put something where nothing was recorded
            h = convolve(functional.gelu(norm(h)) * live)
        return (x + h) * live


def masked_pool(x: Tensor, live: Tensor) -> Tensor:
    """Return mean and maximum over places that count, (item, 2 * channel), of x (item, channel, *place).

    Args:
        x: features.
        live: (item, 1, *place), 1 where a place counts, else 0. Without any, all are 0.
    """
    x, live = x.flatten(2), live.flatten(2)
    n = live.sum(dim=-1)
    mean = (x * live).sum(dim=-1) / n.clamp(min=1)
    highest = x.masked_fill(live == 0, float("-inf")).amax(dim=-1)
    return torch.cat([mean, torch.where(n > 0, highest, torch.zeros_like(highest))], dim=1)


def _checked(x: Tensor, mask: Tensor | None, n_channels: int, axes: str) -> tuple[Tensor, Tensor]:
    """Return the input with zeros where it does not count, and where it does: 1 or 0, (item, last axis)."""
    n_axes = axes.count(",") + 1
    if x.ndim != n_axes or x.shape[1] != n_channels or 0 in x.shape[2:]:
        raise ValueError(f"input of shape {tuple(x.shape)}: give {axes} with {n_channels} channels, no axis empty")
    if mask is None:
        return x, x.new_ones(x.shape[0], x.shape[-1])
    if mask.shape != (x.shape[0], x.shape[-1]):
        raise ValueError(f"mask of shape {tuple(mask.shape)}, input {tuple(x.shape)}: give one value a step in time")
    live = mask != 0
    wide = live.reshape(len(x), *(1,) * (n_axes - 2), -1)
    return torch.where(wide, x, x.new_zeros(())), live.to(x.dtype)
