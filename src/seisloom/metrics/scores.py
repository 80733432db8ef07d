"""All metrics of a table of picks, as one nested record that JSON can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from scipy import stats

from seisloom.errors import DataError
from seisloom.metrics import intervals as iv
from seisloom.metrics import picks as pk
from seisloom.metrics import presence as pr
from seisloom.metrics.slabs import worst_slab_coverage
from seisloom.sample import Array

if TYPE_CHECKING:
    import pandas as pd

Scores: TypeAlias = dict[str, Any]  # Any: nested numbers, None where a number is not defined

LEVELS = (0.5, 0.8, 0.9, 0.95)
KEPT_SHARES = (1.0, 0.9, 0.8, 0.5)
N_OFFSET_BINS = 5
LEAST_GROUP = 10
"""A group with fewer picks is not named as the worst: one miss of three says nothing."""
N_CURVE = 50
UNCERTAINTY_DIGITS = 9
"""Widths in s are told apart to so many digits: 1 ns is far below any sample."""

_OTHER_NAMES = {"shot": "shot_id", "fs_hz": "record_fs_hz"}
_NEEDED = ("truth_s", "time_s", "status", "fs_hz", "shot")
_NUMBERS = (
    "truth_s", "time_s", "sigma_s", "lower_s", "upper_s", "snr_db", "offset_m", "probability", "pick_uncertainty_s",
    "record_s",
)  # fmt: skip
_NAMES = ("geometry", "station", "shot", "pick_status")


@dataclass(frozen=True, slots=True)
class PickTable:
    """The columns of a table as arrays, one entry a trace; missing numbers are NaN, missing names ""."""

    truth_s: Array
    time_s: Array
    sigma_s: Array
    lower_s: Array
    upper_s: Array
    snr_db: Array
    offset_m: Array
    probability: Array
    pick_uncertainty_s: Array
    """The person's own +- bound."""
    record_s: Array
    """Length of the record."""
    geometry: Array
    station: Array
    shot: Array
    pick_status: Array
    """What a person found: picked, unpicked (nobody knows) or no_arrival; "" where the table does not say."""
    kept: Array
    """Bool: status "picked", and there is a time."""
    sample_s: Array

    @property
    def error_s(self) -> Array:
        """Picked minus true, shape (trace,); NaN where there is no time or no truth."""
        return np.asarray(self.time_s - self.truth_s)

    @property
    def half_width_s(self) -> Array:
        """Half of the interval, shape (trace,)."""
        return np.asarray((self.upper_s - self.lower_s) / 2)

    def take(self, idx: Array) -> PickTable:
        """Return the rows of these indices, or of this mask."""
        return PickTable(**{name: getattr(self, name)[idx] for name in self.__slots__})


def score_picks(
    table: pd.DataFrame,
    *,
    level: float = 0.9,
    half_widths_s: Mapping[float, Array] | None = None,
    sample_s: float | None = None,
    n_draws: int = 1000,
    seed: int = 0,
) -> Scores:
    """Return every metric of a table of picks, overall, on kept picks, with abstained as misses, and by group.

    Traces without truth are counted; those of status "no_arrival" take part in `detection` and `presence`, the others
    in nothing, since nobody knows whether they have an arrival. "all" are the traces with truth and a
    time, abstained ones included; "kept" those with status "picked"; in "abstained_as_misses" every trace with truth
    counts, and one that is abstained from or has no time is a miss. Intervals and sigma are judged on "all".

    Args:
        table: a row a trace, with `truth_s, time_s, status, fs_hz, shot` and, where known, `sigma_s, lower_s,
            upper_s, snr_db, offset_m, geometry, station, probability, pick_status, pick_uncertainty_s, record_s`; times
            in s. `shot_id` and `record_fs_hz` are also read.
        level: nominal coverage of `lower_s` to `upper_s`.
        half_widths_s: further half-widths around `time_s` by nominal coverage, each of shape (trace,), in s.
        sample_s: the sample that errors are counted in; by default the interval of each trace's record, 1 / fs_hz.
        n_draws, seed: bootstrap over shots.
    Returns:
        Plain numbers, lists and dicts. A number that is not defined (no picks, an infinite width) is None, and the
        counts beside it say why.
    Raises:
        DataError: if a column is missing or no trace has truth.
    """
    columns = read_table(table, sample_s=sample_s)
    has_truth = np.isfinite(columns.truth_s)
    if not has_truth.any():
        raise DataError(f"there is nothing to score: none of {len(table)} rows has a true time in truth_s")
    widths = {one: np.asarray(width, float) for one, width in (half_widths_s or {}).items()}
    for one, width in widths.items():
        if width.shape != (len(table),):
            raise DataError(f"half-widths of {one:.0%} have shape {width.shape}, the table has {len(table)} rows")
    true = columns.take(has_truth)
    timed = np.isfinite(true.error_s)
    seen, kept = true.take(timed), true.take(true.kept)
    error_if_kept = np.where(true.kept, true.error_s, np.nan)
    levels = {one: width[has_truth][timed] for one, width in widths.items()}
    groups = _by_group(true)
    scores: Scores = {
        "n": {
            "traces": len(table),
            "with_truth": int(has_truth.sum()),
            "without_truth": int((~has_truth).sum()),
            "kept": int(true.kept.sum()),
            "abstained": int((timed & ~true.kept).sum()),
            "without_time": int((~timed).sum()),
            "kept_without_truth": int(columns.kept[~has_truth].sum()),
            "shots": len(set(zip(true.geometry.tolist(), true.shot.tolist(), strict=True))),
        },
        "sample_ms": float(np.median(true.sample_s) * 1e3),
        "kept_share": float(true.kept.mean()),
        "all": pk.pick_errors(seen.error_s, sample_s=seen.sample_s),
        "kept": pk.pick_errors(kept.error_s, sample_s=kept.sample_s),
        "abstained_as_misses": pk.hit_rates(error_if_kept, sample_s=true.sample_s),
        "detection": _detection(columns, has_truth),
        "presence": _presence(columns, has_truth),
        "within_human_bounds": _within_human_bounds(seen),
        "intervals": {
            "all": _intervals(seen, level, levels),
            "kept": _intervals(seen.take(seen.kept), level, {one: w[seen.kept] for one, w in levels.items()}),
        },
        "sigma": _sigma(seen),
        "risk": _risk(seen),
        "by": groups,
        "worst_slab": _worst_slab(seen, np.random.default_rng(seed)),
        "worst_group": {kind: _worst(one) for kind, one in groups.items()},
        "bootstrap_95": _bootstrap(true, np.random.default_rng(seed), n_draws),
    }
    return {name: plain(value) for name, value in scores.items()}


def read_table(table: pd.DataFrame, *, sample_s: float | None = None) -> PickTable:
    """Return the columns of a table as arrays, or say which are missing."""
    renamed = table.rename(columns={old: new for new, old in _OTHER_NAMES.items() if new not in table.columns})
    missing = [name for name in _NEEDED if name not in renamed.columns and not (name == "fs_hz" and sample_s)]
    if missing:
        raise DataError(
            f"the table has no column {', '.join(missing)}; it has {', '.join(map(str, table.columns))}. "
            "Scores need a true time, a time, a status, a sampling rate and a shot for each trace"
        )
    n = len(renamed)
    numbers = {
        name: renamed[name].to_numpy(float, na_value=np.nan) if name in renamed else np.full(n, np.nan)
        for name in _NUMBERS
    }
    names = {
        name: renamed[name].fillna("").astype(str).to_numpy(str) if name in renamed else np.full(n, "")
        for name in _NAMES
    }
    kept = (renamed["status"].astype(str).to_numpy(str) == "picked") & np.isfinite(numbers["time_s"])
    samples = np.full(n, sample_s) if sample_s else 1 / renamed["fs_hz"].to_numpy(float)
    return PickTable(**numbers, **names, kept=kept, sample_s=samples)


def plain(value: Any) -> Any:  # Any: nested numbers
    """Return JSON values: numbers that are not finite are None, arrays are lists."""
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _known(columns: PickTable, has_truth: Array) -> PickTable:
    """The traces of which a person said that there is an arrival, or that there is none."""
    return columns.take(has_truth | (columns.pick_status == "no_arrival"))


def _detection(columns: PickTable, has_truth: Array) -> Scores:
    """Precision, recall and F1 of picks within 3 samples."""
    known = _known(columns, has_truth)
    present = np.isfinite(known.truth_s)
    return {
        "n": int(present.size),
        **pk.detection(known.error_s, present, known.kept, tolerance_s=3 * known.sample_s),
    }


def _presence(columns: PickTable, has_truth: Array) -> Scores:
    """Whether traces with an arrival are told from those without, wherever the pick lies."""
    known = _known(columns, has_truth)
    present = np.isfinite(known.truth_s)
    return {
        "n": int(present.size),
        "n_no_arrival": int((~present).sum()),
        "mcc": pr.matthews(present, known.kept),
        "roc_auc": pr.roc_auc(present, known.probability),
        "false_picks_per_trace_hour": pr.false_picks_per_trace_hour(present, known.kept, known.record_s),
    }


def _within_human_bounds(seen: PickTable) -> Scores:
    """Share of picks that lie within the bounds that the person gave; a bound of 0 is one that nobody gave."""
    bound = seen.pick_uncertainty_s
    given = np.isfinite(bound) & (bound > 0)
    if not given.any():
        return {"n": 0}
    return {
        "n": int(given.sum()),
        "share": pk.hit_rate(seen.error_s[given], bound[given]),
        "median_bound_ms": float(np.median(bound[given]) * 1e3),
    }


def _worst_slab(seen: PickTable, rng: np.random.Generator) -> Scores:
    """Coverage in the worst slab of SNR, offset and width; what most picks lack, or all share, is left out."""
    some = seen.take(~np.isnan(seen.half_width_s))
    candidates = {"snr_db": some.snr_db, "offset_m": np.abs(some.offset_m), "half_width_s": some.half_width_s}
    used = {
        name: values
        for name, values in candidates.items()
        if np.mean(np.isfinite(values)) > 0.5 and np.ptp(values[np.isfinite(values)]) > 0
    } if len(some.kept) else {}  # fmt: skip
    features = np.stack(list(used.values()), axis=1) if used else np.zeros((len(some.kept), 0))
    inside = iv.covered(some.truth_s, some.lower_s, some.upper_s)
    found = worst_slab_coverage(inside, features, _joined(some.geometry, some.shot), rng=rng)
    return {**found, "features": list(used)}


def _intervals(seen: PickTable, level: float, levels: Mapping[float, Array]) -> Scores:
    """Coverage, width and interval score at each level; picks without an interval are counted and left out."""
    error = seen.error_s
    widths = {level: seen.half_width_s, **levels}
    found: Scores = {}
    for one in sorted({*LEVELS, *widths}):
        half = widths.get(one, np.full(error.shape, np.nan))
        lower, upper = (seen.lower_s, seen.upper_s) if one == level else (seen.time_s - half, seen.time_s + half)
        # An infinite interval covers everything, and its centre is not a number.
        known = ~np.isnan(lower) & ~np.isnan(upper)
        truth, lower, upper = seen.truth_s[known], lower[known], upper[known]
        if not truth.size:
            found[f"{one * 100:g}"] = {"n": 0}
            continue
        width_ms = (upper - lower) * 1e3
        constant = iv.best_constant_half_width(error[known], 1 - one)
        score = iv.interval_score(truth, lower, upper, 1 - one).mean()
        rival = iv.interval_score(error[known], np.array(-constant), np.array(constant), 1 - one).mean()
        found[f"{one * 100:g}"] = {
            "n": int(truth.size),
            "n_infinite": int(np.isinf(width_ms).sum()),
            "coverage": float(iv.covered(truth, lower, upper).mean()),
            "mean_width_ms": float(width_ms.mean()),
            "median_width_ms": float(np.median(width_ms)),
            "interval_score_ms": float(score * 1e3),
            "best_constant_score_ms": float(rival * 1e3),
            "score_over_constant": float(score / rival) if rival > 0 else float("nan"),
        }
    gaps = [abs(one["coverage"] - float(name) / 100) for name, one in found.items() if one["n"]]
    return {"levels": found, "mean_coverage_gap": float(np.mean(gaps)) if gaps else float("nan")}


def _sigma(seen: PickTable) -> Scores:
    """How good sigma is as the spread of a normal distribution, without any calibration."""
    good = np.isfinite(seen.sigma_s) & (seen.sigma_s > 0)
    if not good.any():
        return {"n": 0}
    error, sigma = seen.error_s[good], seen.sigma_s[good]
    histogram, _ = np.histogram(iv.pit(error, sigma), bins=10, range=(0, 1))
    return {
        "n": int(good.sum()),
        "nll_ms": float(iv.gaussian_nll(error * 1e3, sigma * 1e3).mean()),
        "crps_ms": float(iv.gaussian_crps(error, sigma).mean() * 1e3),
        "ence": iv.ence(error, sigma),
        "spearman": iv.spearman(sigma, np.abs(error)),
        "pit_histogram": histogram / good.sum(),
        "gaussian_coverage": {
            f"{one * 100:g}": float(np.mean(np.abs(error) <= stats.norm.ppf((1 + one) / 2) * sigma)) for one in LEVELS
        },
    }


def _risk(seen: PickTable) -> Scores:
    """Risk against kept share; ordered by half-width where there are intervals, else by sigma."""
    by_width = bool(np.isfinite(seen.half_width_s).any())
    uncertainty = seen.half_width_s if by_width else seen.sigma_s
    if not np.isfinite(uncertainty).any():
        return {"n": 0}
    # A constant width comes back from its ends with another last bit on each pick, which is no order
    uncertainty = np.round(np.where(np.isnan(uncertainty), np.inf, uncertainty), UNCERTAINTY_DIGITS)
    size = np.abs(seen.error_s) / seen.sample_s
    hit = (size <= 5 + pk.ROUNDING_S / seen.sample_s).astype(float)
    share, risk = iv.risk_coverage(size, uncertainty)
    # Where all are equally sure, there are no surest ones: keeping some would only say the MAE again
    ordered = np.unique(uncertainty).size > 1
    at = {f"{one * 100:g}": one for one in KEPT_SHARES if ordered or one == 1}
    absent = {f"{one * 100:g}": None for one in KEPT_SHARES}
    thin = np.unique(np.linspace(0, share.size - 1, N_CURVE).round().astype(int))
    return {
        "n": int(size.size),
        "ordered_by": "half_width_s" if by_width else "sigma_s",
        "mae_samples_at": absent | {name: iv.risk_at(size, uncertainty, one) for name, one in at.items()},
        "hit_at_5_samples_at": absent | {name: iv.risk_at(hit, uncertainty, one) for name, one in at.items()},
        "aurc_samples": iv.aurc(size, uncertainty),
        "excess_aurc_samples": iv.excess_aurc(size, uncertainty),
        "outliers_caught_in_top_20": iv.outliers_caught(size > pk.OUTLIER_SAMPLES, uncertainty),
        "curve": {"kept_share": share[thin], "mae_samples": risk[thin]},
    }


def _by_group(true: PickTable) -> Scores:
    """The main numbers by geometry, station, shot, SNR and offset; bins of equal counts, weakest or nearest first."""
    error, width_ms = true.error_s, true.half_width_s * 2e3
    inside = iv.covered(true.truth_s, true.lower_s, true.upper_s)

    def measures(idx: Array) -> dict[str, float]:
        seen = idx[np.isfinite(error[idx])]
        size = np.abs(error[seen]) / true.sample_s[seen]
        with_interval = idx[~np.isnan(width_ms[idx])]
        nan = float("nan")
        return {
            "kept_share": float(true.kept[idx].mean()),
            "hit_at_5_samples": pk.hit_rate(error[idx], 5 * true.sample_s[idx]),
            "mae_samples": float(size.mean()) if seen.size else nan,
            "median_samples": float(np.median(size)) if seen.size else nan,
            "coverage": float(inside[with_interval].mean()) if with_interval.size else nan,
            "median_width_ms": float(np.median(width_ms[with_interval])) if with_interval.size else nan,
        }

    found = {
        "geometry": pk.by_group(true.geometry, measures),
        "station": pk.by_group(_joined(true.geometry, true.station), measures),
        "shot": pk.by_group(_joined(true.geometry, true.shot), measures),
        "snr_third": _by_bins(true.snr_db, 3, measures, unit="dB"),
        "snr_decile": _by_bins(true.snr_db, 10, measures, unit="dB"),
        "offset": _by_bins(np.abs(true.offset_m), N_OFFSET_BINS, measures, unit="m"),
    }
    return {kind: groups for kind, groups in found.items() if groups}


def _by_bins(values: Array, n_bins: int, measures: Any, *, unit: str) -> Scores:  # Any: the inner function above
    """Measures of bins of equal counts, each with its range in its label; NaN has no bin."""
    bins = pk.quantile_bins(values, n_bins)
    names = {
        one: f"{one + 1}: {values[bins == one].min():.1f} to {values[bins == one].max():.1f} {unit}"
        for one in np.unique(bins[bins >= 0])
    }
    labels = np.array([names.get(one, "") for one in bins])
    return pk.by_group(labels, measures, order=list(names.values()))


def _joined(geometry: Array, name: Array) -> Array:
    """Names that are unique in all lines: station names repeat between them."""
    return np.array([f"{g}/{n}" if g and n else n for g, n in zip(geometry, name, strict=True)])


def _worst(groups: Scores) -> Scores:
    """The group with the least coverage, among those large enough, and the share of groups below 80 %."""
    large = {name: one for name, one in groups.items() if one["n"] >= LEAST_GROUP and not np.isnan(one["coverage"])}
    if not large:
        return {"n_groups": 0}
    name = min(large, key=lambda one: large[one]["coverage"])
    return {
        "n_groups": len(large),
        "label": name,
        "n": large[name]["n"],
        "coverage": large[name]["coverage"],
        "share_below_80": float(np.mean([one["coverage"] < 0.8 for one in large.values()])),
    }


def _bootstrap(true: PickTable, rng: np.random.Generator, n_draws: int) -> Scores:
    """95 % intervals of the main means, whole shots drawn anew."""
    shots, error = _joined(true.geometry, true.shot), true.error_s
    seen, interval = np.isfinite(error), ~np.isnan(true.half_width_s)
    hit = (np.abs(error) <= 5 * true.sample_s + pk.ROUNDING_S).astype(float)
    inside = iv.covered(true.truth_s, true.lower_s, true.upper_s).astype(float)
    of = {
        "hit_at_5_samples": (hit, np.ones(seen.shape, bool)),
        "mae_samples": (np.abs(error) / true.sample_s, seen),
        "coverage": (inside, interval),
    }
    return {name: pk.bootstrap_mean(v[use], shots[use], rng=rng, n_draws=n_draws) for name, (v, use) in of.items()}
