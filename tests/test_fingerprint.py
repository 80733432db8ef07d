"""The fingerprint of a survey: its numbers are those of the samples, however the file is cut."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from seisloom.fingerprint import fingerprint
from seisloom.io.volumes.grid import Axis, Grid, whole
from seisloom.io.volumes.volume import Spec, Traces, Wanted
from seisloom.io.volumes.zarr.volume import ZarrVolume
from seisloom.io.volumes.zarr.writer import ZarrWriter
from seisloom.sample import Array
from seisloom.signal.axes import look_along


def stored(path: Path, values: Array, live: Array, chunk: tuple[int, ...]) -> ZarrVolume:
    names = ("inline", "crossline")
    grid = Grid((*(Axis.regular(name, n) for name, n in zip(names, values.shape, strict=False)),
                 Axis.regular("time", values.shape[-1], step=0.004, unit="s")))  # fmt: skip
    writer = ZarrWriter(path, Spec(grid, {"amplitude": values.dtype}), Wanted(chunk=chunk))
    writer.write(whole(values.shape), values)
    writer.write_traces(whole(live.shape), Traces(live))
    writer.finish()
    return ZarrVolume(path)


@pytest.fixture
def survey() -> tuple[Array, Array]:
    """Noise with a hole, a dead trace, two traces padded at an end, a gap of zeros inside one, and a NaN."""
    rng = np.random.default_rng(3)
    values = (rng.normal(size=(6, 7, 160)) * np.linspace(4, 1, 160)).astype(np.float32)
    live = np.ones((6, 7), dtype=bool)
    live[5, 6] = False
    values[5, 6] = 0
    values[0, 0] = 0
    values[0, 1, :40] = 0
    values[0, 2, 150:] = 0
    values[0, 3, 60:90] = 0
    values[2, 2, 5] = np.nan
    return values, live


def test_numbers_are_those_of_the_samples(tmp_path: Path, survey: tuple[Array, Array]) -> None:
    values, live = survey
    found = fingerprint(stored(tmp_path / "one.zarr", values, live, (2, 3, 16)))
    assert (found.n_traces, found.n_holes, found.n_dead, found.n_padded, found.n_not_finite) == (41, 1, 1, 2, 1)
    counted = live[..., None] & np.isfinite(values)
    counted[0, 0] = False
    counted[0, 1, :40] = False
    counted[0, 2, 150:] = False
    data = values[counted].astype(np.float64)
    assert found.n_samples == data.size
    assert found.rms == pytest.approx(np.sqrt(np.mean(data**2)), rel=1e-12)
    for name, value in found.percentiles.items():
        truth = np.quantile(data, float(name) / 100, method="inverted_cdf")
        assert value == pytest.approx(truth, rel=1.1e-3), name
    window = np.where(counted, values, 0).astype(np.float64)[..., 30:40]
    truth = np.sqrt((window**2).sum() / counted[..., 30:40].sum())
    assert found.rms_by_window[3] == pytest.approx(truth, rel=1e-12)
    json.dumps(found.to_json(), allow_nan=False)


def test_it_is_the_same_however_the_file_is_cut(
    tmp_path: Path, survey: tuple[Array, Array], monkeypatch: pytest.MonkeyPatch
) -> None:
    values, live = survey
    found = [
        fingerprint(stored(tmp_path / f"{chunk[0]}.zarr", values, live, chunk)).to_json()
        for chunk in ((1, 7, 160), (6, 2, 30), (4, 4, 64))
    ]
    monkeypatch.setattr("seisloom.fingerprint.PASS_BYTES", 10_000)
    found.append(fingerprint(ZarrVolume(tmp_path / "6.zarr")).to_json())
    assert all(one == found[0] for one in found)


def test_axes_are_judged_by_samples_of_boxes_all_over_the_survey(
    tmp_path: Path, survey: tuple[Array, Array], monkeypatch: pytest.MonkeyPatch
) -> None:
    values, live = survey
    monkeypatch.setattr("seisloom.fingerprint.PROBE", 64)
    found = fingerprint(stored(tmp_path / "one.zarr", values, live, (2, 3, 16)))
    probes = [values[..., start : start + 64] for start in (0, 48, 96)]  # the lateral axes are shorter
    for name, look in zip(("inline", "crossline", "time"), look_along(probes, 3), strict=True):
        np.testing.assert_equal(found.axes[name], look)


def test_a_volume_of_nothing_has_no_numbers_and_says_so(tmp_path: Path) -> None:
    volume = stored(tmp_path / "one.zarr", np.zeros((3, 3, 20), np.float32), np.ones((3, 3), bool), (3, 3, 20))
    found = fingerprint(volume).to_json()
    assert (found["n_samples"], found["n_dead"], found["rms"], found["axis_order"]) == (0, 9, None, "undecided")
    assert found["rms_by_window"] == [None] * 16


def test_the_stronger_polarity_is_reported(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(4, 4, 500)).astype(np.float32)
    values[..., ::50] = 9
    live = np.ones((4, 4), bool)
    assert fingerprint(stored(tmp_path / "a.zarr", values, live, (4, 4, 500))).polarity == "positive"
    assert fingerprint(stored(tmp_path / "b.zarr", -values, live, (4, 4, 500))).polarity == "negative"
