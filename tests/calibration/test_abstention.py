import numpy as np
import pytest

from seisloom.calibration.abstention import abstain, risk_control_width
from seisloom.errors import CalibrationError


def test_each_rule_refuses_with_its_own_reason() -> None:
    status, reason = abstain(
        np.array([0.010, 0.031, 0.010, 0.010, np.inf, 0.010]),
        np.array([20.0, 20.0, 1.5, 20.0, 2.0, np.nan]),
        np.array([0.9, 0.9, 0.9, 0.2, 0.2, 0.9]),
        abstain_width_s=0.020,
        min_snr_db=3.0,
        min_probability=0.5,
    )
    assert status.tolist() == ["picked", *["abstained"] * 5]
    assert reason.tolist() == [
        "",
        "half-width 0.031 s > 0.020 s",
        "SNR 1.5 dB < 3.0 dB",
        "probability 0.20 < 0.50",
        "probability 0.20 < 0.50; SNR 2.0 dB < 3.0 dB; half-width inf s > 0.020 s",
        "no SNR",
    ]


def test_without_limits_nothing_is_refused() -> None:
    status, _ = abstain(np.array([np.inf]), np.array([np.nan]), np.array([0.0]))
    assert status.tolist() == ["picked"]


def test_values_on_the_limit_are_kept() -> None:
    status, _ = abstain(
        np.array([0.02]), np.array([3.0]), np.array([0.5]), abstain_width_s=0.02, min_snr_db=3.0, min_probability=0.5
    )
    assert status.tolist() == ["picked"]


def test_a_reason_never_prints_two_equal_numbers() -> None:
    _, reason = abstain(np.array([0.02004]), np.array([3.0]), np.array([0.5]), abstain_width_s=0.02)
    assert reason[0] == "half-width 0.02004 s > 0.02000 s"
    _, reason = abstain(
        np.array([0.003]), np.array([5.98]), np.array([0.4999]),
        abstain_width_s=0.0001, min_snr_db=6, min_probability=0.5,
    )  # fmt: skip
    assert reason[0] == "probability 0.4999 < 0.5000; SNR 5.98 dB < 6.00 dB; half-width 0.0030 s > 0.0001 s"


def test_columns_of_other_lengths_are_refused() -> None:
    with pytest.raises(CalibrationError, match="shapes"):
        abstain(np.zeros(2), np.zeros(3), np.zeros(2))


def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Errors and half-widths of which the wide ones are often wrong."""
    width = rng.uniform(0.5, 5, n)
    return np.abs(rng.normal(size=n)) * width / 1.645, width


def test_risk_control_fails_no_more_often_than_delta() -> None:
    rng = np.random.default_rng(0)
    error, width = draw(rng, 200_000)
    failed, kept = 0, []
    for _ in range(200):
        limit = risk_control_width(*draw(rng, 400), max_risk=0.1, delta=0.1, tolerance=2.0)
        kept.append(np.mean(width <= limit))
        failed += limit > 0 and np.mean(error[width <= limit] > 2.0) > 0.1
    assert failed <= 33  # binomial, 200 trials at 0.1: 20 + 3 standard deviations
    assert np.mean(kept) > 0.3


def test_risk_control_keeps_all_when_all_are_right_and_nothing_when_all_are_wrong() -> None:
    width = np.linspace(1, 2, 300)
    assert risk_control_width(np.zeros(300), width, 0.05, 0.1, tolerance=1.0) == 2.0
    assert risk_control_width(np.full(300, 9.0), width, 0.05, 0.1, tolerance=1.0) == 0.0
    assert risk_control_width(np.zeros(3), np.full(3, np.inf), 0.05, 0.1, tolerance=1.0) == 0.0


def test_risk_control_by_groups_holds_where_whole_shots_go_wrong_together() -> None:
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(60), 10)
    n_failed = {"group": 0, "pick": 0}
    for _ in range(60):
        # Widths say nothing, and a fifth of the shots is wrong as a whole: the true risk is 0.2 at every limit.
        width, error = rng.uniform(1, 2, 600), np.repeat((rng.uniform(size=60) < 0.2) * 9.0, 10)
        n_failed["pick"] += risk_control_width(error, width, 0.19, 0.1, tolerance=1.0) > 0
        n_failed["group"] += risk_control_width(error, width, 0.19, 0.1, tolerance=1.0, groups=groups) > 0
    assert n_failed["group"] <= 13  # binomial, 60 trials at 0.1: 6 + 3 standard deviations
    assert n_failed["pick"] > 13


def test_risk_control_by_groups_needs_enough_groups() -> None:
    width, right = np.linspace(1, 2, 760), np.zeros(760)
    assert risk_control_width(right, width, 0.1, 0.1, tolerance=1.0, groups=np.arange(760) % 38) == 2.0
    assert risk_control_width(right, width, 0.1, 0.1, tolerance=1.0, groups=np.arange(760) % 37) == 0.0
