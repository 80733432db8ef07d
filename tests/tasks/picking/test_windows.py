"""Windows: where they begin, what they hold, and that the pick keeps its place in them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seisloom.errors import LeftOut
from seisloom.signal.triggers import sta_lta
from seisloom.tasks.picking.recipe import PickingShards
from seisloom.tasks.picking.windows import (
    GUARD_S,
    Prepared,
    cut,
    mask_around,
    noise_start_s,
    window_samples,
    window_start_s,
)


def ramp(n: int = 1000, fs_hz: float = 1000.0, t0_s: float = 0.0, pick_s: float = 0.5) -> Prepared:
    """A record whose amplitude at each sample is its own number, from 1."""
    return Prepared(np.arange(1, n + 1, dtype=np.float32)[None], fs_hz, t0_s, pick_s)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(
    n=st.integers(1, 60), fs_hz=st.sampled_from([100.0, 500.0, 1000.0]), t0_s=st.floats(-0.2, 0.2),
    start_s=st.floats(-0.5, 0.5), n_samples=st.integers(1, 80),
)  # fmt: skip
@settings(deadline=None)
def test_a_window_holds_the_samples_of_its_times_and_zeros_elsewhere(
    n: int, fs_hz: float, t0_s: float, start_s: float, n_samples: int
) -> None:
    record = ramp(n, fs_hz, t0_s)
    window, first_s = cut(record, start_s, n_samples)
    assert window.shape == (1, n_samples)
    assert abs(first_s - start_s) <= 0.5 / fs_hz + 1e-9
    for k in range(n_samples):
        place = round((first_s + k / fs_hz - t0_s) * fs_hz)
        assert window[0, k] == (record.x[0, place] if 0 <= place < n else 0)


@pytest.mark.parametrize(
    ("values", "start_s", "n_samples"),
    [
        ({"win_mode": "none"}, -0.1, 1000),
        ({"win_mode": "fixed", "win_start_s": 0.2, "win_len_s": 0.3}, 0.2, 300),
        ({"win_mode": "center", "pre_s": 0.1, "post_s": 0.2}, (-0.1 + 0.899) / 2 - 0.1, 300),
        ({"win_mode": "pick", "pre_s": 0.1, "post_s": 0.2, "jitter_s": 0}, 0.5 - 0.1, 300),
        ({"win_mode": "none", "target_len": 77}, -0.1, 77),
    ],
)
def test_each_mode_begins_where_it_says(values: dict[str, object], start_s: float, n_samples: int) -> None:
    config, record = PickingShards.model_validate(values), ramp(t0_s=-0.1)
    assert window_start_s(config, record, rng()) == pytest.approx(start_s)
    assert window_samples(config, record) == n_samples


@given(pre_s=st.floats(0.01, 0.2), post_s=st.floats(0.01, 0.2), pick_s=st.floats(0.0, 0.99), seed=st.integers(0, 99))
@settings(deadline=None)
def test_the_pick_lies_in_a_window_around_it_wherever_the_jitter_puts_it(
    pre_s: float, post_s: float, pick_s: float, seed: int
) -> None:
    config, record = PickingShards(win_mode="pick", pre_s=pre_s, post_s=post_s), ramp(pick_s=pick_s)
    n_samples = window_samples(config, record)
    _, first_s = cut(record, window_start_s(config, record, rng(seed)), n_samples)
    assert -1e-6 <= (pick_s - first_s) * record.fs_hz <= n_samples - 1 + 1e-6


def test_the_jitter_fills_its_range_and_no_constant_knows_the_pick() -> None:
    config, record = PickingShards(win_mode="pick", pre_s=0.1, post_s=0.2), ramp()
    places = [record.pick_s - window_start_s(config, record, rng(k)) - config.pre_s for k in range(500)]
    reach = 0.8 * 0.1
    assert max(map(abs, places)) <= reach
    # Deviation of a uniform draw is reach / sqrt(3); of 500 draws it is known to 3 %
    assert np.std(places) == pytest.approx(reach / math.sqrt(3), rel=0.1)
    assert abs(np.mean(places)) < 4 * reach / math.sqrt(3 * 500)


def test_without_a_pick_there_is_no_window_around_it() -> None:
    with pytest.raises(LeftOut, match="no pick"):
        window_start_s(PickingShards(win_mode="pick"), ramp(pick_s=math.nan), rng())


@given(y=st.floats(-3, 23), half=st.floats(0, 6))
def test_the_mask_is_1_within_its_half_width(y: float, half: float) -> None:
    expected = [1 if 0 <= y <= 19 and abs(k - y) <= half else 0 for k in range(20)]
    assert mask_around(y, 20, half).tolist() == expected


# --- noise


def quiet(pick_s: float = 0.8, seed: int = 0) -> Prepared:
    return Prepared(rng(seed).normal(size=(1, 1000)).astype(np.float32), 1000.0, 0.0, pick_s)


NOISE = PickingShards(
    win_mode="pick", pre_s=0.05, post_s=0.1, pos_win_s=0.02, neg_sta_s=0.01, neg_lta_s=0.05, neg_stalta_thresh=50,
)  # fmt: skip


@given(pick_s=st.floats(0.2, 0.999), mode=st.sampled_from(["random", "leading", "trailing"]), seed=st.integers(0, 20))
@settings(deadline=None)
def test_a_window_of_noise_ends_before_the_pick(pick_s: float, mode: str, seed: int) -> None:
    config, record = NOISE.model_copy(update={"neg_mode": mode}), quiet(pick_s)
    start_s = noise_start_s(config, record, rng(seed))
    assert start_s >= 0
    assert start_s + 0.15 <= pick_s - GUARD_S - config.pos_win_s + 1e-9
    if mode == "leading":
        assert start_s == 0
    if mode == "trailing":
        assert start_s + 0.15 == pytest.approx(pick_s - GUARD_S - config.pos_win_s)


def test_on_a_trace_without_an_arrival_noise_may_lie_anywhere() -> None:
    starts = [noise_start_s(NOISE, quiet(math.nan), rng(k)) for k in range(200)]
    assert min(starts) < 0.05
    assert max(starts) > 0.78


def test_loud_places_are_not_called_noise() -> None:
    record = quiet()
    record.x[0, 300:310] += 60
    config = NOISE.model_copy(update={"neg_stalta_thresh": 3.5, "neg_stalta_max_tries": 1})
    found, refused = [], 0
    for k in range(200):
        try:
            found.append(noise_start_s(config, record, rng(k)))
        except LeftOut as reason:
            refused += 1
            assert "STA/LTA above 3.5" in str(reason)  # noqa: PT017  most draws are refused or not by chance
    assert refused > 10
    for start_s in found:
        window, _ = cut(record, start_s, 150)
        assert sta_lta(window[0], fs_hz=1000.0, sta_s=0.01, lta_s=0.05).max() <= 3.5


def test_more_tries_find_more_quiet_places() -> None:
    def n_found(tries: int) -> int:
        record = quiet()
        record.x[0, 300:310] += 60
        config = NOISE.model_copy(update={"neg_stalta_thresh": 3.5, "neg_stalta_max_tries": tries})
        count = 0
        for k in range(100):
            try:
                noise_start_s(config, record, rng(k))
            except LeftOut:
                continue
            count += 1
        return count

    assert n_found(1) < n_found(5)


def test_without_room_before_the_pick_a_trace_is_left_out() -> None:
    with pytest.raises(LeftOut, match="no room"):
        noise_start_s(NOISE, quiet(pick_s=0.17), rng())
