"""Few groups of a new survey, with a former calibration to lean on."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.calibration.conformal import pooled_quantile
from seisloom.calibration.intervals import calibrate_intervals
from seisloom.calibration.transfer import keep_groups, level_of, transferred_quantile


def shots(n: int, seed: int, *, scale: float = 1.0, between: float = 0.6) -> list[np.ndarray]:
    """Scores of shots: each has a scale of its own, spread by a factor of exp(between)."""
    rng = np.random.default_rng(seed)
    return [scale * np.exp(between * rng.normal()) * np.abs(rng.normal(size=40)) for _ in range(n)]


@pytest.mark.parametrize("n_new", [1, 2, 4])
def test_it_covers_where_the_quantile_of_the_new_shots_alone_does_not(n_new: int) -> None:
    transferred, alone = [], []
    for seed in range(300):
        former, new = shots(20, 2 * seed), shots(n_new + 1, 2 * seed + 1, scale=7.0)
        given, later = new[:n_new], new[-1]
        transferred.append(np.mean(later <= transferred_quantile(given, former, 0.1, n_draws=300)))
        labels = np.repeat(np.arange(n_new), 40)
        alone.append(np.mean(later <= pooled_quantile(np.concatenate(given), labels, 0.1)))
    error = np.std(transferred) / np.sqrt(len(transferred))
    assert abs(np.mean(transferred) - 0.9) <= 0.012 + 3 * error
    if n_new == 1:
        assert np.mean(alone) < 0.87


def test_what_is_kept_of_the_groups_gives_the_same_quantile() -> None:
    former, new = shots(12, 0), shots(1, 1)
    kept = [np.array(one) for one in keep_groups(former)]
    assert transferred_quantile(new, kept) == pytest.approx(transferred_quantile(new, former), rel=0.05)
    assert len(keep_groups(shots(500, 0))) == 64


def test_the_level_is_the_geometric_mean_of_medians_and_stands_a_zero() -> None:
    assert level_of([np.full(3, 2.0), np.full(5, 8.0)]) == pytest.approx(4.0)
    assert level_of([np.zeros(3)]) > 0


def test_nine_groups_need_no_former_calibration_and_fewer_say_what_they_took() -> None:
    def made(n: int, seed: int) -> dict[str, np.ndarray]:
        scores = shots(n, seed)
        names = np.repeat([f"s{k}" for k in range(n)], 40)
        return {"error": np.concatenate(scores), "sigma": np.ones(40 * n), "groups": names}

    former = calibrate_intervals(**made(12, 0))
    assert calibrate_intervals(**made(9, 1), former=former).scheme == "split"
    few = calibrate_intervals(**made(3, 1), former=former)
    assert few.scheme == "transfer"
    assert "12 groups of the former calibration" in few.note
    assert calibrate_intervals(**made(3, 1)).scheme == "split"
    # One group knows nothing of how groups differ
    assert calibrate_intervals(**made(3, 1), former=calibrate_intervals(**made(1, 0))).scheme == "split"
