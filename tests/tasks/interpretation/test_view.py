"""Which section of a volume is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.tasks.interpretation.apply import VolumeProduct
from seisloom.tasks.interpretation.records import VolumeRecord, record_of
from seisloom.tasks.interpretation.view import draw_product


@pytest.mark.parametrize(("labelled", "shown"), [([], 5), ([5, 2], 5), ([9, 3], 3), ([0], 0)])
def test_the_middle_inline_is_drawn_or_the_nearest_with_a_labelled_fault(labelled: list[int], shown: int) -> None:
    values = np.random.default_rng(0).normal(size=(10, 12, 14)).astype(np.float32)
    truth = np.zeros_like(values)
    truth[labelled, 6] = 1
    record = record_of("cube", values)
    record = VolumeRecord(record.name, record.values, record.content, {"fault": truth})
    figure = draw_product(VolumeProduct(record, {"fault": truth}), threshold=0.5)
    assert f"inline {shown} of 0 to 9" in figure.get_suptitle()
