"""Gathers that a velocity model explains: d = F(c), with the wave equation solved by deepwave, to both of which it has
gradients: the gather comes to obey the model, and a model that is learnt comes to explain the gather.

deepwave: Richardson (2023), doi 10.5281/zenodo.8381177, an optional dependency (`pip install seisloom[physics]`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from seisloom.config import LossTerm
from seisloom.errors import PluginError, RecipeError
from seisloom.losses.gathers.panels import field, rate_of

LEAST_POINTS = 5.0
"""Cells in the shortest wavelength at the wavelet's upper frequency for deepwave's stencils of order 4 and above."""
MOST_CELLS = 30.0
"""That a wave crosses between two samples of a gather; beyond, units are not what they are said to be."""


def modelled(
    velocity: Tensor,
    wavelet: Tensor,
    sources: Tensor,
    receivers: Tensor,
    *,
    spacing_m: float,
    dt_s: float,
    order: int = 8,
) -> Tensor:
    """Return gathers of constant density that deepwave models, (shot, receiver, time), absorbed on all sides.

    Args:
        velocity: c in m/s, (depth, x); a gradient flows to it.
        wavelet: the sources' time function, (time,).
        sources: cells (depth, x) of sources, int (shot, 2).
        receivers: cells of receivers, int (shot, receiver, 2).
        spacing_m: of cells.
        dt_s: step of the gather; deepwave takes smaller ones of its own where the scheme needs them.
        order: of accuracy in space: 2, 4, 6, 8.
    Raises:
        PluginError: if deepwave is not installed.
    """
    amplitudes = wavelet.expand(len(sources), 1, -1)
    done = _deepwave().scalar(
        velocity, spacing_m, dt_s, source_amplitudes=amplitudes, source_locations=sources[:, None].long(),
        receiver_locations=receivers.long(), accuracy=order, pml_freq=_peak_hz(wavelet, dt_s),
    )  # fmt: skip
    gathers: Tensor = done.receiver_amplitudes
    return gathers


def misfit(given: Tensor, wanted: Tensor) -> Tensor:
    """Return min over a of |d - a F|^2 / |d|^2, in 0..1, of each item: one unknown factor is left to source and gain.

    Args:
        given, wanted: d and F, (item, ...).
    Returns:
        (item,); 0, with a gradient of 0, where either is silent.
    """
    d, f = given.flatten(1), wanted.flatten(1)
    # Of unit scale first: squares of squares of small amplitudes leave single precision
    top_d, top_f = (one.detach().abs().amax(1, keepdim=True) for one in (d, f))
    sounds = (top_d > 0) & (top_f > 0)
    d, f = (one / torch.where(sounds, top, torch.ones_like(top)) for one, top in ((d, top_d), (f, top_f)))
    energy = d.square().sum(1) * f.square().sum(1)
    likeness = (d * f).sum(1).square() / torch.where(sounds[:, 0], energy, torch.ones_like(energy))
    return torch.where(sounds[:, 0], 1 - likeness, torch.zeros_like(likeness))


class ModelConsistency(LossTerm):
    """Energy of shot gathers that a velocity model does not explain, over their energy, after the best factor.

    Lines of the output are shots. Fields of the batch: `velocity_m_s` (item, depth, x), for which a network's output of
    that name stands if there is one; `wavelet` (item, time); `source_cell` (item, line, 2) and `receiver_cell` (item,
    line, trace, 2): depth and x in cells.
    """

    name: str = "model_consistency"
    output: str = "clean"
    """Name of the output."""
    spacing_m: float = Field(gt=0)
    """Size of the model's cells in m."""
    order: Literal[4, 6, 8] = 8
    """Order of accuracy in space."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean over items, in 0..1.

        Raises:
            RecipeError: if a field is not there, units are not right, or cells are too large for the wavelet.
            PluginError: if deepwave is not installed.
        """
        gathers = outputs[self.output]
        gathers = gathers.float() if gathers.dtype.itemsize < 4 else gathers
        given = outputs if "velocity_m_s" in outputs else batch
        velocity = field(given, "velocity_m_s", self.name).to(gathers)
        wavelet = field(batch, "wavelet", self.name).to(gathers)
        sources, receivers = (field(batch, name, self.name) for name in ("source_cell", "receiver_cell"))
        dt = 1 / rate_of(gathers[:, 0], batch, self.name)
        self._check(velocity, wavelet, dt)
        n_time = gathers.shape[-1]
        found = [
            modelled(c, w[:n_time], s, r, spacing_m=self.spacing_m, dt_s=float(step), order=self.order)
            for c, w, s, r, step in zip(velocity, wavelet, sources, receivers, dt, strict=True)
        ]
        return misfit(gathers, torch.stack(found)).mean()

    def _check(self, velocity: Tensor, wavelet: Tensor, dt_s: Tensor) -> None:
        slowest, fastest = float(velocity.detach().min()), float(velocity.detach().max())
        if not slowest > 0 or fastest * float(dt_s.max()) > MOST_CELLS * self.spacing_m:
            raise RecipeError(
                f"loss {self.name}: c is {slowest:.4g} to {fastest:.4g} m/s with steps of {float(dt_s.max()):.3g} s "
                f"and {self.spacing_m:.4g} m. c must be above 0 and cross at most {MOST_CELLS:g} cells in "
                "a step: look at the units"
            )
        power = torch.fft.rfft(wavelet, dim=-1).abs().square()
        below = (power.cumsum(-1) < 0.95 * power.sum(-1, keepdim=True)).sum(-1)
        upper = float((below / (wavelet.shape[-1] * dt_s)).max())
        if upper > 0 and slowest / (upper * self.spacing_m) < LEAST_POINTS:
            raise RecipeError(
                f"loss {self.name}: cells of {self.spacing_m:.4g} m are {slowest / (upper * self.spacing_m):.2g} to "
                f"the shortest wavelength ({slowest:.4g} m/s, {upper:.3g} Hz), and {LEAST_POINTS:g} are needed. Take "
                "smaller ones"
            )


def _peak_hz(wavelet: Tensor, dt_s: float) -> float:
    """Frequency that absorbing layers are made for; deepwave guesses otherwise, each release in its own way."""
    power = torch.fft.rfft(wavelet.detach()).abs().square()
    return max(int(power.argmax()), 1) / (len(wavelet) * dt_s)


def _deepwave() -> Any:  # Any: an optional package without types of its own
    try:
        import deepwave
    except ImportError as error:
        raise PluginError(
            "model_consistency needs deepwave, which solves the wave equation. Install it: "
            "pip install 'seisloom[physics]'"
        ) from error
    return deepwave
