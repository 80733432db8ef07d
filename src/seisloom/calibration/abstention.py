"""When not to pick: half-width, SNR and presence against their limits, each abstention with its reason."""

from __future__ import annotations

import numpy as np
from scipy import stats

from seisloom.errors import CalibrationError
from seisloom.sample import Array

PICKED, ABSTAINED = "picked", "abstained"
N_STARTS = 5
"""Kept shares from which `risk_control_width` starts to widen: 10, 30, 50, 70, 90 %."""


def abstain(
    half_width_s: Array,
    snr_db: Array,
    probability: Array,
    *,
    abstain_width_s: float | None = None,
    min_snr_db: float | None = None,
    min_probability: float | None = None,
    as_noise: Array | None = None,
) -> tuple[Array, Array]:
    """Return status and reason of each pick; this is the only place where picks are refused.

    A pick is refused when its probability is below `min_probability`, when it is no surer than one on noise, when its
    SNR is below `min_snr_db`, or its half-width above `abstain_width_s`; all that apply are named. A limit of None does
    not act; a value that is NaN fails a limit that acts (a dead trace has no SNR). An infinite or NaN half-width
    without a limit is not refused.
    The promise of the intervals is for all picks, refused ones included: after selection the coverage of the kept
    ones is no longer promised, and has to be looked at.

    Args:
        half_width_s: half of the interval, in s, shape (pick,): q * sigma, never the full width.
        snr_db: SNR in dB, shape (pick,).
        probability: that there is an onset, 0 to 1, shape (pick,).
        abstain_width_s: widest half-width that is kept, in s.
        min_snr_db: least SNR that is kept, in dB.
        min_probability: least probability that is kept.
        as_noise: bool, shape (pick,): whether it is no surer than picks on noise of the same kind.
    Returns:
        status ("picked" or "abstained") and reason ("" if picked), both of dtype object, shape (pick,).

    >>> status, reason = abstain(np.array([0.031]), np.array([9.0]), np.array([0.98]), abstain_width_s=0.020)
    >>> status[0], reason[0]
    ('abstained', 'half-width 0.031 s > 0.020 s')
    """
    columns = [np.asarray(one, float) for one in (half_width_s, snr_db, probability)]
    if len({one.shape for one in columns}) > 1 or columns[0].ndim != 1:
        raise CalibrationError(
            f"abstain: half-width, SNR and probability have shapes {', '.join(str(one.shape) for one in columns)}; "
            "give one of each a pick, shape (pick,)"
        )
    width, snr, present = columns
    reasons: list[list[str]] = [[] for _ in range(width.size)]
    if min_probability is not None:
        for idx in np.flatnonzero(~(present >= min_probability)):
            reasons[idx].append(f"probability {_compared(present[idx], '<', min_probability, digits=2)}")
    if as_noise is not None:
        for idx in np.flatnonzero(as_noise):
            reasons[idx].append("no surer than in noise")
    if min_snr_db is not None:
        for idx in np.flatnonzero(~(snr >= min_snr_db)):
            known = snr[idx] == snr[idx]
            reasons[idx].append(f"SNR {_compared(snr[idx], '<', min_snr_db, ' dB', digits=1)}" if known else "no SNR")
    if abstain_width_s is not None:
        for idx in np.flatnonzero(~(width <= abstain_width_s)):
            reasons[idx].append(f"half-width {_compared(width[idx], '>', abstain_width_s, ' s', digits=3)}")
    status = np.array([ABSTAINED if one else PICKED for one in reasons], dtype=object)
    return status, np.array(["; ".join(one) for one in reasons], dtype=object)


def _compared(value: float, sign: str, limit: float, unit: str = "", *, digits: int) -> str:
    """Both with so many decimals that they differ in print, and the limit is what it is: '0.031 s > 0.020 s'."""
    for some in range(digits, digits + 7):
        shown = f"{limit:.{some}f}"
        if f"{value:.{some}f}" != shown and abs(float(shown) - limit) <= 1e-3 * abs(limit):
            break
    return f"{value:.{some}f}{unit} {sign} {shown}{unit}"


def risk_control_width(
    abs_error: Array,
    half_width: Array,
    max_risk: float,
    delta: float,
    *,
    tolerance: float,
    groups: Array | None = None,
) -> float:
    """Return the widest limit on the half-width at which few kept picks are wrong, with a guarantee.

    With probability 1 - delta over calibration sets, the share of wrong picks (|error| > `tolerance`) among those
    with half-width <= the returned limit is at most `max_risk`. Learn-then-test: every candidate limit is a
    hypothesis "the risk is higher", refused by a p-value; the candidates are tested from narrow to wide, from
    five starting points that share delta, so that a lucky threshold is not simply picked.

    Args:
        abs_error: |predicted - true|, shape (pick,), of groups that neither trained nor chose the model.
        half_width: of the same picks, in the same unit; inf is allowed (never kept by a finite limit).
        max_risk: accepted share of wrong picks among the kept, 0 to 1.
        delta: accepted probability that the choice fails, 0 to 1.
        tolerance: largest error that counts as right, in the unit of `abs_error`.
        groups: label of each pick's shot or station, shape (pick,). Without them picks are taken as independent
            (exact binomial p-value). With them the group is the unit, its picks weigh 1 / (size of the group), and the
            p-value is Student's t over groups, approximate; it never takes G right groups for more than G right
            picks, so that a risk of 10 % at delta = 0.1 needs 38 groups.
    Returns:
        The limit, one of the half-widths; 0.0 when no limit is safe: then nothing may be kept.
    Source: Angelopoulos et al. (2021), Learn then test, arXiv 2110.01052, sec. 2 and algorithm 1 (multi-start fixed
        sequence testing).
    """
    errors, widths = np.asarray(abs_error, float), np.asarray(half_width, float)
    if errors.shape != widths.shape or errors.ndim != 1 or errors.size == 0:
        raise CalibrationError(
            f"risk control: errors {errors.shape} and half-widths {widths.shape}; give one of each a pick, at least one"
        )
    if np.isnan(errors).any() or np.isnan(widths).any() or not (0 < max_risk < 1 and 0 < delta < 1):
        raise CalibrationError(
            f"risk control: {np.isnan(errors).sum()} errors and {np.isnan(widths).sum()} half-widths are NaN, max_risk "
            f"is {max_risk}, delta {delta}; leave NaN out, and give max_risk and delta between 0 and 1"
        )
    if not np.isfinite(widths).any():
        return 0.0
    wrong = errors > tolerance
    candidates = np.unique(np.quantile(widths[np.isfinite(widths)], np.linspace(0.05, 1, 96), method="lower"))
    p_values = [
        _p_value_picks(wrong[widths <= limit], max_risk)
        if groups is None
        else _p_value_groups(wrong, widths <= limit, np.asarray(groups), max_risk)
        for limit in candidates
    ]
    accepted = 0.0
    for start in range(N_STARTS):
        for idx in range(int((0.1 + 0.2 * start) * len(candidates)), len(candidates)):
            if p_values[idx] > delta / N_STARTS:
                break
            accepted = max(accepted, float(candidates[idx]))
    return accepted


def _p_value_picks(wrong: Array, max_risk: float) -> float:
    """P(so few wrong | risk = max_risk) of independent kept picks, exact."""
    return float(stats.binom.cdf(np.count_nonzero(wrong), wrong.size, max_risk))


def _p_value_groups(wrong: Array, kept: Array, groups: Array, max_risk: float) -> float:
    """Student's t on the groups' excess, (wrong - max_risk) over their kept picks; never below (1 - max_risk)^G."""
    _, member, size = np.unique(groups.astype(str), return_inverse=True, return_counts=True)
    excess = np.bincount(member, weights=np.where(kept, wrong - max_risk, 0.0)) / size
    n_groups = size.size
    # Picks of a group may all be right or wrong together: G right groups count like G right picks, not more.
    floor = float((1 - max_risk) ** np.unique(member[kept]).size)
    spread = excess.std(ddof=1) if n_groups > 1 else 0.0
    if spread == 0.0:
        return floor if excess.mean() < 0 else 1.0
    return max(floor, float(stats.t.cdf(excess.mean() / (spread / np.sqrt(n_groups)), df=n_groups - 1)))
