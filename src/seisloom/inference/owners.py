"""Who computes what: the output is parted into owners, and each tile is run at home by one of them.

An owner is a box of the output that is accumulated and written at once, going through all tiles that touch it in
order. A tile is at home with the owner of its first voxel; what reaches beyond is wanted by later owners, never by
earlier ones. Nothing here runs anything.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from math import prod
from typing import Literal, TypeAlias

import numpy as np

from seisloom.errors import OutputError
from seisloom.inference.lattice import Box, Index, Lattice

BYTES_A_VALUE = 12
"""Of an output in an owner: a float64 sum, and the float32 that is written."""


@dataclass(frozen=True, slots=True, eq=False)
class Owners:
    """The parts of the output. Their order, like that of tiles, is that of their indices."""

    lattice: Lattice
    size: tuple[int, ...]
    """Lengths of an owner; the last one along an axis may be shorter."""

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of owners along each axis."""
        return tuple(-(-n // size) for n, size in zip(self.lattice.shape, self.size, strict=True))

    def __len__(self) -> int:
        return prod(self.counts)

    def __iter__(self) -> Iterator[Index]:
        return itertools.product(*(range(n) for n in self.counts))

    def box(self, owner: Index) -> Box:
        """Return the part of the output that an owner writes."""
        return tuple(
            slice(k * size, min((k + 1) * size, n))
            for k, size, n in zip(owner, self.size, self.lattice.shape, strict=True)
        )

    def home(self, tile: Index) -> Index:
        """Return the owner that runs a tile, whoever else may have to run it again."""
        starts = (axis.starts[i] for axis, i in zip(self.lattice.axes, tile, strict=True))
        return tuple(int(start) // size for start, size in zip(starts, self.size, strict=True))

    def tiles(self, owner: Index) -> Iterator[Index]:
        """Yield the tiles that touch an owner, in order."""
        sides = zip(self.lattice.axes, self.box(owner), strict=True)
        return itertools.product(*(axis.touching(side.start, side.stop) for axis, side in sides))

    def shared(self, source: Index, owner: Index) -> Iterator[Index]:
        """Yield the tiles at home with `source` that touch `owner`, in order."""
        parts = []
        for axis, home, side in zip(self.lattice.axes, self.box(source), self.box(owner), strict=True):
            homed, touching = axis.homed(home.start, home.stop), axis.touching(side.start, side.stop)
            parts.append(range(max(homed.start, touching.start), min(homed.stop, touching.stop)))
        return itertools.product(*parts)

    def sources(self, owner: Index) -> dict[Index, int]:
        """Return the owners whose tiles touch this one, itself included, and how many tiles each has of them."""
        sides = []
        for axis, size, side in zip(self.lattice.axes, self.size, self.box(owner), strict=True):
            homes = axis.starts[axis.touching(side.start, side.stop)] // size
            found, n_tiles = np.unique(homes, return_counts=True)
            sides.append(list(zip(found.tolist(), n_tiles.tolist(), strict=True)))
        return {
            tuple(home for home, _ in combined): prod(n for _, n in combined) for combined in itertools.product(*sides)
        }

    def wanted_by(self, source: Index) -> set[Index]:
        """Return the later owners that the tiles of an owner reach."""
        sides = []
        for axis, size, side in zip(self.lattice.axes, self.size, self.box(source), strict=True):
            homed = axis.homed(side.start, side.stop)
            if not homed:
                return set()
            last = int(axis.starts[homed[-1]]) + axis.length - 1
            sides.append(range(side.start // size, last // size + 1))
        return set(itertools.product(*sides)) - {source}

    def overlap(self, tile: Index, owner: Index) -> tuple[Box, Box]:
        """Return where a tile and an owner meet, counted from the tile's corner and from the owner's."""
        in_tile, in_owner = [], []
        for mine, theirs in zip(self.lattice.box(tile), self.box(owner), strict=True):
            start, stop = max(mine.start, theirs.start), min(mine.stop, theirs.stop)
            in_tile.append(slice(start - mine.start, stop - mine.start))
            in_owner.append(slice(start - theirs.start, stop - theirs.start))
        return tuple(in_tile), tuple(in_owner)


def owner_size(
    shape: Sequence[int], grain: Sequence[int], patch: Sequence[int], *, n_outputs: int, memory_mb: float, workers: int,
    share: float = 1.0,
) -> tuple[int, ...]:  # fmt: skip
    """Return the size of owners: as large as memory allows, so that few tiles reach beyond, but enough for all workers.

    Args:
        shape: lengths of the volume.
        grain: edges of owners are multiples of these lengths, those of a file that one process may write.
        patch: lengths of a tile; an axis is not cut finer than one of them for the sake of several workers, and not
            finer than two of them for that of going on, since more tiles reach beyond small owners.
        n_outputs: number of variables that are accumulated.
        memory_mb: that a worker may take, in 10^6 bytes.
        workers: owners that run at once. There are four owners for each, and at least eight, where the volume is large
            enough: a run goes on from the last one when it was stopped.
        share: of the memory that is there for sums.
    Raises:
        OutputError: if one grain does not fit.
    """
    size = [min(g, n) for g, n in zip(grain, shape, strict=True)]
    n_voxels = share * memory_mb * 1e6 / (BYTES_A_VALUE * n_outputs)
    if prod(size) > n_voxels:
        needed = prod(size) * BYTES_A_VALUE * n_outputs / 1e6
        raise OutputError(
            f"an output that is written by pieces of {tuple(size)} with {n_outputs} variables takes {_mb(needed)} a "
            f"worker for its sums, and of {_mb(memory_mb)} there are {_mb(share * memory_mb)} for them. Allow at least "
            f"{_mb(math.ceil(needed / share))} (--memory-mb), or write smaller shards or chunks"
        )
    fair = prod(shape) / (4 * max(workers, 2))
    finest = [(2 if workers == 1 else 1) * n for n in patch]
    while True:
        grown = []
        for axis in sorted(range(len(size)), key=lambda axis: size[axis]):
            longer = min(size[axis] + grain[axis], shape[axis])
            voxels = prod(size) // size[axis] * longer
            fits = voxels <= n_voxels and (voxels <= fair or longer <= finest[axis])
            if longer > size[axis] and fits:
                grown.append((axis, longer))
        if not grown:
            return tuple(size)
        axis, longer = grown[0]
        size[axis] = longer


def _mb(megabytes: float) -> str:
    return f"{megabytes:.0f} MB" if megabytes >= 10 else f"{megabytes:.2g} MB"


Step: TypeAlias = Literal["whole", "home", "sum"]
"""What is done with an owner: run its tiles and write it at once; or run its tiles and keep what they give, and sum and
write it later, when the tiles that reach in from its neighbours have been run."""


class Queue:
    """What to start next, so that each tile runs once and no worker waits for a neighbour.

    The order decides how much is kept on disk meanwhile; it does not change the result.
    """

    def __init__(
        self, owners: Owners, *, written: Set[Index] = frozenset(), homed: Set[Index] = frozenset(), workers: int = 1,
        keep: bool = True,
    ) -> None:  # fmt: skip
        """Line up the owners that are not written.

        Args:
            owners: all of them.
            written: those that are done.
            homed: those whose tiles have been run, of which some are not written.
            workers: owners that are at work at once.
            keep: whether outputs may be kept; if not, owners run again what their neighbours have run.
        """
        self._owners, self._keep = owners, keep
        available = written | homed
        self._sources = {owner: owners.sources(owner) for owner in owners if owner not in written}
        self._missing = {
            owner: sum(n for source, n in sources.items() if source != owner and source not in available)
            for owner, sources in self._sources.items()
        }
        self._to_run = [owner for owner in self._missing if owner not in homed]
        self._to_sum = {owner for owner in self._missing if owner in homed}
        # Workers begin in slabs of their own across the longest side, and wavefronts run through each slab
        longest = int(np.argmax(owners.counts))
        slab = -(-owners.counts[longest] // workers)
        self._wave = {owner: sum(owner) - owner[longest] + owner[longest] % slab for owner in self._missing}

    def __len__(self) -> int:
        """Return the number of owners that nobody writes yet."""
        return len(self._missing)

    def __contains__(self, owner: Index) -> bool:
        return owner in self._missing

    def take(self) -> tuple[Index, Step] | None:
        """Take out what to start now; None if all that is left needs tiles that are running."""
        for owner in self._to_sum:
            if not self._missing[owner]:
                self._to_sum.remove(owner)
                del self._missing[owner]
                return owner, "sum"
        if not self._to_run:
            return None
        owner = min(self._to_run, key=self._rank)
        self._to_run.remove(owner)
        if self._missing[owner] and self._keep:
            return owner, "home"
        del self._missing[owner]
        return owner, "whole"

    def _rank(self, owner: Index) -> tuple[float, int, Index]:
        missing = self._missing[owner]
        return missing / max(missing + self._sources[owner].get(owner, 0), 1), self._wave[owner], owner

    def finish(self, owner: Index, step: Step) -> None:
        """Say that a step has finished, so that neighbours need not wait for the owner's tiles."""
        if step == "sum":
            return
        if step == "home":
            self._to_sum.add(owner)
        for later in self._owners.wanted_by(owner):
            if later in self._missing:
                self._missing[later] -= self._sources[later].get(owner, 0)
