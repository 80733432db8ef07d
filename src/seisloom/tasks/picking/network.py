"""The network behind `OnsetUNet` and `OnsetTransformer`: what it is told of a gather, and its three answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from seisloom.errors import DataError
from seisloom.nn.blocks import smooth
from seisloom.nn.gather_unet import GatherUNet, local_soft_argmax, phases_to_time

if TYPE_CHECKING:
    from seisloom.tasks.picking.model import OnsetUNet

N_TIME_HINTS, N_OFFSET_HINTS = 6, 3
FLOOR = 1e-8
"""Energy below which a trace counts as silent: records are scaled to a median of about 1."""
TYPICAL_S = 0.001
"""A usual spread in s, which `Trust` leaves as it is."""


class Trust(nn.Module):
    """How far the spread that was learnt on training shots is to be believed: log-sigma, scaled around a usual one.

    Two numbers, so that the few shots that are held out for them (`train.finish`) suffice: where errors do not follow
    the spread at all, because the human picks scatter by themselves, the scale becomes 0 and the width constant.
    """

    def __init__(self, usual: float) -> None:
        super().__init__()
        self.usual = usual
        self.scale = nn.Parameter(torch.ones(()))
        self.shift = nn.Parameter(torch.zeros(()))

    def forward(self, log_sigma: Tensor) -> Tensor:
        return self.usual + self.shift + self.scale * (log_sigma - self.usual)


class OnsetNetwork(nn.Module):
    """Gathers in; mean, spread and presence of the onset out, with the distributions they come from."""

    def __init__(self, config: OnsetUNet) -> None:
        super().__init__()
        self.config = config
        width = config.widths[0]
        self.trunk = GatherUNet(
            5 + config.n_channels - 1, widths=config.widths, n_blocks=config.n_blocks, dilations=config.dilations,
            stride=config.stride, **config.attention(),
        )  # fmt: skip
        self.hints = nn.Conv2d(N_TIME_HINTS + N_OFFSET_HINTS, width, 1)
        self.over_time = nn.Conv2d(width, 2 * config.stride, (1, 3), padding=(0, 1))
        self.spread = nn.Sequential(nn.Linear(width + 3, 32), nn.GELU(), nn.Linear(32, 1))
        self.trust = Trust(math.log(TYPICAL_S * config.fs_hz))
        self.presence = nn.Sequential(nn.Linear(width + 3, 32), nn.GELU(), nn.Linear(32, 1))

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `mean`, `log_sigma`, `presence` (item, trace), and `logit`, `after` (item, trace, time).

        Args:
            batch: `x` (item, trace, channel, time), `fs` (item,), `t0_s` and `offset_m` (item, trace); NaN in the
                last two where they are not known.
        """
        x = batch["x"]
        self._check_rate(batch["fs"])
        n_time = x.shape[-1]
        padded = functional.pad(x.flatten(0, 1), (0, -n_time % self.trunk.multiple), mode="replicate")
        padded = padded.reshape(*x.shape[:-1], -1)
        features = self.trunk(self._views(padded), self.hints(self._hints(batch, padded.shape[-1])))
        over_time = phases_to_time(self.over_time(features), self.config.stride)[..., :n_time].float()
        return self._answers(over_time[:, 0], over_time[:, 1], features)

    def _check_rate(self, fs: Tensor) -> None:
        wanted = self.config.fs_hz
        if bool((torch.abs(fs - wanted) > 1e-3 * wanted).any()):
            raise DataError(
                f"the network was made for records of {wanted:g} Hz and was given {float(fs.flatten()[0]):g} Hz. "
                f"Set shards.target_fs={wanted:g}, or model.fs_hz to the rate of the records"
            )

    def _odd(self, length_s: float) -> int:
        return 2 * int(length_s * self.config.fs_hz / 2) + 1

    def _views(self, x: Tensor) -> Tensor:
        """The trace at two gains, at its local gain, its level, and its level against the longer mean."""
        trace, others = x[:, :, 0], x[:, :, 1:]
        energy = trace.square()
        level_s, background_s, gain_s = self.config.smooth_s
        level = 0.5 * torch.log10(smooth(energy, self._odd(level_s)) + FLOOR)
        background = 0.5 * torch.log10(smooth(energy, self._odd(background_s)) + FLOOR)
        local = trace * torch.rsqrt(smooth(energy, self._odd(gain_s)) + FLOOR)
        views = [torch.asinh(trace) / 2, torch.asinh(30 * trace) / 4, local, level, level - background]
        return torch.cat([torch.stack(views, dim=1), others.movedim(2, 1)], dim=1)

    def _hints(self, batch: Mapping[str, Tensor], n_time: int) -> Tensor:
        """Time after the shot, offset and offset over time, each 0 with a flag where it is not known."""
        stride, x = self.config.stride, batch["x"]
        place = torch.arange(0, n_time, stride, device=x.device) / self.config.fs_hz
        t0_s = batch["t0_s"] if self.config.use_time else torch.full_like(batch["t0_s"], math.nan)
        time_known = torch.isfinite(t0_s)[..., None]
        t = torch.where(time_known, torch.nan_to_num(t0_s)[..., None] + place, torch.zeros_like(place))
        steps = [torch.tanh(t / scale_s) for scale_s in self.config.time_scales_s]
        least_s = self.config.time_scales_s[0] / 30
        size = torch.log10(t.clamp(min=least_s) / self.config.time_scales_s[1])
        hints = [*steps, size, (t > 0).to(t.dtype), torch.ones_like(t)]
        hints = [torch.where(time_known, one, torch.zeros_like(one)) for one in hints]
        offset = batch["offset_m"].abs() if self.config.use_offset else torch.full_like(batch["offset_m"], math.nan)
        offset_known = torch.isfinite(offset)[..., None]
        meters = torch.nan_to_num(offset)[..., None].clamp(min=0.5).expand_as(t)
        velocity = (meters / t.clamp(min=least_s)).clamp(10, 20_000)
        known = offset_known.expand_as(t).to(t.dtype)
        hints += [
            known * (torch.log10(meters) - 1.5),
            known * time_known * (torch.log10(velocity) - 3),
            known,
        ]
        return torch.stack(hints, dim=1).to(x.dtype)

    def _answers(self, logit: Tensor, after: Tensor, features: Tensor) -> dict[str, Tensor]:
        reach = max(round(self.config.reach_s * self.config.fs_hz), 1)
        mean, spread, share, peak = local_soft_argmax(logit, reach=reach)
        coarse = (peak // self.config.stride).clamp(max=features.shape[-1] - 1)
        there = torch.gather(features, -1, coarse[:, None, :, None].expand(-1, features.shape[1], -1, 1))[..., 0]
        mass = torch.logsumexp(logit, dim=-1).detach() / 5
        told = torch.cat(
            [there.movedim(1, -1), torch.log(spread)[..., None], torch.logit(share)[..., None] / 3, mass[..., None]],
            dim=-1,
        )
        free = self.trust(torch.log(spread) + self.spread(told)[..., 0])
        log_sigma = free.clamp(math.log(self.config.min_sigma), math.log(self.config.max_sigma))
        return {
            "mean": mean, "log_sigma": log_sigma, "presence": self.presence(told)[..., 0],
            "logit": logit, "after": after, "clamped": free != log_sigma,
        }  # fmt: skip
