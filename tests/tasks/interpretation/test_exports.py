"""Fault sticks and horizons against planes and layers of which every point is known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from typer.testing import CliRunner

from seisloom.cli.main import app
from seisloom.convert import convert, create_volume, open_volume
from seisloom.errors import DataError, OutputError, RecipeError, SeisloomError
from seisloom.io.fault_sticks import read_fault_sticks
from seisloom.io.horizon_text import read_horizons
from seisloom.io.volumes.grid import Axis, Grid, whole
from seisloom.io.volumes.volume import Spec, Traces, Volume
from seisloom.metrics.horizons import surface_depth
from seisloom.metrics.orientation import normal_error_deg, normal_of
from seisloom.physics.volumes import inverse_map as m
from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.draw import draw_volume
from seisloom.physics.volumes.draw_faults import fault_row
from seisloom.physics.volumes.model import VolumeModel
from seisloom.signal.fault_sticks import simplify
from seisloom.signal.horizons import crossings, off_faults, rising
from seisloom.tasks.interpretation.exports.blocks import box_of, named_or_only, open_attributes
from seisloom.tasks.interpretation.exports.earth import Steps, shape_of, steps_of
from seisloom.tasks.interpretation.exports.horizons import horizons_of
from seisloom.tasks.interpretation.exports.sticks import fault_sticks, read_fault_voxels

SIDE = 64
DT_S, FIRST = 0.004, 100.0
Array = np.ndarray[Any, Any]  # Any: any shape and number


def model_of(*rows: Array, shape: tuple[int, int, int] = (SIDE, SIDE, SIDE)) -> VolumeModel:
    """Level layers cut by these faults, the youngest first."""
    base = draw_volume(shape, 3)
    faults = np.stack(rows) if rows else np.zeros((0, m.N_COLUMNS))
    level = np.zeros_like(base.controls)
    label = (base.label[0], 0.8)  # whatever the wavelet of this seed
    return replace(base, faults=faults, n_young=0, bends=base.bends[:0], unconformity=None, controls=level, label=label)


def volume_of(path: Path, arrays: Mapping[str, Array], *, xy: tuple[Array, Array] | None = None) -> Volume:
    """Arrays as a volume on disk: inlines and crosslines from 100 on, 4 ms."""
    shape = next(iter(arrays.values())).shape
    lateral = ("inline", "crossline") if len(shape) == 3 else ("trace",)
    axes = [Axis.regular(name, n, first=FIRST) for name, n in zip(lateral, shape, strict=False)]
    grid = Grid((*axes, Axis.regular("time", shape[-1], step=DT_S, unit="s")))
    spec = Spec(grid, {name: np.dtype(np.float32) for name in arrays}, has_xy=xy is not None)
    writer = create_volume(path, spec)
    x, y = xy or (None, None)
    writer.write_traces(whole(shape[:-1]), Traces(np.ones(shape[:-1], bool), x=x, y=y))
    for name, values in arrays.items():
        writer.write(whole(shape), values.astype(np.float32), name)
    writer.finish()
    return open_volume(path)


def places(nodes: pd.DataFrame) -> Array:
    """Indices of nodes, (inline, crossline, time)."""
    return np.stack([nodes["inline"] - FIRST, nodes["crossline"] - FIRST, nodes["time_s"] / DT_S], axis=1)


def plane_of_row(row: Array) -> Array:
    dip = np.degrees(np.arctan2(1.0, row[m.COT]))
    strike = np.degrees(np.arctan2(row[m.SIN_STRIKE], row[m.COS_STRIKE]))
    return normal_of(dip, strike)


def distance(nodes: pd.DataFrame, row: Array) -> Array:
    offset = places(nodes) - row[[m.INLINE, m.CROSSLINE, m.DEPTH]]
    return np.asarray(np.abs(offset[:, ::-1] @ plane_of_row(row)))


PLANES = [(70.0, 0.0), (110.0, 25.0), (62.0, 95.0), (82.0, 140.0), (50.0, 45.0)]


@pytest.mark.parametrize("names", [("fault", "dip", "strike"), ("fault",)], ids=["angles", "image"])
@pytest.mark.parametrize(("dip", "strike"), PLANES)
def test_a_plane_is_one_patch_that_lies_and_faces_as_it_was_drawn(
    tmp_path: Path, dip: float, strike: float, names: tuple[str, ...]
) -> None:
    row = fault_row((30.0, 34.0, 32.0), dip_degrees=dip, strike_degrees=strike, throw_samples=4.0)
    volume = volume_of(tmp_path / "a.zarr", make_box(model_of(row), None, names))
    found = fault_sticks(volume)
    assert len(found.patches) == 1
    patch = found.patches.iloc[0]
    assert distance(found.nodes, row).max() < 1.5
    error = normal_error_deg(normal_of(patch["dip_deg"], patch["strike_deg"]), plane_of_row(row))
    assert error < (0.1 if "dip" in names else 1.0)
    assert patch["sections"] == ("inline" if abs(np.cos(np.radians(strike))) > 0.71 else "crossline") or strike == 45
    assert found.n_from_image == (0 if "dip" in names else found.n_voxels)
    straight = found.nodes.groupby(["patch", "stick"])["node"].max()
    # a plane's sticks have two nodes, or one more within the tolerance; at the volume's border thinning leaves a step
    assert (straight <= 3).mean() > 0.8
    across = np.unique(found.nodes[patch["sections"]] - FIRST)
    assert (across % 10 == 0).all()
    for _, stick in found.nodes.groupby(["patch", "stick"]):
        assert (np.diff(stick["time_s"]) > 0).all()


@pytest.mark.parametrize("names", [("fault", "dip", "strike"), ("fault",)], ids=["angles", "image"])
def test_faults_that_cross_are_two_patches(tmp_path: Path, names: tuple[str, ...]) -> None:
    rows = [
        fault_row((32.0, 24.0, 32.0), dip_degrees=70, throw_samples=1.5),
        fault_row((32.0, 40.0, 32.0), dip_degrees=110, strike_degrees=25, throw_samples=1.5),
    ]
    found = fault_sticks(volume_of(tmp_path / "a.zarr", make_box(model_of(*rows), None, names)))
    assert len(found.patches) == 2
    for row in rows:
        errors = [
            float(normal_error_deg(normal_of(one["dip_deg"], one["strike_deg"]), plane_of_row(row)))
            for one in found.patches.to_dict("records")
        ]
        patch = found.patches["patch"].iloc[int(np.argmin(errors))]
        assert min(errors) < 3
        # the older fault is offset by the younger one's throw of 1.5 samples, 1.4 voxels off its plane
        assert distance(found.nodes[found.nodes["patch"] == patch], row).max() < 1.5


def test_patches_are_parted_by_the_angle_alone(tmp_path: Path) -> None:
    row = [
        fault_row((32.0, 24.0, 32.0), dip_degrees=70, throw_samples=1.5),
        fault_row((32.0, 40.0, 32.0), dip_degrees=110, throw_samples=1.5),
    ]
    volume = volume_of(tmp_path / "a.zarr", make_box(model_of(*row), None, ("fault", "dip", "strike")))
    assert len(fault_sticks(volume, max_angle_deg=30).patches) == 2
    assert len(fault_sticks(volume, max_angle_deg=60).patches) == 1


def test_a_line_has_sticks_of_its_traces(tmp_path: Path) -> None:
    row = fault_row((0.0, 50.0, 40.0), dip_degrees=65, throw_samples=4.0)
    arrays = make_box(model_of(row, shape=(1, 96, 80)), None, ("fault", "dip", "strike"))
    for name, values in (("line", {k: v[0] for k, v in arrays.items()}), ("one", arrays)):
        found = fault_sticks(volume_of(tmp_path / f"{name}.zarr", values), min_size=20)
        assert found.patches[["n_sticks", "dip_deg", "strike_deg"]].to_numpy().tolist() == [[1, 65.0, 0.0]]
        trace = found.nodes["trace" if name == "line" else "crossline"] - FIRST
        away = (trace - 50) * np.sin(np.radians(65)) - (found.nodes["time_s"] / DT_S - 40) * np.cos(np.radians(65))
        assert np.abs(away).max() < 1.5
    assert list(found.patches["sections"]) == ["inline"]


def test_a_line_along_inlines_is_drawn_in_its_one_crossline(tmp_path: Path) -> None:
    row = fault_row((32.0, 0.0, 32.0), dip_degrees=70, strike_degrees=90, throw_samples=4.0)
    found = fault_sticks(
        volume_of(tmp_path / "a.zarr", make_box(model_of(row, shape=(64, 1, 64)), None, ("fault", "dip", "strike"))),
        min_size=20,
    )
    assert list(found.patches["sections"]) == ["crossline"]
    assert distance(found.nodes, row).max() < 1.5


def test_blocks_do_not_show(tmp_path: Path) -> None:
    rows = [
        fault_row((60.0, 60.0, 20.0), dip_degrees=65, strike_degrees=40, throw_samples=4.0),
        fault_row((60.0, 60.0, 20.0), dip_degrees=75, strike_degrees=130, throw_samples=3.0),
    ]
    model = model_of(*rows, shape=(120, 120, 40))
    for names in (("fault", "dip", "strike"), ("fault",)):
        volume = volume_of(tmp_path / f"{len(names)}.zarr", make_box(model, None, names))
        one = read_fault_voxels(volume)
        many = read_fault_voxels(volume, size=100 * 100 * 40)
        order = np.lexsort(many.place.T[::-1])
        assert np.array_equal(one.place, many.place[order])
        assert np.array_equal(one.probability, many.probability[order])
        turned = normal_error_deg(one.normals, many.normals[:, order])
        # where faults cross, which normal a voxel takes hangs on the voxels of the block
        assert (turned > 0.1).mean() < (1e-9 if len(names) == 3 else 0.03)


def test_a_box_gives_the_same_voxels_as_the_whole(tmp_path: Path) -> None:
    row = fault_row((32.0, 32.0, 32.0), dip_degrees=65, strike_degrees=30, throw_samples=4.0)
    volume = volume_of(tmp_path / "a.zarr", make_box(model_of(row), None, ("fault", "dip", "strike")))
    box = box_of(volume.spec.grid, {"inline": (110, 130), "time": (0.04, 0.16)})
    assert box == (slice(10, 31), slice(0, 64), slice(10, 41))
    every, part = read_fault_voxels(volume), read_fault_voxels(volume, box=box)
    low, high = np.array([10, 0, 10]), np.array([31, 64, 41])
    inside = ((every.place >= low) & (every.place < high)).all(axis=1)
    assert np.array_equal(every.place[inside], part.place)
    with pytest.raises(DataError, match="inline lies in 1 to 2: it goes from 100 to 163"):
        box_of(volume.spec.grid, {"inline": (1, 2)})
    with pytest.raises(DataError, match="no axis 'line'"):
        box_of(volume.spec.grid, {"line": (1, 2)})


def rotated(degrees: float, inline_m: float, crossline_m: float, shape: tuple[int, int]) -> tuple[Array, Array]:
    """CDP coordinates of a survey whose inline numbers rise `degrees` clockwise from y, crosslines 90 more."""
    i, j = np.meshgrid(*map(np.arange, shape), indexing="ij")
    a = np.radians(degrees)
    x = 500_000 + inline_m * i * np.sin(a) + crossline_m * j * np.cos(a)
    y = 6_000_000 + inline_m * i * np.cos(a) - crossline_m * j * np.sin(a)
    return x, y


def downwards(nodes: pd.DataFrame) -> float:
    """Azimuth to which the plane through nodes goes down, by least squares, degrees clockwise from y."""
    x, y = (nodes[name] - nodes[name].mean() for name in ("x_m", "y_m"))
    slopes, *_ = np.linalg.lstsq(np.stack([x, y], 1), nodes["time_s"] - nodes["time_s"].mean(), rcond=None)
    return float(np.degrees(np.arctan2(*slopes)) % 360)


@pytest.mark.parametrize("azimuth", [0.0, 30.0, 200.0])
@pytest.mark.parametrize(("dip", "strike"), [(60.0, 0.0), (115.0, 25.0), (65.0, 140.0)])
def test_a_fault_goes_down_to_its_dip_azimuth(tmp_path: Path, azimuth: float, dip: float, strike: float) -> None:
    row = fault_row((32.0, 32.0, 32.0), dip_degrees=dip, strike_degrees=strike, throw_samples=4.0)
    arrays = make_box(model_of(row), None, ("fault", "dip", "strike"))
    volume = volume_of(tmp_path / "a.zarr", arrays, xy=rotated(azimuth, 25.0, 12.5, (SIDE, SIDE)))
    found = fault_sticks(volume, velocity_m_s=2500.0, every=4)
    apart = found.patches["dip_azimuth_deg"].iloc[0] - downwards(found.nodes)
    assert abs((apart + 180) % 360 - 180) < 4  # nodes stand on whole samples


@pytest.mark.parametrize("azimuth", [0.0, 30.0, 200.0])
def test_angles_of_the_earth_follow_from_bins_and_velocity(tmp_path: Path, azimuth: float) -> None:
    row = fault_row((32.0, 32.0, 32.0), dip_degrees=60, throw_samples=4.0)
    arrays = make_box(model_of(row), None, ("fault", "dip", "strike"))
    volume = volume_of(tmp_path / "a.zarr", arrays, xy=rotated(azimuth, 25.0, 12.5, (SIDE, SIDE)))
    found = fault_sticks(volume, velocity_m_s=2500.0)
    patch = found.patches.iloc[0]
    # 2500 m/s * 4 ms / 2 = 5 m down, 12.5 m across
    assert patch["dip_earth_deg"] == pytest.approx(np.degrees(np.arctan(np.tan(np.radians(60)) * 5 / 12.5)), abs=0.02)
    assert patch["strike_earth_deg"] == pytest.approx(0.0, abs=0.02)
    assert patch["strike_azimuth_deg"] % 180 == pytest.approx(azimuth % 180, abs=0.02)
    assert patch["length_m"] == pytest.approx(25 * 63)
    assert patch["height_m"] == pytest.approx(5 * patch["height"])
    i, j = (found.nodes[name].to_numpy(int) - 100 for name in ("inline", "crossline"))
    x, y = rotated(azimuth, 25.0, 12.5, (SIDE, SIDE))
    assert found.nodes["x_m"].to_numpy() == pytest.approx(x[i, j])
    assert found.nodes["y_m"].to_numpy() == pytest.approx(y[i, j])


def test_a_line_has_no_azimuth_of_its_faults(tmp_path: Path) -> None:
    """What strikes across a line cannot be told from it, and an azimuth of nothing would be north."""
    row = fault_row((32.0, 32.0, 32.0), dip_degrees=60, throw_samples=4.0)
    arrays = {name: one[32:33] for name, one in make_box(model_of(row), None, ("fault", "dip", "strike")).items()}
    xy = tuple(one[32:33] for one in rotated(30.0, 25.0, 12.5, (SIDE, SIDE)))
    patch = fault_sticks(volume_of(tmp_path / "a.zarr", arrays, xy=xy), velocity_m_s=2500.0, min_size=5).patches.iloc[0]
    assert np.isnan(patch["strike_azimuth_deg"])
    assert np.isnan(patch["dip_azimuth_deg"])
    assert patch["dip_earth_deg"] == pytest.approx(np.degrees(np.arctan(np.tan(np.radians(60)) * 5 / 12.5)), abs=0.02)


def test_the_only_variable_of_a_file_is_the_wanted_one(tmp_path: Path) -> None:
    """SEG-Y of an attribute has one, called amplitude."""
    arrays = {"amplitude": np.zeros((4, 5, 6), np.float32)}
    assert named_or_only(volume_of(tmp_path / "a.zarr", arrays), "fault") == "amplitude"
    both = volume_of(tmp_path / "b.zarr", {**arrays, "rgt": arrays["amplitude"]})
    assert named_or_only(both, "fault") == "fault"
    assert named_or_only(both, "rgt") == "rgt"


def test_what_is_just_below_half_a_turn_is_none(tmp_path: Path) -> None:
    normal = normal_of(np.array([60.0]), np.array([179.999]))[:, 0]
    place = np.array([[0, 0, 0], [5, 0, 3]])
    found = shape_of(place, normal, Steps(25.0, 12.5, 5.0, (0.0, 90.0)))
    assert found["strike_deg"] == 0
    assert 0 <= found["strike_azimuth_deg"] < 180


def test_angles_of_the_earth_are_unknown_without_velocity_or_bins(tmp_path: Path) -> None:
    row = fault_row((32.0, 32.0, 32.0), dip_degrees=60, throw_samples=4.0)
    arrays = make_box(model_of(row), None, ("fault", "dip", "strike"))
    plain = volume_of(tmp_path / "a.zarr", arrays)
    assert np.isnan(fault_sticks(plain, velocity_m_s=2500.0).patches["dip_earth_deg"]).all()
    placed = volume_of(tmp_path / "b.zarr", arrays, xy=rotated(0.0, 25.0, 12.5, (SIDE, SIDE)))
    patch = fault_sticks(placed).patches.iloc[0]
    assert np.isnan(patch["dip_earth_deg"])
    assert patch["strike_earth_deg"] == 0
    x, y = rotated(0.0, 25.0, 12.5, (SIDE, SIDE))
    slanted = volume_of(tmp_path / "c.zarr", arrays, xy=(x + 0.2 * (y - y.min()), y))
    assert np.isnan(steps_of(slanted, 2500.0).inline)


def test_attributes_of_files_side_by_side_are_read_together(tmp_path: Path) -> None:
    """SEG-Y holds one variable: `apply` writes a file for each."""
    row = fault_row((32.0, 32.0, 32.0), dip_degrees=70, strike_degrees=20, throw_samples=6.0)
    arrays = make_box(model_of(row), None, ("fault", "dip", "strike", "rgt"))
    convert(volume_of(tmp_path / "a.zarr", arrays).path, tmp_path / "a.sgy")
    said = seisloom("faults", "sticks", tmp_path / "a_fault.sgy", "--out", tmp_path / "f.csv")
    assert "their normals are of the fault image" not in said
    rgt = open_attributes(tmp_path / "a_rgt.sgy", name="rgt", beside=["fault", "dip"])
    assert list(rgt.spec.variables) == ["rgt", "fault", "dip"]
    box = whole(rgt.spec.grid.shape)
    for name in rgt.spec.variables:
        np.testing.assert_allclose(rgt.read(box, name), arrays[name], rtol=1e-6)
    seisloom("horizons", "extract", tmp_path / "a_rgt.sgy", "--fault", "fault", "--out", tmp_path / "h.csv")
    # one that is not of its size is not of its volume
    (tmp_path / "a_dip.sgy").unlink()
    convert(volume_of(tmp_path / "b.zarr", {"dip": arrays["dip"][1:]}).path, tmp_path / "a_dip.sgy")
    assert list(open_attributes(tmp_path / "a_fault.sgy", beside=["dip"]).spec.variables) == ["amplitude"]


def test_voxels_without_dip_take_the_normals_of_the_image(tmp_path: Path) -> None:
    row = fault_row((32.0, 32.0, 32.0), dip_degrees=70, strike_degrees=20, throw_samples=4.0)
    arrays = make_box(model_of(row), None, ("fault", "dip", "strike"))
    arrays["dip"][:20] = 0
    arrays["strike"][20:30] = np.nan
    found = fault_sticks(volume_of(tmp_path / "a.zarr", arrays))
    assert 0 < found.n_from_image < found.n_voxels
    assert len(found.patches) == 1
    assert found.patches["dip_deg"].iloc[0] == pytest.approx(70, abs=1)


def test_small_patches_are_left_out_and_counted(tmp_path: Path) -> None:
    probability = np.zeros((40, 40, 40))
    probability[:, 20] = 0.9
    probability[5:8, 5, 5:8] = 0.8
    found = fault_sticks(volume_of(tmp_path / "a.zarr", {"fault": probability}), min_size=100)
    assert (len(found.patches), found.n_small) == (1, 1)
    assert found.n_small_voxels == found.n_voxels - found.patches["n_voxels"].iloc[0] > 0
    assert found.patches["probability"].iloc[0] == pytest.approx(0.9)


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 30), st.just(2)), elements=st.floats(-50, 50)), st.floats(0, 9))
def test_a_simplified_line_keeps_its_ends_and_the_tolerance(points: Array, tolerance: float) -> None:
    kept = simplify(points, tolerance)
    assert {0, len(points) - 1} == {kept[0], kept[-1]}
    for k in range(len(points)):
        after = min(np.searchsorted(kept, k), len(kept) - 1)
        a, b = points[kept[max(after - 1, 0)]], points[kept[after]]
        share = np.clip((points[k] - a) @ (b - a) / max((b - a) @ (b - a), 1e-300), 0, 1)
        assert np.linalg.norm(points[k] - a - share * (b - a)) <= tolerance + 1e-6


def test_faulted_layers_have_the_horizons_that_were_drawn(tmp_path: Path) -> None:
    throw = 6.0
    row = fault_row((32.0, 32.0, 32.0), dip_degrees=70, strike_degrees=20, throw_samples=throw)
    model = model_of(row)
    volume = volume_of(tmp_path / "a.zarr", make_box(model, None, ("rgt", "fault")))
    low, high = model.rgt_range
    found = horizons_of(volume, n=8, fault="fault", near=2.0)
    i, j = np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij")
    off = (j - row[m.CROSSLINE]) * row[m.COS_STRIKE] - (i - row[m.INLINE]) * row[m.SIN_STRIKE]
    worst = 0.0
    for level, depth in zip(found.levels, found.depth, strict=True):
        flat = low + level * (high - low)
        there = ~np.isnan(depth)
        beyond = off - row[m.COT] * (depth - row[m.DEPTH]) > 0  # where the hanging wall went down
        worst = max(worst, np.abs(depth - flat - throw * beyond)[there].max())
    assert worst < 0.5
    # the rest is near the fault, or where the first or last horizon leaves the volume on one side
    assert (~np.isnan(found.depth)).mean() > 0.7
    assert crossings(found.depth) == 0
    # without the faults' voxels left out, every trace has the horizons within the volume
    assert (~np.isnan(horizons_of(volume, n=8).depth)).sum() > (~np.isnan(found.depth)).sum()


def test_folded_layers_have_the_horizons_of_the_closed_form(tmp_path: Path) -> None:
    i, j, k = np.meshgrid(np.arange(30), np.arange(40), np.arange(50), indexing="ij")
    fold = 5 * np.sin(i / 9) + 0.1 * j
    rgt = (k + fold) / 60
    volume = volume_of(tmp_path / "a.zarr", {"rgt": rgt})
    found = horizons_of(volume, levels=[0.5, 0.2, 0.3])
    assert found.levels.tolist() == [0.2, 0.3, 0.5]
    for level, depth in zip(found.levels, found.depth, strict=True):
        wanted = 60 * level - fold[..., 0]
        wanted = np.where((wanted > 0.01) & (wanted < 48.99), wanted, np.nan)
        there = ~np.isnan(wanted)
        assert np.abs(depth - wanted)[there].max() < 1e-3  # RGT is float32


@settings(deadline=None, max_examples=60)
@given(
    hnp.arrays(np.float32, (3, 4, 20), elements=st.floats(0, 1, width=32) | st.just(float("nan"))),
    hnp.arrays(bool, (3, 4, 20)),
    st.lists(st.floats(0, 1), min_size=2, max_size=6, unique=True),
)
def test_horizons_never_cross_whatever_the_times(rgt: Array, near: Array, levels: list[float]) -> None:
    wanted = np.sort(levels)
    up = rising(rgt)
    steps = np.diff(up, axis=-1)
    assert (steps[~np.isnan(steps)] >= 0).all()
    assert np.array_equal(np.isnan(up), np.isnan(rgt))
    depth = np.stack([surface_depth(up, level) for level in wanted])
    assert crossings(depth) == 0
    kept = off_faults(depth, np.broadcast_to(near, (len(wanted), *near.shape)))
    assert crossings(kept) == 0
    idx = np.nonzero(~np.isnan(kept))
    assert not near[(*idx[1:], np.rint(kept[idx]).astype(int))].any()


def test_crossing_horizons_are_counted() -> None:
    assert crossings(np.array([[1.0, 5.0, 3.0], [2.0, 4.0, np.nan], [3.0, 6.0, 2.0]])) == 2


def test_blocks_of_horizons_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = fault_row((32.0, 32.0, 32.0), dip_degrees=70, strike_degrees=20, throw_samples=6.0)
    xy = rotated(10.0, 25.0, 12.5, (SIDE, SIDE))
    volume = volume_of(tmp_path / "a.zarr", make_box(model_of(row), None, ("rgt", "fault")), xy=xy)
    one = horizons_of(volume, fault="fault", near=3)
    monkeypatch.setattr("seisloom.tasks.interpretation.exports.horizons.BLOCK_VOXELS", 8 * 20 * 20 * SIDE)
    many = horizons_of(volume, fault="fault", near=3)
    assert np.array_equal(one.depth, many.depth, equal_nan=True)
    assert many.x is not None
    assert np.allclose(many.x, xy[0])


BAD = {
    "a threshold above 1": ({"threshold": 1.5}, "threshold is 1.5"),
    "a threshold of 0": ({"threshold": 0.0}, "threshold is 0"),
    "no fault variable": ({"variable": "phault"}, "no variable 'phault'; there are fault, rgt"),
    "what is no probability": ({"variable": "rgt"}, "these are no probabilities"),
    "no section": ({"every": 0}, "every is 0"),
    "an angle of 0": ({"max_angle_deg": 0.0}, "0 degrees between neighbours"),
    "no velocity": ({"velocity_m_s": -1.0}, "velocity is -1"),
    "a velocity in km/s": ({"velocity_m_s": 2.5}, "velocity is 2.5 m/s: rocks have"),
}


@pytest.mark.parametrize(("arguments", "said"), BAD.values(), ids=BAD)
def test_wrong_wishes_are_refused(tmp_path: Path, arguments: dict[str, Any], said: str) -> None:
    ramp = np.broadcast_to(np.arange(30.0), (30, 30, 30))
    fault = np.zeros((30, 30, 30))
    fault[:, 15] = 1
    volume = volume_of(tmp_path / "a.zarr", {"fault": fault, "rgt": ramp})
    with pytest.raises(DataError, match=said):
        fault_sticks(volume, **arguments)


def test_wrong_volumes_are_refused(tmp_path: Path) -> None:
    fault = np.zeros((20, 20, 20))
    fault[:, 10] = 1
    volume = volume_of(tmp_path / "a.zarr", {"fault": fault, "dip": fault * 0.4, "strike": fault * 0.4, "rgt": fault})
    with pytest.raises(DataError, match="look like shares of 180"):
        fault_sticks(volume)
    with pytest.raises(DataError, match="does not rise downwards"):
        horizons_of(volume)
    noise = np.random.default_rng(0).normal(size=(20, 20, 20)) + 0.01 * np.arange(20)
    other = volume_of(tmp_path / "d.zarr", {"dhr": noise, "rgt": np.cumsum(np.ones((20, 20, 20)), axis=2)})
    with pytest.raises(DataError, match=r"dhr does not rise downwards(, \d+% of its steps fall)?, and relative"):
        horizons_of(other, variable="dhr")
    wishes: list[tuple[dict[str, Any], str]] = [
        ({"n": 21}, "a trace has 20 samples"), ({"n": 0}, "n is 0"), ({"near": -1.0}, "near is -1"),
        ({"threshold": 0.0}, "threshold is 0"),
    ]  # fmt: skip
    for wish, said in wishes:
        with pytest.raises(DataError, match=said):
            horizons_of(other, **wish)
    with pytest.raises(DataError, match="no variable 'time'; there are fault, dip, strike, rgt"):
        horizons_of(volume, variable="time")
    axes = [Axis.regular(name, 4) for name in ("inline", "crossline", "offset", "time")]
    writer = create_volume(tmp_path / "g.zarr", Spec(Grid(tuple(axes)), {"fault": np.dtype(np.float32)}))
    writer.write(whole((4,) * 4), np.zeros((4,) * 4, np.float32), "fault")
    writer.finish()
    with pytest.raises(DataError, match="needed are inline, crossline"):
        fault_sticks(open_volume(tmp_path / "g.zarr"))


def test_too_many_fault_voxels_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = np.zeros((20, 20, 20))
    fault[:, 10] = 1
    monkeypatch.setattr("seisloom.tasks.interpretation.exports.sticks.MOST_VOXELS", 399)
    with pytest.raises(DataError, match=r"more than 399 thinned voxels.*--box"):
        fault_sticks(volume_of(tmp_path / "a.zarr", {"fault": fault}))


def seisloom(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    if done.exception is not None:
        raise done.exception
    return done.output


def test_the_commands_write_sticks_and_horizons_of_raw_cubes(tmp_path: Path) -> None:
    row = fault_row((32.0, 32.0, 32.0), dip_degrees=70, strike_degrees=20, throw_samples=6.0)
    arrays = make_box(model_of(row), None, ("fault", "dip", "strike", "rgt"))
    volume_of_raw = create_volume(
        tmp_path / "result",
        Spec(
            Grid(tuple(Axis.regular(name, SIDE) for name in ("inline", "crossline", "sample"))),
            {name: np.dtype(np.float32) for name in arrays},
        ),
    )
    for name, values in arrays.items():
        volume_of_raw.write(whole((SIDE,) * 3), values, name)
    volume_of_raw.finish()
    assert set(open_attributes(tmp_path / "result.fsem").spec.variables) == set(arrays)
    said = seisloom("faults", "sticks", tmp_path / "result.fsem", "--out", tmp_path / "f.csv", "--patches",
                    tmp_path / "p.csv", "--every", 8, "--velocity", 2000)  # fmt: skip
    assert "1 patches with 8 sticks" in said
    assert "no angles of the earth" in said
    nodes = read_fault_sticks(tmp_path / "f.csv")
    assert list(nodes.columns) == [
        "patch", "stick", "node", "inline", "crossline", "sample", "probability", "dip_deg", "strike_deg"
    ]  # fmt: skip
    assert pd.read_csv(tmp_path / "p.csv")["dip_deg"].tolist() == pytest.approx([70], abs=0.01)
    for suffix in ("geojson", "txt"):
        seisloom("faults", "sticks", tmp_path / "result.fsem", "--out", tmp_path / f"f.{suffix}", "--every", 8)
        assert len(read_fault_sticks(tmp_path / f"f.{suffix}")) == len(nodes)
    said = seisloom("horizons", "extract", tmp_path / "result.rgt", "--out", tmp_path / "h.dat", "--levels", "0.3,0.6",
                    "--fault", "fault")  # fmt: skip
    assert set(read_horizons(tmp_path / "h.dat")["level"]) == {0.3, 0.6}
    said = seisloom("horizons", "extract", tmp_path / "result.rgt", "--out", tmp_path / "e.csv", "--levels", "7")
    assert "no trace reaches horizon 1: the table is empty" in said
    said = seisloom("horizons", "extract", tmp_path / "result.rgt", "--out", tmp_path / "g.csv", "--n", "2",
                    "--fault", "fault", "--near", 200)  # fmt: skip
    assert "no trace reaches horizon 1, 2 more than --near 200 voxels from a fault: the table is empty" in said
    with pytest.raises(RecipeError, match="give one"):
        seisloom("horizons", "extract", tmp_path / "result.rgt", "--out", tmp_path / "i.csv", "--n", 2, "--levels", "1")
    said = seisloom("faults", "sticks", tmp_path / "result.fsem", "--out", tmp_path / "s.csv", "--min-size", 99999)
    assert re.search(r"the largest patch has \d+: a smaller --min-size than 99999 takes it", said)
    assert len(read_horizons(tmp_path / "e.csv")) == 0


def test_an_empty_result_is_an_empty_table_with_a_note(tmp_path: Path) -> None:
    volume_of(tmp_path / "a.zarr", {"fault": np.full((20, 20, 20), 0.1)})
    for suffix in ("csv", "geojson", "txt"):
        said = seisloom("faults", "sticks", tmp_path / "a.zarr", "--out", tmp_path / f"f.{suffix}")
        assert "no fault: of 0 thinned voxels" in said
        assert len(read_fault_sticks(tmp_path / f"f.{suffix}")) == 0


WRONG: dict[str, tuple[list[str], type[SeisloomError], str]] = {
    "a place that is taken": (["--out", "a.zarr/zarr.json"], OutputError, "--force"),
    "no suffix": (["--out", "faults"], OutputError, "choose one of these suffixes"),
    "charisma without x and y": (["--out", "f.dat"], DataError, "--like survey.sgy"),
    "a range of nothing": (["--out", "f.csv", "--box", "inline=3"], SeisloomError, "give AXIS=FROM:TO"),
    "a threshold of 2": (["--out", "f.csv", "--threshold", "2"], DataError, "threshold is 2"),
    "another variable": (["--out", "f.csv", "--variable", "dip"], DataError, "there are fault"),
}


@pytest.mark.parametrize(("words", "kind", "said"), WRONG.values(), ids=WRONG)
def test_wrong_commands_are_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], kind: type[SeisloomError], said: str
) -> None:
    volume_of(tmp_path / "a.zarr", {"fault": np.full((20, 20, 20), 0.1)})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=said):
        seisloom("faults", "sticks", "a.zarr", *words)
    assert [one.name for one in tmp_path.iterdir()] == ["a.zarr"]
