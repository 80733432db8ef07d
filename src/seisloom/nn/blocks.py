"""Blocks of networks on gathers: tensors (item, channel, trace, time)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of each place.

    No statistic is taken over time, traces or the batch, so an output does not depend on how long the window is or
    what else is in it.
    """

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(n_channels))
        self.shift = nn.Parameter(torch.zeros(n_channels))

    def forward(self, x: Tensor) -> Tensor:
        last = x.movedim(1, -1)
        return functional.layer_norm(last, self.scale.shape, self.scale, self.shift, 1e-4).movedim(-1, 1)


class GatherBlock(nn.Module):
    """A residual pair of convolutions: along time, then over neighbouring traces (dilated) and time."""

    def __init__(self, n_channels: int, *, dilation: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(n_channels)
        self.along = nn.Conv2d(n_channels, n_channels, (1, 5), padding=(0, 2))
        self.across = nn.Conv2d(n_channels, n_channels, 3, padding=(dilation, 1), dilation=(dilation, 1))
        with torch.no_grad():
            # A residual branch that begins small lets a deep stack begin as the identity
            self.across.weight.mul_(0.3)
            assert self.across.bias is not None
            self.across.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.across(functional.gelu(self.along(self.norm(x))))
        return out


class Halve(nn.Module):
    """A convolution, a low-pass, and every second step in time.

    Taking every second step without the low-pass folds fast features onto slow ones, and the output then jumps when
    the record is shown a sample later.

    Source: Zhang (2019), Making convolutional networks shift-invariant again, arXiv 1904.11486; kernel 1 3 3 1.
    """

    kernel: torch.Tensor

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(n_in, n_out, (1, 3), padding=(0, 1))
        self.register_buffer("kernel", torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        mixed = functional.pad(self.mix(x), (1, 1, 0, 0), mode="replicate")
        kernel = self.kernel.expand(mixed.shape[1], 1, 1, -1)
        return functional.conv2d(mixed, kernel, stride=(1, 2), groups=mixed.shape[1])


def double(x: Tensor) -> Tensor:
    """Return twice as many steps in time, linear in between."""
    return functional.interpolate(x, scale_factor=(1.0, 2.0), mode="bilinear", align_corners=False)


class WindowAttention(nn.Module):
    """Self-attention along time within windows, of which every second block's are shifted by half.

    Source: windows and shift after Liu et al. (2021), Swin Transformer, arXiv 2103.14030, in one dimension.
    """

    def __init__(self, n_channels: int, *, n_heads: int, window: int, shifted: bool) -> None:
        super().__init__()
        self.n_heads, self.window, self.shifted = n_heads, window, shifted
        self.norm = ChannelNorm(n_channels)
        self.query_key_value = nn.Conv2d(n_channels, 3 * n_channels, 1)
        self.out = nn.Conv2d(n_channels, n_channels, 1)
        # Learned bias by distance in the window: attention alone does not know places
        self.distance_bias = nn.Parameter(torch.zeros(n_heads, 2 * window - 1))
        self.mix = nn.Sequential(
            ChannelNorm(n_channels), nn.Conv2d(n_channels, 2 * n_channels, 1), nn.GELU(),
            nn.Conv2d(2 * n_channels, n_channels, 1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        n_item, n_channels, n_trace, n_time = x.shape
        w = self.window
        left = w // 2 if self.shifted else 0
        padded = functional.pad(self.norm(x), (left, (-(n_time + left)) % w))
        live = functional.pad(x.new_ones(n_time), (left, (-(n_time + left)) % w)).reshape(-1, w) > 0
        n_windows = padded.shape[-1] // w
        parts = self.query_key_value(padded).reshape(n_item, 3, self.n_heads, -1, n_trace, n_windows, w)
        query, key, value = parts.permute(1, 0, 4, 5, 2, 6, 3).unbind(0)  # item, trace, window, head, w, channel
        places = torch.arange(w, device=x.device)
        bias = self.distance_bias[:, places[:, None] - places[None, :] + w - 1]
        # Padding is not looked at; a row of it alone would be all -inf, so it looks at itself
        seen = live[:, None, None, :] | torch.eye(w, dtype=torch.bool, device=x.device)
        mask = torch.where(seen, bias[None], bias.new_full((), float("-inf")))
        found = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        found = found.permute(0, 3, 5, 1, 2, 4).reshape(n_item, n_channels, n_trace, -1)
        x = x + self.out(found[..., left : left + n_time])
        out: Tensor = x + self.mix(x)
        return out


def smooth(x: Tensor, n: int) -> Tensor:
    """Return the centred moving mean over `n` samples (odd) of the last axis, its ends continued."""
    flat = functional.pad(x.reshape(-1, 1, x.shape[-1]), (n // 2, n // 2), mode="replicate")
    return functional.avg_pool1d(flat, n, stride=1).reshape(x.shape)
