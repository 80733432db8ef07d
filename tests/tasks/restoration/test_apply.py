from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seisloom.bundle import open_predictor
from seisloom.convert import open_volume
from seisloom.errors import CalibrationError, DataError
from seisloom.io.volumes.grid import whole
from seisloom.io.volumes.volume import Given
from seisloom.metrics.restoration import missing_snr_db
from seisloom.run.apply import apply_volume
from seisloom.sample import Array
from seisloom.tasks.restoration.apply import COMPLETE, SILENT, apply, estimate
from seisloom.tasks.restoration.records import open_records, with_questions

from .conftest import gathers


def opened(name: str = "linear", *changes: str) -> Any:  # Any: an Opened
    return open_predictor(name).with_changes(*changes)


def one_of(values: Array, name: str = "linear", *changes: str) -> Any:  # Any: a Restored
    found = opened(name, *changes)
    (product,) = apply(found.recipe, found.predictor, None, open_records(found.recipe, values))
    return product


def with_gaps() -> tuple[Array, Array, Array]:
    whole_panel = gathers(1)[0]
    live = np.ones(len(whole_panel), dtype=bool)
    live[[4, 9, 10, 17]] = False
    return whole_panel * live[:, None], whole_panel, live


def test_dead_traces_are_made_and_live_ones_kept_bit_by_bit() -> None:
    given, true, live = with_gaps()
    product = one_of(given, "plane_wave")
    assert np.array_equal(product.values[0, live], given[live])
    assert missing_snr_db(product.values[0], true, live) > 10
    assert product.half_width is None
    assert not product.notes


def test_amplitudes_and_units_do_not_matter() -> None:
    given, _, _live = with_gaps()
    one, other = (one_of(given * factor, "pocs").values for factor in (np.float32(1), np.float32(1e6)))
    assert np.allclose(other / 1e6, one, atol=1e-4 * np.abs(one).max())


def test_what_needs_nothing_is_left_as_it_is() -> None:
    true = gathers(1)[0]
    product = one_of(true)
    assert product.notes == (COMPLETE,)
    assert np.array_equal(product.values[0], true)
    silent = one_of(np.zeros((5, 20), np.float32))
    assert silent.notes == (SILENT,)
    assert not silent.values.any()


def test_denoising_changes_every_trace() -> None:
    true = gathers(1)[0]
    noisy = true + np.random.default_rng(0).normal(0, 20, true.shape).astype(np.float32)
    product = one_of(noisy, "fx_denoise")
    error = [np.square(one - true).sum() for one in (product.values[0], noisy)]
    assert error[0] < 0.7 * error[1]
    assert not np.array_equal(product.values[0], noisy)


def test_intervals_come_from_hidden_traces() -> None:
    given, true, live = with_gaps()
    product = one_of(given, "plane_wave", "uncertainty=true")
    assert product.half_width is not None
    assert not product.half_width[0, live].any()
    missing = product.half_width[0, ~live]
    assert (missing > 0).all()
    assert np.mean(np.abs(product.values[0, ~live] - true[~live]) <= missing) > 0.6


def test_too_few_live_traces_make_no_interval() -> None:
    values = np.zeros((4, 30), np.float32)
    values[:2] = gathers(1)[0, :2, :30]
    with pytest.raises(CalibrationError, match="too few to hide some"):
        one_of(values, "linear", "uncertainty=true")


def test_one_trace_and_one_sample_go_through() -> None:
    assert np.array_equal(one_of(np.arange(8, dtype=np.float32)[None]).values, np.arange(8)[None, None])
    values = np.array([[1.0], [0.0], [3.0]], np.float32)
    assert one_of(values).values[0, :, 0].tolist() == [1, 2, 3]


def test_a_method_that_gives_nan_is_named() -> None:
    found = opened()
    given, _, _ = with_gaps()

    def bad(arrays: Any) -> Any:  # Any: arrays
        return {"clean": np.full_like(arrays["x"], np.nan)}

    with pytest.raises(DataError, match=r"array: the method gives \d+ samples that are not finite"):
        apply(found.recipe, bad, None, open_records(found.recipe, given))


def test_tiles_give_what_the_whole_panel_gives() -> None:
    """Of a predictor that looks at single samples, so that only cutting, blending and scales could differ."""
    given, _, live = with_gaps()
    recipes = [opened("dct", *changes).recipe for changes in ((), ("tile=[12,96]", "overlap=0.5"))]

    def halve(arrays: Any) -> Any:  # Any: arrays
        return {"clean": 0.5 * arrays["x"] - 1.0 * (arrays["live"] == 0)[..., None]}

    one, other = (estimate(recipe, halve, given[None], live[None]) for recipe in recipes)
    assert np.allclose(one, other, atol=1e-3)
    assert not np.allclose(one[0, ~live], 0)  # tiles know dead traces as the panel does


def test_a_cube_by_tiles_keeps_recorded_traces(field_data: Path, tmp_path: Path) -> None:
    source = field_data / "interpretation" / "f3_cube_23x18x75.sgy"
    found = open_predictor("linear", recipe=opened().recipe)
    done = apply_volume(found, source, tmp_path / "out.zarr", force=True)
    before, after = (open_volume(one) for one in (source, done.files[0]))
    values = [one.read(whole(one.spec.grid.shape), "amplitude") for one in (before, after)]
    dead = (values[0] == values[0][..., :1]).all(axis=-1)
    assert np.array_equal(values[0][~dead], values[1][~dead])


def raw(folder: Path, values: Array) -> tuple[Path, Given]:
    """Return a raw cube, and what is to be said of it."""
    path = folder / "cube.bin"
    values.astype("<f4").tofile(path)
    return path, Given(n3=values.shape[0], n2=values.shape[1], n1=values.shape[2])


@pytest.mark.parametrize("name", ["restoration-prestack", "plane_wave"])
def test_intervals_of_a_volume_by_tiles_are_those_of_its_lines(name: str, tmp_path: Path) -> None:
    """A tile as large as a line has the half-widths of that line as a section of its own; live traces have none."""
    true = gathers(2)[:, :24]
    given = true.copy()
    given[:, 5:8] = given[1, 15] = 0
    source, shape = raw(tmp_path, given)
    found = open_predictor(name).with_changes("uncertainty=true")
    volume = open_volume(apply_volume(found, source, tmp_path / "out.zarr", given=shape).files[0])
    assert tuple(volume.spec.variables) == ("amplitude", "half_width")
    half = volume.read(whole(given.shape), "half_width")
    dead = (given == 0).all(axis=-1)
    assert not half[~dead].any()
    for line in range(2):
        section = found.apply(given[line])[0]
        assert section.half_width is not None
        # One line is scaled by its own strength, the volume by that of both: a floor is all that differs
        assert np.allclose(half[line, dead[line]], section.half_width[0, dead[line]], rtol=0.1, atol=0.05 * half.max())
    inside = np.abs(volume.read(whole(given.shape), "amplitude") - true)[dead] <= half[dead]
    assert inside.mean() > 0.6


def test_a_tile_with_too_few_live_traces_has_no_interval(tmp_path: Path) -> None:
    values = np.zeros((1, 4, 50), np.float32)
    values[0, :2] = gathers(1)[0, :2, :50]
    source, shape = raw(tmp_path, values)
    done = apply_volume(opened("linear", "uncertainty=true"), source, tmp_path / "out.zarr", given=shape)
    assert np.isnan(open_volume(done.files[0]).read(whole(values.shape), "half_width")).any()
    assert any("half_width are not finite" in note for note in done.notes)


def test_a_failure_is_a_row_where_it_is_scored() -> None:
    found = opened()
    (asked,) = with_questions(
        opened("linear", "hide=regular 2", "hide_seeds=1").recipe, open_records(found.recipe, gathers(1)[0])
    )

    def bad(arrays: Any) -> Any:  # Any: arrays
        raise ValueError("no")

    (product,) = apply(found.recipe, bad, None, [asked])
    assert np.isnan(product.values).all()
    assert product.notes == ("ValueError: no",)
