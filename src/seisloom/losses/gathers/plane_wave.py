"""Local plane waves: what arrives at one trace arrives at the next one a little later.

    u_x + p u_t = 0

for one event of slope p, and (d_x + p d_t)(d_x + q d_t) u = 0 for two that cross. It holds for any gather whose events
are locally straight; not near a source, nor where events of more slopes than are asked for meet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from seisloom.config import LossTerm
from seisloom.losses.gathers.panels import field, panels_of, relative, where_else_0
from seisloom.losses.gathers.shifts import moved, scan_slopes


def step_residual(panels: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
    """Return what is left of each trace's successor, moved back along the slope, less the trace, and where that counts.

    u_x + p u_t = 0 is solved along its characteristics rather than differenced: any slope is exact, aliased or not.

    Args:
        panels: (panel, trace, time).
        slope: from each trace to the next in samples, (panel, trace - 1, time).
    Returns:
        Residual and bool, (panel, trace - 1, time).
    Source: Claerbout (1992), Earth soundings analysis, and Fomel (2002), Geophysics 67(6), 1946-1960, eq. 1.
    """
    ahead, within = moved(panels[:, 1:], slope)
    return ahead - panels[:, :-1], within


def plane_wave_residual(panels: Tensor, slopes: tuple[Tensor, ...]) -> Tensor:
    """Return the relative energy that is left when local plane waves of these slopes are taken away one by one.

    Args:
        panels: (panel, trace, time), with more traces than slopes.
        slopes: the first (panel, trace - 1, time), the second one trace shorter still; in samples a trace.
    Returns:
        A scalar: 0 for plane waves of these slopes, about 1 for white noise, at any amplitude.
    Source: Fomel (2002), eq. 11, for two slopes.
    """
    residual, counts = panels, torch.ones_like(panels, dtype=torch.bool)
    for slope in slopes:
        # 1 where all samples that are interpolated from count themselves
        share, within = moved(counts[:, 1:].to(panels), slope)
        counts = within & ((share - 1).abs() < 1e-4) & counts[:, :-1]
        residual, _ = step_residual(residual, slope)
    reference = where_else_0(panels[:, : residual.shape[1]], counts)
    return relative(where_else_0(residual, counts), reference, louder=2.0 ** len(slopes))


class PlaneWave(LossTerm):
    """How far a gather is from local plane waves, over its energy: 0 for straight events, below 1."""

    name: str = "plane_wave"
    output: str = "clean"
    """Name of the output."""
    slopes_of: str = "clean"
    """Field of the batch that slopes are taken from: the truth, or `guess`; `output` for the output itself."""
    n_slopes: Literal[1, 2] = 1
    """Events that may cross at a place."""
    largest_slope: float = Field(5.0, gt=0)
    """Largest slope that is looked for, in samples a trace."""
    n_traces: int = Field(5, ge=1)
    """Traces of the window that has one slope; made odd."""
    n_samples: int = Field(21, ge=3)
    """Samples of the window that has one slope; made odd."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the relative energy of what is no plane wave; slopes are data, no gradient flows through them."""
        panels = panels_of(outputs[self.output], f"loss {self.name}: output {self.output!r}")
        given = outputs[self.output] if self.slopes_of == "output" else field(batch, self.slopes_of, self.name)
        if panels.shape[1] <= self.n_slopes:
            return 0 * panels.sum()
        return plane_wave_residual(panels, self.slopes(panels_of(given.detach(), f"loss {self.name}")))

    @torch.no_grad()
    def slopes(self, panels: Tensor) -> tuple[Tensor, ...]:
        """Return the slopes of panels (panel, trace, time), the second from what the first leaves."""
        found: tuple[Tensor, ...] = ()
        for _ in range(self.n_slopes):
            slope = scan_slopes(
                panels, largest=self.largest_slope, n_traces=self.n_traces | 1, n_samples=self.n_samples | 1
            )
            found = (*found, slope)
            residual, within = step_residual(panels, slope)
            panels = where_else_0(residual, within)
        return found
