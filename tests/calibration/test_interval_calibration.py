import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from seisloom.calibration.groups import snr_bin, snr_edges
from seisloom.calibration.intervals import IntervalCalibration, calibrate_intervals
from seisloom.errors import CalibrationError


def survey(n_groups: int, n_each: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Errors whose spread the model underestimates at low SNR."""
    rng = np.random.default_rng(seed)
    n = n_groups * n_each
    snr = rng.uniform(0, 30, n)
    sigma = rng.uniform(1, 2, n)
    return {
        "error": rng.normal(size=n) * sigma * np.where(snr < 10, 4.0, 1.0),
        "sigma": sigma,
        "groups": np.repeat([f"shot-{i:03}" for i in range(n_groups)], n_each),
        "snr_db": snr,
    }


def covered(calibration: IntervalCalibration, new: dict[str, np.ndarray], alpha: float = 0.1) -> np.ndarray:
    return np.abs(new["error"]) <= calibration.half_width(new["sigma"], new["snr_db"], alpha)


@pytest.mark.parametrize("alpha", [0.5, 0.2, 0.1, 0.05])
def test_new_groups_are_covered_at_every_level(alpha: float) -> None:
    shares = [
        covered(calibrate_intervals(**survey(40, 20, seed)), survey(10, 20, 1000 + seed), alpha).mean()
        for seed in range(60)
    ]
    mean, error = np.mean(shares), np.std(shares) / np.sqrt(60)
    # 40 groups: the promise is met from above, by less than 1 / (G + 1).
    assert 1 - alpha - 4 * error <= mean <= 1 - alpha + 1 / 41 + 4 * error


def test_bins_by_snr_cover_the_weak_third_where_one_quantile_does_not() -> None:
    known, new = survey(40, 20), survey(200, 20, 1)
    weak = new["snr_db"] < 10
    assert covered(calibrate_intervals(**known), new)[weak].mean() < 0.8
    in_bins = covered(calibrate_intervals(**known, n_bins=3), new)[weak].mean()
    spread = stats.norm.ppf(0.9999) * np.sqrt(0.09 / 260)  # about 260 weak picks in the calibration set
    assert 0.9 - spread <= in_bins <= 0.9 + spread + 1 / 41


def test_json_gives_the_calibration_back_infinite_quantiles_included() -> None:
    for n_groups, n_each in [(2, 3), (40, 20)]:
        made = calibrate_intervals(**survey(n_groups, n_each), n_bins=3)
        text = json.dumps(made.to_json(), allow_nan=False)
        assert IntervalCalibration.from_json(json.loads(text)) == made
    assert math.isinf(calibrate_intervals(**survey(2, 3)).q(alpha=0.1))


def test_levels_never_cross_although_their_promises_differ() -> None:
    for n_groups in (1, 5, 9, 12, 19, 30):
        made = calibrate_intervals(**survey(n_groups, 25), n_bins=3, min_n=30)
        assert made.promised == tuple(n_groups >= {0.5: 1, 0.8: 4, 0.9: 9, 0.95: 19}[one] for one in made.levels)
        for row in (*made.quantiles, made.pooled):
            assert np.isfinite(row).all()
            assert (np.diff(row) >= 0).all()


def test_the_note_says_what_is_promised_and_from_how_much() -> None:
    few, many = calibrate_intervals(**survey(5, 30)), calibrate_intervals(**survey(30, 30))
    assert "150 picks of 5 groups" in few.note
    assert "90%, 95%: too few groups" in few.note
    assert "50%, 80%, 90%, 95%: covered on average for a pick of a new group" in many.note
    assert "1 - 2 alpha" in calibrate_intervals(**survey(5, 30), crossed=True).note


def test_cross_conformal_covers_about_as_asked_with_five_groups() -> None:
    shares = [
        covered(calibrate_intervals(**survey(5, 30, s), crossed=True), survey(5, 30, 500 + s)).mean()
        for s in range(100)
    ]
    assert np.mean(shares) == pytest.approx(0.9, abs=4 * np.std(shares) / 10 + 0.005)


def test_unknown_snr_has_its_own_bin_when_there_are_enough_and_the_pooled_quantile_else() -> None:
    data = survey(40, 20)
    data["snr_db"][:200] = np.nan
    data["error"][:200] *= 10
    own = calibrate_intervals(**data, n_bins=3, min_n=100)
    assert own.unknown_snr is not None
    assert own.q(np.array([np.nan]))[0] > own.q(np.array([25.0]))[0]
    pooled = calibrate_intervals(**data, n_bins=3, min_n=201)
    assert pooled.unknown_snr is None
    assert pooled.q(np.array([np.nan]))[0] == pooled.q()


def test_a_level_that_is_not_stored_is_refused_with_those_that_are() -> None:
    with pytest.raises(CalibrationError, match=r"0\.5, 0\.8, 0\.9, 0\.95"):
        calibrate_intervals(**survey(10, 10)).q(alpha=0.03)


def test_something_else_is_not_read_as_a_calibration() -> None:
    with pytest.raises(CalibrationError, match="levels"):
        IntervalCalibration.from_json({"kind": "interval"})


def test_bins_without_snr_are_refused() -> None:
    data = survey(10, 10)
    del data["snr_db"]
    with pytest.raises(CalibrationError, match="snr_db"):
        calibrate_intervals(**data, n_bins=3)


@given(st.lists(st.floats(-20, 60) | st.just(float("nan")), max_size=80), st.integers(1, 6), st.integers(1, 30))
def test_every_snr_bin_is_large_enough_or_the_only_one(snr: list[float], n_bins: int, min_n: int) -> None:
    values = np.array(snr, float)
    edges = snr_edges(values, n_bins=n_bins, min_n=min_n)
    assert list(edges) == sorted(set(edges))
    assert len(edges) < n_bins or edges == ()
    counts = np.bincount(snr_bin(values, edges)[~np.isnan(values)], minlength=len(edges) + 1)
    assert not edges or counts.min() >= min_n


def test_a_bin_of_few_groups_is_merged() -> None:
    snr = np.concatenate([np.full(100, 1.0), np.full(100, 20.0)])
    groups = np.concatenate([np.zeros(100), np.arange(100)])
    assert snr_edges(snr, n_bins=2, min_n=50, groups=groups, min_groups=2) == ()
    assert snr_edges(snr, n_bins=2, min_n=50, groups=groups) == (20.0,)


def test_bins_and_levels_that_cannot_be_told_apart_are_named() -> None:
    rng = np.random.default_rng(0)
    error, groups = rng.normal(size=12), np.repeat(["a", "b", "c"], 4)
    made = calibrate_intervals(
        np.round(error), np.ones(12), groups=groups, snr_db=rng.normal(size=12), n_bins=3, min_n=100
    )
    assert "1 of the 3 bins by SNR that were asked for: each needs 100 picks (calibrate.min_bin)" in made.note
    assert len(set(made.pooled)) < len(made.pooled)
    assert "alike, since so few picks or groups do not tell these levels apart" in made.note
