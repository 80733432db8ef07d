"""Which faults can touch a box: of thousands in a large volume only a few do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from seisloom.physics.volumes import inverse_map as m
from seisloom.physics.volumes.model import VolumeModel
from seisloom.sample import Array

FEW = 16  # below it looking costs more than it saves


def only_near(model: VolumeModel, first: Array, size: Array) -> VolumeModel:
    """Return the volume with those faults only that can move or label a voxel of a box, or a layer that came into it.

    Going back in time, the box grows by what each fault that touches it may have carried into it. A fault is left out
    only where its throw is exactly 0 throughout, so that no byte of the box changes.

    Args:
        model: a volume.
        first, size: first voxel and number of voxels of the box with all margins, along (inline, crossline, time).
    """
    if len(model.faults) <= FEW:
        return model
    centre, half = first + (size - 1) / 2, (size - 1) / 2 + 1.0  # the map looks at the sample above as well
    across, up = float(np.hypot(half[0], half[1])), float(half[2])
    kept = []
    for n, fault in enumerate(model.faults):
        if _touches(fault, centre - fault[:3], across, up):
            kept.append(n)
            cot = abs(fault[m.COT]) + abs(fault[m.COT_SLOPE]) * fault[m.HALF_CURVE]
            across += abs(fault[m.THROW]) * float(np.hypot(cot, fault[m.STRIKE_SLIP]))
            up += abs(fault[m.THROW])
    return replace(model, faults=model.faults[kept], n_young=int(np.searchsorted(kept, model.n_young)))


def _touches(fault: Array, offset: Array, across: float, up: float) -> bool:
    """Return whether a fault may have throw within a cylinder about a place, given relative to the fault's centre."""
    u = offset[1] * fault[m.SIN_STRIKE] + offset[0] * fault[m.COS_STRIKE]
    if fault[m.PROFILE] == m.CONSTANT:
        return True
    if (abs(u) - across) * fault[m.PER_LENGTH] > 1:
        return False
    if fault[m.PROFILE] != m.GROWTH and (abs(offset[2]) - up) * fault[m.PER_HEIGHT] > 1:
        return False
    if fault[m.PER_REACH] == 0:
        return True
    h = offset[1] * fault[m.COS_STRIKE] - offset[0] * fault[m.SIN_STRIKE]
    cot = abs(fault[m.COT]) + abs(fault[m.COT_SLOPE]) * fault[m.HALF_CURVE]
    away = abs(h) - across - cot * (abs(offset[2]) + up) - abs(fault[m.WAVE])
    return bool(away <= max(1 / fault[m.PER_REACH], fault[m.BAND]))
