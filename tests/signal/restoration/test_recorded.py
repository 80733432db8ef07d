"""Recorded panels: what each kind of method reaches where it is at home; thresholds lie below measured ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seisloom.io.gather import read_gather
from seisloom.sample import Array
from seisloom.signal.restoration import masks
from seisloom.signal.restoration.along_traces import cubic, linear
from seisloom.signal.restoration.fx import fx_fill
from seisloom.signal.restoration.mssa import mssa_fill
from seisloom.signal.restoration.plane_wave import plane_wave_fill
from seisloom.signal.restoration.radon import radon_fill

from .events import missing_snr_db


@pytest.fixture(scope="module")
def shot(field_data: Path) -> Array:
    """Half of a marine shot with 25 m between channels: aliased from 20 Hz on."""
    traces = read_gather(field_data / "restoration" / "viking_small.segy").take(np.arange(120))
    return np.ascontiguousarray(traces[:, :512])


def test_on_a_receiver_gather_of_dense_shots_a_line_between_traces_is_hard_to_beat(field_data: Path) -> None:
    panel = np.load(field_data / "restoration" / "mobil_receiver_gather.npy")[:, :512]
    live = masks.irregular(60, 0.5, np.random.default_rng(0))
    assert missing_snr_db(linear(panel, live), panel, live) > 14
    assert missing_snr_db(radon_fill(panel, live), panel, live) > 14


def test_on_an_aliased_shot_slopes_are_worth_ten_decibels(shot: Array) -> None:
    live = masks.irregular(120, 0.5, np.random.default_rng(0))
    slopes = (-5.0, 1.0)
    assert missing_snr_db(linear(shot, live), shot, live) < 0
    assert missing_snr_db(mssa_fill(shot, live, rank=3, n_traces=20, damping=2), shot, live) > 1.4
    assert missing_snr_db(plane_wave_fill(shot, live, slopes=slopes), shot, live) > 8
    assert missing_snr_db(radon_fill(shot, live, slopes=slopes, n_traces=12), shot, live) > 8


def test_every_second_trace_of_an_aliased_shot_comes_back(shot: Array) -> None:
    live = masks.regular(120, 2)
    slopes = (-5.0, 1.0)
    for restored in (
        plane_wave_fill(shot, live, slopes=slopes), radon_fill(shot, live, slopes=slopes),
        fx_fill(shot, live, n_filter=3, n_traces=16),
    ):  # fmt: skip
        assert missing_snr_db(restored, shot, live) > 9
    assert missing_snr_db(cubic(shot, live), shot, live) < 0
