"""The network behind `CurveUNet`: what it is told of a spectrum and its array, and its answers for each mode."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from seisloom.nn.gather_unet import local_soft_argmax
from seisloom.nn.unet import UNet
from seisloom.tasks.dispersion.picker.grid import N_PROPERTIES

if TYPE_CHECKING:
    from seisloom.tasks.dispersion.picker.model import CurveUNet

FOLD = 2
"""Bins along both axes that the network takes together: its answers have all of them again."""
LEAST_SPREAD = 0.25
"""Of a distribution, in bins: a peak is known no better."""
MEAN_DISTANCE = math.sqrt(2 / math.pi)
"""Of a normal distribution from its mean, in standard deviations."""
HINT_SCALE = 3.0
"""Wavelengths are from a twentieth to twenty times a length: its logarithm over this is about 1."""


class CurveNetwork(nn.Module):
    """Spectra in; velocity, spread and presence of each mode at each frequency out."""

    def __init__(self, config: CurveUNet) -> None:
        super().__init__()
        self.config = config
        n_seen = 2 + N_PROPERTIES + 1
        # Of each mode a logit of where it is, and a number whose mean there says whether it shows
        self.trunk = UNet(
            2, n_seen * FOLD**2, decoders={"modes": 2 * config.modes * FOLD**2}, widths=config.widths,
            n_blocks=config.n_blocks,
        )  # fmt: skip

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `velocity` in m/s, `log_sigma`, `presence` (item, mode, frequency); `logit` (…, velocity) last.

        Args:
            batch: `x` (item, channel, velocity, frequency), `velocity_m_s` (item, velocity), `frequency_hz`
                (item, frequency), both at equal ratios, and `array` (item, property), NaN where it is not known.
        """
        velocity, frequency = batch["velocity_m_s"], batch["frequency_hz"]
        n_velocity, n_frequency = velocity.shape[1], frequency.shape[1]
        seen = self._seen(batch["x"][:, :1], velocity, frequency, batch["array"])
        padded = functional.pad(seen, (0, -n_frequency % FOLD, 0, -n_velocity % FOLD), mode="replicate")
        found = self.trunk(functional.pixel_unshuffle(padded, FOLD))["modes"]
        found = functional.pixel_shuffle(found, FOLD)[..., :n_velocity, :n_frequency].float()
        logit, shows = found.transpose(-1, -2).chunk(2, dim=1)  # item, mode, frequency, velocity
        return self._answers(logit, shows, velocity)

    def _seen(self, x: Tensor, velocity: Tensor, frequency: Tensor, array: Tensor) -> Tensor:
        """The spectrum, and its square, which parts ridges; wavelengths in lengths of the array, 0 where not known."""
        wavelength = velocity.log()[:, None, :, None] - frequency.log()[:, None, None, :]
        is_known = torch.isfinite(array).all(dim=1)[:, None, None, None]
        lengths = torch.nan_to_num(array, nan=1.0).clamp(min=1e-3).log()[:, :, None, None]
        hints = torch.where(is_known, (wavelength - lengths) / HINT_SCALE, torch.zeros_like(wavelength))
        known = is_known.to(x.dtype).expand_as(x)
        return torch.cat([x, x.square(), hints.to(x.dtype), known], dim=1)

    def _answers(self, logit: Tensor, shows: Tensor, velocity: Tensor) -> dict[str, Tensor]:
        step = torch.log(velocity[:, -1] / velocity[:, 0])[:, None, None] / (velocity.shape[1] - 1)
        reach = max(round(self.config.reach / float(step.mean())), 1)
        mean, _, _, _ = local_soft_argmax(logit, reach=reach)
        share = logit.softmax(dim=-1)
        places = torch.arange(logit.shape[-1], device=logit.device, dtype=logit.dtype)
        # The mean distance, not the standard deviation: a thousandth of the whole far away is not to decide
        spread = (share * (places - mean.detach()[..., None]).abs()).sum(dim=-1)
        learnt = MEAN_DISTANCE * self.config.label_width / step
        own = (spread.square() - learnt.square()).clamp(min=LEAST_SPREAD**2).sqrt()
        return {
            "velocity": velocity[:, :1, None] * torch.exp(mean * step),
            "log_sigma": torch.log(own * step),
            "presence": (share * shows).sum(dim=-1) - math.log(2.0),
            "logit": logit,
        }
