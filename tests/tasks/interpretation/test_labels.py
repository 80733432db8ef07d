"""Labels that lie with a volume, and those that are none."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seisloom.convert import convert
from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.tasks.interpretation.data import plan, read
from seisloom.tasks.interpretation.labels import check_faults
from seisloom.tasks.interpretation.recipe import InterpretationRecipe
from seisloom.tasks.interpretation.records import open_records, record_of
from seisloom.tasks.interpretation.synth.config import SynthVolumes
from seisloom.tasks.interpretation.synth.dataset import write_dataset
from seisloom.tasks.interpretation.synth.volume import write_volume

Small = Callable[..., InterpretationRecipe]
SHAPE = (12, 20, 24)


def volume(path: Path) -> Path:
    write_volume(SynthVolumes(shape=SHAPE, seed=4), path)
    return path


def cubes(folder: Path) -> Path:
    write_dataset(SynthVolumes(shape=SHAPE, n_train=2, n_valid=1), folder)
    return folder


def test_a_volume_is_scored_by_its_own_variables(small: Small, tmp_path: Path) -> None:
    (record,) = open_records(small(), volume(tmp_path / "cube.zarr"))
    assert set(record.truth) == {"fault", "dip", "strike", "rgt", "dhr"}
    assert {one.shape for one in record.truth.values()} == {SHAPE}
    assert set(np.unique(record.truth["fault"])) <= {-1, 0, 1}
    assert record.truth["fault"].any()


def test_a_file_has_its_labels_beside_it(small: Small, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = volume(tmp_path / "cube.zarr")
    convert(source, tmp_path / "s.sgy", variables=["amplitude"])
    convert(source, tmp_path / "s_fault.sgy", variables=["fault"])
    with caplog.at_level(logging.INFO, "seisloom"):
        (record,) = open_records(small(), tmp_path / "s.sgy")
    (truth,) = (one.truth for one in open_records(small(), source))
    assert set(record.truth) == {"fault"}
    np.testing.assert_array_equal(record.truth["fault"], truth["fault"])
    assert "s_fault.sgy: taken for the labels of" in caplog.text


def test_labels_of_another_size_are_refused(small: Small, tmp_path: Path) -> None:
    np.save(tmp_path / "s.npy", np.random.default_rng(0).normal(size=(20, 24)))
    np.save(tmp_path / "s_fault.npy", np.zeros((20, 23)))
    with pytest.raises(DataError, match=r"s_fault.npy: is 20 trace x 23"):
        list(open_records(small(), tmp_path / "s.npy"))


@pytest.mark.parametrize("value", [255.0, 2.0, 0.5, 1.4e-45, -2.0])
def test_other_numbers_are_no_labels(value: float) -> None:
    labels = np.array([0, 1, -1, np.nan, value], np.float32)
    check_faults(labels[:4], "here")
    with pytest.raises(DataError, match=r"here: 1 fault labels are neither 1 \(fault\), 0"):
        check_faults(labels, "here")


def test_masks_of_255_are_refused_before_they_teach(small: Small, tmp_path: Path) -> None:
    mask = cubes(tmp_path) / "target_train/0_fsem.bin"
    (255 * np.fromfile(mask, "<f4")).tofile(mask)
    recipe = small(f"data.root={tmp_path}")
    with pytest.raises(DataError, match=r"target_train/0_fsem\.bin: \d+ fault labels are neither .* such as 255"):
        read(recipe, plan(recipe)[0])


def test_samples_that_are_not_finite_are_seen_as_zero(
    small: Small, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    image = cubes(tmp_path) / "data_train/0.bin"
    values: Array = np.fromfile(image, "<f4")
    values[:7], values[7] = np.nan, np.inf
    values.tofile(image)
    recipe = small(f"data.root={tmp_path}")
    assert np.isfinite(read(recipe, plan(recipe)[0]).arrays["seismic"]).all()
    assert "0.bin: 8 samples are NaN or infinite; 0 stands in their place" in caplog.text
    assert record_of("a", np.array([[1.0, np.nan]])).values.tolist() == [[1.0, 0.0]]
