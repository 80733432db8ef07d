"""What the room's evaluation says of products whose labels are known."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.sample import Array
from seisloom.tasks.interpretation.apply import VolumeProduct
from seisloom.tasks.interpretation.evaluate import evaluate
from seisloom.tasks.interpretation.records import record_of

from .conftest import Small

SIDE = 24


def wall(value: float = 1.0) -> Array:
    fault = np.zeros((SIDE, SIDE, SIDE), np.float32)
    fault[:, SIDE // 2] = value
    return fault


def product(said: Array, truth: Array) -> VolumeProduct:
    record = record_of("cube", np.zeros_like(truth))
    return VolumeProduct(type(record)(record.name, record.values, record.content, {"fault": truth}), {"fault": said})


@pytest.mark.parametrize(("moved", "score"), [(0, 1.0), (2, 1.0), (4, 0.0)])
def test_a_fault_is_found_within_two_voxels(moved: int, score: float, small: Small) -> None:
    found = evaluate(small(), {"it": [product(np.roll(wall(0.9), moved, axis=1), wall())]}, [])
    assert found["tables"]["volumes"]["it"]["F1 @2"] == score


@pytest.mark.parametrize(("truths", "said"), [((0.0, 1.0), "of 1 of 2 of"), ((0.0, 0.0), "of all of the volumes")])
def test_volumes_without_a_fault_in_their_labels_are_told(truths: tuple[float, ...], said: str, small: Small) -> None:
    """Their F1 of 1 is no merit where nobody looked."""
    found = evaluate(small(), {"it": [product(wall(one), wall(one)) for one in truths]}, [])
    assert said in found["notes"][0]
    assert found["tables"]["volumes"]["it"]["F1 @2"] == 1.0


def test_labels_that_nobody_knows_are_not_counted(small: Small) -> None:
    found = evaluate(small(), {"it": [product(wall(), wall()), product(wall(), np.full_like(wall(), -1))]}, [])
    assert not any("no fault in the labels" in one for one in found["notes"])
    assert found["tables"]["volumes"]["it"]["F1 @2"] == 1.0


def test_volumes_without_labels_are_told(small: Small) -> None:
    bare = product(wall(), wall())
    bare.record.truth.clear()  # type: ignore[attr-defined]
    assert evaluate(small(), {"it": [bare]}, [])["notes"][0].startswith("no volume has labels of what was found")
