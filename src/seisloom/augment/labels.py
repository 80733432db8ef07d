"""How each kind of field follows when axes move: what is read between samples, beyond the edge, and turned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from seisloom.augment.batch import Batch
from seisloom.sample import Field

Reading = Literal["sinc", "linear", "nearest"]
VERTICAL = ("time", "depth")
"""Names of the axis that dip is measured against."""
_READ: Mapping[str, Reading] = {"dhr": "sinc", "rgt": "linear", "horizon": "nearest"}
"""Fields of volumes that are read otherwise than their kind: an image, a smooth number, a number of a surface."""
_BEYOND = {"fault": -1.0, "rgt": float("nan"), "dhr": float("nan")}
"""What nobody knows of these fields, beyond the edge of what was labelled."""


def reading(field: Field, values: Tensor) -> Reading:
    """Return how a field is read between samples.

    Data and images by a windowed sinc, curves linearly, masks, classes and other dense labels at the nearest sample,
    which makes no new values at an edge.
    """
    if field.name in _READ:
        return _READ[field.name]
    if field.label in ("image", "amplitude") or (field.label is None and values.is_floating_point()):
        return "sinc"
    return "linear" if field.label == "curve" else "nearest"


def beyond(field: Field) -> float:
    """Return what a field holds where no old sample is: 0, or what says that nobody knows."""
    return float("nan") if field.label == "curve" else _BEYOND.get(field.name, 0.0)


def is_coordinate(field: Field, axis: str) -> bool:
    """Return whether a field gives the axis its numbers, as `velocity_m_s` does; the content moves, the grid stays."""
    return field.axes == (axis,) and field.name.split("_")[0] == axis and field.label is None


def coordinate(batch: Batch, axis: str) -> Tensor | None:
    """Return the numbers along an axis, (item, length), if the batch has a field of them."""
    for field in batch.schema.fields:
        if field.name in batch.arrays and is_coordinate(field, axis):
            return batch.arrays[field.name]
    return None


def turn_normals(batch: Batch, jacobian: Mapping[tuple[str, str], Tensor]) -> Batch:
    """Return the batch in which dip and strike of planes follow a change of the grid.

    A plane n . i = c through old samples i = phi(j) has in new samples j the normal n'_k = sum_i n_i d phi_i / d j_k.
    So an axis that is stretched by 1 / a has its part of the normal multiplied by a, and one that is mirrored changes
    its sign. Angles as in `seisloom.metrics.orientation`: n = (-cos d, sin d cos s, -sin d sin s) along depth,
    crossline, inline.

    Args:
        batch: fields `dip` and `strike` in degrees, or `*_dip` and `*_strike`, and `*_normal` with an axis `component`.
        jacobian: d phi_i / d j_k by (i, k), shape (item,) or (item, *axes of the angles); 1 on the diagonal and 0 off
            it where it is not given.
    """
    named = {}
    for (i, k), values in jacobian.items():
        named["depth" if i in VERTICAL else i, "depth" if k in VERTICAL else k] = values
    order = ("depth", "crossline", "inline")
    if not any(i in order and k in order for i, k in named):
        return batch
    changes: dict[str, Tensor] = {}
    for name in batch.arrays:
        if name == "dip" or name.endswith("_dip"):
            other = name.removesuffix("dip") + "strike"
            d, s = (batch.arrays[one].double() * (torch.pi / 180) for one in (name, other))
            normal = [-d.cos(), d.sin() * s.cos(), -d.sin() * s.sin()]
            dip, strike = _angles(*_turned(normal, named, order))
            changes[name], changes[other] = dip.to(d_type(batch, name)), strike.to(d_type(batch, other))
        elif name.endswith("_normal") and "component" in batch.schema[name].axes:
            dim = batch.axis(name, "component")
            parts = list(batch.arrays[name].unbind(dim))
            changes[name] = torch.stack(_turned(parts, named, order), dim)
    return batch.with_arrays(**changes)


def d_type(batch: Batch, name: str) -> torch.dtype:
    """Return the type of a tensor of the batch."""
    return batch.arrays[name].dtype


def _turned(normal: list[Tensor], jacobian: Mapping[tuple[str, str], Tensor], order: tuple[str, ...]) -> list[Tensor]:
    found = []
    for k in order:
        total = torch.zeros_like(normal[0])
        for part, i in zip(normal, order, strict=True):
            factor = jacobian.get((i, k))
            if factor is None:
                total = total + part if i == k else total
                continue
            factor = factor.to(part)
            total = total + part * factor.reshape(*factor.shape, *[1] * (part.ndim - factor.ndim))
        found.append(total)
    return found


def _angles(depth: Tensor, crossline: Tensor, inline: Tensor) -> tuple[Tensor, Tensor]:
    """Return dip in 0..180 and strike in [0, 180), as `seisloom.metrics.orientation.angles_of` does for arrays."""
    level = torch.hypot(crossline, inline) <= 1e-12 * depth.abs()
    turned = (inline > 0) | ((inline == 0) & (crossline < 0)) | (level & (depth > 0))
    sign = torch.where(turned, -1.0, 1.0).to(depth)
    depth, crossline, inline = depth * sign, crossline * sign, inline * sign
    dip = torch.rad2deg(torch.atan2(torch.hypot(crossline, inline), -depth))
    strike = torch.rad2deg(torch.atan2(-inline, crossline))
    wrapped = strike >= 180
    dip = torch.where(wrapped, 180 - dip, dip)
    zero = torch.zeros_like(dip)
    return torch.where(level, zero, dip), torch.where(level | wrapped, zero, strike)


def without_points(batch: Batch, gone: Tensor, *, say: int) -> dict[str, Tensor]:
    """Return `has_pick` and `y_idx` in which some picks are gone; nothing for a batch without picks.

    Args:
        batch: the batch.
        gone: bool, of the shape of `has_pick`.
        say: what `has_pick` becomes there: 0 no onset, -1 nobody knows.
    """
    if "has_pick" not in batch.arrays:
        return {}
    has_pick, y_idx = batch.arrays["has_pick"], batch.arrays["y_idx"]
    return {
        "has_pick": torch.where(gone, torch.full_like(has_pick, say), has_pick),
        "y_idx": torch.where(gone, -torch.ones_like(y_idx), y_idx),
    }
