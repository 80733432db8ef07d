"""Whole records to a table: the same for any batch of records and any windows, honest about what it cannot pick."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seisloom.bundle import Bundle, as_predictor, open_predictor
from seisloom.calibration.intervals import calibrate_intervals
from seisloom.errors import DataError
from seisloom.io.gather import Gather
from seisloom.recipe import Recipe, read_recipe
from seisloom.sample import Arrays
from seisloom.tasks.picking.apply import COLUMNS, HUMAN, apply, choose_window
from seisloom.tasks.picking.data import plan
from seisloom.tasks.picking.opening import open_records
from seisloom.tasks.picking.records import records
from seisloom.tasks.picking.task import PICKING

Tiny = Callable[..., Recipe]
FS_HZ = 1000.0


def largest(arrays: Arrays) -> Arrays:
    """A picker that is never wrong about spikes: the largest sample, if it is not noise."""
    x = np.abs(arrays["x"][:, :, 0])
    return {
        "mean": x.argmax(axis=-1).astype(np.float32),
        "log_sigma": np.full(x.shape[:2], np.log(2), dtype=np.float32),
        "presence": np.where(x.max(axis=-1) > 50, 6, -6).astype(np.float32),
    }


def plain(*changes: str) -> Recipe:
    return read_recipe("picking", ["prepare=[]", "target_fs=null", "data.gather_size=8", *changes])


def spikes(n_trace: int = 6, n_time: int = 900, seed: int = 0) -> tuple[Gather, np.ndarray]:
    rng = np.random.default_rng(seed)
    traces = rng.normal(size=(n_trace, n_time)).astype(np.float32)
    places = rng.integers(50, n_time - 50, n_trace)
    traces[np.arange(n_trace), places] = 100
    return Gather.from_array(traces, fs_hz=FS_HZ), places


def picks(gather: Gather, *changes: str) -> pd.DataFrame:
    recipe = plain(*changes)
    return apply(recipe, largest, None, open_records(recipe, gather))


def test_the_table_has_its_columns_and_a_row_a_trace() -> None:
    gather, places = spikes()
    table = picks(gather)
    assert tuple(table.columns) == COLUMNS
    assert table["trace"].tolist() == list(range(6))
    assert np.allclose(table["time_s"], places / FS_HZ)
    assert np.allclose(table["sigma_s"], 2 / FS_HZ)
    assert set(table["status"]) == {"picked"}
    assert set(table["phase"]) == {"P"}
    assert table[["lower_s", "upper_s"]].isna().all().all(), "no calibration, no interval"


@given(window_s=st.floats(0.06, 1.5), overlap=st.floats(0.3, 0.9), batch_size=st.integers(1, 5))
@settings(deadline=None, max_examples=40)
def test_windows_and_whole_records_agree(window_s: float, overlap: float, batch_size: int) -> None:
    gather, _ = spikes()
    whole = picks(gather)
    cut = picks(gather, f"apply.window_s={window_s}", f"apply.overlap={overlap}", f"apply.batch_size={batch_size}")
    pd.testing.assert_frame_equal(whole, cut)


def test_records_longer_than_the_limit_go_by_windows() -> None:
    gather, places = spikes()
    shown: list[int] = []

    def watched(arrays: Arrays) -> Arrays:
        shown.append(arrays["x"].shape[-1])
        return largest(arrays)

    recipe = plain("apply.max_s=0.2")
    table = apply(recipe, watched, None, open_records(recipe, gather))
    assert max(shown) <= 200 + 64
    assert np.allclose(table["time_s"], places / FS_HZ)


@given(shift=st.integers(-40, 40), delay=st.floats(-0.1, 0.1))
@settings(deadline=None, max_examples=30)
def test_rolling_a_record_and_its_delay_together_moves_nothing(shift: int, delay: float) -> None:
    gather, _ = spikes()
    given_ = replace(gather, delay_s=np.full(6, delay))
    rolled = replace(given_, data=np.roll(gather.traces, shift, axis=1), delay_s=given_.delay_s - shift / FS_HZ)
    assert np.allclose(picks(given_)["time_s"], picks(rolled)["time_s"], atol=1e-9)
    assert np.allclose(picks(given_)["time_s"], picks(gather)["time_s"] + delay, atol=1e-9)


def test_dead_traces_are_abstained_from_with_their_reason() -> None:
    gather, _ = spikes()
    gather.data[2] = 0
    table = picks(gather)
    assert table["status"].tolist() == ["picked", "picked", "abstained", "picked", "picked", "picked"]
    assert table["reason"][2] == "dead trace"
    assert np.isnan(table["time_s"][2])
    assert table["probability"][2] == 0


def test_samples_that_are_not_finite_are_counted_and_do_not_spread() -> None:
    gather, places = spikes()
    gather.data[1, 5], gather.data[3, 7:9] = np.nan, np.inf
    recipe = plain()
    found = list(open_records(recipe, gather))
    assert sum(record.n_non_finite for record in found) == 3
    table = apply(recipe, largest, None, found)
    assert np.allclose(table["time_s"], places / FS_HZ)


@given(order=st.permutations(range(5)))
@settings(deadline=None, max_examples=10)
def test_the_table_does_not_depend_on_which_records_come_together(order: list[int]) -> None:
    recipe = plain()
    some = [record for seed in range(5) for record in open_records(recipe, spikes(seed=seed)[0])]
    alone = [apply(recipe, largest, None, [record]) for record in some]
    together = apply(recipe, largest, None, [some[k] for k in order])
    pd.testing.assert_frame_equal(together, pd.concat([alone[k] for k in order], ignore_index=True))


def test_intervals_are_q_sigma_to_either_side_and_bound_what_is_kept() -> None:
    rng = np.random.default_rng(0)
    calibration = calibrate_intervals(
        rng.normal(0, 0.004, 400), np.full(400, 0.002), groups=np.repeat(np.arange(40), 10).astype(str)
    )
    gather, _ = spikes()
    for changes, status in (((), "picked"), (("abstain_width_s=0.001",), "abstained")):
        recipe = plain(*changes)
        table = apply(recipe, largest, calibration, open_records(recipe, gather))
        half = float(calibration.half_width(np.array([0.002]), None, alpha=0.1)[0])
        assert np.allclose(table["upper_s"] - table["time_s"], half)
        assert np.allclose(table["time_s"] - table["lower_s"], half)
        assert set(table["status"]) == {status}
        assert half > 0.001


def test_improbable_and_noisy_picks_are_abstained_from_with_their_reasons() -> None:
    gather, _ = spikes()
    gather.data[4] = np.random.default_rng(1).normal(size=900)
    table = picks(gather, "apply.min_snr_db=3")
    assert table["status"][4] == "abstained"
    assert table["reason"][4]
    strict = picks(gather, "apply.min_snr_db=90", "apply.min_probability=null")
    assert set(strict["status"]) == {"abstained"}
    assert all("SNR" in reason.upper() for reason in strict["reason"])


def test_no_record_at_all_is_an_error() -> None:
    with pytest.raises(DataError, match="no records"):
        apply(plain(), largest, None, [])


# --- the earliest window that sees an onset


def test_the_earliest_window_with_an_onset_is_believed_or_one_that_sees_it_better() -> None:
    starts, n = np.array([0, 50, 100, 150]), 100
    place = np.array([[90.0], [92.0], [170.0], [171.0]])
    assert choose_window(place, np.array([[0.6], [0.9], [0.99], [0.99]]), starts, n).tolist() == [1]
    assert choose_window(place, np.array([[0.1], [0.2], [0.3], [0.25]]), starts, n).tolist() == [2]
    far = np.array([[10.0], [92.0], [170.0], [171.0]])
    assert choose_window(far, np.array([[0.6], [0.9], [0.99], [0.99]]), starts, n).tolist() == [0]


# --- with a trained network, on a survey


def test_the_human_pick_plays_no_part(tiny: Tiny, tiny_bundle: Bundle) -> None:
    opened = open_predictor(tiny_bundle.path)
    recipe = tiny_bundle.recipe
    known = list(records(recipe, plan(recipe)))  # type: ignore[arg-type]
    blind = [replace(one, truth_s=np.full(one.n_traces, np.nan)) for one in known]
    wrong = [replace(one, truth_s=one.truth_s + 0.03) for one in known]
    tables = [PICKING.apply(recipe, opened.predictor, opened.calibration, some) for some in (known, blind, wrong)]
    assert tables[0]["truth_s"].notna().sum() > 20
    assert ((tables[0]["pick_status"] == "picked") == tables[0]["truth_s"].notna()).all()
    assert (tables[0]["record_s"] == 0.1).all()
    assert not set(HUMAN) & set(tables[1])
    for other in tables[1:]:
        pd.testing.assert_frame_equal(tables[0][list(COLUMNS)], other[list(COLUMNS)])


def test_one_trace_may_be_seen_with_others_and_one_gather_never_with_another(tiny_bundle: Bundle) -> None:
    opened = open_predictor(tiny_bundle.path)
    recipe = tiny_bundle.recipe
    some = list(records(recipe, plan(recipe)))[:6]  # type: ignore[arg-type]
    together = PICKING.apply(recipe, opened.predictor, None, some)
    alone = pd.concat([PICKING.apply(recipe, opened.predictor, None, [one]) for one in some], ignore_index=True)
    columns = ["time_s", "sigma_s", "probability", "snr_db"]
    pd.testing.assert_frame_equal(together[columns], alone[columns], check_exact=True)


def test_a_zeroed_waveform_gives_no_pick(tiny_bundle: Bundle) -> None:
    opened = open_predictor(tiny_bundle.path)
    table = opened.apply(np.zeros((5, 200), dtype=np.float32), fs_hz=2000)
    assert set(table["status"]) == {"abstained"}
    assert table["time_s"].isna().all()


def test_a_network_moves_its_picks_with_the_record_when_time_zero_is_not_known(tiny: Tiny) -> None:
    recipe = tiny("model.use_time=false", "model.use_offset=false")
    torch.manual_seed(0)
    predictor = as_predictor(recipe.model.build(PICKING.item), "cpu")
    rng = np.random.default_rng(0)
    wavelet = 30 * np.exp(-np.arange(40) / 8) * np.sin(np.arange(40))
    traces = 0.01 * rng.normal(size=(1, 5, 1, 640)).astype(np.float32)
    for trace in range(5):
        traces[0, trace, 0, 300 + 7 * trace : 340 + 7 * trace] += wavelet
    still = {
        "fs": np.array([2000.0], np.float32),
        "t0_s": np.full((1, 5), np.nan, np.float32),
        "offset_m": np.full((1, 5), np.nan, np.float32),
    }
    shift = 32  # a multiple of what the network halves time by
    one = predictor({"x": traces, **still})
    other = predictor({"x": np.roll(traces, shift, axis=-1), **still})
    middle = slice(150, 500)
    assert np.allclose(one["logit"][..., middle], np.roll(other["logit"], -shift, axis=-1)[..., middle], atol=2e-4)
    assert not np.allclose(one["logit"][..., middle], other["logit"][..., middle], atol=1e-2)
