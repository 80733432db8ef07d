"""The panels of a batch, and what is known of them: sampling rate, offsets, spacing."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from seisloom.errors import RecipeError

MOST_UNEVEN = 0.01
"""Change of a spacing, as a share of it, that is still called regular: it moves events by a hundredth of their step."""


def panels_of(values: Tensor, what: str) -> Tensor:
    """Return (item, line, trace, time) as (panel, trace, time), at least in single precision."""
    if values.ndim != 4:
        raise RecipeError(f"{what} has shape {tuple(values.shape)}; a restored gather is (item, line, trace, time)")
    flat = values.reshape(-1, *values.shape[-2:])
    return flat.float() if flat.dtype.itemsize < 4 else flat


def field(batch: Mapping[str, Tensor], name: str, term: str) -> Tensor:
    """Return a field of the batch.

    Raises:
        RecipeError: if it is not there.
    """
    if name not in batch:
        raise RecipeError(f"loss {term} needs the field {name!r} of the batch, which has {', '.join(sorted(batch))}")
    return batch[name]


def rate_of(panels: Tensor, batch: Mapping[str, Tensor], term: str) -> Tensor:
    """Return the sampling rate of each panel in Hz, (panel,).

    Raises:
        RecipeError: if it is not there, or not above 0.
    """
    fs = field(batch, "fs_hz", term).to(panels).reshape(-1)
    if not bool((fs > 0).all()):
        raise RecipeError(f"loss {term}: fs_hz is {fs.min().item():.4g} for some item; it must be above 0")
    return fs.repeat_interleave(len(panels) // len(fs))


def offsets_of(panels: Tensor, batch: Mapping[str, Tensor], term: str) -> Tensor:
    """Return offsets of each panel in m, (panel, trace); NaN where not known."""
    return field(batch, "offset_m", term).to(panels).reshape(len(panels), -1)


def spacing_of(panels: Tensor, batch: Mapping[str, Tensor], key: float | None, term: str) -> Tensor:
    """Return the distance of neighbouring traces in m, (panel,): the recipe's key, else from offsets.

    Raises:
        RecipeError: if there are no offsets, or they are not at equal steps.
    """
    if key is not None:
        return panels.new_full((len(panels),), key)
    steps = offsets_of(panels, batch, term).diff(dim=-1).abs()
    mean = steps.mean(dim=-1)
    uneven = (steps - mean[:, None]).abs().amax(dim=-1)
    if not bool((uneven <= MOST_UNEVEN * mean).all()) or not bool((mean > 0).all()):
        raise RecipeError(
            f"loss {term}: offsets are not known everywhere, or not at equal steps (up to {uneven.max().item():.3g} m "
            f"off a mean of {mean[uneven.argmax()].item():.3g} m); a regular line is needed. Give dx_m if it is one, "
            "or take moveout, which takes any offsets"
        )
    return mean


def where_else_0(values: Tensor, where: Tensor) -> Tensor:
    """Return values where asked and 0 elsewhere, which keeps what lies there out of gradients too."""
    return torch.where(where, values, torch.zeros_like(values))


def relative(residual: Tensor, reference: Tensor, *, louder: float = 1.0) -> Tensor:
    """Return |residual|^2 / (louder |reference|^2), the mean over panels that are not silent; of no unit.

    The reference is not held fixed for the gradient: where both come from one panel, making it fainter is no way out.

    Args:
        residual, reference: (panel, ...), 0 where they do not count.
        louder: energy of the residual of white noise, over that of the reference, so that noise gives 1.
    Returns:
        A scalar; 0, with a gradient of 0, where all panels are silent or nothing counts.
    """
    over, under = (one.square().flatten(1).sum(1) for one in (residual, reference))
    sounds = under > 0
    ratio = torch.where(sounds, over / torch.where(sounds, louder * under, torch.ones_like(under)), 0 * over)
    return ratio.sum() / sounds.sum().clamp(min=1)
