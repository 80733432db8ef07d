"""From spectra to rows: what is picked, what is abstained from and why, on the record's own frequencies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seisloom.bundle import open_predictor
from seisloom.calibration.modes import ModeCalibration, calibrate_modes
from seisloom.errors import CalibrationError, DataError, OutputError, RecipeError
from seisloom.sample import Arrays
from seisloom.signal.velocity_spectra.limits import ArrayLimits
from seisloom.tasks.dispersion.field.curves_file import read_curves
from seisloom.tasks.dispersion.field.gathers import Gather
from seisloom.tasks.dispersion.picker.apply import apply
from seisloom.tasks.dispersion.picker.evaluate import calibrate, evaluate
from seisloom.tasks.dispersion.picker.pages import picks_of, view, write_picks
from seisloom.tasks.dispersion.picker.recipe import DispersionRecipe
from seisloom.tasks.dispersion.picker.records import (
    SpectrumRecord,
    TraceSpectra,
    _stored_traces,
    axes_for,
    gather_record,
    open_records,
    with_context,
)

Small = Callable[..., DispersionRecipe]
F, C = np.geomspace(4, 29, 22), np.geomspace(60, 800, 40)
TRUE = np.stack([120 + 250 * np.exp(-F / 8), np.where(F > 9, 300 + 250 * np.exp(-F / 8), np.nan)])
LIMITS = ArrayLimits(46.0, 2.0, 33.0)


def record(key: str = "a", *, f: np.ndarray = F, known: bool = True) -> SpectrumRecord:
    curves = np.stack([120 + 250 * np.exp(-f / 8), np.where(f > 9, 300 + 250 * np.exp(-f / 8), np.nan)])
    panel = np.exp(-((np.log(C[:, None] / curves[0]) / 0.08) ** 2)).astype(np.float32)
    there = np.isfinite(curves)
    known_of = {"curves": curves, "visible": there, "resolved": there} if known else {}
    return SpectrumRecord(key, panel, C, f, LIMITS, 24, np.array([1], np.uint64), **known_of)


def oracle(arrays: Arrays, *, ln_error: float = 0.0) -> Arrays:
    """Return the true curves at whatever frequencies are asked for; mode 1 is sure above 12 Hz alone."""
    f = arrays["frequency_hz"].astype(float)
    velocity = np.stack([120 + 250 * np.exp(-f / 8), 300 + 250 * np.exp(-f / 8)], axis=1) * np.exp(ln_error)
    presence = np.stack([np.full(f.shape, 3.0), np.where(f > 12, 3.0, -3.0)], axis=1)
    return {"velocity": velocity, "log_sigma": np.full(velocity.shape, np.log(0.02)), "presence": presence}


def calibrated() -> ModeCalibration:
    rng = np.random.default_rng(0)
    mode = np.tile([0, 1], 2000)
    return calibrate_modes(
        0.02 * rng.normal(size=4000),
        np.full(4000, 0.02),
        mode,
        np.full(4000, 0.3),
        groups=np.repeat(np.arange(40), 100),
        n_modes=2,
        min_n=10,
    )


def test_a_row_a_mode_and_frequency_with_its_truth(small: Small) -> None:
    table = apply(small("apply.min_probability=0.5", "apply.longest=null"), oracle, None, [record(), record("b")])
    assert len(table) == 2 * 2 * len(F)
    one = table[(table["record"] == "b") & (table["mode"] == 1)]
    np.testing.assert_allclose(one["frequency_hz"], F)
    np.testing.assert_allclose(one["truth_m_s"], TRUE[1])
    is_picked, beside = (one["status"] == "picked").to_numpy(), np.abs(np.log(F / 12)) < 0.1  # a step of the grid
    np.testing.assert_array_equal(is_picked[~beside], (F > 12)[~beside])
    assert set(one["reason"]) == {"", "probability < 0.5"}
    np.testing.assert_allclose(one["wavelength_m"], one["velocity_m_s"] / F)
    np.testing.assert_allclose(table["lengths"], table["truth_m_s"] / table["frequency_hz"] / 46)
    assert table["low_m_s"].isna().all()


def recorded(key: str = "a", *, shift: float = 0.0) -> SpectrumRecord:
    """Return a record with the spectra of its traces, whose modes are those of `oracle` off by a share."""
    x = 10 + 2.0 * np.arange(24)
    k = np.where(np.isfinite(TRUE), 2 * np.pi * F / (TRUE * np.exp(shift)), 0)
    waves = np.where(k[:, None] > 0, np.exp(-1j * k[:, None] * x[:, None]), 0) / np.sqrt(x)[:, None]
    return replace(record(key), traces=TraceSpectra(waves.sum(axis=0), x))


def test_velocities_are_fitted_to_the_traces_where_a_record_has_them(small: Small) -> None:
    recipe = small("apply.min_probability=0.5", "apply.longest=null")
    off = partial(oracle, ln_error=0.03)
    table = apply(recipe, off, None, [recorded(), record("bare")])
    both = table[table["mode"] == 0].groupby("record")["fitted"].agg(list)
    assert all(both["a"])
    assert not any(both["bare"])
    fitted = table[table["fitted"]]
    error = np.abs(np.log(fitted["velocity_m_s"] / fitted["truth_m_s"]))
    assert np.median(error) < 0.006
    np.testing.assert_allclose(np.log(table["seen_m_s"] / table["truth_m_s"]).dropna(), 0.03, atol=0.02)
    assert (fitted["probability"] >= 0.5).all()
    assert (fitted["sigma"] >= fitted["seen_sigma"]).all()
    left = apply(small("apply.fit=false"), off, None, [recorded()])
    assert not left["fitted"].any()
    np.testing.assert_allclose(left["velocity_m_s"], left["seen_m_s"], rtol=1e-6)


def test_a_mode_that_is_not_kept_is_fitted_all_the_same(small: Small) -> None:
    off = partial(oracle, ln_error=0.03)
    every, first = (apply(small(*said), off, None, [recorded()]) for said in ((), ("apply.modes=1",)))
    np.testing.assert_array_equal(first["velocity_m_s"], every.loc[every["mode"] == 0, "velocity_m_s"])


def test_stored_traces_that_do_not_fit_are_named() -> None:
    arrays = {"offsets": np.arange(1.0, 5), "freq": F, "trace_spectra": np.zeros((2, 3, len(F)), np.float16)}
    with pytest.raises(DataError, match=r"a: trace_spectra is float16 \(2, 3, 22\).* are \(2, 4, 22\)"):
        _stored_traces("a", arrays)


def test_a_trace_that_is_not_whole_is_no_part_of_the_fit(small: Small) -> None:
    traces = np.random.default_rng(0).normal(size=(12, 400))
    traces[3, 7], traces[5] = np.nan, 1.0
    gather = Gather(traces, 0.002, 5 + 2.0 * np.arange(12), ())
    with pytest.warns(UserWarning, match="not finite and are left out"):
        found = gather_record(small("apply.min_hz=6", "apply.max_hz=29"), gather)
    assert found.traces is not None
    assert found.n_receivers == len(found.traces.offsets_m) == 10


def test_classical_pickers_say_what_they_see(small: Small) -> None:
    assert not open_predictor("argmax", recipe=small()).recipe.apply.fit  # type: ignore[union-attr]


def test_intervals_of_fitted_velocities_are_calibrated_by_themselves(small: Small) -> None:
    recipe = small("apply.min_probability=0.5", "apply.longest=null", "calibrate.min_n=10")
    rng, tables = np.random.default_rng(0), []
    for k in range(60):
        own = partial(oracle, ln_error=float(rng.normal(0, 0.03)))
        one = [recorded(f"a{k}"), record(f"b{k}")]
        tables.append(apply(recipe, own, None, one))
    made = calibrate(recipe, [pd.concat(tables)])
    assert made.fitted is not None
    assert made.fitted.half_width(np.ones(1), np.zeros(1, int), np.full(1, 0.3), level=0.9)[0] < 1
    assert made.half_width(np.ones(1), np.zeros(1, int), np.full(1, 0.3), level=0.9)[0] > 1.5
    table = apply(recipe, partial(oracle, ln_error=0.05), made, [recorded(), record("bare")])
    width = (np.log(table["high_m_s"] / table["low_m_s"]) / table["sigma"]).groupby(table["fitted"]).median()
    assert width[True] < width[False]


def test_picks_are_at_the_frequencies_of_the_record_whatever_its_steps(small: Small) -> None:
    linear = np.linspace(5, 28, 17)
    table = apply(small(), oracle, None, [record(f=linear)])
    one = table[table["mode"] == 0]
    np.testing.assert_allclose(one["frequency_hz"], linear)
    # Linear in ln c between frequencies 13 % apart
    np.testing.assert_allclose(one["velocity_m_s"], one["truth_m_s"], rtol=3e-3)


def test_intervals_are_ratios_and_wide_long_or_empty_picks_are_abstained_from(small: Small) -> None:
    recipe = small("apply.abstain_width=0.01", "apply.longest=1")
    dead = record()
    panel = dead.panel.copy()
    panel[:, 3] = 0
    table = apply(recipe, oracle, calibrated(), [replace(dead, panel=panel)])
    np.testing.assert_allclose(table["velocity_m_s"] ** 2, table["low_m_s"] * table["high_m_s"])
    half = np.log(table["high_m_s"] / table["velocity_m_s"])
    np.testing.assert_allclose(half, half.iloc[0], rtol=0.2)  # one sigma; modes differ a little
    assert half.iloc[0] == pytest.approx(1.645 * 0.02, rel=0.1)
    assert (table["status"] == "abstained").all()
    assert (table.loc[table["frequency_hz"] == F[3], "reason"] == "nothing recorded").all()
    long = table["wavelength_m"] > 46
    assert table.loc[long & (table["frequency_hz"] != F[3]), "reason"].str.contains("wavelength > 1 lengths").all()
    assert not table.loc[~long, "reason"].str.contains("wavelength").any()
    assert table.loc[table["frequency_hz"] != F[3], "reason"].str.contains("half-width > 0.01 of velocity").all()


def test_spectra_of_other_sizes_go_together_and_none_is_said(small: Small) -> None:
    other = record("b", f=np.geomspace(5, 20, 15))
    together = apply(small("apply.batch_size=2"), oracle, None, [record(), other, record("c")])
    alone = apply(small("apply.batch_size=2"), oracle, None, [other])
    pd.testing.assert_frame_equal(together[together["record"] == "b"].reset_index(drop=True), alone)
    with pytest.raises(DataError, match="there are no spectra to pick"):
        apply(small(), oracle, None, [])


def test_of_two_modes_at_one_velocity_the_more_probable_is_kept(small: Small) -> None:
    def doubled(arrays: Arrays) -> Arrays:
        found = {name: np.array(one) for name, one in oracle(arrays).items()}
        f = arrays["frequency_hz"]
        found["velocity"][:, 1] = np.where(f < 15, 1.04, 1.2) * found["velocity"][:, 0]
        found["presence"][:, 1] = np.where(f < 8, 4.0, 2.0)  # mode 0 has 3
        return found

    table = apply(small("apply.min_probability=0.5"), doubled, None, [record()])
    status = {m: (table[table["mode"] == m]["status"] == "picked").to_numpy() for m in (0, 1)}
    low, middle, high = F < 7, (F > 9) & (F < 13), F > 17
    assert status[1][low].all()
    assert not status[0][low].any()
    assert status[0][middle].all()
    assert not status[1][middle].any()
    assert status[0][high].all()
    assert status[1][high].all()
    assert set(table["reason"]) == {"", "nearer than 0.05 to mode 0", "nearer than 0.05 to mode 1"}
    both = apply(small("apply.min_probability=0.5", "apply.apart=null"), doubled, None, [record()])
    assert (both["status"] == "picked").all()


def test_spectra_of_one_shape_and_other_velocities_go_together(small: Small) -> None:
    wide = replace(record("b"), velocity_m_s=np.linspace(60, 1600, 40))
    together = apply(small("apply.batch_size=2"), oracle, None, [record(), wide])
    alone = apply(small("apply.batch_size=2"), oracle, None, [wide])
    pd.testing.assert_frame_equal(together[together["record"] == "b"].reset_index(drop=True), alone)


def test_fewer_modes_are_kept_where_asked(small: Small) -> None:
    table = apply(small("apply.modes=1"), oracle, None, [record(known=False)])
    assert set(table["mode"]) == {0}
    assert "truth_m_s" not in table


def test_calibration_is_of_picks_with_truth(small: Small) -> None:
    recipe = small("apply.min_probability=0.5", "calibrate.min_n=10")
    tables = [
        apply(recipe, lambda arrays, e=error: oracle(arrays, ln_error=e), None, [record(f"r{k}")])
        for k, error in enumerate(np.random.default_rng(0).normal(0, 0.04, 40))
    ]
    made = calibrate(recipe, [pd.concat(tables)])
    assert made.half_width(np.array([0.02]), np.array([0]), np.array([np.nan]), level=0.9)[0] == pytest.approx(
        1.645 * 0.04, rel=0.3
    )
    assert made.n_picks[0] == 40 * len(F)
    assert made.n_picks[1] == pytest.approx(40 * int((F > 12).sum()), abs=40)
    with pytest.raises(CalibrationError, match="no record has true curves"):
        calibrate(recipe, [apply(recipe, oracle, None, [record(known=False)])])
    strict = small("apply.min_probability=0.99")
    none = apply(strict, oracle, None, [record()])
    with pytest.raises(CalibrationError, match=r"no mode that exists has a probability of 0\.99"):
        calibrate(strict, [none])


def test_a_report_needs_truth_and_has_a_row_a_method(small: Small) -> None:
    recipe = small("apply.min_probability=0.5")
    products = {
        name: apply(recipe, lambda arrays, e=error: oracle(arrays, ln_error=e), calibrated(), [record()])
        for name, error in (("good", 0.0), ("bad", 0.1))
    }
    report = evaluate(recipe, products, [])
    first = report["tables"]["mode 0"]
    assert (first["good"]["recall"], first["bad"]["recall"]) == (1.0, 0.0)
    assert first["bad"]["median %"] == pytest.approx(100 * (np.exp(0.1) - 1), rel=1e-3)
    assert (first["good"]["in 90%"], first["bad"]["in 90%"]) == (1.0, 0.0)
    by_length = report["tables"]["in 90 % intervals, by wavelength over the array's length"]
    # 3.7 to 68 m over 46 m; a record by itself has no interval of a share
    assert list(by_length) == ["good", "good, mode 0", "good, mode 1", "bad", "bad, mode 0", "bad, mode 1"]
    assert by_length["good"] == {"0 to 0.5": "1.000", "0.5 to 1": "1.000", "1 to 2": "1.000"}
    assert by_length["bad, mode 1"]["0 to 0.5"] == "0.000"
    scored = report["scores"]["good"]["mode 0"]["coverage_by_length"]
    assert sum(one["n"] for one in scored.values()) == len(F)
    assert set(scored["0 to 0.5"]["coverage"]) == {"50", "80", "90", "95"}
    twins = [replace(record(key), medium="x") for key in ("a", "b")] + [record("c")]
    pair = evaluate(recipe, {"good": apply(recipe, oracle, calibrated(), twins)}, [])
    assert pair["tables"]["in 90 % intervals, by wavelength over the array's length"]["good"]["0 to 0.5"] == (
        "1.000 [1.000, 1.000]"
    )
    with pytest.raises(DataError, match="there is nothing to score"):
        evaluate(recipe, {"x": apply(recipe, oracle, None, [record(known=False)])}, [])


def test_curves_are_written_as_they_are_read_and_several_spectra_by_their_names(small: Small, tmp_path: Path) -> None:
    table = apply(small("apply.min_probability=0.5"), oracle, calibrated(), [record(known=False)])
    write_picks(table, tmp_path / "c.csv")
    read, ours = read_curves(tmp_path / "c.csv"), picks_of(table)
    np.testing.assert_allclose(read.velocity_m_s, ours.velocity_m_s, rtol=1e-6)
    np.testing.assert_allclose(read.low_m_s, ours.low_m_s, rtol=1e-6)
    both = apply(small(), oracle, None, [record(), record("b")])
    write_picks(both, tmp_path / "d.csv")
    listed = pd.read_csv(tmp_path / "d.csv")
    assert (
        listed.groupby("record").size().to_dict() == both[both["status"] == "picked"].groupby("record").size().to_dict()
    )
    np.testing.assert_allclose(listed["velocity_m_s"], both.loc[both["status"] == "picked", "velocity_m_s"], rtol=1e-6)
    with pytest.raises(OutputError, match=r"d\.txt: curves are written as \.csv or"):
        write_picks(table, tmp_path / "d.txt")
    write_picks(both, tmp_path / "d.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "d.parquet"), both)


def test_a_picture_has_a_dot_for_each_pick(small: Small) -> None:
    table = apply(small("apply.min_probability=0.5"), oracle, calibrated(), [record()])
    figure = view(small(), [record()], table)
    dots = sum(len(line.get_xdata()) for line in figure.axes[0].lines if line.get_marker() == "o")
    assert dots == (table["status"] == "picked").sum()


def plane_waves(n_time: int = 400, interval_s: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
    """Return a gather of one plane wave along the first curve, and its offsets."""
    offsets, hz = 4 + 2.0 * np.arange(24), np.fft.rfftfreq(n_time, interval_s)
    c = 120 + 250 * np.exp(-np.maximum(hz, 1) / 8)
    inside = (hz > 2) & (hz < 35)
    return np.fft.irfft(inside * np.exp(-2j * np.pi * hz * offsets[:, None] / c), n_time), offsets


def test_a_gather_needs_its_geometry_and_ridge_and_argmax_find_its_curve(small: Small) -> None:
    traces, _ = plane_waves()
    recipe = small("apply.dx=2", "apply.first_offset=4", "data.phase_velocity.num_samples=120")
    for name in ("ridge", "argmax"):
        opened = open_predictor(name, recipe=recipe)
        found = opened.task.apply(opened.recipe, opened.predictor, None, open_records(opened.recipe, traces, 100.0))
        # within the length of the array, and beyond the ghosts of its spacing
        seen = found[(found["mode"] == 0) & (found["wavelength_m"] < 46) & (found["frequency_hz"] > 5)]
        true = 120 + 250 * np.exp(-seen["frequency_hz"] / 8)
        assert ((seen["velocity_m_s"] / true - 1).abs() < 0.03).mean() > 0.9, name
    with pytest.raises(DataError, match=r"headers have no offsets\. Give the geometry in m: dx_m and first_offset_m"):
        list(open_records(small(), traces, 100.0))
    with pytest.raises(DataError, match=r"array: does not say its sampling interval"):
        list(open_records(recipe, traces, None))
    with pytest.raises(DataError, match=r"\(trace, time\) and real; this is complex128"):
        list(open_records(recipe, traces.astype(complex), 100.0))


def test_pickers_look_beyond_the_frequencies_and_keep_no_pick_there(small: Small) -> None:
    traces, _ = plane_waves()
    given = ("apply.dx=2", "apply.first_offset=4", "apply.min_hz=6", "apply.max_hz=24")
    (bare,), (wide,) = (list(open_records(small(*given, f"apply.context={one}"), traces, 100.0)) for one in (1, 1.5))
    assert bare.context is None
    assert wide.context is not None
    panel, hz = wide.context
    assert hz[0] == pytest.approx(6 / 1.5, rel=0.1)
    assert hz[0] >= 4
    assert hz[-1] == pytest.approx(24 * 1.5, rel=0.1)
    first = int(np.searchsorted(hz, 6 - 1e-9))
    asked = slice(first, first + len(wide.frequency_hz))
    np.testing.assert_array_equal(hz[asked], wide.frequency_hz)
    np.testing.assert_allclose(np.diff(np.log(hz)), np.log(hz[1] / hz[0]))  # what is on the grid stays on it
    np.testing.assert_array_equal(wide.frequency_hz, bare.frequency_hz)
    np.testing.assert_allclose(wide.panel, bare.panel, atol=1e-6)
    np.testing.assert_array_equal(panel[:, asked], wide.panel)
    looked = []

    def noted(arrays: Arrays) -> Arrays:
        looked.append(arrays["frequency_hz"].min())
        return oracle(arrays)

    recipe = small(*given, "apply.context=1.5")
    table, alone = apply(recipe, noted, None, [wide]), apply(recipe, noted, None, [bare])
    assert looked == [pytest.approx(hz[0]), pytest.approx(6)]
    np.testing.assert_allclose(np.unique(table["frequency_hz"]), bare.frequency_hz)
    for name in ("ridge", "argmax"):  # as if there were nothing more
        predictor = open_predictor(name, recipe=recipe).predictor
        pd.testing.assert_frame_equal(apply(recipe, predictor, None, [wide]), apply(recipe, predictor, None, [bare]))
    np.testing.assert_allclose(
        table["velocity_m_s"], alone["velocity_m_s"], rtol=1e-3
    )  # between steps of a coarse grid


def test_no_context_goes_farther_than_the_record() -> None:
    hz = np.geomspace(4.0, 32.0, 13)
    for context, lowest, highest in ((1.0, 1.0, 100.0), (4.0, 4.0, 32.0), (4.0, 5.0, 30.0)):
        found, asked = with_context(hz, context, lowest_hz=lowest, highest_hz=highest)
        np.testing.assert_array_equal(found, hz)
        assert asked == slice(0, 13)
    for context, lowest, highest in ((2.0, 0.1, 1e3), (100.0, 2.0, 64.0)):
        found, asked = with_context(hz, context, lowest_hz=lowest, highest_hz=highest)
        np.testing.assert_allclose(found, np.geomspace(2.0, 64.0, 21))
        np.testing.assert_array_equal(found[asked], hz)


def test_a_stream_is_a_gather_too(small: Small) -> None:
    import obspy

    traces, _ = plane_waves()
    stream = obspy.Stream([obspy.Trace(one.astype(np.float32), {"sampling_rate": 100.0}) for one in traces])
    recipe = small("apply.dx=2", "apply.first_offset=4")
    (from_stream,), (from_array,) = (
        list(open_records(recipe, one, fs)) for one, fs in ((stream, None), (traces, 100.0))
    )
    np.testing.assert_allclose(from_stream.panel, from_array.panel, atol=1e-4)
    assert from_stream.limits == from_array.limits


def test_axes_lie_within_what_the_record_tells_and_say_so_if_not(small: Small) -> None:
    f, c = axes_for(small(), 400, 0.01)
    assert (f[0], f[-1], c[0], c[-1]) == (3, pytest.approx(30), 45, pytest.approx(1600))
    f, _ = axes_for(small(), 400, 0.025)
    assert f[-1] == pytest.approx(20)
    f, _ = axes_for(small(), 50, 0.01)
    assert f[0] == 3
    f, c = axes_for(small("apply.min_hz=5", "apply.max_m_s=500"), 400, 0.01)
    assert (f[0], c[-1]) == (5, pytest.approx(500))
    for changes, said in (
        (("apply.max_hz=80",), r"3 to 80 Hz: a record of 4 s every 0\.01 s tells 0\.25 to 50 Hz"),
        (("apply.min_m_s=2000",), r"velocities 2000 to 1600 m/s: give min_m_s below max_m_s"),
        (("apply.min_hz=20", "apply.max_hz=21"), r"min_hz, max_hz: 20 to 21 has"),
    ):
        with pytest.raises(RecipeError, match=said):
            axes_for(small(*changes), 400, 0.01)
    with pytest.raises(RecipeError, match="min_hz 30 must be below max_hz 20"):
        small("apply.min_hz=30", "apply.max_hz=20")
    with pytest.raises(RecipeError, match="fj takes correlations of noise"):
        small("apply.transform=fj")
