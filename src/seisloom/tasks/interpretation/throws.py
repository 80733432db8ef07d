"""Steps of relative time in which the same layer on both sides of a fault has the same time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from seisloom.inference.integrate import with_throws
from seisloom.metrics.overlap import thin
from seisloom.sample import Array, Arrays
from seisloom.signal.fault_normals import image_normals
from seisloom.signal.fault_throws import match_throws

FEWEST_TRACES = 16
"""Of a section that is looked at: a fault with some room on both sides."""


def with_matched_throws(outputs: Arrays, image: Array) -> dict[str, Array]:
    """Return outputs of tiles whose steps of relative time agree with layers that match across faults.

    A network knows the throw of a fault from what it sees around it, and may be wrong by a period and more; the image
    knows it where layers on one side are found again on the other. Cubes are seen as their sections along both axes,
    of which each tells its own lateral steps, and both the steps along time.

    Args:
        outputs: logit "fault" and "rgt_inline", "rgt_crossline", "rgt_time", the lateral one or both, shape (batch,
            trace, time) or (batch, inline, crossline, time).
        image: whose layers are matched, shape (batch, ...): the denoised one is best.
    """
    logit, time = outputs["fault"], outputs["rgt_time"]
    middle = np.stack([thin(one >= 0) for one in logit])
    found, moved, weight = dict(outputs), np.zeros_like(time), np.zeros_like(time)
    for name, axis in _ways(outputs):
        found[name], vertical = outputs[name].copy(), time.copy()
        walked = [_sections(one, axis) for one in (middle, logit, image, found[name], vertical)]
        for place in np.ndindex(walked[0].shape[:2]):
            faults, odds, layers, across, down = (one[place] for one in walked)
            across[:], down[:] = _matched(faults, odds, layers, across, down)
        # A fault along the strike of a section is not seen in it, and leaves its steps as they were
        jump = vertical - time
        moved += np.abs(jump) * jump
        weight += np.abs(jump)
    found["rgt_time"] = time + np.divide(moved, weight, out=np.zeros_like(time), where=weight > 0)
    return found


def _ways(outputs: Arrays) -> Iterator[tuple[str, int]]:
    """Yield the lateral steps that there are, and the axis of a cube along which their sections follow one another."""
    for name, axis in (("rgt_crossline", 1), ("rgt_inline", 2)):
        if name in outputs:
            yield name, axis


def _sections(tiles: Array, axis: int) -> Array:
    """Return tiles as sections (place, batch, trace, time) that look into the same memory."""
    return tiles[None] if tiles.ndim == 3 else np.moveaxis(tiles, axis, 0)


def _matched(middle: Array, logit: Array, image: Array, across: Array, down: Array) -> tuple[Array, Array]:
    """Return the steps of a section, shape (trace, time) each."""
    voxels = np.argwhere(middle)
    if not len(voxels) or len(middle) < FEWEST_TRACES:
        return across, down
    probability = 1 / (1 + np.exp(-logit))
    z, x, _ = image_normals(probability[None], np.insert(voxels, 0, 0, axis=1))
    lean = np.divide(-z, x, out=np.full(len(voxels), np.inf), where=np.abs(x) > 0)
    return with_throws((across, down), voxels, lean, match_throws(image, voxels, lean))
