"""Layers that meet at a fault: throws that were made are found again, and where none can be told none is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from seisloom.sample import Array
from seisloom.signal.fault_throws import BESIDE, LONGEST_THROW, fault_average, match_throws

TRACES, SAMPLES, MIDDLE = 80, 160, 40.0


def layers(rng: np.random.Generator, *, n: int = SAMPLES + 120) -> Array:
    return np.asarray(ndimage.gaussian_filter1d(rng.normal(size=n), 1.5))


def faulted(throw: float, lean: float, rng: np.random.Generator, slope: float = 0.0) -> tuple[Array, Array, Array]:
    """Return a section whose right side lies deeper by the throw, and the voxels and the lean of its fault."""
    x, z = np.meshgrid(np.arange(TRACES), np.arange(SAMPLES), indexing="ij")
    line = MIDDLE + lean * (z - SAMPLES / 2)
    depth = z - slope * x - np.where(x > line, throw, 0.0) + 60
    stack = layers(rng)
    image = np.interp(depth, np.arange(stack.size), stack)
    voxels = np.stack([np.rint(line[0]).astype(int), np.arange(SAMPLES)], axis=1)
    inside = (voxels[:, 0] >= 0) & (voxels[:, 0] < TRACES)
    return image, voxels[inside], np.full(int(inside.sum()), lean)


@pytest.mark.parametrize("lean", [0.0, 0.3, -0.5])
@pytest.mark.parametrize("throw", [0, 4, -11, 27])
def test_points_of_a_pair_are_one_layer(throw: int, lean: float) -> None:
    image, voxels, leans = faulted(throw, lean, np.random.default_rng(throw % 7))
    found = match_throws(image, voxels, leans)
    inner = (found.sureness > 0) & (np.abs(voxels[:, 1] - SAMPLES / 2) < 40)
    assert inner.sum() > 60
    np.testing.assert_allclose((found.right - found.left)[inner, 1], throw, atol=1)
    np.testing.assert_array_equal(found.left[inner, 0], np.maximum(voxels[inner, 0] - BESIDE, 0))


def test_layers_that_dip_are_followed() -> None:
    image, voxels, lean = faulted(6, 0.2, np.random.default_rng(1), slope=0.3)
    found = match_throws(image, voxels, lean)
    inner = (found.sureness > 0) & (np.abs(voxels[:, 1] - SAMPLES / 2) < 40)
    dips = 0.3 * (found.right - found.left)[inner, 0]
    np.testing.assert_allclose((found.right - found.left)[inner, 1], 6 + dips, atol=1)


def test_noise_has_hardly_any_layers_in_common() -> None:
    rng = np.random.default_rng(2)
    _, voxels, lean = faulted(0, 0.0, rng)
    images = [ndimage.gaussian_filter(rng.normal(size=(TRACES, SAMPLES)), (1, 1.5)) for _ in range(20)]
    sureness = np.concatenate([match_throws(image, voxels, lean).sureness for image in images])
    assert np.mean(sureness) < 0.06
    same, voxels, lean = faulted(7, 0.0, rng)
    assert np.mean(match_throws(same, voxels, lean).sureness) > 0.6


def test_a_throw_that_two_lags_explain_is_not_sure() -> None:
    image, voxels, lean = faulted(0, 0.0, np.random.default_rng(3))
    ringing = np.broadcast_to(np.sin(2 * np.pi * np.arange(SAMPLES) / 10), image.shape)
    assert match_throws(image, voxels, lean).sureness.max() > 0.9
    assert match_throws(ringing, voxels, lean).sureness.max() < 0.1


def test_faults_that_follow_layers_are_left_out() -> None:
    image, voxels, lean = faulted(5, 0.0, np.random.default_rng(4))
    for flat in (np.inf, -40.0, np.nan):
        assert not match_throws(image, voxels, np.full_like(lean, flat)).sureness.any()


def test_without_faults_there_are_no_pairs() -> None:
    found = match_throws(np.zeros((TRACES, SAMPLES)), np.zeros((0, 2), int), np.zeros(0))
    assert found.left.shape == found.right.shape == (0, 2)
    assert found.sureness.shape == (0,)


def test_points_lie_in_the_section() -> None:
    image, voxels, lean = faulted(LONGEST_THROW, 0.5, np.random.default_rng(5))
    found = match_throws(image, voxels, lean)
    for points in (found.left, found.right):
        assert points.min() >= 0
        assert (points <= np.array(image.shape) - 1).all()


def test_an_average_along_a_fault_leaves_out_the_one_that_crosses_it() -> None:
    down = np.arange(60)
    one, other = np.stack([20 + down // 2, down], 1), np.stack([50 - down // 2, down], 1)
    voxels, lean = np.concatenate([one, other]), np.repeat([0.5, -0.5], 60)
    values = np.repeat([1.0, 5.0], 60)
    matrix = fault_average(voxels, lean)
    np.testing.assert_allclose(matrix @ values, values)
    np.testing.assert_allclose(matrix.sum(axis=1), 1)
