"""How tiles are seen and put together: views, sections along both axes, angles from products, time from steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seisloom.bundle import open_predictor
from seisloom.calibration.probability import ProbabilityCalibration
from seisloom.convert import open_volume
from seisloom.errors import RecipeError
from seisloom.fingerprint import fingerprint
from seisloom.inference.integrate import increments
from seisloom.io.volumes.volume import Given
from seisloom.metrics.orientation import normal_of
from seisloom.sample import Array, Arrays, Predictor
from seisloom.signal.survey_scale import Scaling
from seisloom.tasks.interpretation.apply import advise, derive, normals_at, tiled
from seisloom.tasks.interpretation.coarser import Coarser
from seisloom.tasks.interpretation.recipe import InterpretationRecipe
from seisloom.tasks.interpretation.see import NORMALS, See, _of_both_ways

Small = Callable[..., InterpretationRecipe]
ALL = ("fault", "dip", "strike", "dhr")
PLAIN = Scaling(0.0, 2.0, (1.0,), None)


def slanted(arrays: Arrays) -> Arrays:
    """A predictor that keeps what a mirror and a change of polarity must keep, if both are undone."""
    x = np.asarray(arrays["x"])[:, 0]
    normal = np.stack([np.full_like(x, -0.6), 0.8 * np.sign(np.gradient(np.abs(x), axis=-2)), np.zeros_like(x)], axis=1)
    steps = np.stack(increments(np.cumsum(np.abs(x), axis=-2)), axis=1)[:, 1:]
    return {"fault": np.abs(x), "normal": normal, "dhr": 3 * x, "rgt_steps": steps}


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


@pytest.mark.parametrize("strike", [0.0, 5.0, 30.0, 75.0, 100.0, 160.0])
@pytest.mark.parametrize("dip", [40.0, 60.0, 85.0, 120.0])
def test_normals_of_both_ways_are_those_of_the_surer_faults(dip: float, strike: float) -> None:
    """What sections say of normals is apparent, and says nothing along the strike: the planes of both tell them."""
    normal = normal_of(np.array([dip]), np.array([strike]))[:, 0]
    inline, crossline, time = np.meshgrid(*[np.arange(-12, 13)] * 3, indexing="ij")
    away = normal[0] * time + normal[1] * crossline + normal[2] * inline
    logit = (4 - 2 * np.abs(away)).astype(np.float32)[None]
    anything = np.random.default_rng(0).normal(size=(len(NORMALS), *logit.shape)).astype(np.float32)
    ways = [dict(zip(NORMALS, anything, strict=True)) | {"fault": one} for one in (logit, logit - 5)]
    found = _of_both_ways(*ways)
    np.testing.assert_array_equal(found["fault"], logit)
    at = np.abs(away)[None] < 0.5
    cosine = np.abs(normal @ normals_at(found, at))
    assert np.degrees(np.arccos(np.clip(np.median(cosine), 0, 1))) < 2
    said = np.random.default_rng(1).normal(size=(1, 3, *logit.shape[1:]))
    cube = See("cube", 1, ALL[:3], normals="image")(lambda arrays: {"fault": arrays["x"][:, 0], "normal": said})
    seen = cube({"x": logit[:, None]})
    for name in NORMALS:
        np.testing.assert_allclose(seen[name], found[name], atol=1e-6, err_msg=name)


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
        (["model.rgt=true", "apply.along=crossline"], (9, 70, 70), "apply.along=both"),
        (["model.dims=3"], (70, 70), "take one of sections"),
        (["model.dims=3"], (70, 1, 70), "take one of sections"),
        (["model.rgt=true", "apply.along=inline"], (70, 1, 70), "apply.along=both"),
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


def test_switches_that_are_all_off_are_refused(small: Small) -> None:
    with pytest.raises(RecipeError, match="all off, and nothing would be written"):
        small("apply.fault=False", "apply.rgt=n", "apply.dhr=0")


def test_relative_time_of_a_cube_is_looked_for_along_both_axes_if_nothing_is_said(small: Small) -> None:
    assert tiled(small("model.rgt=true"), None, (9, 70, 70)).wrap.along == "both"
    assert tiled(small("model.rgt=true"), None, (1, 70, 70)).wrap.along == "inline"
    assert tiled(small("model.rgt=true", "apply.attributes=[fault]"), None, (9, 70, 70)).wrap.along == "inline"


def test_tiles_are_no_larger_than_a_small_volume(small: Small) -> None:
    assert tiled(small(), None, (9, 70, 300)).tiling.patch == (1, 70, 256)
    assert tiled(small("apply.along=both"), None, (9, 70, 300)).tiling.patch == (9, 70, 128)
    assert tiled(small("apply.patch=[64,32]"), None, (40, 300)).tiling.patch == (64, 32)
    assert tiled(small(), None, (70, 1, 300)).tiling.patch == (70, 1, 256)


def test_a_volume_of_one_crossline_is_seen_as_the_section_that_it_is() -> None:
    section = np.random.default_rng(0).normal(size=(40, 48)).cumsum(axis=1).astype(np.float32)
    method = open_predictor("interpretation-sections")
    inline, crossline = (method.apply(section.reshape(shape))[0].attributes for shape in ((1, 40, 48), (40, 1, 48)))
    dip = inline["dip"]  # a strike of 90 looks at it from the other side
    inline = {**inline, "dip": np.where(dip > 0, 180 - dip, 0)}
    for name in ("fault", "dip", "rgt", "dhr"):
        np.testing.assert_allclose(crossline[name][:, 0], inline[name][0], atol=1e-4, err_msg=name)
    assert set(crossline["strike"].ravel()) <= {0.0, 90.0}


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


@pytest.mark.parametrize("along", ["line", "cube"])
def test_what_is_found_on_every_second_sample_lies_on_the_finer_grid(along: str) -> None:
    """A plane, its normal, layers with a slope and a smooth image: all known on both grids."""
    n_axes = 2 if along == "line" else 3
    traces, time = 2, 3
    place = (24, 36) if along == "line" else (16, 24, 36)
    at = np.meshgrid(*[np.arange(n, dtype=float) for n in place], indexing="ij")
    image = np.cos(2 * np.pi * (at[-1] / 30 + at[0] / 40))
    slope = 0.25  # samples of time a trace, on the coarse grid

    def predictor(arrays: Arrays) -> Arrays:
        x = arrays["x"][:, 0]
        assert x.shape[1:] == tuple(-(-n // k) for n, k in zip(place, (traces,) * (n_axes - 1) + (time,), strict=True))
        normal = np.zeros((len(x), 3, *x.shape[1:]), np.float32)
        normal[:, 0], normal[:, 1] = -0.6, 0.8
        steps = np.zeros((len(x), n_axes, *x.shape[1:]), np.float32)
        steps[:, -1], steps[:, :-1] = 1, slope
        return {"fault": x, "normal": normal, "dhr": x, "rgt_steps": steps}

    x = image.astype(np.float32)[None, None]
    found = See(along, 1, (*ALL, "rgt"), coarser=Coarser(traces, time))(predictor)({"x": x})
    inner = (0, *[slice(4, -4)] * n_axes)
    np.testing.assert_allclose(found["dhr"][inner], image[inner[1:]], atol=0.06)
    z, across = -0.6 / time, 0.8 / traces
    np.testing.assert_allclose(found["zz"], z**2 / (z**2 + across**2), rtol=1e-5)
    np.testing.assert_allclose(found["rgt_time"], 1, rtol=1e-6)
    np.testing.assert_allclose(found["rgt_crossline"], slope * time / traces, rtol=1e-6)


def test_a_survey_of_longer_periods_than_were_learnt_is_said(small: Small, tmp_path: Path) -> None:
    time = np.arange(120)
    for period, wanted in ((40.0, "coarser=[1,4]"), (9.0, None)):
        image = np.tile(np.cos(2 * np.pi * time / period), (4, 30, 1)).astype(np.float32)
        image += 0.01 * np.random.default_rng(0).normal(size=image.shape).astype(np.float32)
        image.tofile(tmp_path / "a.bin")
        found = fingerprint(open_volume(tmp_path / "a.bin", Given(n1=120, n2=30, n3=4)), "amplitude")
        said = list(advise(small("data.synth.priors.f0_cycles_per_sample=[0.05, 0.2]"), found))
        assert (wanted is None and not said) or wanted in said[0]
        told = small("data.synth.priors.f0_cycles_per_sample=[0.05, 0.2]", "apply.coarser=[1,4]")
        assert not list(advise(told, found))


@pytest.mark.parametrize("views", [1, 4])
def test_nothing_is_found_in_a_mute_and_its_edge_is_no_fault(views: int) -> None:
    """A mute that cuts level layers off is filled before the predictor sees it, and masked in what it says."""
    layers = np.random.default_rng(0).normal(size=60).astype(np.float32)
    x = np.tile(layers, (1, 1, 40, 1))
    edge = 24 - np.arange(40)
    muted = np.arange(60) < np.where(edge < 4, 0, edge)[:, None]  # fewer zeros are no mute
    x[0, 0][muted] = 0

    def breaks(arrays: Arrays) -> Arrays:
        seen = np.asarray(arrays["x"])[:, 0]
        return {"fault": np.abs(np.gradient(seen, axis=-2)), "dhr": seen}

    found = See("line", views, ("fault", "dhr"))(breaks)({"x": x})
    edges = np.abs(np.gradient(x[0, 0], axis=-2))
    assert edges.max() > 0.5
    assert found["fault"][0][~muted].max() < 1e-5
    assert (found["fault"][0][muted] == -30).all()
    assert (found["dhr"][0][muted] == 0).all()
