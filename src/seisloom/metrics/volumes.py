"""Scores of fault, orientation, RGT and image volumes while training: torchmetrics that add up over batches.

Each takes what a volume network returns, and a batch with labels, all (item, inline, crossline, time): outputs `fault`
(logits), `normal` (item, 3, inline, crossline, time) in the order depth, crossline, inline, `rgt` and `dhr`; labels
`fault` (1, 0, -1 nobody knows), `dip` and `strike` in degrees, `rgt` and `dhr`; NaN where not known. A network without
that output, or a batch without that label, is passed over, and a metric that saw nothing is NaN. Outputs are checked
for NaN by the loss, not here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional
from torchmetrics import Metric

from seisloom.config import MetricConfig
from seisloom.metrics.image import SSIM_K1, SSIM_K2, SSIM_RADIUS, SSIM_SIGMA

MAX_QUANTILE_VALUES = 1 << 20
"""Levels are quantiles of at most so many RGT values, evenly spaced in the volume: enough for a horizon's place."""


class FaultF1(MetricConfig):
    """F1 of fault voxels within a tolerance, at a fixed threshold; the prediction is not thinned."""

    name: str = "fault_f1"
    threshold: float = Field(0.5, gt=0, lt=1)
    """Probability from which on a voxel is a fault."""
    tolerance_voxels: float = Field(2.0, ge=0)
    """Euclidean distance in voxels within which a predicted and a true fault voxel match."""

    def build(self) -> Metric:
        """Return the metric."""
        return TolerantF1(self.threshold, self.tolerance_voxels)


class FaultAngle(MetricConfig):
    """Mean angle between predicted and true fault planes on true fault voxels, in degrees; 57.3 is chance."""

    name: str = "fault_angle_deg"

    def build(self) -> Metric:
        """Return the metric."""
        return NormalAngle()


class RgtHorizonError(MetricConfig):
    """Mean distance in samples between horizons of equal predicted and of equal true geologic time."""

    name: str = "rgt_horizon_error"
    n_horizons: int = Field(8, ge=1)
    """Horizons in each volume, evenly spaced in its true geologic time by quantiles."""

    def build(self) -> Metric:
        """Return the metric."""
        return HorizonError(self.n_horizons)


class DhrSsim(MetricConfig):
    """Structural similarity of the denoised high-resolution image and its target; 1 is equal."""

    name: str = "dhr_ssim"

    def build(self) -> Metric:
        """Return the metric."""
        return ImageSsim()


class TolerantF1(Metric):
    """F1 of thresholded voxels within a Euclidean tolerance, over all voxels seen.

    As `seisloom.metrics.overlap.match_all`, summed: precision is the share of predicted voxels within the tolerance of
    a label, recall the share of label voxels within it of a predicted one. Evaluation thins the prediction first; here
    that would cost more than a training step, so that a fault thicker than it should be, by up to the tolerance on each
    side, is not punished.
    """

    higher_is_better = True
    full_state_update = False
    n_known: Tensor
    n_predicted: Tensor
    n_right: Tensor
    n_true: Tensor
    n_found: Tensor

    def __init__(self, threshold: float, tolerance: float, **settings: Any) -> None:  # Any: torchmetrics' own
        """Count at this probability and within this distance in voxels."""
        super().__init__(**settings)
        self.logit, self.tolerance = math.log(threshold / (1 - threshold)), tolerance
        for name in ("n_known", "n_predicted", "n_right", "n_true", "n_found"):
            self.add_state(name, torch.tensor(0), dist_reduce_fx="sum")

    def update(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> None:
        """Count the voxels of a batch."""
        if "fault" not in outputs or "fault" not in batch:
            return
        said, truth = outputs["fault"] >= self.logit, batch["fault"]
        label, known = truth == 1, truth >= 0
        self.n_known += known.sum()
        self.n_predicted += (said & known).sum()
        self.n_right += (said & known & near(label, self.tolerance)).sum()
        self.n_true += label.sum()
        self.n_found += (label & near(said, self.tolerance)).sum()

    def compute(self) -> Tensor:
        """Return F1; 1 if neither labels nor predictions were seen, 0 if one, NaN before any known voxel."""
        nothing_said, nothing_there = self.n_predicted == 0, self.n_true == 0
        precision = torch.where(nothing_said, (self.n_found > 0) | nothing_there, self.n_right / self.n_predicted)
        recall = torch.where(nothing_there, (self.n_right > 0) | nothing_said, self.n_found / self.n_true)
        f1 = torch.nan_to_num(2 * precision * recall / (precision + recall), nan=0.0)
        return torch.where(self.n_known == 0, torch.nan, f1)


class NormalAngle(Metric):
    """Mean acos |n_p . n_t| in degrees, over all true fault voxels of known dip and strike."""

    higher_is_better = False
    full_state_update = False
    total_deg: Tensor
    n_voxels: Tensor

    def __init__(self, **settings: Any) -> None:  # Any: torchmetrics' own
        """Start at nothing."""
        super().__init__(**settings)
        self.add_state("total_deg", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("n_voxels", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> None:
        """Add the fault voxels of a batch; predicted normals may have any length, with 0 they are 90 degrees off."""
        if "normal" not in outputs or not {"fault", "dip", "strike"} <= batch.keys():
            return
        at = (batch["fault"] == 1) & ~batch["dip"].isnan() & ~batch["strike"].isnan()
        dip, strike = torch.deg2rad(batch["dip"][at].float()), torch.deg2rad(batch["strike"][at].float())
        true = torch.stack([-dip.cos(), dip.sin() * strike.cos(), -dip.sin() * strike.sin()], dim=-1)
        ours = outputs["normal"].movedim(1, -1)[at].float()
        across, along = torch.linalg.cross(ours, true).norm(dim=-1), (ours * true).sum(dim=-1).abs()
        # A normal of length 0 names no plane: it must not count as a right one
        angle = torch.where((across == 0) & (along == 0), math.pi / 2, torch.atan2(across, along))
        self.total_deg += torch.rad2deg(angle).sum()
        self.n_voxels += at.sum()

    def compute(self) -> Tensor:
        """Return the mean in degrees, NaN before any fault was seen."""
        return self.total_deg / self.n_voxels


class HorizonError(Metric):
    """Mean |residual| in samples of horizons, over all horizons and traces.

    As `seisloom.metrics.horizons.horizon_residuals`, but for speed without giving the prediction the truth's
    distribution first: a rising map of the prediction, if it bends, changes a residual by a fraction of a sample.
    """

    higher_is_better = False
    full_state_update = False
    total_samples: Tensor
    n_points: Tensor

    def __init__(self, n_horizons: int, **settings: Any) -> None:  # Any: torchmetrics' own
        """Follow so many horizons in each volume."""
        super().__init__(**settings)
        self.n_horizons = n_horizons
        self.add_state("total_samples", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("n_points", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> None:
        """Add the horizons of a batch; a predicted one that is not met counts from the trace's end."""
        if "rgt" not in outputs or "rgt" not in batch:
            return
        for predicted, truth in zip(outputs["rgt"].float(), batch["rgt"].float(), strict=True):
            known = truth[~truth.isnan()]
            if not known.numel():
                continue
            some = known[:: math.ceil(known.numel() / MAX_QUANTILE_VALUES)]
            shares = (torch.arange(self.n_horizons, device=some.device) + 0.5) / self.n_horizons
            for level in some.quantile(shares):
                residual = horizon_residual(predicted, truth, level)
                self.total_samples += residual.abs().sum()
                self.n_points += residual.numel()

    def compute(self) -> Tensor:
        """Return the mean in samples, NaN before any horizon was seen."""
        return self.total_samples / self.n_points


class ImageSsim(Metric):
    """Mean over volumes of the structural similarity, with the range 2 max|target| of each volume."""

    higher_is_better = True
    full_state_update = False
    total: Tensor
    n_volumes: Tensor

    def __init__(self, **settings: Any) -> None:  # Any: torchmetrics' own
        """Start at nothing."""
        super().__init__(**settings)
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("n_volumes", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> None:
        """Add the volumes of a batch; one that is zero or of which no window is known is passed over."""
        if "dhr" not in outputs or "dhr" not in batch:
            return
        for predicted, target in zip(outputs["dhr"].float(), batch["dhr"].float(), strict=True):
            value = ssim(predicted, target)
            if not value.isnan():
                self.total += value
                self.n_volumes += 1

    def compute(self) -> Tensor:
        """Return the mean, NaN before any volume was seen."""
        return self.total / self.n_volumes


def near(mask: Tensor, distance: float) -> Tensor:
    """Return which voxels lie within a Euclidean distance, in voxels, of one of the mask.

    Args:
        mask: bool, shape (item, inline, crossline, time); items do not reach each other.
        distance: in voxels, at least 0.

    It is a maximum over shifts inside the ball, columns along time first: their maxima are shared by all shifts.
    """
    reach = int(distance)
    columns: dict[int, Tensor] = {}
    found = mask
    for i in range(-reach, reach + 1):
        for j in range(-reach, reach + 1):
            left = distance**2 - i**2 - j**2
            if left < 0 or abs(i) >= mask.shape[1] or abs(j) >= mask.shape[2]:
                continue
            half = math.isqrt(int(left))
            if half not in columns:
                columns[half] = functional.max_pool1d(mask.flatten(0, 2).float(), 2 * half + 1, 1, half) > 0
            found = found | _shifted(columns[half].reshape(mask.shape), i, j)
    return found


def horizon_residual(predicted: Tensor, truth: Tensor, level: Tensor) -> Tensor:
    """Return predicted minus true depth in samples of one horizon, shape (trace,), where traces meet the true one.

    Args:
        predicted, truth: RGT of one volume, shape (inline, crossline, time).
        level: true RGT of the horizon. The predicted one is the lower median of the predicted RGT on it.
    """
    true, met = surface_depth(truth, level)
    true, predicted = true[met], predicted[met]
    if not met.any():
        return true
    above = true.floor().long()
    below = (above + 1).clamp(max=predicted.shape[-1] - 1)
    upper, lower = (predicted.gather(-1, idx[:, None])[:, 0] for idx in (above, below))
    value = (upper + (lower - upper) * (true - above)).median()
    ours, seen = surface_depth(predicted, value)
    end = torch.where(predicted[:, 0] >= value, 0.0, predicted.shape[-1] - 1.0)
    return torch.where(seen, ours, end) - true


def surface_depth(rgt: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
    """Return the depth in samples at which traces (..., time) first rise to a level, and whether they do."""
    idx = (rgt >= level).byte().argmax(dim=-1)
    below, at = (rgt.gather(-1, k[..., None])[..., 0] for k in ((idx - 1).clamp(min=0), idx))
    met = (idx > 0) & (below < level)
    return torch.where(met, idx - 1 + (level - below) / (at - below), torch.nan), met


def ssim(predicted: Tensor, target: Tensor) -> Tensor:
    """Return the structural similarity of two volumes, as `seisloom.metrics.image.ssim`; NaN if nothing is known.

    Args:
        predicted, target: (inline, crossline, time); the target is NaN where not known.
    """
    known = ~target.isnan()
    t, p = torch.where(known, target, 0.0), torch.where(known, predicted, 0.0)
    value_range = 2 * t.abs().max()
    p, t = p / value_range, t / value_range  # so that squares of strong amplitudes keep their digits
    radii = [min(SSIM_RADIUS, (n - 1) // 2) for n in t.shape]
    touched = functional.max_pool3d((~known).float()[None], [2 * r + 1 for r in radii], stride=1)[0]
    mean_p, mean_t, pp, tt, pt = _window_means(torch.stack([p, t, p * p, t * t, p * t]), radii)
    c1, c2 = SSIM_K1**2, SSIM_K2**2
    luminance = (2 * mean_p * mean_t + c1) / (mean_p**2 + mean_t**2 + c1)
    structure = (2 * (pt - mean_p * mean_t) + c2) / (pp - mean_p**2 + tt - mean_t**2 + c2)
    similarity: Tensor = luminance * structure
    return similarity[touched == 0].mean()


def _shifted(mask: Tensor, i: int, j: int) -> Tensor:
    """The mask moved by i inlines and j crosslines; what comes in from outside is False."""
    n_inlines, n_crosslines = mask.shape[1:3]
    padded = functional.pad(mask, (0, 0, abs(j), abs(j), abs(i), abs(i)))
    return padded[:, abs(i) - i :, abs(j) - j :][:, :n_inlines, :n_crosslines]


def _window_means(volumes: Tensor, radii: list[int]) -> Tensor:
    """The Gaussian means of volumes (volume, inline, crossline, time) in windows that lie inside."""
    for axis, radius in enumerate(radii, start=1):
        offsets = range(-radius, radius + 1)
        weights = [math.exp(-(k**2) / (2 * SSIM_SIGMA**2)) for k in offsets]
        n_inside = volumes.shape[axis] - 2 * radius
        # Sums of shifted views: a convolution of one channel would first copy every window
        means = torch.zeros_like(volumes.narrow(axis, 0, n_inside))
        for k, weight in enumerate(weights):
            means.add_(volumes.narrow(axis, k, n_inside), alpha=weight / sum(weights))
        volumes = means
    return volumes
