"""What may be wrong with one record, and the report that counts it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from seisloom.physics.surface_waves.draw import model_hash
from seisloom.physics.surface_waves.medium import LayeredMedium
from seisloom.sample import Arrays
from seisloom.tasks.dispersion.store.place import META
from seisloom.tasks.dispersion.store.record import AUGMENTED, Row, said_of

FINITE = ("spectrum", "freq", "phase_velocity", "offsets", "media", "group_velocity", "trace_spectra")
"""Arrays without NaN; `group_velocity` where its curve exists."""
OF_MODES = (
    "group_velocity", "energy_share", "mode_gap", "nacd", "in_window", "resolved", "excited", "aliased",
)  # fmt: skip
SHOWN = 5
"""Places that are named of each kind of mistake."""


@dataclass(slots=True)
class CheckReport:
    """What was found."""

    n_rows: int = 0
    n_old: int = 0
    """Rows of the first label generator, whose contents nothing tells."""
    n_bytes: int = 0
    """Of the records."""
    parts: dict[str, int] = field(default_factory=dict)
    """Rows by part."""
    found: dict[str, int] = field(default_factory=dict)
    """Number of mistakes by kind."""
    shown: dict[str, list[str]] = field(default_factory=dict)
    """The first of them, each with its line."""

    def add(self, kind: str, where: str) -> None:
        """Count a mistake."""
        self.found[kind] = self.found.get(kind, 0) + 1
        if len(some := self.shown.setdefault(kind, [])) < SHOWN:
            some.append(where)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.found

    def lines(self) -> list[str]:
        """Return a line a kind of mistake, with its number and its first places."""
        return [
            f"{n} x {kind}: {'; '.join(self.shown[kind])}{' ...' if n > SHOWN else ''}"
            for kind, n in self.found.items()
        ]


def check_arrays(arrays: Arrays, where: str, report: CheckReport) -> None:
    """Check shapes and NaN of a record's arrays; its curves are (mode, frequency)."""
    for kind, what in _wrong(arrays):
        report.add(kind, f"{where} ({what})")


def _wrong(arrays: Arrays) -> Iterator[tuple[str, str]]:
    """Yield what breaks a rule about shapes or NaN."""
    exists = np.isfinite(arrays["curves"])
    for name in (one for one in OF_MODES if one in arrays):
        if arrays[name].shape != exists.shape:
            yield "shapes that do not fit", f"{name} is {arrays[name].shape}, curves {exists.shape}"
            return
    for name in (one for one in FINITE if one in arrays):
        values = arrays[name][exists] if name == "group_velocity" else arrays[name]
        if n := int((~np.isfinite(values)).sum()):
            yield "NaN where none may be", f"{n} of {name}"
    if np.isinf(arrays["curves"]).any() or (arrays["curves"][exists] <= 0).any():
        yield "velocities that are none", "curves must be above 0 and finite, NaN where a mode does not exist"


def check_meta(row: Row, stored: Arrays, where: str, report: CheckReport) -> None:
    """Check a row against what its record says of itself, and that against its medium."""
    try:
        meta = json.loads(stored[META].item())
        rounded = [meta[key] for key in ("thickness_m", "vp_m_s", "vs_m_s", "density_kg_m3")]
        medium = LayeredMedium([*rounded[0], 0.0], *rounded[1:])  # type: ignore[arg-type]  # it takes lists too
        said = {**said_of(stored), **{key: meta[key] for key in ("id", "param_hash", "index", "seed", "prior")}}
        said |= {key: meta["augmentation"].get(key) for key in AUGMENTED}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        report.add("records whose remarks cannot be read", f"{where} ({type(error).__name__}: {error})")
        return
    hashed = model_hash(medium)
    if hashed != meta.get("model_hash"):
        report.add("a model_hash that is not of the medium", where)
    said["model_hash"] = hashed
    if differs := [f"{key} {row[key]!r}, {one!r}" for key, one in said.items() if key in row and row[key] != one]:
        report.add("rows that differ from their record (edited by hand?)", f"{where} ({'; '.join(differs)})")
