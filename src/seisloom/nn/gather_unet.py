"""A U-Net on gathers: coarse in time on the way down, full resolution on the way up, traces never merged."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from seisloom.nn.blocks import ChannelNorm, GatherBlock, Halve, WindowAttention, double


class GatherUNet(nn.Module):
    """From channels (item, in, trace, time) to features (item, width, trace, time / stride).

    Time is halved at each level, traces are not: a gather of any number of traces goes through, one included. The
    length in time must be a multiple of `multiple`.
    """

    def __init__(
        self,
        n_in: int,
        *,
        widths: Sequence[int],
        n_blocks: Sequence[int],
        dilations: Sequence[int],
        stride: int,
        n_heads: int = 0,
        window: int = 0,
    ) -> None:
        super().__init__()
        self.stride, self.multiple = stride, stride * 2 ** (len(widths) - 1)
        taps = 4 * stride + 1 if stride > 1 else 7
        self.stem = nn.Conv2d(n_in, widths[0], (1, taps), stride=(1, stride), padding=(0, taps // 2))
        self.encoders = nn.ModuleList(
            nn.Sequential(*[GatherBlock(width, dilation=dilation * (1 + k)) for k in range(n)])
            for width, dilation, n in zip(widths, dilations, n_blocks, strict=True)
        )
        pairs = list(pairwise(widths))
        self.downs = nn.ModuleList(Halve(a, b) for a, b in pairs)
        self.ups = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairs)
        self.decoders = nn.ModuleList(GatherBlock(a, dilation=d) for (a, _), d in zip(pairs, dilations, strict=False))
        self.attention = nn.Sequential(
            *[
                WindowAttention(widths[-1], n_heads=n_heads, window=window, shifted=shifted)
                for shifted in ((False, True) if n_heads else ())
            ]
        )
        self.norm = ChannelNorm(widths[0])

    def forward(self, x: Tensor, beside: Tensor | None = None) -> Tensor:
        """Return the features; `beside` (item, width, trace, time / stride) is added after the first convolution."""
        h = self.stem(x)
        if beside is not None:
            h = h + beside
        skips = []
        for encoder, down in zip(self.encoders, [*self.downs, None], strict=True):
            h = encoder(h)
            if down is not None:
                skips.append(h)
                h = down(h)
        h = self.attention(h)
        for skip, up, decoder in reversed(list(zip(skips, self.ups, self.decoders, strict=True))):
            h = decoder(skip + double(up(h)))
        out: Tensor = self.norm(h)
        return out


def phases_to_time(x: Tensor, stride: int) -> Tensor:
    """Return (item, channel, trace, time) from (item, channel * stride, trace, time / stride): phases, interleaved.

    Each coarse step carries its own fine samples, as in Shi et al. (2016), arXiv 1609.05158, along time alone.
    """
    n_item, n_phases, n_trace, n_time = x.shape
    split = x.reshape(n_item, n_phases // stride, stride, n_trace, n_time)
    return split.permute(0, 1, 3, 4, 2).reshape(n_item, n_phases // stride, n_trace, n_time * stride)


def local_soft_argmax(logit: Tensor, *, reach: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return where the main peak of a distribution over time lies, to a part of a sample.

    A soft-argmax over the whole trace is pulled to the middle by far side peaks; within `reach` samples of the main
    one it is not.

    Args:
        logit: (..., time).
        reach: samples to either side that belong to the peak.
    Returns:
        mean and spread of the distribution within reach, in samples; its share of the whole; the sample of the peak.
        All of shape (...). Spread and share carry no gradient.
    """
    n_time = logit.shape[-1]
    log_p = torch.log_softmax(logit, dim=-1)
    width = 2 * (reach // 4) + 1
    peak = functional.avg_pool1d(
        log_p.detach().exp().reshape(-1, 1, n_time), width, stride=1, padding=width // 2, count_include_pad=False
    )
    peak = peak.reshape(logit.shape).argmax(dim=-1, keepdim=True)
    places = peak + torch.arange(-reach, reach + 1, device=logit.device)
    inside = (places >= 0) & (places < n_time)
    near = torch.gather(log_p, -1, places.clamp(0, n_time - 1)).masked_fill(~inside, float("-inf"))
    weight = torch.softmax(near, dim=-1)
    mean = (weight * places).sum(dim=-1)
    spread = (weight * (places - mean[..., None]).square()).sum(dim=-1).detach().clamp(min=0.05).sqrt()
    share = near.detach().logsumexp(dim=-1).exp().clamp(1e-4, 1 - 1e-4)
    return mean, spread, share, peak[..., 0]
