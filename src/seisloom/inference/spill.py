"""Outputs of tiles that wait on disk for their owner: of tiles that reach into it, and of its own while those run.

There is one file from an owner to each that its tiles touch, written and read front to back in the order of tiles, and
given its name when it is complete. A file that is missing, torn or late costs time and never changes the result.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from seisloom.inference.lattice import Index
from seisloom.inference.owners import Owners
from seisloom.sample import Array, Arrays

logger = logging.getLogger("seisloom")
VALUE_BYTES = 4
"""The model's outputs are kept as they came, float32, so that a tile that is read adds the same as one that is run."""


def spill_path(folder: Path, source: Index, owner: Index) -> Path:
    """Return the file of what `source` keeps for `owner`."""
    return folder / f"{'-'.join(map(str, source))}_to_{'-'.join(map(str, owner))}.f32"


def spill_bytes(owners: Owners, source: Index, owner: Index, n_outputs: int) -> int:
    """Return the size of a complete file."""
    parts = (owners.overlap(tile, owner)[0] for tile in owners.shared(source, owner))
    return VALUE_BYTES * n_outputs * sum(int(np.prod([one.stop - one.start for one in part])) for part in parts)


class Spill:
    """What the tiles of one owner give to others, and to itself for later; use it in a `with`."""

    def __init__(self, folder: Path, owners: Owners, source: Index, wanted_by: Sequence[Index]) -> None:
        """Open a file for each owner of `wanted_by`, under a name that nobody reads yet."""
        self._folder, self._owners, self._source = folder, owners, source
        self._files: dict[Index, BinaryIO] = {}
        self._names: dict[Index, Path] = {}
        self.n_bytes = 0
        try:
            for owner in wanted_by:
                final = spill_path(folder, source, owner)
                # Two workers may run the same owner after a lost connection: each writes its own file
                self._names[owner] = final.with_suffix(f".{uuid.uuid4().hex}.part")
                self._files[owner] = self._names[owner].open("wb")
        except OSError as error:
            self._give_up(error)

    def __enter__(self) -> Spill:
        return self

    def keep(self, tile: Index, outputs: Arrays) -> None:
        """Keep the parts of a tile's outputs, each of the tile's shape, that other owners want."""
        try:
            for owner, file in self._files.items():
                part, _ = self._owners.overlap(tile, owner)
                if all(one.start < one.stop for one in part):
                    for values in outputs.values():
                        self.n_bytes += file.write(np.ascontiguousarray(values[part], dtype="<f4").data)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        # A full scratch disk makes the run slower, it does not make it fail
        logger.warning("%s: border tiles will run again: %s", self._folder, error)
        self._discard()

    def _discard(self) -> None:
        for owner, file in self._files.items():
            try:
                file.close()
            except OSError:
                logger.debug("%s is discarded", self._names[owner])
        for path in self._names.values():
            path.unlink(missing_ok=True)
        self._files, self._names = {}, {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give complete files their names."""
        if kind is not None:
            self._discard()
            return
        try:
            for owner, file in self._files.items():
                file.close()
                self._names[owner].replace(spill_path(self._folder, self._source, owner))
        except OSError as trouble:
            self._give_up(trouble)


class Kept:
    """What has been kept for an owner that is summed now; use it in a `with`. The files stay."""

    def __init__(self, folder: Path, owners: Owners, owner: Index, names: Sequence[str]) -> None:
        """Open the files that are complete."""
        self._owners, self._owner, self._names = owners, owner, tuple(names)
        self._files: dict[Index, BinaryIO] = {}
        for source in owners.sources(owner):
            path = spill_path(folder, source, owner)
            # A crash of the machine may leave a file with a name and without its end
            if path.is_file() and path.stat().st_size == spill_bytes(owners, source, owner, len(names)):
                self._files[source] = path.open("rb")

    def __enter__(self) -> Kept:
        return self

    def __contains__(self, tile: Index) -> bool:
        return self._owners.home(tile) in self._files

    def take(self, tile: Index) -> dict[str, Array]:
        """Return the outputs of the next tile of its home, in this owner's part of it. Tiles are taken in order."""
        file = self._files[self._owners.home(tile)]
        shape = tuple(one.stop - one.start for one in self._owners.overlap(tile, self._owner)[0])
        n_bytes = 4 * int(np.prod(shape))
        # Not `np.fromfile`: a Ctrl-C in it comes out as a TypeError
        return {name: np.frombuffer(file.read(n_bytes), dtype="<f4").reshape(shape) for name in self._names}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files.values():
            file.close()


def forget_kept(folder: Path, owners: Owners, owner: Index) -> None:
    """Remove what was kept for an owner that has finished."""
    for source in owners.sources(owner):
        spill_path(folder, source, owner).unlink(missing_ok=True)
