"""Pieces of a bank's records for data of another size: cut where a record is larger, mirrored on where it is smaller.

Field noise is recorded on spreads and for times of its own; patches and gathers that it is added to have others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seisloom.sample import Array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from seisloom.augment.bank import Bank


def fitted_pieces(
    bank: Bank, drawn: Array, first_row: Array, first_time: Array, like: Tensor, keys: Sequence[str]
) -> Tensor:
    """Return partners of `like`, (item, ..., time), from records of any number of traces and samples.

    All axes of a record but the last count as rows, one after the other: neighbouring rows stay neighbours. Beyond
    its ends a record goes on mirrored, so that noise has no jump there.

    Args:
        bank: with `x`, (item, ..., time).
        drawn, first_row, first_time: in [0, 1), (item,): which record, and where in it.
        like: the data that partners are for.
        keys: of the items; a partner is never the sample itself, where the bank has others.
    """
    import torch

    x = bank.arrays["x"]
    records = x.reshape(len(x), -1, x.shape[-1])
    n_rows, n_time = int(np.prod(like.shape[1:-1])), like.shape[-1]
    found = [
        records[number][_mirrored(row, n_rows, records.shape[1])][:, _mirrored(time, n_time, records.shape[2])]
        for number, row, time in zip(bank.numbers(drawn, keys), first_row, first_time, strict=True)
    ]
    return torch.as_tensor(np.stack(found), dtype=like.dtype, device=like.device).reshape(like.shape)


def _mirrored(start: float, n: int, length: int) -> Array:
    """Return n neighbouring indices into an axis, from a drawn place on, reflected at its ends.

    >>> _mirrored(0.0, 7, 4), _mirrored(0.99, 3, 5)
    (array([0, 1, 2, 3, 2, 1, 0]), array([2, 3, 4]))
    """
    first = int(start * max(length - n + 1, 1 if length >= n else length))
    period = max(2 * (length - 1), 1)
    idx = (first + np.arange(n)) % period
    return np.asarray(np.where(idx < length, idx, period - idx))
