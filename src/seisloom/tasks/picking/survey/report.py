"""What became of a survey whose manifest was built: counts, how well each header word explains it, and problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seisloom.io.segy.layout import WORDS
from seisloom.tasks.picking.survey.align import ENOUGH, place

NO_HEADER = "no header explains the shot list, so that no trace has a shot"
UNMATCHED = "picks of a station of which no trace matched"
UNREAD = "picks of a station whose file was left out (see above) or is not there"
AT_ZERO = "pick at exactly 0 s, kept; if 0 stands for no pick in the arrivals, leave it empty there and build again"
LISTED = 5
"""Most examples of one kind of problem that the screen shows; the report file has all."""


@dataclass(slots=True)
class GeometryReport:
    """What became of one geometry."""

    geometry: str
    n_files: int = 0
    n_traces: int = 0
    n_shots: int = 0
    root: str = ""
    """The survey's folder, where the manifest lies in another one; else empty."""
    refused: str = ""
    """Why no manifest was written, so that an earlier one is kept; else empty."""
    counts: dict[str, int] = field(default_factory=dict)
    """Traces by status and by alignment; those of no shot (none) are in no manifest."""
    headers_used: tuple[str, ...] = ()
    """Header words that the shot numbers come from; index for none."""
    scores: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # Any: JSON values
    """How well each header word explains the shot list, by station."""
    problems: dict[str, list[str]] = field(default_factory=dict)
    """Counted warnings by kind, each with all its cases."""

    def note(self, kind: str, case: str) -> None:
        """Remember one case of a problem."""
        self.problems.setdefault(kind, []).append(case)

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """Return plain values."""
        return {
            "geometry": self.geometry, "n_files": self.n_files, "n_traces": self.n_traces, "n_shots": self.n_shots,
            "root": self.root, "counts": self.counts, "headers_used": self.headers_used, "refused": self.refused,
            "problems": self.problems, "scores": self.scores,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ManifestReport:
    """What `build_manifest` read, wrote and left out."""

    root: Path
    written: tuple[Path, ...]
    geometries: tuple[GeometryReport, ...]
    notes: tuple[str, ...] = ()
    """Problems of no one geometry."""

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """Return plain values."""
        return {
            "root": str(self.root), "written": [str(path) for path in self.written],
            "geometries": [one.to_json() for one in self.geometries], "notes": list(self.notes),
        }  # fmt: skip

    def rows(self) -> list[dict[str, Any]]:  # Any: cells
        """Return a row a geometry, for a table on the screen."""
        columns = ("picked", "unpicked", "no_arrival", "exact", "tolerant", "index")
        return [
            {"geometry": one.geometry, "files": one.n_files, "traces": one.n_traces, "shots": one.n_shots}
            | {name: one.counts.get(name, 0) for name in columns}
            | {"shot number from": ", ".join(one.headers_used)}
            for one in self.geometries
        ]

    def score_rows(self) -> list[dict[str, Any]]:  # Any: cells
        """Return how well each header word explains the shot list, over all stations of a geometry.

        The word with the largest share of shots explained is chosen, and marked with *; geometries of which a word
        says the same share a row.
        """
        geometries: dict[tuple[Any, ...], list[str]] = {}  # Any: cells
        for one in self.geometries:
            for word, found in _by_word(one).items():
                cells = (
                    word + ("*" if word in one.headers_used and not one.refused else ""),
                    WORDS[word][0] if word in WORDS else int(word.removeprefix("byte_")),
                    _percent(sum(s["explained"] for s in found), one.n_shots * len(found)),
                    _percent(sum(s["matches"] for s in found), one.n_traces),
                    round(sum(s["monotone"] for s in found) / len(found), 2),
                )
                geometries.setdefault(cells, []).append(one.geometry)
        names = ("header", "byte", "shots explained %", "traces in list %", "monotone")
        rows = [{"geometry": _some(of)} | dict(zip(names, cells, strict=True)) for cells, of in geometries.items()]
        return sorted(rows, key=lambda row: row["geometry"])

    def lines(self) -> list[str]:
        """Return problems and what was written, in words; what is said of several geometries alike is said once."""
        geometries: dict[str, list[str]] = {}
        for one in self.geometries:
            for kind, cases in one.problems.items():
                folded = _folded(cases)
                shown = "; ".join(folded[:LISTED]) + ("; ..." if len(folded) > LISTED else "")
                geometries.setdefault(f"{len(cases)} x {kind}: {shown}", []).append(one.geometry)
        said = [f"{_some(of)}: {what}" for what, of in geometries.items()]
        return [*self.notes, *said, *(f"wrote {path}" for path in self.written)]


def _folded(cases: Sequence[str]) -> list[str]:
    """Return cases of the form "station: what", those that say the same in one.

    >>> _folded(["R01: 1 (7)", "R02: 1 (8)", "R03: 1 (7)"])
    ['R01, R03: 1 (7)', 'R02: 1 (8)']
    """
    stations: dict[str, list[str]] = {}
    for case in cases:
        station, colon, what = case.partition(": ")
        stations.setdefault(colon + what, []).append(station)
    return [one for what, of in stations.items() for one in ([_some(of) + what] if what else of)]


def _some(names: Sequence[str]) -> str:
    """Return names, the first few of many.

    >>> _some(["R1", "R2", "R3", "R4", "R5", "R6"])
    'R1, R2, R3, R4, R5, ... (6)'
    """
    return ", ".join(names[:LISTED]) + (f", ... ({len(names)})" if len(names) > LISTED else "")


def _percent(part: int, whole: int) -> int:
    """Return a share in percent, rounded down: 100 is all."""
    return 100 * part // whole if whole else 0


def why_refused(report: GeometryReport, shot_byte: int | None) -> str:
    """Return why a geometry's manifest is not to be written, or "": nothing, or too little by a named byte, matched.

    Args:
        report: with counts and scores.
        shot_byte: the byte that the user named, if order is not to step in for it.
    """
    n_matched = report.n_traces - report.counts.get("none", 0)
    if shot_byte and n_matched < ENOUGH * report.n_traces:
        return _why_not_by(shot_byte, report)
    if n_matched:
        return ""
    cases = report.problems[NO_HEADER]
    return f"no trace matched. {cases[0]}" + (f". And {len(cases) - 1} stations more" if len(cases) > 1 else "")


def _why_not_by(shot_byte: int, report: GeometryReport) -> str:
    """Say what a named byte explains, and which words explain more."""
    found = _by_word(report)
    named = _explained(found.pop(f"byte_{shot_byte}"))
    better = [
        f"{place(word)} {matches} ({n_shots} of {report.n_shots} shots), --shot-byte {WORDS[word][0]}"
        for word, scores in found.items()
        for n_shots, matches in [_explained(scores)]
        if (n_shots, matches) > named
    ]
    return (
        f"byte {shot_byte} has the number of a listed shot in {named[1]} of {report.n_traces} traces ({named[0]} of "
        f"{report.n_shots} shots). Half of the traces are needed, and a number that does not change is no shot's. "
        f"More is explained by {'; '.join(better) or 'none of the usual words: is the list in geometry.json whole?'}"
    )


def _by_word(report: GeometryReport) -> dict[str, list[Mapping[str, Any]]]:  # Any: JSON values
    """Return the scores of each header word, a station each."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for scores in report.scores.values():
        for one in scores:
            found.setdefault(one["header"], []).append(one)
    return found


def _explained(scores: list[Mapping[str, Any]]) -> tuple[int, int]:  # Any: JSON values
    """Return the most shots that a word explains at a station, and the traces in the list at all of them."""
    return max(one["explained"] for one in scores), sum(one["matches"] for one in scores)
