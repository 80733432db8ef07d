"""Public contract tests: what every task, augmentation, network and format must keep. For us and for third parties.

Call one in a test of your own package:

    from seisloom.plugins import load
    from seisloom.testing import check_augmentation

    def test_my_augmentation_keeps_the_contract():
        check_augmentation(load("augmentations", "my_augmentation")(name="my_augmentation"))

Each raises AssertionError with what was promised and what came instead; none needs pytest.
"""

from __future__ import annotations

from typing import Any

from seisloom.testing.augmentation import check_augmentation, check_distinct
from seisloom.testing.format import check_format, check_resume
from seisloom.testing.model import check_model, first_items
from seisloom.testing.task import check_task

BATCHES = ("bank_like", "gather_batch", "spectrum_batch", "trace_batch", "volume_batch")

__all__ = [
    "bank_like",
    "check_augmentation",
    "check_distinct",
    "check_format",
    "check_model",
    "check_resume",
    "check_task",
    "first_items",
    "gather_batch",
    "spectrum_batch",
    "trace_batch",
    "volume_batch",
]


def __getattr__(name: str) -> Any:  # Any: makers of batches, which need torch: formats are checked without
    if name in BATCHES:
        from seisloom.augment import examples

        return getattr(examples, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
