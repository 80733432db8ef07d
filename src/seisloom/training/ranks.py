"""Processes that train together: what only the first one does."""

from __future__ import annotations

import torch
from pytorch_lightning.utilities import rank_zero_only


def is_first() -> bool:
    """Return whether this is the only process, or the first of those that train together."""
    return int(getattr(rank_zero_only, "rank", 0) or 0) == 0


def wait_for_all() -> None:
    """Wait until every process is here; at once where there is one, or where they have not met yet."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()
