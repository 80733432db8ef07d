"""Faults that were made are patches again: one for each, where they cross, turn, are cut, and are told with errors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from seisloom.sample import Array
from seisloom.signal.fault_patches import BRIDGE, patch_numbers

SIDE = 48
CENTRE = np.full(3, SIDE // 2)


def plane(dip_deg: float, strike_deg: float = 0.0, *, through: Array = CENTRE) -> tuple[Array, Array]:
    """Return the voxels of a plane in a cube, one for each (inline, time), and its normal."""
    dip, strike = np.radians([dip_deg, strike_deg])
    normal = np.array([-np.cos(dip), np.sin(dip) * np.cos(strike), -np.sin(dip) * np.sin(strike)])
    i, k = np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij")
    j = through[1] - (normal[0] * (k - through[2]) + normal[2] * (i - through[0])) / normal[1]
    j = np.rint(j).astype(int)
    inside = (j >= 0) & (j < SIDE)
    return np.stack([i[inside], j[inside], k[inside]], axis=1), normal


def cube_of(*planes: tuple[Array, Array], mixed: float = 0.0) -> tuple[Array, Array, Array]:
    """Return voxels of planes, normals, and which plane each is of; normals are averages of all over so many voxels."""
    number = np.zeros((SIDE,) * 3, int)
    for k, (voxels, _) in enumerate(planes, 1):
        number[tuple(voxels[number[tuple(voxels.T)] == 0].T)] = k
    voxels = np.argwhere(number > 0)
    true = number[number > 0]
    tensor = np.stack([np.outer(normal, normal) for _, normal in planes])[true - 1]
    if mixed:
        images = np.zeros((3, 3, *number.shape))
        images[:, :, *voxels.T] = tensor.transpose(1, 2, 0)
        tensor = ndimage.gaussian_filter(images, (0, 0, mixed, mixed, mixed))[:, :, *voxels.T].transpose(2, 0, 1)
    return voxels, np.linalg.eigh(tensor)[1][:, :, -1].T, true


def confusion(found: Array, true: Array) -> Array:
    """Return how many voxels each patch has of each fault, shape (patch, fault)."""
    counts = np.zeros((found.max() + 1, true.max() + 1), int)
    np.add.at(counts, (found, true), 1)
    return counts[1:, 1:]


@pytest.mark.parametrize(
    ("angle", "mixed"), [(25.0, 0.0), (40.0, 0.0), (90.0, 0.0), (40.0, 1.5), (65.0, 1.5), (90.0, 1.5)]
)
@pytest.mark.parametrize("strike", [0.0, 35.0])
def test_two_planes_that_cross_are_two_patches(angle: float, strike: float, mixed: float) -> None:
    """Though where they cross normals go from one to the other by small steps, as a network tells them."""
    voxels, normals, true = cube_of(plane(60, strike), plane(60 + angle, strike), mixed=mixed)
    counts = confusion(patch_numbers(voxels, normals, max_angle_deg=10, min_size=50)[0], true)
    assert len(counts) == 2
    assert counts.max(axis=1).sum() >= 0.96 * len(voxels)
    assert set(counts.argmax(axis=1)) == {0, 1}


def test_three_planes_that_cross_each_other_are_three_patches() -> None:
    voxels, normals, true = cube_of(plane(110, 70), plane(75, 40), plane(95, 15))
    counts = confusion(patch_numbers(voxels, normals, max_angle_deg=10, min_size=50)[0], true)
    assert len(counts) == 3
    assert counts.max(axis=1).sum() >= 0.96 * len(voxels)


def test_planes_are_one_patch_where_they_differ_by_less_than_the_angle() -> None:
    voxels, normals, _ = cube_of(plane(60), plane(84))
    for most, n in ((10, 2), (20, 2), (30, 1), (90, 1)):
        assert patch_numbers(voxels, normals, max_angle_deg=most, min_size=50)[0].max() == n


def curved(turn_deg: float) -> tuple[Array, Array]:
    """Return voxels and normals of a fault whose dip falls by an angle from the top to the bottom."""
    k = np.arange(SIDE)
    dip = np.radians(85 - turn_deg * k / (SIDE - 1))
    j = np.concatenate([[4.0], 4 + np.cumsum(1 / np.tan(dip))[:-1]])
    fine = np.linspace(0, SIDE - 1, 20 * SIDE)
    points = np.rint(np.stack([np.interp(fine, k, j), fine], axis=1)).astype(int)
    points = np.unique(points[points[:, 0] < SIDE], axis=0)
    facing = np.interp(points[:, 1], k, dip)
    voxels = np.concatenate([np.insert(points, 0, i, axis=1) for i in range(SIDE)])
    normals = np.stack([-np.cos(facing), np.sin(facing), np.zeros_like(facing)])
    return voxels, np.tile(normals, SIDE)


@pytest.mark.parametrize("turn_deg", [10.0, 30.0, 50.0])
def test_a_fault_that_turns_is_one_patch(turn_deg: float) -> None:
    voxels, normals = curved(turn_deg)
    number, small = patch_numbers(voxels, normals, max_angle_deg=10)
    assert (number.max(), small.size) == (1, 0)


@pytest.mark.parametrize("error_deg", [4.0, 8.0])
def test_errors_of_normals_do_not_part_a_fault(error_deg: float) -> None:
    voxels, normals, true = cube_of(plane(70, 20), plane(115, 50))
    rng = np.random.default_rng(4)
    normals = normals + np.tan(np.radians(error_deg)) * rng.normal(size=normals.shape)
    normals /= np.linalg.norm(normals, axis=0) * rng.choice([-1.0, 1.0], normals.shape[1])
    number, small = patch_numbers(voxels, normals, max_angle_deg=10, min_size=50)
    assert small.sum() <= 0.01 * len(voxels)
    counts = confusion(number, true)
    assert len(counts) == 2
    assert counts.max(axis=1).sum() >= 0.96 * len(voxels)


def test_a_plane_goes_on_across_a_gap_beside_another_fault_and_not_across_a_wider_one() -> None:
    for gap, n in ((3, 2), (int(1.3 * BRIDGE), 3)):
        upper, normal = plane(90)
        upper = upper[np.abs(upper[:, 2] - SIDE // 2) > gap / 2]
        # a level fault in the middle of the gap; so wide a one does not touch it
        level = np.argwhere(np.ones((SIDE, SIDE))) @ np.array([[1, 0, 0], [0, 1, 0]]) + [0, 0, SIDE // 2]
        voxels, normals, true = cube_of((upper, normal), (level, np.array([1.0, 0.0, 0.0])))
        counts = confusion(patch_numbers(voxels, normals, max_angle_deg=10, min_size=50)[0], true)
        assert len(counts) == n
        assert counts.max(axis=1).sum() >= 0.99 * len(voxels)


def test_the_order_of_voxels_does_not_matter() -> None:
    voxels, normals, _ = cube_of(plane(60, 10), plane(110, 40), mixed=1.5)
    number, _ = patch_numbers(voxels, normals, max_angle_deg=10, min_size=50)
    order = np.random.default_rng(2).permutation(len(voxels))
    again, _ = patch_numbers(voxels[order], normals[:, order], max_angle_deg=10, min_size=50)
    assert (again == number[order]).mean() > 0.995  # where two planes are as near, the first one found takes it


def test_voxels_that_face_anywhere_or_nowhere_are_small_patches() -> None:
    rng = np.random.default_rng(1)
    voxels = np.unique(rng.integers(0, 30, (3000, 3)), axis=0)
    normals = rng.normal(size=(3, len(voxels)))
    normals /= np.linalg.norm(normals, axis=0)
    number, small = patch_numbers(voxels, normals, max_angle_deg=10)
    assert number.max() > 0.5 * len(voxels)
    assert small.size == 0
    normals[:, ::2] = np.nan
    number, _ = patch_numbers(voxels, normals, max_angle_deg=10)
    assert np.unique(number[::2]).size == number[::2].size


def test_numbers_of_patches_go_with_their_size_and_empty_ones_are_none() -> None:
    wall = np.array([(i, 3, k) for i in range(5) for k in range(5)])
    far = np.array([(i, 9, k) for i in range(6) for k in range(5)])
    normals = np.tile(np.array([[0.0], [1.0], [0.0]]), 55)
    number, small = patch_numbers(np.concatenate([wall, far]), normals, max_angle_deg=30, min_size=26)
    assert (set(number[:25].tolist()), set(number[25:].tolist()), small.tolist()) == ({0}, {1}, [25])
    number, small = patch_numbers(np.zeros((0, 3)), np.zeros((3, 0)), max_angle_deg=30)
    assert (number.size, small.size) == (0, 0)
