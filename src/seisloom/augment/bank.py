"""A bank of samples that augmentations take partners from: real noise, second events, records to mix with.

Partners come from here, and not from the batch, so that what happens to a sample depends on (seed, epoch, sample key,
place in the list) alone. A bank holds samples of the training part only: one that saw others would leak them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seisloom.errors import DataError, MissingDataError
from seisloom.sample import Array

if TYPE_CHECKING:
    from torch import Tensor

    from seisloom.augment.batch import Batch


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """Samples by key, in the order of their keys, so that it does not matter in which order they came."""

    keys: tuple[str, ...]
    arrays: Mapping[str, Array]
    """By field, with a leading axis `item`; `x` at least."""

    @classmethod
    def of(cls, keys: Sequence[str], arrays: Mapping[str, Array]) -> Bank:
        """Return a bank of these samples.

        Args:
            keys: one a sample, no two alike.
            arrays: by field, with a leading axis `item`; `x` at least, finite.
        Raises:
            DataError: if there are none, keys are not unique, lengths differ, or `x` is missing or not finite.
        """
        lengths = {name: len(one) for name, one in arrays.items()}
        if not keys or len(set(keys)) != len(keys) or set(lengths.values()) != {len(keys)} or "x" not in arrays:
            raise DataError(
                f"bank: needs `x` and unique keys, one a sample; there are {len(keys)} keys, {len(set(keys))} of them "
                f"different, and arrays of length {lengths}"
            )
        if not np.isfinite(arrays["x"]).all():
            raise DataError("bank: x has values that are not finite. Leave those samples out")
        order = np.argsort(np.asarray(keys))
        return cls(tuple(keys[k] for k in order), {name: np.asarray(one)[order] for name, one in arrays.items()})

    @classmethod
    def read(cls, path: str | Path) -> Bank:
        """Return the bank of an .npz with `x` (item, ...), optional `keys` (item,) and label fields by name.

        Raises:
            MissingDataError: if there is no such file.
            DataError: if it is not such an .npz.
        """
        file = Path(path).expanduser()
        if not file.is_file():
            raise MissingDataError(f"{path}: no such bank. Write one with numpy.savez(path, x=..., keys=...)")
        return _read(str(file), file.stat().st_mtime_ns)

    def __len__(self) -> int:
        return len(self.keys)

    def numbers(self, drawn: Array, keys: Sequence[str]) -> Array:
        """Return which sample each draw in [0, 1) means; one that is the sample itself means the next."""
        found = np.floor(np.asarray(drawn) * len(self)).astype(int)
        own = np.array([self.keys[k] == key for k, key in zip(found, keys, strict=True)])
        return np.asarray(np.where(own, found + 1, found) % len(self))

    def pieces(self, drawn: Array, start: Array, like: Tensor, keys: Sequence[str], *, where: str) -> Tensor:
        """Return partners of `like`, (item, ...), cut at drawn places where the bank's records are longer.

        Args:
            drawn, start: in [0, 1), (item,): which sample, and where in it.
            like: the data that partners are for; axes but the last must have the same lengths.
            keys: of the items.
            where: name of the entry, for the message.
        Raises:
            DataError: if shapes do not fit.
        """
        import torch

        x = self.arrays["x"]
        n = like.shape[-1]
        if x.shape[1:-1] != tuple(like.shape[1:-1]) or x.shape[-1] < n:
            raise DataError(
                f"augment.{where}: samples of the bank have shape {x.shape[1:]}, the data {tuple(like.shape[1:])}. "
                "Give a bank of the same axes, at least as long"
            )
        first = np.floor(np.asarray(start) * (x.shape[-1] - n + 1)).astype(int)
        cut = [x[k][..., i : i + n] for k, i in zip(self.numbers(drawn, keys), first, strict=True)]
        return torch.as_tensor(np.stack(cut), dtype=like.dtype, device=like.device)


@lru_cache(maxsize=4)
def _read(path: str, changed: int) -> Bank:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: is not an .npz of arrays: {error}") from error
    if "x" not in arrays:
        raise DataError(f"{path}: has no array x; there are {', '.join(arrays) or 'none'}")
    keys = arrays.pop("keys", np.arange(len(arrays["x"])))
    return Bank.of([str(one) for one in keys], arrays)


def bank_of(batch: Batch, path: str | None, where: str) -> Bank:
    """Return the bank that an entry names, or else the one that came with the batch.

    Raises:
        DataError: if there is neither.
    """
    if path is not None:
        return Bank.read(path)
    if batch.bank is None:
        raise DataError(f"augment.{where}: needs a bank of samples. Name one: bank: FILE.npz")
    return batch.bank
