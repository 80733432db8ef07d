"""Between formats: samples, headers, holes and coordinates go along, whatever the boxes and the workers."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from seisloom.compute import executor
from seisloom.convert import convert, create_volume, format_of, open_volume
from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.fingerprint import fingerprint
from seisloom.io.volumes.grid import Axis, Grid, whole
from seisloom.io.volumes.volume import Spec, Traces, Wanted

MADE = Path(__file__).parent / "data" / "mdio_v1"


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def write_attributes(path: Path, shape: tuple[int, int, int] = (4, 5, 16)) -> Path:
    """Two attributes of a survey of the shape of the small one."""
    grid = Grid((Axis.regular("inline", shape[0]), Axis.regular("crossline", shape[1]),
                 Axis.regular("time", shape[2], step=0.004, unit="s")))  # fmt: skip
    writer = create_volume(path, Spec(grid, {"fault": np.dtype("f4"), "dip": np.dtype("f4")}))
    values = np.random.default_rng(0).random(shape).astype(np.float32)
    for name, factor in (("fault", 1), ("dip", 90)):
        writer.write(whole(shape), factor * values, name)
    writer.write_traces(whole(shape[:-1]), Traces(np.ones(shape[:-1], bool)))
    writer.finish()
    return path


@pytest.mark.parametrize("out", ["again.zarr", "again.sgy"])
def test_headers_holes_and_samples_go_along(tmp_path: Path, out: str) -> None:
    done = convert(MADE / "small.sgy", tmp_path / out, wanted=Wanted(chunk=(3, 2, 5)))
    assert done.files == (tmp_path / out,)
    assert done.counts["live traces"] == 18
    assert done.counts["holes"] == 2
    back = convert(tmp_path / out, tmp_path / "back.sgy")
    assert back.files[0].read_bytes() == (MADE / "small.sgy").read_bytes()


def test_what_multidimio_made_goes_back_to_its_segy(tmp_path: Path) -> None:
    convert(MADE / "small.mdio", tmp_path / "back.sgy")
    assert (tmp_path / "back.sgy").read_bytes() == (MADE / "small.sgy").read_bytes()


def test_boxes_and_workers_do_not_change_a_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = Wanted(chunk=(2, 2, 4))
    convert(MADE / "small.sgy", tmp_path / "one.zarr", wanted=wanted)
    monkeypatch.setattr("seisloom.convert.boxes.BOX_BYTES", 100)
    convert(MADE / "small.sgy", tmp_path / "small-boxes.zarr", wanted=wanted)
    with executor(workers=2) as pool:
        convert(MADE / "small.sgy", tmp_path / "two.zarr", wanted=wanted, pool=pool)
    one = digests(tmp_path / "one.zarr")
    assert len(one) > 20
    assert digests(tmp_path / "small-boxes.zarr") == one
    assert digests(tmp_path / "two.zarr") == one


def test_attributes_take_headers_and_places_of_the_survey(tmp_path: Path) -> None:
    attributes = write_attributes(tmp_path / "result.zarr")
    done = convert(attributes, tmp_path / "result.sgy", like=MADE / "small.sgy")
    assert [path.name for path in done.files] == ["result_fault.sgy", "result_dip.sgy"]
    survey = open_volume(MADE / "small.sgy")
    for path, name in zip(done.files, ("fault", "dip"), strict=True):
        written = open_volume(path)
        assert written.spec.grid == survey.spec.grid
        live = written.traces(whole((4, 5))).live
        truth = open_volume(attributes).read(whole((4, 5, 16)), name)
        np.testing.assert_array_equal(written.read(whole((4, 5, 16)))[live], truth[live])
        headers = written.traces(whole((4, 5))).headers
        np.testing.assert_array_equal(headers, survey.traces(whole((4, 5))).headers)  # type: ignore[arg-type]


def test_one_attribute_alone(tmp_path: Path) -> None:
    attributes = write_attributes(tmp_path / "result.zarr")
    done = convert(attributes, tmp_path / "dip.zarr", variables=["dip"])
    assert list(open_volume(done.files[0]).spec.variables) == ["dip"]
    with pytest.raises(
        DataError, match=r"no variable 'rgt'; there are dip, fault|no variable 'rgt'; there are fault, dip"
    ):
        convert(attributes, tmp_path / "rgt.zarr", variables=["rgt"])


def test_a_survey_of_another_shape_is_refused(tmp_path: Path) -> None:
    attributes = write_attributes(tmp_path / "result.zarr", (4, 5, 17))
    with pytest.raises(DataError, match=r"4 inline x 5 crossline x 17 time, and .* x 16 time: they must be alike"):
        convert(attributes, tmp_path / "result.sgy", like=MADE / "small.sgy")
    assert [path.name for path in tmp_path.iterdir()] == ["result.zarr"]


def test_what_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    convert(MADE / "small.sgy", tmp_path / "one.zarr")
    before = digests(tmp_path / "one.zarr")
    with pytest.raises(OutputError, match=r"one\.zarr: is there already.*--force"):
        convert(MADE / "small.mdio", tmp_path / "one.zarr")
    assert digests(tmp_path / "one.zarr") == before
    with pytest.raises(OutputError, match="is the source itself"):
        convert(tmp_path / "one.zarr", tmp_path / "one.zarr", force=True)
    convert(MADE / "small.sgy", tmp_path / "one.zarr", wanted=Wanted(chunk=(1, 1, 16)), force=True)
    assert open_volume(tmp_path / "one.zarr").chunks == (1, 1, 16)


def test_nothing_is_left_of_a_conversion_that_fails(tmp_path: Path) -> None:
    convert(MADE / "small.sgy", tmp_path / "one.zarr", wanted=Wanted(chunk=(2, 2, 16)))
    (tmp_path / "one.zarr/amplitude/c/1/1/0").unlink()
    with pytest.raises(DataError, match="this chunk is missing"):
        convert(tmp_path / "one.zarr", tmp_path / "two.zarr")
    assert [path.name for path in tmp_path.iterdir()] == ["one.zarr"]


def test_names_that_are_no_volumes(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"absent\.sgy: no such volume"):
        open_volume(tmp_path / "absent.sgy")
    with pytest.raises(DataError, match=r"no format of volumes ends with '\.docx'; there are .*\.sgy.*\.zarr"):
        format_of(tmp_path / "one.docx")
    with pytest.raises(OutputError, match=r"no such folder\. Make it first"):
        convert(MADE / "small.sgy", tmp_path / "absent" / "one.zarr")


def test_a_cluster_writes_the_same_bytes_and_finds_the_same_fingerprint(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    wanted = Wanted(chunk=(2, 2, 4))
    convert(MADE / "small.sgy", tmp_path / "here.zarr", wanted=wanted)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        executor(cluster.scheduler_address) as pool,
    ):
        convert(MADE / "small.sgy", tmp_path / "there.zarr", wanted=wanted, pool=pool)
        found = fingerprint(open_volume(tmp_path / "there.zarr"), pool=pool)
    assert digests(tmp_path / "there.zarr") == digests(tmp_path / "here.zarr")
    assert found.to_json() == fingerprint(open_volume(tmp_path / "here.zarr")).to_json()
