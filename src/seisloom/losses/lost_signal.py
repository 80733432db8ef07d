"""Loss of signal that was taken off with the noise: errors that look like the truth around them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor

from seisloom.config import LossTerm
from seisloom.losses.restored import box_means


class LostSignal(LossTerm):
    """Mean size of the factor by which signal is too weak or too strong around each sample: |<c' - c, c>| / <c, c>.

    What is best in the mean square is too weak everywhere, by as much as it errs: what it lost is in the difference
    section. This term asks for the amplitudes and lets the rest of the error be.

    Source: the regression of Chen & Fomel (2015), Geophysics 80(6), WD1-WD9, on the truth instead of the output.
    """

    name: str = "lost_signal"
    traces: int = Field(9, ge=1)
    """Traces around a sample over which products are averaged; odd, an even number counts as one more."""
    samples: int = Field(33, ge=1)
    """Samples around it; likewise."""
    floor: float = Field(0.1, gt=0, le=1)
    """Strength of signal below which it counts less, as a share of the RMS of the item."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean over traces whose truth is known; 0, with a gradient, where none is.

        `clean` is (item, line, trace, time) in outputs and batch, `known` (item, line, trace).
        """
        clean, known = batch["clean"], batch["known"][..., None]
        error = (outputs["clean"] - clean) * known
        shared, power = box_means(torch.stack([error * clean, clean.square() * known]), self.traces, self.samples)
        least = self.floor**2 * (clean.square() * known).mean(dim=(1, 2, 3), keepdim=True)
        is_loud = power + least > 0
        factor = torch.where(is_loud, shared.abs() / torch.where(is_loud, power + least, 1.0), 0.0)
        total = known.sum() * clean.shape[-1]
        return (factor * known).sum() / total if total > 0 else outputs["clean"].sum() * 0.0
