"""Shots fired into each other's records: separated ones, blended again, must give what was recorded.

    Gamma d = y,    y(T) = sum over shots of d_s(T - t_s)

Source: Berkhout (2008), Changing the mindset in seismic data acquisition, The Leading Edge 27(7), 924-938; with firing
times that need not fall on samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from seisloom.config import LossTerm
from seisloom.errors import RecipeError
from seisloom.losses.gathers.panels import field, panels_of, rate_of, relative
from seisloom.losses.gathers.shifts import HALF_WIDTH, weights


def blended(shots: Tensor, fire_samples: Tensor, n_time: int) -> Tensor:
    """Return the record of shots that overlap, (receiver, time); what lies beyond its ends is lost.

    Args:
        shots: (receiver, shot, time), each from its own firing time on.
        fire_samples: firing times in samples from the record's start, (receiver, shot), whole or not.
        n_time: samples of the record.
    """
    record = torch.zeros(len(shots), n_time).to(shots)
    for at, weight in _taps(fire_samples, shots.shape[-1], n_time):
        record = record.scatter_add(1, at.flatten(1), (weight * shots).flatten(1))
    return record


def pseudo_deblended(record: Tensor, fire_samples: Tensor, n_time: int) -> Tensor:
    """Return the record cut at the firing times, (receiver, shot, time): the adjoint of `blended`, others left in.

    Args:
        record: (receiver, time).
        fire_samples: see `blended`, (receiver, shot).
        n_time: samples of a shot.
    """
    shots = torch.zeros(*fire_samples.shape, n_time).to(record)
    for at, weight in _taps(fire_samples, n_time, record.shape[-1]):
        shots = shots + weight * record.gather(1, at.flatten(1)).reshape(shots.shape)
    return shots


def blending_residual(shots: Tensor, fire_samples: Tensor, record: Tensor) -> Tensor:
    """Return |Gamma d - y|^2 / |y|^2, the mean over receivers; 0 where separated shots explain the record.

    Args:
        shots, fire_samples: see `blended`.
        record: y, (receiver, time).
    """
    return relative(blended(shots, fire_samples, record.shape[-1]) - record, record)


class Blending(LossTerm):
    """How much of a blended record separated shots do not explain, over the record's energy.

    The output is a common-receiver gather, traces are shots. Fields of the batch: `fire_s` (item, trace) in s, the
    firing times; `blended` (item, line, time), the record on the scale of x, beginning at time 0 of the firing times.
    Without it, `x` is taken for the record cut at the firing times (pseudo-deblended), and both are compared as that.
    """

    name: str = "blending"
    output: str = "clean"
    """Name of the output."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean over receivers.

        Raises:
            RecipeError: if firing times are not there, not finite, or negative.
        """
        shots = panels_of(outputs[self.output], f"loss {self.name}: output {self.output!r}")
        n_lines, n_time = outputs[self.output].shape[1], shots.shape[-1]
        fire = field(batch, "fire_s", self.name).to(shots)
        if not bool((torch.isfinite(fire) & (fire >= 0)).all()):
            raise RecipeError(f"loss {self.name}: fire_s has times that are not finite, or below 0: the record's start")
        fire = fire.repeat_interleave(n_lines, dim=0) * rate_of(shots, batch, self.name)[:, None]
        if "blended" in batch:
            return blending_residual(shots, fire, batch["blended"].to(shots).reshape(len(shots), -1))
        given = panels_of(field(batch, "x", self.name), f"loss {self.name}: x").to(shots)
        whole = int(fire.max()) + n_time + 2 * HALF_WIDTH
        again = pseudo_deblended(blended(shots, fire, whole), fire, n_time)
        return relative(again - given, given)


def _taps(fire_samples: Tensor, n_time: int, n_record: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield places in the record that samples of shots are spread over, and with which weights; 0 beyond its ends.

    Both (receiver, shot, time). `blended` and its adjoint take the same ones.
    """
    first = fire_samples.floor()
    place = torch.arange(n_time, device=fire_samples.device) + first[..., None].long()
    for k, weight in enumerate(weights(fire_samples - first)):
        at = place + k - HALF_WIDTH + 1
        inside = (at >= 0) & (at < n_record)
        yield at.clamp(0, n_record - 1), weight[..., None] * inside
