"""Source and receiver changed for each other record the same trace: d(s, r, t) = d(r, s, t).

For sources and receivers of one kind (point forces and the same component of velocity, or explosions and pressure) with
one wavelet, whatever lies between them: Knopoff & Gangi (1959), Geophysics 24(4), 681-691.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from seisloom.config import LossTerm
from seisloom.errors import RecipeError
from seisloom.losses.gathers.panels import relative, where_else_0


def reciprocity_residual(volumes: Tensor, receiver_of: Tensor) -> Tensor:
    """Return the energy of what two traces of changed places differ by, over that of both.

    Args:
        volumes: (item, source, receiver, time).
        receiver_of: index of the receiver that stands where a source does, (item, source).
    Returns:
        A scalar: 0 for reciprocal volumes, 1 for noise, at any amplitude. Traces whose source is at their receiver have
        no partner and do not count.
    """
    n_sources, n_time = volumes.shape[1], volumes.shape[-1]
    at = receiver_of[:, None, :, None].expand(-1, n_sources, -1, n_time)
    square = volumes.gather(2, at)
    pairs = ~torch.eye(n_sources, dtype=torch.bool, device=volumes.device)[None, :, :, None].expand_as(square)
    square = where_else_0(square, pairs)
    return relative(square - square.transpose(1, 2), square, louder=2.0)


class Reciprocity(LossTerm):
    """How far a volume (source, receiver, time) is from reciprocal, over its energy."""

    name: str = "reciprocity"
    output: str = "clean"
    """Name of the output: lines are sources, traces receivers."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean over items.

        The batch may have `receiver_of` (item, line): the trace that stands where each source does. Without, trace i
        stands where source i does.

        Raises:
            RecipeError: if there is no such field and sources and receivers are not as many, or it names no trace.
        """
        volumes = outputs[self.output]
        if volumes.ndim != 4 or volumes.shape[1] < 2:
            raise RecipeError(
                f"loss {self.name}: output {self.output!r} has shape {tuple(volumes.shape)}; reciprocity is between "
                "several sources: volumes (item, source, receiver, time)"
            )
        volumes = volumes.float() if volumes.dtype.itemsize < 4 else volumes
        n_items, n_sources, n_receivers, _ = volumes.shape
        if "receiver_of" in batch:
            at = batch["receiver_of"].long()
        elif n_sources == n_receivers:
            at = torch.arange(n_sources, device=volumes.device).expand(n_items, -1)
        else:
            raise RecipeError(
                f"loss {self.name}: {n_sources} sources and {n_receivers} receivers; give `receiver_of` (item, line), "
                "the trace that stands where each source does"
            )
        if not bool(((at >= 0) & (at < n_receivers)).all()):
            raise RecipeError(f"loss {self.name}: receiver_of names traces beyond 0 to {n_receivers - 1}")
        return reciprocity_residual(volumes, at)
