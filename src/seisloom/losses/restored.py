"""Loss of restored panels: errors weighed by how strong the signal around them is, made traces more than kept ones."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from seisloom.config import LossTerm


class RelativeError(LossTerm):
    """Mean absolute error over a power of the local strength of the truth.

    Amplitudes of a gather differ by a factor of a thousand from the direct wave to late reflections: with none of it
    the direct wave alone is learnt, and with all of it silence counts as much as signal.
    """

    name: str = "relative_error"
    missing: float = Field(1.0, ge=0)
    """Weight of dead traces, which are made."""
    kept: float = Field(0.3, ge=0)
    """Weight of live traces, which are denoised."""
    power: float = Field(0.5, ge=0, le=1)
    """Of the local strength by which errors are divided: 0 takes them as they are, 1 as shares of it."""
    traces: int = Field(9, ge=1)
    """Traces around a sample over which strength is averaged."""
    samples: int = Field(65, ge=1)
    """Samples around it."""
    floor: float = Field(0.03, gt=0, le=1)
    """Least strength, as a share of the RMS of the item."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted mean over traces whose truth is known.

        `clean` is (item, line, trace, time) in outputs and batch, `live` and `known` (item, line, trace).
        """
        clean, known = batch["clean"], batch["known"]
        strength = local_strength(clean, known, self.traces, self.samples, self.floor) ** self.power
        weight = known * torch.where(batch["live"] > 0, self.kept, self.missing)
        error = (outputs["clean"] - clean).abs() / strength
        total = weight.sum() * clean.shape[-1]
        return (error * weight[..., None]).sum() / total if total > 0 else outputs["clean"].sum() * 0.0


def local_strength(clean: Tensor, known: Tensor, traces: int, samples: int, floor: float) -> Tensor:
    """Return the RMS around each sample, (item, line, trace, time), of traces that are known; 1 in silent items.

    Args:
        clean: (item, line, trace, time).
        known: (item, line, trace), 1 or 0.
        traces, samples: lengths of the box that squares are averaged over; odd.
        floor: least RMS, as a share of that of the whole item.
    """
    share = known[..., None].expand_as(clean)
    power, n = box_means(torch.stack([clean.square() * share, share]), traces, samples)
    local = torch.where(n > 0, power / n.clamp(min=1.0 / (traces * samples)), torch.zeros_like(power))
    of_item = (clean.square() * share).mean(dim=(1, 2, 3), keepdim=True)
    least = torch.where(of_item > 0, floor**2 * of_item, torch.ones_like(of_item))
    return torch.maximum(local, least).sqrt()


def box_means(x: Tensor, traces: int, samples: int) -> Tensor:
    """Return means over the box around each sample of the last two axes, (trace, time); 0 is beyond the edges.

    Args:
        x: at least (trace, time).
        traces, samples: lengths of the box; odd, and at most twice the panel less one.
    """
    n_trace, n_time = x.shape[-2:]
    width, length = min(traces, 2 * n_trace - 1) | 1, min(samples, 2 * n_time - 1) | 1
    # One axis after the other: a box of both takes ten times as long
    flat = functional.avg_pool2d(x.reshape(-1, 1, n_trace, n_time), (width, 1), 1, (width // 2, 0))
    return functional.avg_pool2d(flat, (1, length), 1, (0, length // 2)).reshape(x.shape)
