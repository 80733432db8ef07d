"""Calibrated intervals of restored samples: errors over the local strength, by distance to the nearest live trace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np

from seisloom.calibration.conformal import normalised_scores
from seisloom.calibration.intervals import IntervalCalibration, calibrate_intervals
from seisloom.calibration.strength import FLOOR, NAMES, WIDTH, distance_group, strength
from seisloom.errors import CalibrationError
from seisloom.sample import Array

Unit: TypeAlias = Literal["panels", "traces"]
Piece: TypeAlias = tuple[Array, Array, Array, Array]
"""Truth and estimate, (line, trace, time); is_live and scored, bool (line, trace): the traces that the method was
given, and those whose estimate is to be compared with the truth."""
N_KEPT = 100
"""Scores that stand for a unit: its quantiles. Neighbouring samples err alike; a million of them say no more."""
FEWEST = 9
"""Units from which on the quantile of 90 % of a new one is finite."""
USUAL = 0.9


@dataclass(frozen=True, slots=True)
class ResidualCalibration:
    """Factors q on the local strength of an estimate by distance to the nearest live trace; half-width = q * it."""

    by_distance: tuple[IntervalCalibration, ...]
    """In the order of `strength.NAMES`."""
    every: IntervalCalibration
    """Of all distances together."""
    n_units: tuple[int, ...]
    """That were scored at each distance."""
    unit: Unit
    """What is exchangeable: panels, or hidden traces of one panel."""

    @property
    def note(self) -> str:
        """What it was made from and what it promises, for people."""
        counts = ", ".join(f"{name} {n}" for name, n in zip(NAMES, self.n_units, strict=True) if n)
        return (
            f"|error| over the local RMS of the estimate (Gaussian of {WIDTH[0]:g} traces and {WIDTH[1]:g} samples, at "
            f"least {FLOOR:g} of the panel's RMS), by distance to the nearest live trace ({self.unit}: {counts}). All "
            f"distances together, with {self.unit} as groups and {N_KEPT} quantiles of each as picks: {self.every.note}"
        )

    @property
    def leans_on_former(self) -> bool:
        """Whether panels of a former calibration have a part in it."""
        return any(one.leans_on_former for one in (*self.by_distance, self.every))

    def half_width(self, estimate: Array, is_live: Array, *, level: float) -> Array:
        """Return half of the interval of each sample, float64 (line, trace, time), in the unit of the estimate.

        Args:
            estimate: (line, trace, time), finite, with the live traces.
            is_live: bool (line, trace), what the method was given. Live traces get the half-width of an estimate of
                them; a caller who gives them back as they came sets it to 0 there.
            level: coverage, one of those that are stored.
        Returns:
            q * strength; 0 in a silent panel, inf where no finite interval has the coverage.
        Raises:
            CalibrationError: if no quantile of this level is stored, or shapes do not fit.
        """
        scale = strength(estimate)
        q = np.array([float(one.q(alpha=1 - level)) for one in self.by_distance])[_groups(is_live, scale.shape)]
        return np.asarray(np.multiply(q[..., None], scale, out=np.zeros_like(scale), where=scale > 0))

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """Return plain JSON values."""
        by_distance = [one.to_json() for one in self.by_distance]
        return {
            "kind": "residuals", "by_distance": by_distance, "every": self.every.to_json(),
            "n_units": list(self.n_units), "unit": self.unit,
        }  # fmt: skip

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ResidualCalibration:  # Any: JSON values
        """Return the calibration that `to_json` stored."""
        if stored.get("kind") != "residuals" or set(stored) != {"kind", *cls.__slots__}:
            raise CalibrationError(
                "this is not a stored calibration of residuals; calibrate again: seisloom calibrate BUNDLE SOURCE "
                "--out NEW"
            )
        by_distance = tuple(IntervalCalibration.from_json(one) for one in stored["by_distance"])
        every = IntervalCalibration.from_json(stored["every"])
        return cls(by_distance, every, tuple(stored["n_units"]), stored["unit"])


def calibrate_residuals(
    pieces: Iterable[Piece],
    names: Sequence[str],
    *,
    min_n: int = FEWEST,
    crossed: bool = False,
    former: ResidualCalibration | None = None,
) -> ResidualCalibration:
    """Return the calibration of restored panels with truth, the panel being the unit that is exchangeable.

    Args:
        pieces: one of each panel and each pattern of missing traces.
        names: of the panel of each piece: patterns and draws of one panel are one unit.
        min_n: fewest panels of a distance; one with fewer has the factors of all distances together, or those of the
            distance before it if they are wider.
        crossed: whether each panel was restored by a network that was trained without it.
        former: an earlier calibration of the same network, which says how far panels differ where they are few.
    Raises:
        CalibrationError: if no trace is scored, or shapes do not fit.
    Source: normalised split-conformal prediction over groups; see `calibration.conformal`, `calibration.intervals`.
    """
    found = (
        (str(name), at, score[group == at].ravel())
        for name, piece in zip(names, pieces, strict=True)
        for score, group in (_scores(piece),)
        for at in np.unique(group).tolist()
    )
    return _calibrated(found, "panels", min_n, crossed=crossed, former=former)


def calibrate_on_hidden(pieces: Iterable[Piece], *, min_n: int = FEWEST) -> ResidualCalibration:
    """Return the calibration of a method on traces of one panel that were hidden from it, the trace being the unit.

    A missing trace is taken to be like a hidden one. It nearly is where traces are hidden as they are missing (see
    `signal.restoration.hidden`); neighbours err alike, so that the promise is not proven.

    Args:
        pieces: one of each hiding: the panel as truth, its restoration, what was left live, and what was hidden.
        min_n: fewest hidden traces of a distance; see `calibrate_residuals`.
    Raises:
        CalibrationError: if no trace is scored, or shapes do not fit.
    """
    found = (
        (str(place), int(at), one)
        for piece in pieces
        for score, group in (_scores(piece),)
        for place, at, one in zip(np.argwhere(piece[3]).tolist(), group.tolist(), score, strict=False)  # none if silent
    )
    return _calibrated(found, "traces", min_n, crossed=False, former=None)


def _groups(is_live: Array, shape: tuple[int, ...]) -> Array:
    group = distance_group(is_live)
    if group.shape != shape[:2]:
        raise CalibrationError(f"is_live has shape {group.shape}, and the estimate {shape}")
    return group


def _scores(piece: Piece) -> tuple[Array, Array]:
    """Return scores (scored trace, time) and the group of each scored trace; none of a silent panel: it has no unit."""
    truth, estimate, is_live, scored = piece
    scale, use = strength(estimate), np.asarray(scored, dtype=bool)
    group = _groups(is_live, scale.shape)
    if np.shape(truth) != scale.shape or use.shape != group.shape:
        raise CalibrationError(f"truth {np.shape(truth)}, scored {use.shape} and the estimate {scale.shape} do not fit")
    if not scale.any():
        return np.zeros((0, scale.shape[2])), np.zeros(0, dtype=int)
    error = (np.asarray(estimate, float) - np.asarray(truth, float))[use]
    return normalised_scores(error.ravel(), scale[use].ravel()).reshape(error.shape), group[use]


def _calibrated(
    found: Iterable[tuple[str, int, Array]], unit: Unit, min_n: int, *, crossed: bool,
    former: ResidualCalibration | None,
) -> ResidualCalibration:  # fmt: skip
    """Return the calibration of scores, each with its unit and its distance."""
    parts: list[dict[str, list[Array]]] = [defaultdict(list) for _ in NAMES]
    together: dict[str, list[Array]] = defaultdict(list)
    for name, at, score in found:
        parts[at][name].append(score)
        together[name].append(score)
    if not together:
        raise CalibrationError("nothing to calibrate on: no trace that is to be restored has a truth")

    def of(units: Mapping[str, list[Array]]) -> IntervalCalibration:
        kept = {name: _quantiles(np.concatenate(some)) for name, some in units.items()}
        score, labels = np.concatenate([*kept.values()]), np.repeat([*kept], [one.size for one in kept.values()])
        spare = None if former is None else former.every
        return calibrate_intervals(score, np.ones(score.size), groups=labels, crossed=crossed, former=spare)

    every = of(together)
    by_distance: list[IntervalCalibration] = []
    for units in parts:
        if units and len(units) >= min(min_n, len(together)):
            by_distance.append(of(units))
        else:
            by_distance.append(max((every, *by_distance[1:][-1:]), key=lambda one: float(one.q(alpha=1 - USUAL))))
    bare = tuple(replace(one, group_scores=()) for one in by_distance)  # those of all distances serve later ones
    return ResidualCalibration(bare, every, tuple(len(units) for units in parts), unit)


def _quantiles(scores: Array) -> Array:
    return scores if scores.size <= N_KEPT else np.quantile(scores, (np.arange(N_KEPT) + 0.5) / N_KEPT)
