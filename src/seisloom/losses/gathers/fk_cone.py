"""What no wave can be: energy of apparent velocities slower than the slowest wave, in frequency and wavenumber.

On a straight line of receivers an event of slowness up to 1 / c has |k| <= f / c. That is exact for any gather, except
for evanescent energy near a source and for statics, which break events from trace to trace.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field, model_validator
from torch import Tensor

from seisloom.config import LossTerm
from seisloom.errors import RecipeError
from seisloom.losses.gathers.panels import panels_of, rate_of, relative, spacing_of, where_else_0

SLACK = 2.0
"""Bins by which the cone is wider on each side: half the main lobe of the Hann windows."""


def outside_cone(
    shape: tuple[int, int],
    fs_hz: Tensor,
    dx_m: Tensor,
    *,
    slowest_m_s: float,
    noise_m_s: tuple[float, float] | None = None,
) -> Tensor:
    """Return which cells of a spectrum no signal reaches, bool (panel, wavenumber, frequency), as fft and rfft order.

    Above f = c / (2 dx) the cone is wider than the Nyquist wavenumber, and aliases fall on signal: there nothing is
    outside.

    Args:
        shape: traces and samples.
        fs_hz, dx_m: sampling rate in Hz and trace spacing in m, (panel,).
        slowest_m_s: smallest apparent velocity of signal.
        noise_m_s: smallest and largest apparent velocity of a fan of noise, which is outside too; None for none.
    """
    n_traces, n_time = shape
    f = torch.fft.rfftfreq(n_time, dtype=fs_hz.dtype, device=fs_hz.device) * fs_hz[:, None]
    k = (torch.fft.fftfreq(n_traces, dtype=dx_m.dtype, device=dx_m.device) / dx_m[:, None]).abs()
    f, k = f[:, None, :], k[:, :, None]
    df, dk = (SLACK * one[:, None, None] for one in (fs_hz / n_time, 1 / (n_traces * dx_m)))
    outside: Tensor = k > (f + df) / slowest_m_s + dk
    if noise_m_s is not None:
        low, high = noise_m_s
        outside = outside | ((k >= (f + df) / high + dk) & (k <= (f - df) / low - dk))
    return outside


def energy_where(panels: Tensor, where: Tensor) -> Tensor:
    """Return the share of energy of panels in some cells of their spectrum, a scalar in 0..1.

    Args:
        panels: (panel, trace, time); weighted by Hann windows along both, so that ends do not leak.
        where: bool (panel, wavenumber, frequency).
    """
    across, along = (torch.hann_window(n + 2, periodic=False).to(panels)[1:-1] for n in panels.shape[1:])
    spectrum: Tensor = torch.fft.fft(
        torch.fft.rfft(panels * across[:, None] * along, dim=2, norm="ortho"), dim=1, norm="ortho"
    )
    # Columns between zero and Nyquist frequency stand for two
    twice = torch.full_like(panels[0, 0, : spectrum.shape[-1]], 2.0)
    twice[0] = 1
    if panels.shape[-1] % 2 == 0:
        twice[-1] = 1
    loud = torch.view_as_real(spectrum) * twice.sqrt()[:, None]
    return relative(where_else_0(loud, where[..., None]), loud)


class FkCone(LossTerm):
    """Share of a gather's energy with apparent velocities below the slowest wave's, 0 to 1."""

    name: str = "fk_cone"
    output: str = "clean"
    """Name of the output."""
    slowest_m_s: float = Field(gt=0)
    """Smallest apparent velocity of signal in m/s: that of surface waves, if they are signal."""
    noise_m_s: tuple[float, float] | None = None
    """Smallest and largest apparent velocity in m/s of a fan that is noise all the same, such as an air wave."""
    dx_m: float | None = Field(None, gt=0)
    """Trace spacing in m; None takes it from offset_m, which must be regular."""

    @model_validator(mode="after")
    def _fan(self) -> FkCone:
        if self.noise_m_s is not None and not 0 < self.noise_m_s[0] < self.noise_m_s[1]:
            raise ValueError(f"noise_m_s {self.noise_m_s} must rise from above 0")
        return self

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean over panels.

        Raises:
            RecipeError: if the spacing is not known or not regular, or the cone covers the whole spectrum.
        """
        panels = panels_of(outputs[self.output], f"loss {self.name}: output {self.output!r}")
        fs, dx = rate_of(panels, batch, self.name), spacing_of(panels, batch, self.dx_m, self.name)
        n_traces, n_time = panels.shape[1:]
        where = outside_cone((n_traces, n_time), fs, dx, slowest_m_s=self.slowest_m_s, noise_m_s=self.noise_m_s)
        if not bool(where.any()):
            raise RecipeError(
                f"loss {self.name}: with {n_traces} traces at {dx[0].item():.4g} m, signal of {self.slowest_m_s:.4g} "
                f"m/s covers all of the spectrum (aliased from {self.slowest_m_s / (2 * dx[0].item()):.3g} Hz on): the "
                "term says nothing. Give a larger slowest_m_s, or more and closer traces"
            )
        return energy_where(panels, where)
