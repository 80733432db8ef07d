"""How tiles are seen and put together: views, sections along both axes, angles from products, time from steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from seisloom.calibration.probability import ProbabilityCalibration
from seisloom.errors import RecipeError
from seisloom.metrics.orientation import normal_of
from seisloom.sample import Array, Arrays, Predictor
from seisloom.signal.survey_scale import Scaling
from seisloom.tasks.interpretation.apply import derive, normals_at, tiled
from seisloom.tasks.interpretation.recipe import InterpretationRecipe
from seisloom.tasks.interpretation.see import NORMALS, See, _of_both_ways

Small = Callable[..., InterpretationRecipe]
ALL = ("fault", "dip", "strike", "dhr")
PLAIN = Scaling(0.0, 2.0, (1.0,), None)


def slanted(arrays: Arrays) -> Arrays:
    """A predictor that keeps what a mirror and a change of polarity must keep, if both are undone."""
    x = np.asarray(arrays["x"])[:, 0]
    normal = np.stack([np.full_like(x, -0.6), 0.8 * np.sign(np.gradient(np.abs(x), axis=-2)), np.zeros_like(x)], axis=1)
    return {"fault": np.abs(x), "normal": normal, "dhr": 3 * x, "rgt": np.cumsum(np.abs(x), axis=-2)}


def tile(*shape: int) -> Array:
    return np.random.default_rng(0).normal(size=(2, 1, *shape)).astype(np.float32)


@pytest.mark.parametrize("along", ["line", "inline", "crossline"])
def test_views_of_a_predictor_that_has_the_symmetries_change_nothing(along: str) -> None:
    x = tile(12, 10)
    one, four = (See(along, views, (*ALL, "rgt"))(slanted)({"x": x}) for views in (1, 4))
    assert set(one) == set(four)
    steps = {name for name in one if name.startswith("rgt")}
    for name in set(one) - steps:
        np.testing.assert_allclose(four[name], one[name], atol=1e-6, err_msg=name)
    lateral = next(name for name in steps if name != "rgt_time")
    # The sum from the left and that from the right, turned round, step by |x| of the one or the other sample
    inner = 0.5 * (np.abs(x[:, 0, 1:]) - np.abs(x[:, 0, :-1]))
    np.testing.assert_allclose(four[lateral][:, :-1], inner, atol=1e-5)


def test_a_network_that_sees_sections_gives_the_mean_of_both_ways_and_the_surer_fault() -> None:
    x = tile(6, 7, 8)

    def lopsided(arrays: Arrays) -> Arrays:
        return slanted({"x": arrays["x"] * np.linspace(1, 2, arrays["x"].shape[-2], dtype=np.float32)[:, None]})

    both = See("both", 1, ALL)(lopsided)({"x": x})
    ways = []
    for way, axis in (("inline", 2), ("crossline", 3)):
        see = See(way, 1, ALL)(lopsided)
        parts = [see({"x": x.take(k, axis=axis)}) for k in range(x.shape[axis])]
        ways.append({name: np.stack([part[name] for part in parts], axis=axis - 1) for name in parts[0]})
    for name, values in both.items():
        each = ways[0][name], ways[1][name]
        if name not in NORMALS:
            expected = np.maximum(*each) if name == "fault" else (each[0] + each[1]) / 2
            np.testing.assert_allclose(values, expected, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("strike", [5.0, 30.0, 75.0, 100.0, 160.0])
@pytest.mark.parametrize("dip", [25.0, 60.0, 85.0, 120.0])
def test_the_normal_in_space_is_that_of_its_traces_in_both_sections(dip: float, strike: float) -> None:
    z, x, y = (float(one[0]) for one in normal_of(np.array([dip]), np.array([strike])))

    def seen(across: float, *, along: str, logit: float) -> dict[str, Array]:
        length = np.hypot(z, across)
        p, q = z / length, across / length
        names = {"zz": p * p, "xx": 0.0, "zx": 0.0, "zy": 0.0, "xy": 0.0}
        names |= {"zx": p * q, "xx": q * q} if along == "inline" else {"zy": p * q}
        return {name: np.full((1, 1, 1, 1), one, dtype=np.float32) for name, one in {**names, "fault": logit}.items()}

    found = _of_both_ways(seen(x, along="inline", logit=4), seen(y, along="crossline", logit=4))
    expected = {"zz": z * z, "zx": z * x, "zy": z * y, "xx": x * x, "xy": x * y}
    for name, one in expected.items():
        np.testing.assert_allclose(found[name], one, atol=2e-5, err_msg=name)


def test_a_section_that_shows_no_fault_says_nothing_of_its_normal() -> None:
    """A fault along the crosslines: they show none, and what they say of its normal is anything."""
    inline = {name: np.float32([[[[one]]]]) for name, one in products(70.0, 0.0).items()} | {
        "fault": np.float32([[[[3]]]])
    }
    anything = {"zz": 0.5, "zx": 0.0, "zy": 0.5, "xx": 0.0, "xy": 0.0, "fault": -9.0}
    found = _of_both_ways(inline, {name: np.float32([[[[one]]]]) for name, one in anything.items()})
    for name, one in products(70.0, 0.0).items():
        np.testing.assert_allclose(found[name].item(), np.ravel(one)[0], atol=1e-4, err_msg=name)


def products(dip: float, strike: float) -> dict[str, Array]:
    z, x, y = normal_of(np.array([dip]), np.array([strike]))
    return dict(zip(NORMALS, (z * z, z * x, z * y, x * x, x * y), strict=True))


def test_angles_are_those_of_the_mean_normal_and_zero_off_faults() -> None:
    near = [products(89.0, 1.0), products(91.0, 179.0)]  # nearly one plane, seen from both sides
    blended = {name: np.concatenate([(near[0][name] + near[1][name]) / 2] * 2) for name in NORMALS}
    found = derive(
        {**blended, "fault": np.array([4.0, -4.0])}, scaling=PLAIN, attributes=ALL[:3],
        calibration=ProbabilityCalibration(), threshold=0.5,
    )  # fmt: skip
    np.testing.assert_allclose(found["fault"], [0.982, 0.018], atol=1e-3)
    np.testing.assert_allclose(found["dip"], [90, 0], atol=1.1)
    assert min(found["strike"][0], 180 - found["strike"][0]) < 1.1
    assert found["strike"][1] == 0
    assert np.abs(normals_at(blended, np.array([True, False]))).shape == (3, 1)


def test_the_image_has_the_unit_of_the_survey() -> None:
    found = derive(
        {"dhr": np.ones(3)}, scaling=PLAIN, attributes=("dhr",), calibration=ProbabilityCalibration(), threshold=0.5
    )
    np.testing.assert_array_equal(found["dhr"], [0.5] * 3)


@pytest.mark.parametrize(
    ("changes", "shape", "said"),
    [
        (["apply.patch=[64,64,64]"], (9, 70, 70), "looks along 2 axes here"),
        (["apply.attributes=[rgt]"], (9, 70, 70), "trained for fault, dip, strike, dhr alone"),
        ([], (2, 9, 70, 70), "a volume of 4 axes"),
        (["model.rgt=true"], (9, 70, 70), "apply.along=both"),
    ],
)
def test_what_does_not_fit_the_network_is_said(
    changes: list[str], shape: tuple[int, ...], said: str, small: Small
) -> None:
    with pytest.raises(RecipeError, match=said):
        tiled(small(*changes), None, shape)


def test_switches_of_older_scripts_choose_attributes(small: Small) -> None:
    assert small("apply.fault=True", "apply.rgt=y").apply.attributes == ("fault", "dip", "strike", "rgt")
    assert small("apply.rgt=False").apply.attributes == ("fault", "dip", "strike", "dhr")


def test_tiles_are_no_larger_than_a_small_volume(small: Small) -> None:
    assert tiled(small(), None, (9, 70, 300)).tiling.patch == (1, 70, 256)
    assert tiled(small("apply.along=both"), None, (9, 70, 300)).tiling.patch == (9, 70, 128)
    assert tiled(small("apply.patch=[64,32]"), None, (40, 300)).tiling.patch == (64, 32)


def test_a_predictor_is_called_with_sections_alone() -> None:
    shapes: list[tuple[int, ...]] = []

    def noting(arrays: Arrays) -> Arrays:
        shapes.append(arrays["x"].shape)
        return slanted(arrays)

    seen: Predictor = See("both", 1, ("fault",))(noting)
    seen({"x": tile(5, 20, 8)})
    assert {shape[1] for shape in shapes} == {1}
    assert {len(shape) for shape in shapes} == {4}
    assert {shape[0] for shape in shapes} == {16}  # one batch size: the last bit depends on it
