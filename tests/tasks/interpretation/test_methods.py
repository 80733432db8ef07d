"""The classical method as it is applied: quiet where nothing was recorded, and a probability that holds."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.bundle import open_predictor
from seisloom.metrics.overlap import ods_ois
from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.draw import draw_volume
from seisloom.sample import Array

HELD_OUT = range(9000, 9010)
"""Seeds that `tools/fit_discontinuity.py` does not draw."""


def faults(values: Array) -> Array:
    return open_predictor("discontinuity").with_changes("attributes=[fault]").apply(values)[0].attributes["fault"]


def drawn(shape: tuple[int, int, int], seed: int) -> tuple[Array, Array]:
    made = make_box(draw_volume(shape, seed))
    return made["seismic"], made["fault"] > 0


@pytest.mark.parametrize("shape", [(1, 96, 96), (24, 32, 60)])
def test_a_muted_top_and_dead_traces_hold_no_fault(shape: tuple[int, int, int]) -> None:
    values, _ = drawn(shape, 3)
    values[..., : shape[-1] // 3] = 0
    values[:, 20] = 0
    found = faults(values[0] if shape[0] == 1 else values).reshape(shape)
    assert found[..., : shape[-1] // 3].max() < 1e-3
    assert found[:, 20].max() < 1e-3


def test_gain_and_polarity_change_nothing() -> None:
    values, _ = drawn((1, 80, 90), 4)
    plain = faults(values[0])
    np.testing.assert_allclose(faults(1e3 * values[0]), plain, atol=1e-3)
    np.testing.assert_allclose(faults(-values[0]), plain, atol=2e-2)  # the median that is taken off changes its sign


def test_noise_holds_no_fault() -> None:
    noise = np.random.default_rng(0).normal(size=(24, 24, 64)).astype(np.float32)
    assert faults(noise).max() < 0.3


def test_faults_of_held_out_sections_are_found_at_a_half() -> None:
    """It stood at F1 0.24, and 0.38 at its best threshold, before breaks were compared with those around them."""
    examples = [drawn((1, 192, 192), seed) for seed in HELD_OUT]
    found = [faults(values[0]) for values, _ in examples]
    best = ods_ois(found, [fault[0] for _, fault in examples], tolerance=2.0)
    fixed = ods_ois(found, [fault[0] for _, fault in examples], tolerance=2.0, thresholds=(0.5,))
    assert best["ods"] > 0.48
    assert fixed["ods"] > 0.43


def test_a_probability_is_how_often_a_fault_is_within_two_voxels() -> None:
    from scipy.ndimage import distance_transform_edt

    said, true = [], []
    for seed in HELD_OUT:
        values, fault = drawn((1, 192, 192), seed)
        said.append(faults(values[0]))
        true.append(distance_transform_edt(~fault[0]) <= 2 if fault.any() else fault[0])
    probability, near = np.stack(said), np.stack(true)
    for low in (0.1, 0.3, 0.5, 0.7):
        here = (probability >= low) & (probability < low + 0.2)
        assert abs(near[here].mean() - probability[here].mean()) < 0.15  # ten sections differ from forty by so much
