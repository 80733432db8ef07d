"""A box of a synthetic volume is the same part of the whole, and the map is what NumPy says it is."""

from __future__ import annotations

import runpy
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seisloom.errors import DataError
from seisloom.physics.volumes import inverse_map as m
from seisloom.physics.volumes.box import NAMES, make_box
from seisloom.physics.volumes.corruption import corrupt_attributes
from seisloom.physics.volumes.draw import draw_volume
from seisloom.physics.volumes.draw_faults import fault_row
from seisloom.physics.volumes.model import VolumeModel
from seisloom.physics.volumes.nearby import only_near
from seisloom.physics.volumes.priors import Style, VolumePriors
from seisloom.sample import Array

STYLES: tuple[Style, ...] = ("planar", "through", "curved")
BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "synth_volumes.py"
RARE = ("p_domes", "p_unconformity", "p_dim", "p_flexure", "p_sag", "p_burst")


def _model(style: Style, shape: tuple[int, int, int], seed: int = 3) -> VolumeModel:
    rare = {**dict.fromkeys(RARE, 1.0), "drag_share": (0.2, 0.8), "amplitude_variation": (0.4, 0.4)}
    priors = VolumePriors.model_validate({**rare, "styles": (style,), "n_faults": (4, 4), "blur_voxels": (1, 1)})
    return draw_volume(shape, seed, priors)


SHAPES = ((1, 50, 44), (20, 23, 31))


@cache
def _whole(style: Style, shape: tuple[int, int, int]) -> tuple[VolumeModel, dict[str, Array], dict[str, Array]]:
    """Return a volume, all its arrays, and its corrupted attributes."""
    model = _model(style, shape)
    return model, make_box(model), corrupt_attributes(model)


def _a_part(side: int, data: st.DataObject) -> slice:
    start = data.draw(st.integers(0, side - 1))
    return slice(start, data.draw(st.integers(start + 1, side)))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(STYLES), st.sampled_from(SHAPES), st.data())
def test_a_box_made_alone_has_the_same_bytes_as_that_part_of_the_whole(
    style: Style, shape: tuple[int, int, int], data: st.DataObject
) -> None:
    model, whole, wrong = _whole(style, shape)
    box = tuple(_a_part(side, data) for side in model.shape)
    for name, values in make_box(model, box).items():
        assert values.dtype == np.float32
        assert values.tobytes() == whole[name][box].tobytes(), name
    for name, values in corrupt_attributes(model, box).items():
        assert values.dtype == np.float32
        assert values.tobytes() == wrong[name][box].tobytes(), name


@pytest.mark.parametrize("style", STYLES)
def test_faults_that_are_far_from_a_box_are_left_out_and_change_nothing(style: Style) -> None:
    priors = VolumePriors(
        styles=(style,), n_faults=(70, 70), fault_extent=(0.02, 0.1), throw_samples=(0.8, 3), drag_share=(0, 0.8)
    )
    model = draw_volume((60, 70, 80), 11, priors)
    whole = make_box(model)
    n_kept = []
    for i, j, k in [(0, 0, 0), (20, 30, 50), (52, 61, 68), (40, 5, 30)]:
        first, size = np.array([i, j, k]), np.array([8, 9, 12])
        box = tuple(slice(int(a), int(a + n)) for a, n in zip(first, size, strict=True))
        for name, values in make_box(model, box).items():
            assert values.tobytes() == whole[name][box].tobytes(), name
        n_kept.append(len(only_near(model, first, size).faults))
    assert max(n_kept) == 70 if style == "through" else max(n_kept) < 70


@pytest.mark.parametrize("style", STYLES)
def test_faults_without_drag_are_the_same_beside_one_that_has_it(style: Style) -> None:
    model = draw_volume((12, 30, 40), 4, VolumePriors(styles=(style,), n_faults=(4, 4)))
    outside = fault_row((0, -1e4, 0), dip_degrees=80, throw_samples=2)
    outside[[m.PROFILE, m.PER_LENGTH, m.PER_HEIGHT, m.PER_REACH]] = m.ELLIPTIC, 1.0, 1.0, 1.0
    outside[[m.DRAG, m.PER_DRAG]] = 0.5, 0.2
    beside = replace(model, faults=np.concatenate([model.faults, outside[None]]))
    for name, values in make_box(beside).items():
        assert values.tobytes() == make_box(model)[name].tobytes(), name


@pytest.mark.parametrize("name", NAMES)
def test_an_array_is_the_same_whatever_else_is_wanted(name: str) -> None:
    model, whole, _ = _whole("curved", (20, 23, 31))
    np.testing.assert_array_equal(make_box(model, wanted=[name])[name], whole[name])


@pytest.mark.parametrize("shape", SHAPES)
def test_threads_change_nothing(shape: tuple[int, int, int]) -> None:
    model, whole, wrong = _whole("planar", shape)
    for name, values in make_box(model, threads=3).items():
        np.testing.assert_array_equal(values, whole[name])
    for name, values in corrupt_attributes(model, threads=2, truth=whole).items():
        np.testing.assert_array_equal(values, wrong[name])


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_map_is_that_of_plain_numpy(style: Style, shape: tuple[int, int, int]) -> None:
    model, whole, _ = _whole(style, shape)
    expected = runpy.run_path(str(BENCHMARK))["labels_in_numpy"](model, tuple(slice(0, side) for side in shape))
    # a voxel exactly on the edge of a label or of a fault's side may fall either way by rounding
    same = whole["fault"] == expected["fault"]
    assert same.mean() > 0.9995
    assert np.mean(np.abs(whole["rgt"] - expected["rgt"]) < 1e-5) > 0.9995
    # NumPy's angles are those of a fault when it was young; a later throw that varies turns them by a few degrees
    on = (whole["fault"] == 1) & same
    for name in ("dip", "strike"):
        difference = np.abs((whole[name] - expected[name])[on])
        assert np.mean(np.minimum(difference, 180 - difference) < (1e-3 if style == "through" else 15)) > 0.95


@pytest.mark.parametrize("style", STYLES)
def test_a_seed_gives_the_same_bytes_and_another_seed_another_volume(style: Style) -> None:
    priors = VolumePriors(styles=(style,))
    first, again, other = (make_box(draw_volume((6, 20, 24), seed, priors)) for seed in (7, 7, 8))
    for name in NAMES:
        assert first[name].tobytes() == again[name].tobytes()
    for name in ("seismic", "dhr", "rgt"):
        assert not np.array_equal(first[name], other[name])


def test_priors_of_the_noise_do_not_change_the_structure() -> None:
    quiet, loud = (
        make_box(draw_volume((1, 40, 40), 5, VolumePriors(noise_ratio=(ratio, ratio)))) for ratio in (0.0, 0.5)
    )
    for name in ("fault", "dip", "strike", "rgt", "dhr"):
        np.testing.assert_array_equal(quiet[name], loud[name])


def test_amplitudes_that_vary_change_images_alone() -> None:
    same, varied = (
        make_box(draw_volume((1, 40, 40), 5, VolumePriors(amplitude_variation=(rms, rms)))) for rms in (0.0, 0.5)
    )
    for name in ("fault", "dip", "strike", "rgt"):
        np.testing.assert_array_equal(same[name], varied[name])
    for name in ("seismic", "dhr"):
        assert 0.3 < np.corrcoef(same[name].ravel(), varied[name].ravel())[0, 1] < 0.99


@pytest.mark.parametrize(
    "box",
    [
        (slice(0, 1), slice(0, 51), slice(0, 44)),
        (slice(0, 1), slice(3, 3), slice(0, 44)),
        (slice(0, 1), slice(0, 50, 2), slice(0, 44)),
        (slice(0, 1), slice(0, 50)),
        (slice(0, 1), slice(-4, 50), slice(0, 44)),
    ],
)
def test_a_box_that_is_not_in_the_volume_is_refused(box: tuple[slice, ...]) -> None:
    with pytest.raises(DataError, match="three slices"):
        make_box(_whole("planar", (1, 50, 44))[0], box)


def test_an_unknown_array_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(DataError, match="seismic, fault, dip, strike, rgt, dhr"):
        make_box(_whole("planar", (1, 50, 44))[0], wanted=["amplitude"])


def test_a_corrupted_volume_has_lost_and_gained_faults() -> None:
    model = draw_volume((40, 60, 60), 1, VolumePriors(styles=("through",), n_faults=(4, 4)))
    truth = make_box(model)
    wrong = corrupt_attributes(model, truth=truth)
    kept = wrong["i_fsem"] * truth["fault"]
    assert 0.3 < kept.sum() / truth["fault"].sum() < 1.0
    assert (wrong["i_fsem"] * (truth["fault"] == 0)).sum() > 0
    np.testing.assert_array_equal(kept * wrong["i_fdip"], kept * truth["dip"])
    assert (wrong["i_fdip"][wrong["i_fsem"] == 0] == 0).all()
    assert 0 <= wrong["i_rgt"].min() <= wrong["i_rgt"].max() <= 1
    assert np.abs(wrong["i_rgt"] - truth["rgt"]).max() <= 0.1 * truth["rgt"].max() + 0.02  # clipped to 0 to 1 besides
    assert not np.array_equal(corrupt_attributes(model, truth=truth, seed=1)["i_fsem"], wrong["i_fsem"])
