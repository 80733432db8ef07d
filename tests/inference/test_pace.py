"""What is chosen is what is faster: predictors that sleep say beforehand what that is."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import numpy as np
import pytest

from seisloom.inference import pace as paces
from seisloom.inference.pace import Pace, choose_pace
from seisloom.inference.sweep import Tiling
from seisloom.sample import Arrays, Predictor

TILING = Tiling(patch=(4, 4, 4))
CALL_S = 0.05


def waits_by_tile(threads: int) -> Predictor:
    def predict(arrays: Arrays) -> Arrays:
        # More than twice as long for two: equal times would be told apart by what else the machine does
        time.sleep(CALL_S * len(arrays["x"]) ** 1.5)
        return {}

    return predict


def waits_by_call(threads: int) -> Predictor:
    """A batch takes as long as a tile."""

    def predict(arrays: Arrays) -> Arrays:
        time.sleep(CALL_S)
        return {}

    return predict


def faster_with_threads(threads: int) -> Predictor:
    def predict(arrays: Arrays) -> Arrays:
        time.sleep(10 * CALL_S / threads**2)
        return {}

    return predict


def fails_with_batches(threads: int) -> Predictor:
    def predict(arrays: Arrays) -> Arrays:
        if len(arrays["x"]) > 1:
            raise RuntimeError("not enough memory")
        return {}

    return predict


def dies_elsewhere(threads: int) -> Predictor:
    if os.environ.get("SEISLOOM_TEST_PARENT") != str(os.getpid()):
        os._exit(9)
    return waits_by_tile(threads)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cores, and everything is worth a measurement."""
    monkeypatch.setattr(paces, "WORTH_S", 0.0)
    monkeypatch.setattr(paces, "SHARE", np.inf)
    monkeypatch.setattr(paces, "n_cores", lambda: 2)


def test_a_short_volume_is_run_by_one_worker_without_a_measurement() -> None:
    found = choose_pace(waits_by_tile, TILING, 10, most_workers=8)
    assert (found.workers, found.threads, found.batch_size) == (1, 1, 1)


def test_two_workers_where_they_are_twice_as_fast(measured: None) -> None:
    found = choose_pace(waits_by_tile, TILING, 1000, most_workers=8, batch_size=1)
    assert (found.workers, found.threads) == (2, 1)
    assert found.seconds_a_tile == pytest.approx(CALL_S / 2, rel=0.3)


def test_one_worker_with_all_threads_where_that_is_faster(measured: None) -> None:
    found = choose_pace(faster_with_threads, TILING, 1000, most_workers=8, batch_size=1)
    assert (found.workers, found.threads) == (1, 2)


def test_larger_batches_as_long_as_they_help_and_fit(measured: None) -> None:
    room_for_four = 5 * paces._tile_mb(TILING)
    found = choose_pace(waits_by_call, TILING, 1000, most_workers=8, threads=2, memory_mb=room_for_four)
    assert found.batch_size == 4
    assert choose_pace(waits_by_tile, TILING, 1000, most_workers=8).batch_size == 1


def test_what_is_given_is_kept(measured: None) -> None:
    found = choose_pace(waits_by_call, TILING, 1000, most_workers=8, threads=3, batch_size=2)
    assert (found.threads, found.batch_size) == (3, 2)


def test_no_more_workers_than_have_work(measured: None) -> None:
    assert choose_pace(waits_by_tile, TILING, 1000, most_workers=1, batch_size=1).workers == 1


def test_a_measurement_ends_when_it_costs_more_than_it_can_gain(
    measured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paces, "SHARE", 0.0)
    found = choose_pace(waits_by_tile, TILING, 1000, most_workers=8)
    assert (found.workers, found.threads, found.batch_size) == (1, 1, 1)


def test_batches_that_do_not_fit_are_left(measured: None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = choose_pace(fails_with_batches, TILING, 1000, most_workers=8)
    assert found.batch_size == 1
    assert "not enough memory" in caplog.text


def test_workers_that_die_leave_one(
    measured: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEISLOOM_TEST_PARENT", str(os.getpid()))
    with caplog.at_level(logging.WARNING):
        found = choose_pace(dies_elsewhere, TILING, 1000, most_workers=8)
    assert (found.workers, found.threads, found.batch_size) == (1, 1, 1)
    assert "do not fit this machine" in caplog.text


def test_a_pace_says_itself() -> None:
    assert str(Pace(2, 1, 4, 0.25)) == "2 workers of 1 thread, 4 tiles at once: 0.25 s a tile"
