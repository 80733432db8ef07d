"""MiniRocket and MultiRocket: thousands of fixed convolutions of a record, and how often each exceeds a threshold.

Nothing is trained but the thresholds, which are quantiles of what the convolutions of training records give; a linear
head on the features (`seisloom.nn.ridge`) is fitted in closed form. The thresholds are buffers, so weights files hold
them. Same seed and same training records: same features.

Source: Dempster, Schmidt & Webb (2021), MiniRocket, KDD 27, arXiv 2012.08791; Tan, Dempster, Bergmeir & Webb (2022),
MultiRocket, Data Mining and Knowledge Discovery 36, arXiv 2102.00457. Of several channels each kernel adds up a few,
drawn at random, as in the authors' multivariate version.
"""

from __future__ import annotations

import math
from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn import functional

N_TAPS = 9
N_KERNELS = 84
"""All kernels of nine taps with three of 2 and six of -1."""
MAX_DILATIONS = 32
GOLDEN = (math.sqrt(5) + 1) / 2
CHUNK = 1 << 18
"""Numbers of one convolution's output that are worked on at a time: what fits a core's cache."""


class Kernels(nn.Module):
    """The 84 kernels at several dilations, with thresholds: what MiniRocket and MultiRocket share."""

    weights: Tensor
    thresholds: Tensor
    channel_use: Tensor

    def __init__(self, n_channels: int, n_time: int, n_thresholds: int, *, seed: int = 0) -> None:
        """Lay out the kernels; `fit` finds the thresholds.

        Args:
            n_channels: channels of a record.
            n_time: samples of a record, at least 9; longer ones can be given later, shorter ones cannot.
            n_thresholds: of all kernels and dilations together; rounded down to a multiple of 84.
            seed: of the channels that each kernel adds up, and of the records whose quantiles are thresholds.
        Raises:
            ValueError: if a record is shorter than a kernel, or there are fewer than 84 thresholds.
        """
        super().__init__()
        if n_time < N_TAPS or n_thresholds < N_KERNELS or n_channels < 1:
            raise ValueError(
                f"{n_channels} channels of {n_time} samples and {n_thresholds} features: records need {N_TAPS} samples "
                f"or more, and there are {N_KERNELS} kernels, each with a feature or more"
            )
        self.n_channels, self.seed = n_channels, seed
        self.dilations, self.n_each = dilations(n_time, n_thresholds // N_KERNELS)
        rng = torch.Generator().manual_seed(seed)
        use = torch.stack([_channel_use(n_channels, rng) for _ in self.dilations])
        # NaN until they are fitted: a weights file without them does not pass for one with
        self.register_buffer("thresholds", torch.full((N_KERNELS * sum(self.n_each),), float("nan")))
        self.register_buffer("channel_use", use)
        self.register_buffer("weights", _weights(), persistent=False)

    @property
    def n_thresholds(self) -> int:
        """Thresholds of all kernels and dilations together."""
        return self.thresholds.numel()

    @torch.no_grad()
    def fit(self, x: Tensor) -> None:
        """Find the thresholds: quantiles of a convolution of one record, drawn for each kernel and dilation.

        Args:
            x: training records, (item, channel, time), finite.
        Raises:
            ValueError: if shapes do not fit, or a record is not finite.
        """
        self._check(x)
        wrong = ~x.flatten(1).isfinite().all(dim=1)
        if wrong.any():
            raise ValueError(
                f"{int(wrong.sum())} of {len(x)} training records are not finite (first: record "
                f"{int(wrong.int().argmax())}); set what was not recorded to 0"
            )
        rng = torch.Generator().manual_seed(self.seed + 1)
        found, first = [], 0
        for dilation, n, use in zip(self.dilations, self.n_each, self.channel_use, strict=True):
            some = torch.randint(len(x), (N_KERNELS,), generator=rng).to(x.device)
            summed = (x[some] * use[:, :, None]).sum(dim=1)
            taps = _taps(summed, dilation, padded=True)  # (kernel, tap, time)
            out = torch.einsum("kj,kjt->kt", self.weights.to(x.dtype), taps).sort(dim=1).values
            # A sequence that fills 0..1 evenly from wherever it is cut
            share = (torch.arange(first + 1, first + N_KERNELS * n + 1, dtype=torch.float64) * GOLDEN) % 1
            found.append(_at_shares(out, share.reshape(N_KERNELS, n).to(x.device)).flatten())
            first += N_KERNELS * n
        self.thresholds.copy_(torch.cat(found))

    def outputs(self, x: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return what the kernels give, by dilation and padding, with the thresholds it is compared to.

        Every second kernel sees a record continued by zeros, the others only where it lies within: then the ends say
        nothing.

        Args:
            x: (item, channel, time).
        Returns:
            Of each dilation, those with zeros first: (item, 42, time), and the thresholds (42, threshold).
        """
        parts = []
        first = 0
        for idx, (dilation, n) in enumerate(zip(self.dilations, self.n_each, strict=True)):
            levels = self.thresholds[first : first + N_KERNELS * n].reshape(N_KERNELS, n)
            first += N_KERNELS * n
            for padded in (True, False):
                chosen = slice((idx + (not padded)) % 2, None, 2)
                weight = self.weights[chosen, None, :] * self.channel_use[idx, chosen, :, None]
                taps = _taps(x, dilation, padded=padded).flatten(1, 2)
                parts.append((weight.flatten(1).to(x.dtype) @ taps, levels[chosen]))
        return parts

    def _check(self, x: Tensor) -> None:
        """Refuse records that do not fit."""
        shortest = (N_TAPS - 1) * max(self.dilations) + 1
        if x.ndim != 3 or x.shape[1] != self.n_channels or x.shape[2] < shortest or not len(x):
            raise ValueError(
                f"records of shape {tuple(x.shape)}: give (item, channel, time) with {self.n_channels} channels and "
                f"{shortest} samples or more"
            )

    def _chunks(self, x: Tensor) -> tuple[Tensor, ...]:
        """The records a few at a time, once it is sure that they fit and thresholds are there."""
        self._check(x)
        if self.thresholds.isnan().any():
            raise ValueError("thresholds are not fitted; call fit(training records), or load weights, first")
        return torch.split(x, max(1, CHUNK // (N_KERNELS // 2 * x.shape[2])))


class MiniRocket(Kernels):
    """The share of samples at which each convolution exceeds each threshold: about 10 000 numbers between 0 and 1."""

    def __init__(self, n_channels: int, n_time: int, n_features: int = 9996, *, seed: int = 0) -> None:
        """Lay out the kernels; arguments as those of `Kernels`, `n_features` is its `n_thresholds`."""
        super().__init__(n_channels, n_time, n_features, seed=seed)

    @property
    def n_features(self) -> int:
        """Numbers that come out for each record."""
        return self.n_thresholds

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Return the features (item, feature) of records (item, channel, time)."""
        return torch.cat([self._of(some) for some in self._chunks(x)])

    def _of(self, x: Tensor) -> Tensor:
        """The features of a few records."""
        return torch.cat([_share_above(out, levels).flatten(1) for out, levels in self.outputs(x)], dim=1)


class MultiRocket(nn.Module):
    """Four numbers of each convolution and threshold, of a record and of its first difference.

    Of the samples above the threshold: their share, their mean height above it (0 if there are none), their mean place
    (-1 if there are none) and their longest stretch; place and stretch as shares of the length, where the paper counts
    samples.
    """

    def __init__(self, n_channels: int, n_time: int, n_features: int = 49_728, *, seed: int = 0) -> None:
        """Lay out the kernels; arguments as those of `Kernels`, an eighth of `n_features` are thresholds of each."""
        super().__init__()
        self.record = Kernels(n_channels, n_time, n_features // 8, seed=seed)
        self.difference = Kernels(n_channels, n_time - 1, n_features // 8, seed=seed + 2)

    @property
    def n_features(self) -> int:
        """Numbers that come out for each record."""
        return 4 * (self.record.n_thresholds + self.difference.n_thresholds)

    def fit(self, x: Tensor) -> None:
        """Find the thresholds in training records (item, channel, time)."""
        self.record.fit(x)
        self.difference.fit(x.diff(dim=-1))

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Return the features (item, feature) of records (item, channel, time)."""
        parts = []
        for kernels, of in ((self.record, x), (self.difference, x.diff(dim=-1))):
            rows = [
                torch.cat([_pooled(out, levels).flatten(1) for out, levels in kernels.outputs(some)], dim=1)
                for some in kernels._chunks(of)
            ]
            parts.append(torch.cat(rows))
        return torch.cat(parts, dim=1)


def dilations(n_time: int, n_each: int) -> tuple[list[int], list[int]]:
    """Return the spacings of a kernel's taps, and the number of thresholds that each kernel has at each.

    Spacings grow like powers of two up to the one at which a kernel spans the record; of up to 32 powers those that
    round to the same spacing share it, so that short spacings get more thresholds.

    >>> dilations(100, 10)
    ([1, 2, 3, 4, 5, 7, 9, 12], [3, 1, 1, 1, 1, 1, 1, 1])
    """
    n_powers = min(n_each, MAX_DILATIONS)
    longest = math.log2((n_time - 1) / (N_TAPS - 1))
    # A ten-millionth, since 2 ** log2(12) can be a little less than 12
    spacings = [int(2 ** (longest * k / max(n_powers - 1, 1)) + 1e-7) for k in range(n_powers)]
    found = sorted(set(spacings))
    n = [int(spacings.count(one) * n_each / n_powers) for one in found]
    for k in range(n_each - sum(n)):
        n[k % len(n)] += 1
    return found, n


def _weights() -> Tensor:
    """The kernels, (84, 9)."""
    weights = torch.full((N_KERNELS, N_TAPS), -1.0)
    for k, places in enumerate(combinations(range(N_TAPS), 3)):
        weights[k, list(places)] = 2.0
    return weights


def _channel_use(n_channels: int, rng: torch.Generator) -> Tensor:
    """Which channels each kernel adds up, 1 or 0, (84, channel): mostly few, up to nine."""
    most = min(n_channels, N_TAPS)
    n = (2 ** (torch.rand(N_KERNELS, generator=rng) * math.log2(most + 1))).long().clamp(1, most)
    rank = torch.rand(N_KERNELS, n_channels, generator=rng).argsort(dim=1).argsort(dim=1)
    return (rank < n[:, None]).float()


def _taps(x: Tensor, dilation: int, *, padded: bool) -> Tensor:
    """The samples under each tap, (..., 9, time), with zeros beyond the ends or only where all taps lie within."""
    if padded:
        reach = (N_TAPS // 2) * dilation
        x = functional.pad(x, (reach, reach))
    n_time = x.shape[-1] - (N_TAPS - 1) * dilation
    return torch.stack([x.narrow(-1, j * dilation, n_time) for j in range(N_TAPS)], dim=-2)


def _at_shares(ordered: Tensor, share: Tensor) -> Tensor:
    """Quantiles of rows that are sorted already, linear between samples, each row at its own shares."""
    place = share * (ordered.shape[1] - 1)
    below = place.floor().long().clamp(max=max(ordered.shape[1] - 2, 0))
    low, high = ordered.gather(1, below), ordered.gather(1, (below + 1).clamp(max=ordered.shape[1] - 1))
    return low + (high - low) * (place - below).to(ordered.dtype)


def _share_above(out: Tensor, levels: Tensor) -> Tensor:
    """The share of samples above each threshold, (item, kernel, threshold), of (item, kernel, time)."""
    # Written as numbers at once: a sum over booleans takes several times longer
    above = torch.empty_like(out)
    found = out.new_empty(*out.shape[:2], levels.shape[1])
    for k in range(levels.shape[1]):
        torch.gt(out, levels[:, k, None].to(out.dtype), out=above)
        found[..., k] = above.sum(dim=-1)
    return found / out.shape[-1]


def _pooled(out: Tensor, levels: Tensor) -> Tensor:
    """Share, height, place and stretch of what is above each threshold, (item, kernel, threshold, 4)."""
    n_time = out.shape[-1]
    place = torch.arange(n_time, device=out.device, dtype=out.dtype)
    found = out.new_empty(*out.shape[:2], levels.shape[1], 4)
    # Written over for each threshold: fresh memory of this size takes longer than the arithmetic
    height, above, last = (torch.empty_like(out) for _ in range(3))
    idx = torch.empty_like(out, dtype=torch.long)
    for k in range(levels.shape[1]):
        torch.sub(out, levels[:, k, None].to(out.dtype), out=height)
        torch.gt(height, 0, out=above)
        n = above.sum(dim=-1)
        some = n.clamp(min=1)
        found[..., k, 0] = n / n_time
        found[..., k, 1] = height.clamp_(min=0).sum(dim=-1) / some
        found[..., k, 2] = torch.where(n > 0, (above @ place) / some / n_time, -1.0)
        # The last sample that was not above, -1 before the first: the stretch is the way since
        torch.addcmul(place, above, place + 1, value=-1, out=height)
        torch.cummax(height, dim=-1, out=(last, idx))
        found[..., k, 3] = torch.sub(place, last, out=above).amax(dim=-1) / n_time
    return found
