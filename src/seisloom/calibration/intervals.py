"""Calibrated intervals: the quantiles of a calibration set, what they promise, and the half-width they give."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from seisloom.calibration.conformal import (
    LEVELS,
    leave_one_group_out_coverage,
    normalised_scores,
    pooled_quantile,
    subsampled_quantile,
)
from seisloom.calibration.groups import snr_bin, snr_edges
from seisloom.calibration.stored import plain, tuples
from seisloom.calibration.transfer import keep_groups, split_by_group, transferred_quantile
from seisloom.errors import CalibrationError
from seisloom.sample import Array

USUAL = 0.9
"""The level that decides whether groups are enough: 9 of them."""
Scheme = Literal["split", "cross", "transfer"]


@dataclass(frozen=True, slots=True)
class IntervalCalibration:
    """Factors q on sigma, by SNR bin and nominal coverage; half-width = q * sigma.

    Quantiles have one entry a level, in the order of `levels`; `inf` means that no finite interval has the coverage.
    """

    levels: tuple[float, ...]
    """Nominal coverages, increasing."""
    edges_db: tuple[float, ...]
    """Inner edges of the SNR bins in dB; empty for one bin."""
    quantiles: tuple[tuple[float, ...], ...]
    """Per SNR bin, per level."""
    pooled: tuple[float, ...]
    """Per level, over all picks; used where SNR is not known and had too few picks for a bin of its own."""
    unknown_snr: tuple[float, ...] | None
    """Per level, for picks whose SNR is NaN; None where there were too few of them."""
    n_picks: int
    n_groups: int
    n_per_bin: tuple[int, ...]
    scheme: Scheme
    """`split`: scores of groups that the model never saw; `cross`: of models that each left some groups out;
    `transfer`: the level of few groups, and how groups differ from a former calibration."""
    promised: tuple[bool, ...]
    """Per level: whether the coverage holds in finite samples for a pick of a new group, in every bin."""
    note: str
    """What it was made from and what it promises, for people."""
    constant: tuple[float, ...] = ()
    """Per level, the half-width that the same groups give in the same way when sigma is not looked at, in the unit of
    sigma: what the intervals must beat."""
    group_scores: tuple[tuple[float, ...], ...] = ()
    """Quantiles of the scores of each group, from which a later calibration on few groups learns how groups differ."""

    def q(self, snr_db: Array | float | None = None, alpha: float = 0.1) -> Array:
        """Return the factor on sigma for each pick.

        Args:
            snr_db: SNR in dB, any shape; NaN where it is not known; None for the pooled factor.
            alpha: accepted share of misses; 1 - alpha must be one of `levels`.
        Returns:
            Factors, the shape of `snr_db`; `inf` where the calibration set was too small.
        """
        level = self._level_idx(alpha)
        if snr_db is None:
            return np.asarray(self.pooled[level])
        last = self.pooled if self.unknown_snr is None else self.unknown_snr
        table = np.array([*(row[level] for row in self.quantiles), last[level]])
        return np.asarray(table[snr_bin(np.asarray(snr_db, float), self.edges_db)])  # NaN is bin -1: the last row

    def half_width(self, sigma: Array, snr_db: Array | float | None = None, alpha: float = 0.1) -> Array:
        """Return q * sigma, in the unit of `sigma` and its shape; inf or NaN where q is inf or sigma NaN."""
        return np.asarray(self.q(snr_db, alpha) * np.asarray(sigma, float))

    @property
    def leans_on_former(self) -> bool:
        """Whether groups of a former calibration have a part in it."""
        return self.scheme == "transfer"

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """Return plain JSON values; an infinite quantile is the string "inf", since JSON has no infinity."""
        return {"kind": "interval", **plain(asdict(self))}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> IntervalCalibration:  # Any: JSON values
        """Return the calibration that `to_json` stored."""
        values = {"constant": [], "group_scores": [], **stored}
        if values.pop("kind", None) != "interval" or set(values) != set(cls.__slots__):
            missing = sorted(set(cls.__slots__) - set(values))
            raise CalibrationError(
                f"this is not a stored interval calibration (missing: {', '.join(missing) or 'kind: interval'}); "
                "calibrate again: seisloom calibrate BUNDLE SOURCE --out NEW"
            )
        return cls(**{name: tuples(one) for name, one in values.items()})

    def _level_idx(self, alpha: float) -> int:
        for idx, level in enumerate(self.levels):
            if math.isclose(level, 1 - alpha, abs_tol=1e-9):
                return idx
        raise CalibrationError(
            f"no quantile is stored for alpha = {alpha}; there are those of "
            f"{', '.join(f'{level:g}' for level in self.levels)} coverage (alpha = 1 - coverage)"
        )


def calibrate_intervals(
    error: Array,
    sigma: Array,
    *,
    groups: Array,
    snr_db: Array | None = None,
    n_bins: int = 1,
    min_n: int = 100,
    levels: Sequence[float] = LEVELS,
    crossed: bool = False,
    former: IntervalCalibration | None = None,
) -> IntervalCalibration:
    """Return the interval calibration of held-out picks, the group being the unit that is exchangeable.

    For each level `subsampled_quantile` over groups, where there are enough of them for it to be finite (9 for 90 %,
    19 for 95 %). With fewer, `transferred_quantile` from a former calibration of the model, or without one
    `pooled_quantile`: both promise less, and the note says so. For crossed scores it is always `pooled_quantile`.

    Args:
        error: predicted minus true, shape (pick,); from groups that neither trained nor chose the model that
            predicted them.
        sigma: predicted spread, shape (pick,), in the same unit.
        groups: label of the calibration unit (shot, station), shape (pick,).
        snr_db: SNR in dB, shape (pick,), NaN where not known; needed for more than one bin.
        n_bins: SNR bins to start from; 1 for one quantile. Bins with less than `min_n` picks are merged.
        min_n: least number of picks a bin.
        levels: nominal coverages to store.
        crossed: whether each group was scored by a model that was trained without it, one model for some groups.
        former: an earlier calibration of the same model, on other groups.
    Raises:
        CalibrationError: for nothing to calibrate on, or bins without SNR.
    """
    scores, labels = normalised_scores(error, sigma), np.asarray(groups).astype(str)
    levels = tuple(sorted(levels))
    if snr_db is None and n_bins > 1:
        raise CalibrationError(f"{n_bins} bins by SNR are asked for, and no SNR is given; give snr_db, or n_bins=1")
    snr = np.full(scores.shape, np.nan) if snr_db is None else np.asarray(snr_db, float)
    edges = snr_edges(snr, n_bins=n_bins, min_n=min_n, groups=labels)
    bins = snr_bin(snr, edges)
    scheme: Scheme = "cross" if crossed else "split"
    spare = _spare(labels, former, levels) if not crossed else None
    if spare is not None:
        scheme = "transfer"
    pooled, pooled_promised = _quantiles(scores, labels, levels, scheme, spare)
    if edges:
        made = [
            _quantiles(scores[bins == one], labels[bins == one], levels, scheme, spare) for one in range(len(edges) + 1)
        ]
    else:
        made = [(pooled, pooled_promised)]
    unknown = np.isnan(snr)
    unknown_snr = None
    if edges and unknown.sum() >= min_n:
        unknown_snr, unknown_promised = _quantiles(scores[unknown], labels[unknown], levels, scheme, spare)
        promised = [unknown_promised, *(one for _, one in made)]
    else:
        promised = [one for _, one in made]
    everywhere = tuple(bool(all(column)) for column in zip(*promised, strict=True))
    return IntervalCalibration(
        levels=levels,
        edges_db=edges,
        quantiles=tuple(one for one, _ in made),
        pooled=pooled,
        unknown_snr=unknown_snr,
        n_picks=scores.size,
        n_groups=np.unique(labels).size,
        n_per_bin=tuple(int(np.sum(bins == one)) for one in range(len(edges) + 1)) if edges else (scores.size,),
        scheme=scheme,
        promised=everywhere,
        note=_note(scores, labels, levels, everywhere, scheme, edges, 0 if spare is None else len(spare))
        + _fewer(levels, pooled, n_bins, len(edges) + 1, min_n),
        constant=_quantiles(np.abs(np.asarray(error, float)), labels, levels, scheme, spare)[0],
        group_scores=keep_groups(split_by_group(scores, labels)),
    )


def _spare(
    labels: Array, former: IntervalCalibration | None, levels: tuple[float, ...]
) -> tuple[tuple[float, ...], ...] | None:
    """The groups of a former calibration, if the new ones are too few by themselves and those are more."""
    n_groups = np.unique(labels).size
    enough = all(math.ceil((n_groups + 1) * level - 1e-6) <= n_groups for level in levels if level <= USUAL)
    if enough or former is None or len(former.group_scores) <= max(n_groups, 2):
        return None
    return former.group_scores


def _quantiles(
    scores: Array,
    labels: Array,
    levels: tuple[float, ...],
    scheme: Scheme,
    spare: tuple[tuple[float, ...], ...] | None,
) -> tuple[tuple[float, ...], tuple[bool, ...]]:
    """The quantile of each level, never decreasing, and whether it holds in finite samples for a new group."""
    kept, promised = [], []
    for level in levels:
        q = subsampled_quantile(scores, labels, 1 - level)
        promised.append(scheme != "cross" and math.isfinite(q))
        if not math.isfinite(q):
            q = (
                pooled_quantile(scores, labels, 1 - level)
                if spare is None
                else transferred_quantile(
                    split_by_group(scores, labels), [np.array(one) for one in spare], alpha=1 - level
                )
            )
        kept.append(q)
    # A level that falls back on another quantile must not be narrower than a lower level.
    return tuple(float(q) for q in np.maximum.accumulate(kept)), tuple(promised)


def _note(
    scores: Array,
    labels: Array,
    levels: tuple[float, ...],
    promised: tuple[bool, ...],
    scheme: Scheme,
    edges: Sequence[float],
    n_former: int,
) -> str:
    """What the calibration was made from and what it promises."""
    n_groups = np.unique(labels).size
    text = [f"{scores.size} picks of {n_groups} groups"]
    if edges:
        text[0] += f", {len(edges) + 1} bins by SNR (edges {', '.join(f'{edge:.1f}' for edge in edges)} dB)"
    held = [f"{level:.0%}" for level, good in zip(levels, promised, strict=True) if good]
    loose = [f"{level:.0%}" for level, good in zip(levels, promised, strict=True) if not good]
    if held:
        text.append(
            f"{', '.join(held)}: covered on average for a pick of a new group like these"
            + (", in each bin" if edges else "")
            + " (median over draws of one pick a group: each draw holds in finite samples, their median nearly)"
        )
    if scheme == "cross":
        text.append(
            "Cross-conformal: each group was scored by a model trained without it. In theory about 1 - 2 alpha is "
            "covered (80 % where 90 % is asked), and only if the interval is built from the same fold models "
            "(CV+, Barber et al. 2021); in practice near 1 - alpha when the folds' models are alike"
        )
    elif loose:
        few = "too few groups for a finite-sample promise to a new group (9 are needed for 90 %, 19 for 95 %)"
        text.append(
            f"{', '.join(loose)}: {few}; these groups give the level, and the {n_former} groups of the former "
            "calibration how far one more group goes beyond such a level"
            if scheme == "transfer"
            else f"{', '.join(loose)}: {few}; the pooled quantile is used, right on average for many or similar groups"
        )
    if 2 <= n_groups <= 200:
        left_out = list(leave_one_group_out_coverage(scores, labels, 0.1).values())
        text.append(
            f"Each group covered by the 90 % quantile of the others: mean {np.mean(left_out):.2f}, "
            f"worst {np.min(left_out):.2f}"
        )
    return ". ".join(text) + "."


def _fewer(levels: Sequence[float], pooled: tuple[float, ...], n_asked: int, n_bins: int, min_n: int) -> str:
    """What was asked for and could not be told apart: bins by SNR, and levels."""
    said = ""
    if n_bins < n_asked:
        said += (
            f" {n_bins} of the {n_asked} bins by SNR that were asked for: each needs {min_n} picks (calibrate.min_bin)."
        )
    alike = [f"{level:.0%}" for level, q in zip(levels, pooled, strict=True) if pooled.count(q) > 1]
    if alike:
        said += f" {', '.join(alike)}: alike, since so few picks or groups do not tell these levels apart."
    return said
