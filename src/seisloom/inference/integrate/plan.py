"""How a volume is integrated: at once, or on two levels, in boxes and parts of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

from seisloom.errors import DataError, OutputError
from seisloom.inference.lattice import Box

MARGIN_BLOCKS = 4
"""Margin of a box in blocks, that is in standard deviations of the Gaussian at which the two levels meet."""
DIRECT_BYTES, COARSE_BYTES, PART_BYTES = 16, 32, 26
"""A sample at the peak: of the volume in one solve, of the coarse grid in its solve, of a part with its margin.
Measured 9, 28 and 21, and 4 for what `read` returns."""
COARSE_SHARE, PART_SHARE, CORE_SHARE = 0.8, 0.5, 0.2
"""Of the memory: the coarse solve, which runs alone; then a part and the box it is written to, beside the coarse
solution, a fifth of its solve."""
LONGEST_PART_BLOCKS, SHORTEST_PART_BLOCKS = 32, 2
"""Sides of a part: at 32 blocks margins take as much again as the part; at 2 they take 124 times as much."""


@dataclass(frozen=True, slots=True)
class Integration:
    """How a volume is integrated. The plan alone decides the bytes of the result, not who computes it."""

    shape: tuple[int, ...]
    block: int
    """Samples between two of the coarse grid; 1 solves the volume at once."""
    core: tuple[int, ...]
    """Sides of the boxes that are written, multiples of the grain."""
    part: int
    """Longest side of what is solved at once, beside margins of `MARGIN_BLOCKS` blocks; multiple of a block."""

    @property
    def coarse_shape(self) -> tuple[int, ...]:
        """Lengths of the coarse grid: its cells fill each axis evenly and are no longer than a block."""
        return tuple(-(-n // self.block) for n in self.shape)

    def boxes(self) -> Iterator[Box]:
        """Yield the boxes that are written."""
        return cut(tuple(slice(0, n) for n in self.shape), self.core)

    def parts(self, box: Box) -> Iterator[Box]:
        """Yield the parts in which a box is solved."""
        lengths = [side.stop - side.start for side in box]
        # evenly, for a thin part has margins like any other
        return cut(box, [-(-n // -(-n // self.part)) for n in lengths])

    def with_margin(self, part: Box) -> Box:
        """Return a part and its margins, as far as the volume goes."""
        margin = MARGIN_BLOCKS * self.block
        return tuple(
            slice(max(side.start - margin, 0), min(side.stop + margin, n))
            for side, n in zip(part, self.shape, strict=True)
        )


def plan_integration(shape: Sequence[int], grain: Sequence[int], *, memory_mb: float) -> Integration:
    """Return how to integrate a volume: at once if it fits the memory, else with the finest coarse grid that fits.

    Args:
        shape: lengths of the volume.
        grain: edges of boxes are multiples of these lengths, those of a file that one process may write.
        memory_mb: what this process may take, in 10^6 bytes, and each worker.
    Raises:
        OutputError: if it does not fit: the coarse grid and the margins cannot both be small.
    """
    if len(grain) != len(shape):
        raise DataError(f"grain {tuple(grain)} of the output does not fit a volume of {tuple(shape)}")
    budget = memory_mb * 1e6
    if DIRECT_BYTES * prod(shape) <= budget:
        return Integration(tuple(shape), 1, _core(shape, grain, 128), 128)
    # the difference of neighbours damps too little of what is shorter than 4 samples
    block = 4
    while COARSE_BYTES * prod(-(-n // block) for n in shape) > COARSE_SHARE * budget:
        block *= 2
    for n_blocks in range(LONGEST_PART_BLOCKS, SHORTEST_PART_BLOCKS - 1, -1):
        part = n_blocks * block
        core = _core(shape, grain, part)
        outer = prod(min(part + 2 * MARGIN_BLOCKS * block, n) for n in shape)
        if PART_BYTES * outer <= PART_SHARE * budget and 4 * prod(core) <= CORE_SHARE * budget:
            return Integration(tuple(shape), block, core, part)
    raise OutputError(
        f"{memory_mb:.0f} MB are too little to integrate a volume of {tuple(shape)}, written by pieces of "
        f"{tuple(grain)}: a coarse grid that fits has every {block}th sample, and parts would need margins of "
        f"{MARGIN_BLOCKS * block} samples; allow more memory, or write smaller shards or chunks"
    )


def _core(shape: Sequence[int], grain: Sequence[int], part: int) -> tuple[int, ...]:
    """Sides of the boxes that are written: as many grains as fit a part, at least one."""
    return tuple(min(g * max(part // g, 1), n) for g, n in zip(grain, shape, strict=True))


def cut(box: Box, sizes: Sequence[int]) -> Iterator[Box]:
    sides = [
        [slice(start, min(start + size, side.stop)) for start in range(side.start, side.stop, size)]
        for side, size in zip(box, sizes, strict=True)
    ]
    return itertools.product(*sides)
