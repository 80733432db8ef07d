"""Faults and layers of synthetic volumes against closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from seisloom.errors import DataError
from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.draw import draw_volume
from seisloom.physics.volumes.draw_faults import fault_row
from seisloom.physics.volumes.inverse_map import (
    COT,
    DRAG,
    ELLIPTIC,
    PER_DRAG,
    PER_HEIGHT,
    PER_LENGTH,
    PROFILE,
    THROW,
)
from seisloom.physics.volumes.model import VolumeModel
from seisloom.physics.volumes.priors import Style, VolumePriors
from seisloom.sample import Array

STYLES: tuple[Style, ...] = ("planar", "through", "curved")
PLAIN = VolumePriors(
    styles=("planar",),
    n_faults=(0, 0),
    relief_samples=(0, 0),
    tilt=(0, 0),
    p_domes=0,
    p_dim=0,
    p_flexure=0,
    p_sag=0,
    p_burst=0,
    noise_ratio=(0, 0),
    blur_voxels=(0, 0),
    footprint=(0, 0),
)


def _with_one_fault(
    shape: tuple[int, int, int], *, dip: float, strike: float, throw: float, thickness: float = 3.0
) -> VolumeModel:
    """Return flat layers cut by a plane through the middle."""
    model = draw_volume(shape, 0, PLAIN)
    centre = ((shape[0] - 1) / 2, (shape[1] - 1) / 2, (shape[2] - 1) / 2)
    row = fault_row(centre, dip_degrees=dip, strike_degrees=strike, throw_samples=throw, label_thickness=thickness)
    return replace(model, faults=row[None], label=(thickness, 0.8))


def _distance(model: VolumeModel, dip: float, strike: float) -> Array:
    """Return the signed distance to a plane through the middle by the formula of its normal."""
    d, s = np.radians([dip, strike])
    grid = np.meshgrid(*(np.arange(side) - (side - 1) / 2 for side in model.shape), indexing="ij")
    inline, crossline, depth = grid
    return np.asarray(-np.cos(d) * depth + np.sin(d) * np.cos(s) * crossline - np.sin(d) * np.sin(s) * inline)


def _depth(model: VolumeModel, rgt: Array) -> Array:
    low, high = model.rgt_range
    return np.asarray(rgt * (high - low) + low)


PLANES = [(90.0, 0.0), (60.0, 0.0), (120.0, 0.0), (60.0, 30.0), (75.0, 90.0), (110.0, 145.0)]


@pytest.mark.parametrize(("dip", "strike"), PLANES)
@pytest.mark.parametrize("throw", [7.3, -4.0])
def test_the_throw_across_a_plane_is_as_drawn(dip: float, strike: float, throw: float) -> None:
    model = _with_one_fault((21, 22, 40), dip=dip, strike=strike, throw=throw)
    distance = _distance(model, dip, strike)
    depth = _depth(model, make_box(model, wanted=["rgt"])["rgt"])
    expected = np.arange(40) - throw * (distance >= 0)
    clear = np.abs(distance) > 1e-6
    np.testing.assert_allclose(depth[clear], expected[clear], atol=1e-4)  # float32 of a range of 40 samples


@pytest.mark.parametrize(("dip", "strike"), PLANES)
def test_layers_that_are_dragged_bend_towards_the_fault_and_break_by_the_rest(dip: float, strike: float) -> None:
    throw, share, width = 5.0, 0.6, 7.0
    model = _with_one_fault((21, 22, 40), dip=dip, strike=strike, throw=throw)
    faults = model.faults.copy()
    faults[0, [DRAG, PER_DRAG]] = share, 1 / width
    depth = _depth(model, make_box(replace(model, faults=faults), wanted=["rgt"])["rgt"])
    away = _distance(model, dip, strike) / np.sin(np.radians(dip))  # along the horizontal
    ramp = np.interp(away, [-width, width], [-1, 1])
    moved = throw * ((1 - share) * (away >= 0) + share * (0.5 + 0.75 * ramp - 0.25 * ramp**3))
    clear = np.abs(away) > 1e-6
    np.testing.assert_allclose(depth[clear], (np.arange(40) - moved)[clear], atol=1e-4)


def test_drag_is_drawn_from_its_ranges_and_wide_enough_for_layers_not_to_overturn() -> None:
    priors = VolumePriors(drag_share=(0.3, 0.9), drag_width=(2, 10), n_faults=(6, 6), throw_samples=(0.8, 20))
    for seed in range(6):
        faults = draw_volume((1, 200, 120), seed, priors).faults
        assert ((faults[:, DRAG] >= 0.3) & (faults[:, DRAG] <= 0.9)).all()
        assert (1 / faults[:, PER_DRAG] >= 2).all()
        # the steepest bend is 0.75 of the throw that bends over the width, seen along depth by the cotangent
        thinning = 0.75 * faults[:, DRAG] * np.abs(faults[:, THROW] * faults[:, COT]) * faults[:, PER_DRAG]
        assert thinning.max() <= 0.25 + 1e-9


@pytest.mark.parametrize(("dip", "strike"), PLANES)
@pytest.mark.parametrize("thickness", [1.0, 3.0])
def test_labels_lie_within_half_their_thickness_and_hold_the_plane(dip: float, strike: float, thickness: float) -> None:
    model = _with_one_fault((21, 22, 40), dip=dip, strike=strike, throw=5.0, thickness=thickness)
    labels = make_box(model, wanted=["fault", "dip", "strike"])
    distance = np.abs(_distance(model, dip, strike))
    clear = np.abs(distance - thickness / 2) > 1e-6
    np.testing.assert_array_equal((labels["fault"] == 1)[clear], (distance < thickness / 2)[clear])
    on = labels["fault"] == 1
    np.testing.assert_allclose(labels["dip"][on], dip, rtol=1e-5)
    np.testing.assert_allclose(labels["strike"][on], strike, atol=1e-4)
    assert (labels["dip"][~on] == 0).all()
    assert (labels["strike"][~on] == 0).all()


def test_a_fault_with_too_little_throw_is_not_labelled() -> None:
    seen, unseen = (
        make_box(_with_one_fault((1, 30, 30), dip=70, strike=0, throw=throw), wanted=["fault"])["fault"]
        for throw in (0.8, 0.79)
    )
    assert seen.any()
    assert not unseen.any()


def test_how_much_throw_is_labelled_goes_with_the_period_of_the_wavelet() -> None:
    for seed in range(5):
        every, visible = (
            draw_volume((1, 60, 60), seed, VolumePriors(label_throw_periods=periods)) for periods in (0, 0.5)
        )
        assert every.label[1] == 0.8
        assert visible.label[1] == pytest.approx(max(0.8, 0.5 / visible.f0))
        assert replace(visible, label=every.label).provenance() == every.provenance()


def test_the_dip_of_an_older_fault_is_that_which_a_younger_one_has_bent_it_to() -> None:
    model = _with_one_fault((1, 160, 160), dip=75, strike=0, throw=5)
    younger = fault_row((0, 60, 80), dip_degrees=50, throw_samples=25)
    younger[[PROFILE, PER_HEIGHT, PER_LENGTH]] = ELLIPTIC, 1 / 75, 1 / 75
    labels = make_box(replace(model, faults=np.stack([younger, model.faults[0]])), wanted=["fault", "dip"])
    dip = labels["dip"][0]
    turned = []
    for k in range(10, 150, 4):
        window = dip[:, k - 6 : k + 7]
        j, depth = np.nonzero(window > 62)  # the older one is the steep one
        if not (dip[:, k] > 62).any() or ((window > 0) & (window < 62))[j.min() - 8 : j.max() + 8].any():
            continue  # the older fault is broken where the younger one crosses it
        slope = np.polyfit(depth, j, 1)[0]  # traces a sample
        labelled = dip[dip[:, k] > 62, k].mean()
        assert abs(np.degrees(np.arctan2(1, slope)) - labelled) < 3  # the line fits a curve of 13 samples
        turned.append(abs(labelled - 75))
    assert len(turned) > 8
    assert max(turned) > 8


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("seed", range(4))
def test_the_normal_of_a_section_lies_in_its_plane(style: Style, seed: int) -> None:
    model = draw_volume((1, 80, 60), seed, VolumePriors(styles=(style,)))
    labels = make_box(model, wanted=["fault", "dip", "strike"])
    assert (labels["strike"] == 0).all()
    on = labels["fault"] == 1
    assert ((labels["dip"][on] > 0) & (labels["dip"][on] < 180)).all()


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("shape", [(1, 90, 80), (30, 30, 60)])
@pytest.mark.parametrize("drag", [0.0, 0.9])
def test_rgt_rises_with_depth_away_from_faults(style: Style, shape: tuple[int, int, int], drag: float) -> None:
    for seed in range(4):
        priors = VolumePriors(
            styles=(style,), p_unconformity=1, label_throw_samples=0, label_throw_periods=0, label_thickness=6,
            drag_share=(drag, drag),
        )  # fmt: skip
        arrays = make_box(draw_volume(shape, seed, priors), wanted=["rgt", "fault"])
        away = (arrays["fault"][..., 1:] == 0) & (arrays["fault"][..., :-1] == 0)
        assert np.mean(np.diff(arrays["rgt"])[away] > 0) > 0.999
        assert -0.1 < arrays["rgt"].min() < arrays["rgt"].max() < 1.1


def test_rgt_is_constant_along_a_folded_layer() -> None:
    folded = PLAIN.model_copy(update={"relief_samples": (12.0, 12.0), "relief_growth": (0.0, 0.0)})
    model = draw_volume((1, 90, 80), 4, folded)
    controls = model.controls.copy()
    controls[1] = controls[0]  # the same relief from top to bottom
    model = replace(model, controls=controls)
    depth = _depth(model, make_box(model, wanted=["rgt"])["rgt"][0])
    relief = np.arange(80) - depth  # of whichever layer is there
    np.testing.assert_allclose(relief, np.broadcast_to(relief[:, :1], relief.shape), atol=2e-4)
    assert np.ptp(relief[:, 0]) > 2
    assert np.abs(np.diff(relief[:, 0], 2)).max() < 0.3  # smooth: a fold of 12 samples and 15 traces curves by 0.1


def test_layers_below_an_unconformity_are_older_than_those_above() -> None:
    priors = VolumePriors(styles=("curved",), n_faults=(0, 0), p_unconformity=1)
    for seed in range(5):
        model = draw_volume((1, 120, 100), seed, priors)
        assert model.unconformity is not None
        rgt = make_box(model, wanted=["rgt"])["rgt"][0].astype(np.float64)
        surface = np.argmax(np.diff(rgt), axis=-1)  # the hiatus is the largest step of each trace
        above = np.where(np.arange(100) <= surface[:, None], rgt, -np.inf).max()
        below = np.where(np.arange(100) > surface[:, None], rgt, np.inf).min()
        assert above < below


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        ({"throw_samples": (5, 2)}, "smallest <= largest"),
        ({"dip_degrees": (0, 90)}, "write .* 10 <= smallest"),
        ({"f0_cycles_per_sample": (0.1, 0.6)}, "largest <= 0.25"),
        ({"n_faults": (-1, 3)}, "n_faults"),
        ({"relief_width": (2, 20)}, "relief_width"),
        ({"style_weights": (1, 2)}, "one weight for each"),
        ({"style_weights": (0, 0, 0)}, "not all of them 0"),
        ({"styles": ("planar", "planar")}, "once"),
        ({"styles": ("listric",)}, "styles"),
        ({"p_sag": 1.5}, "p_sag"),
        ({"drag_share": (0, 1)}, "largest <= 0.9"),
        ({"throws": (1, 2)}, "throws"),
    ],
)
def test_priors_that_cannot_be_are_refused(wrong: dict[str, object], advice: str) -> None:
    with pytest.raises(ValidationError, match=advice):
        VolumePriors.model_validate(wrong)


@pytest.mark.parametrize("shape", [(64, 64), (1, 64, 8), (0, 64, 64)])
def test_a_shape_that_cannot_be_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="1 inline for a section"):
        draw_volume(shape, 0)  # type: ignore[arg-type]


def test_styles_are_drawn_by_their_weights() -> None:
    priors = VolumePriors(style_weights=(0, 1, 0), n_faults=(1, 1))
    assert {draw_volume((1, 16, 16), seed, priors).style for seed in range(5)} == {"through"}


def test_priors_are_kept_by_the_volumes() -> None:
    priors = VolumePriors(throw_samples=(0.8, 4), dip_degrees=(74, 90), n_faults=(3, 3), styles=("planar", "through"))
    for seed in range(10):
        drawn = draw_volume((1, 200, 100), seed, priors).provenance()
        assert len(drawn["throw_samples"]) == 3
        assert all(0.8 <= abs(throw) <= 4 for throw in drawn["throw_samples"])
        assert all(min(dip, 180 - dip) >= 74 for dip in drawn["dip_degrees"])
