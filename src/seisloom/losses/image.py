"""Losses between images, and of relative geological time (RGT) as one: SSIM, absolute and squared errors, order.

All take an output and a label of one name, both (item, *place), the label NaN where nobody knows. `place` has any
number of axes; where depth or time matters, it is the last one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from seisloom.config import LossTerm
from seisloom.losses.onset import mean_where

SIGMA, RADIUS = 1.5, 5
"""Standard deviation and half width in samples of SSIM's window: 11 samples, Wang et al. (2004), section III B."""
K1, K2 = 0.01, 0.03

Range = Literal["peak", "span"]


class AbsoluteError(LossTerm):
    """Mean absolute error where the label is known."""

    name: str = "l1"
    output: str = "dhr"
    """Name of the output and of its label."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean over known samples, in units of the label."""
        predicted, target, known = pair(outputs, batch, self.output)
        return mean_where((predicted - target).abs(), known)


class SquaredError(LossTerm):
    """Mean squared error where the label is known."""

    name: str = "l2"
    output: str = "dhr"
    """Name of the output and of its label."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean over known samples, in squared units of the label."""
        predicted, target, known = pair(outputs, batch, self.output)
        return mean_where((predicted - target).square(), known)


class Ssim(LossTerm):
    """1 - SSIM: how unlike two images are in local mean, contrast and shape."""

    name: str = "ssim"
    output: str = "dhr"
    """Name of the output and of its label."""
    value_range: Range = "peak"
    """Range L of an item's values: peak is 2 max|label|, for amplitudes about 0; span is the label's max - min."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean over items of 1 - SSIM, in 0..2."""
        return unlikeness(*pair(outputs, batch, self.output), value_range=self.value_range)


class SsimL2(LossTerm):
    """1 - SSIM and the mean squared error of the denoised high-resolution image `dhr`, added."""

    name: str = "ssim_l2"
    ssim: float = Field(1.0, ge=0)
    """Factor of 1 - SSIM, with the range 2 max|label| of each item."""
    l2: float = Field(1.0, ge=0)
    """Factor of the mean squared error, in squared units of the label."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the sum of both for the output and the label `dhr`."""
        predicted, target, known = pair(outputs, batch, "dhr")
        error = mean_where((predicted - target).square(), known)
        return self.ssim * unlikeness(predicted, target, known, value_range="peak") + self.l2 * error


class SsimL1(LossTerm):
    """1 - SSIM and the mean absolute error of RGT, added.

    RGT has no constant and no unit of its own, and those of a label are its volume's, which a tile does not show. With
    `fit`, an item's output is first brought to its label by the best constant and factor. A monotone map that is not
    linear is still counted as error.
    """

    name: str = "ssim_l1"
    ssim: float = Field(1.0, ge=0)
    """Factor of 1 - SSIM, with the span of each item's label as range."""
    l1: float = Field(1.0, ge=0)
    """Factor of the mean absolute error, as a share of the span of each item's label."""
    fit: bool = True
    """Whether constant and factor of each item are fitted by least squares; False takes the output as it is."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the sum of both for the output and the label `rgt`."""
        predicted, target, known = pair(outputs, batch, "rgt")
        if self.fit:
            predicted = fitted(predicted, target, known)
        span = per_item(range_of(target, known, "span"), target)
        error = (predicted - target).abs() / torch.where(span > 0, span, torch.ones_like(span))
        return self.ssim * unlikeness(predicted, target, known, value_range="span") + self.l1 * mean_where(error, known)


class RgtOrder(LossTerm):
    """How much RGT decreases from one sample to the next one below, away from faults.

    Younger lies above older except across a fault. It needs no label of RGT, and where faults are unlabelled it is
    silent. Salt, overturned beds and multiples in the labels are not known to it.
    """

    name: str = "rgt_order"
    min_step: float = Field(0.0, ge=0)
    """Least increase a sample, in units of the output; what is below it counts."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean of max(0, min_step - step) over steps whose ends both lie off faults.

        Args:
            outputs: `rgt` (item, *place), depth or time last.
            batch: `fault` (item, *place), 0 off faults; where the batch has none, all steps count.
        """
        rgt = outputs["rgt"]
        off = batch["fault"] == 0 if "fault" in batch else torch.ones_like(rgt, dtype=torch.bool)
        return mean_where((self.min_step - rgt.diff(dim=-1)).clamp(min=0), off[..., 1:] & off[..., :-1])


def pair(outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return an output, its label (0 where not known), and where that is known, (item, *place) each."""
    label = batch[name]
    known = torch.isfinite(label)
    # NaN times a gradient of 0 is NaN: it must go before it meets the output
    return outputs[name].to(label.dtype), torch.where(known, label, torch.zeros_like(label)), known


def fitted(predicted: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """Return a + b predicted, with the a and b of each item that come nearest to the target where it is known.

    Args:
        predicted, target, known: (item, *place).
    Returns:
        (item, *place); of a constant item the constant is fitted alone.
    """
    n = known.flatten(1).sum(1).clamp(min=1)
    mean_p, mean_t = (per_item((one * known).flatten(1).sum(1) / n, one) for one in (predicted, target))
    p, t = (predicted - mean_p) * known, (target - mean_t) * known
    power = p.square().flatten(1).sum(1)
    factor = (p * t).flatten(1).sum(1) / torch.where(power > 0, power, torch.ones_like(power))
    return mean_t + per_item(factor, predicted) * (predicted - mean_p)


def range_of(target: Tensor, known: Tensor, rule: Range) -> Tensor:
    """Return the range of the known values of each item, shape (item,); 0 where nothing is known."""
    if rule == "peak":
        return 2 * (target.abs() * known).flatten(1).amax(1)
    low, high = (torch.where(known, target, target.new_tensor(end)).flatten(1) for end in (math.inf, -math.inf))
    return (high.amax(1) - low.amin(1)).clamp(min=0)


def unlikeness(predicted: Tensor, target: Tensor, known: Tensor, *, value_range: Range) -> Tensor:
    """Return the mean of 1 - SSIM over items that have a window of known values and a range above 0."""
    span = range_of(target, known, value_range)
    whole = whole_windows(known)
    counts = (span > 0) & whole.flatten(1).any(1)
    likeness = ssim_map(predicted, target, value_range=torch.where(counts, span, torch.ones_like(span)))
    mean = torch.where(whole, likeness, torch.zeros_like(likeness)).flatten(1).sum(1)
    return mean_where(1 - mean / whole.flatten(1).sum(1).clamp(min=1), counts)


def ssim_map(predicted: Tensor, target: Tensor, *, value_range: Tensor) -> Tensor:
    """Return the structural similarity of two images about each place whose window lies within them.

    The window is Gaussian; along an axis of n < 11 samples it has the largest odd number of samples that fits, so that
    a volume of one inline gives what its section gives.

    Args:
        predicted, target: (item, *place), finite.
        value_range: L of each item, (item,), above 0; constants are (0.01 L)^2 and (0.03 L)^2.
    Returns:
        (item, *place), each axis shorter by the window's length less one; in -1..1.
    Source: Wang et al. (2004), IEEE TIP 13(4), 600-612, equation 13.
    """
    # Variances are differences of squares: about the target's mean, single precision is enough for them
    shift = per_item(target.flatten(1).mean(1), target)
    p, t = predicted - shift, target - shift
    mean_p, mean_t, mean_pp, mean_tt, mean_pt = window_mean(torch.stack([p, t, p * p, t * t, p * t])).unbind(0)
    var_p, var_t = ((square - mean * mean).clamp(min=0) for square, mean in ((mean_pp, mean_p), (mean_tt, mean_t)))
    covariance = mean_pt - mean_p * mean_t
    c1, c2 = (per_item((k * value_range).square(), p) for k in (K1, K2))
    mean_p, mean_t = mean_p + shift, mean_t + shift
    luminance = (2 * mean_p * mean_t + c1) / (mean_p.square() + mean_t.square() + c1)
    return luminance * (2 * covariance + c2) / (var_p + var_t + c2)


def window_radius(n: int) -> int:
    """Return the half width of SSIM's window along an axis of n samples."""
    return min(RADIUS, (n - 1) // 2)


def window_mean(values: Tensor) -> Tensor:
    """Return Gaussian means (..., item, *place) of values with two leading axes, where the window fits."""
    for axis in range(2, values.ndim):
        radius = window_radius(values.shape[axis])
        weights = [math.exp(-0.5 * (k / SIGMA) ** 2) for k in range(-radius, radius + 1)]
        n = values.shape[axis] - 2 * radius
        # Sums of slices are ten times as fast as convolutions of one channel on CPU, and autocast leaves them alone
        total = values.narrow(axis, 0, n) * (weights[0] / sum(weights))
        for k, weight in enumerate(weights[1:], start=1):
            total = torch.add(total, values.narrow(axis, k, n), alpha=weight / sum(weights))
        values = total
    return values


def whole_windows(known: Tensor) -> Tensor:
    """Return where all of a window is known, of the shape of `ssim_map`."""
    for axis in range(1, known.ndim):
        known = known.unfold(axis, 2 * window_radius(known.shape[axis]) + 1, 1).all(dim=-1)
    return known


def per_item(values: Tensor, like: Tensor) -> Tensor:
    """Return values (item,) with an axis of 1 for each axis of a place."""
    return values.reshape(-1, *[1] * (like.ndim - 1))
