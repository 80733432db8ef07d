"""What is measured of restored gathers after each epoch of training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor
from torchmetrics import Metric

from seisloom.config import MetricConfig


class RestorationSnr(MetricConfig):
    """Signal-to-noise ratio of restored traces in dB: 10 log10 of truth's energy over error's, the mean over panels."""

    name: str = "restoration_snr"
    traces: Literal["missing", "kept", "all"] = "missing"
    """Which count: those that were made, since kept ones flatter an interpolation; those that were given, where noise
    was to be taken off; or both. Of the truth's own dead traces nobody knows more."""
    output: str = "clean"
    """Name of the output and of its truth."""

    def build(self) -> Metric:
        """Return the metric."""
        return PanelSnr(self.traces, self.output)


class RestorationGain(MetricConfig):
    """By how many dB the SNR of given traces rises from what was given: of noise taken off; below 0 signal was lost."""

    name: str = "restoration_gain"
    output: str = "clean"
    """Name of the output and of its truth."""

    def build(self) -> Metric:
        """Return the metric."""
        return PanelSnr("kept", self.output, against="x")


class PanelSnr(Metric):
    """Mean over panels of SNR in dB, or of its rise above that of another field of the batch.

    A panel is one line of one item. Those without a trace that counts, and silent ones, are passed over; one that comes
    back to the last digit has the SNR of its rounding, not an infinite one.
    """

    higher_is_better = True
    full_state_update = False
    total_db: Tensor
    n_panels: Tensor

    def __init__(
        self, traces: str, output: str, *, against: str = "", **settings: Any
    ) -> None:  # Any: torchmetrics' own
        """Score these traces of this output; as a rise above the field `against`, if one is named."""
        super().__init__(**settings)
        self.traces, self.output, self.against = traces, output, against
        self.add_state("total_db", torch.tensor(0.0, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("n_panels", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> None:
        """Add the panels of a batch.

        Args:
            outputs: `clean` (item, line, trace, time).
            batch: `clean` and, for a rise, `x` of that shape; `live`, and `known` if not all is, (item, line, trace).
        """
        if self.output not in outputs or self.output not in batch or "live" not in batch:
            return
        live = batch["live"] > 0
        counts = {"missing": ~live, "kept": live, "all": torch.ones_like(live)}[self.traces]
        if "known" in batch:
            counts = counts & (batch["known"] > 0)
        truth = torch.where(counts[..., None], batch[self.output], 0.0).double()
        found, wanted = snr_db(outputs[self.output], truth, counts)
        if self.against:
            before, _ = snr_db(batch[self.against], truth, counts)
            found = found - before
        self.total_db += found[wanted].sum()
        self.n_panels += wanted.sum()

    def compute(self) -> Tensor:
        """Return the mean in dB; NaN before any panel was seen."""
        return (self.total_db / self.n_panels).float()


def snr_db(restored: Tensor, truth: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Return 10 log10(|d|^2 / |d - d'|^2) of each panel in dB, and where it is one: (item, line) each.

    Args:
        restored: (item, line, trace, time), in single precision.
        truth: the same shape in double precision, 0 where nothing counts.
        counts: bool (item, line, trace).
    """
    error = torch.where(counts[..., None], restored.float().double() - truth, 0.0).square().sum((-1, -2))
    energy = truth.square().sum((-1, -2))
    rounding = energy * torch.finfo(torch.float32).eps ** 2
    sounds = energy > 0
    ratio = energy / torch.where(sounds, torch.maximum(error, rounding), torch.ones_like(error))
    return 10 * torch.where(sounds, ratio, torch.ones_like(ratio)).log10(), sounds
