"""Header words of all traces in SI units, without a sample being read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seisloom.errors import DataError
from seisloom.io.segy.layout import TRACE_HEADER, WORDS, SegyLayout, read_layout
from seisloom.io.segy.places import places_of, scale
from seisloom.sample import Array

SHOT_WORDS = ("energy_source_point", "field_record", "shot_point", "ensemble", "trace_sequence_line")
"""Header words that may number the shots, the likelier first: bytes 17, 9, 197, 21 and 1."""
TRACES_AT_ONCE = 1 << 12
"""Headers that are held in memory at once while their words are taken apart; each holds pages of its trace."""


@dataclass(frozen=True, slots=True)
class SegyHeaders:
    """Header words of all traces, in SI units; one array an attribute, shape (trace,)."""

    path: Path
    layout: SegyLayout
    n_samples: Array
    interval_s: Array
    delay_s: Array
    """Time of the first sample after the shot; bytes 109 and 215."""
    source_x: Array
    """In m, as all coordinates; NaN in every trace where the file has none, or has angles."""
    source_y: Array
    group_x: Array
    group_y: Array
    offset_m: Array
    """Distance from source to group: from coordinates, else the header word without its sign; NaN where unknown."""
    shots: Mapping[str, Array]
    """Header words that may number the shots, by name, in the order of SHOT_WORDS."""
    notes: tuple[str, ...] = ()
    """What was assumed."""

    @property
    def n_traces(self) -> int:
        """Number of traces."""
        return self.layout.n_traces


def read_headers(path: str | Path) -> SegyHeaders:
    """Return the header words of all traces of a SEG-Y file; trace data are not read.

    Scalars are applied as SEG-Y says: negative divides, positive multiplies, 0 is 1. Feet (bytes 3255-3256) become
    meters. All coordinates 0 means that they are unknown; so does an offset of 0 in every trace.

    Raises:
        MissingDataError, DataError: see `read_layout`; and if a trace has another length than the others, or the file
            has no sample interval.
    """
    return headers_of(read_layout(path))


def headers_of(layout: SegyLayout) -> SegyHeaders:
    """Return the header words of all traces of a file whose layout is known; see `read_headers`."""
    return headers_from(_words(layout), layout)


def headers_from(words: dict[str, Array], layout: SegyLayout) -> SegyHeaders:
    """Return the headers of words as they are stored, each by its name in WORDS with shape (trace,)."""
    if layout.is_su:  # there these bytes hold other things
        for name in ("shot_point", "shot_point_scalar", "time_scalar"):
            words[name] = np.zeros_like(words[name])
    notes = [*layout.notes]
    place, offset_m = places_of(words, layout, notes)
    return SegyHeaders(
        path=layout.path,
        layout=layout,
        n_samples=_n_samples(words["n_samples"], layout, notes),
        interval_s=_interval_s(words["interval"], layout),
        delay_s=words["delay"] * scale(words["time_scalar"]) * 1e-3,
        **place,
        offset_m=offset_m,
        shots={name: _shot_point(words) if name == "shot_point" else words[name] for name in SHOT_WORDS},
        notes=tuple(notes),
    )


def read_word(path: str | Path, byte: int) -> Array:
    """Return a four-byte header word by its first byte (1 to 237) for all traces, int64 (trace,)."""
    if not 1 <= byte <= TRACE_HEADER - 3:
        raise DataError(f"{path}: a header word of four bytes begins at byte 1 to {TRACE_HEADER - 3}, not {byte}")
    layout = read_layout(path)
    return np.asarray(layout.headers(0, layout.n_traces, {"word": (byte, "i4")})["word"].astype(np.int64))


def _words(layout: SegyLayout) -> dict[str, Array]:
    """Return the header words, int64 (trace,); the file is passed once, since each trace costs a page of it."""
    words = {name: np.empty(layout.n_traces, dtype=np.int64) for name in WORDS}
    for start in range(0, layout.n_traces, TRACES_AT_ONCE):
        some = slice(start, min(start + TRACES_AT_ONCE, layout.n_traces))
        headers = layout.headers(some.start, some.stop, WORDS)
        for name, column in words.items():
            column[some] = headers[name]
    return words


def _n_samples(stated: Array, layout: SegyLayout, notes: list[str]) -> Array:
    """Return the length of each trace; a header word that the size of the file refutes is noted."""
    if layout.starts is not None:
        return stated
    wrong = np.flatnonzero((stated != 0) & (stated != layout.n_samples))
    # A length above 65535 stands in the file header alone; a note of the layout speaks for all traces
    if wrong.size and layout.n_samples <= np.iinfo(np.uint16).max and not layout.notes:
        notes.append(
            f"{layout.n_samples} samples a trace, as the size of the file says; {wrong.size} of {layout.n_traces} "
            f"trace headers (bytes 115-116) say otherwise, the first is trace {wrong[0]} with {stated[wrong[0]]}"
        )
    return np.full(layout.n_traces, layout.n_samples, dtype=np.int64)


def _interval_s(stored: Array, layout: SegyLayout) -> Array:
    """Return the sample interval of each trace: its own, else that of the file."""
    interval_us = np.where(stored > 0, stored, layout.interval_us)
    if layout.interval_us % 1:  # only rev 2 can say this, and the word of 16 bits holds it rounded
        interval_us = np.full(layout.n_traces, layout.interval_us)
    if np.any(interval_us <= 0):
        raise DataError(
            f"{layout.path}: no sample interval in bytes 117-118"
            + (". Write it there" if layout.is_su else " nor in bytes 3217-3218. Write it into one of them")
        )
    return np.asarray(interval_us * 1e-6)


def _shot_point(words: Mapping[str, Array]) -> Array:
    """Return the shot point of bytes 197-200 with its scalar, where that leaves whole numbers."""
    scaled = words["shot_point"] * scale(words["shot_point_scalar"])
    whole = np.round(scaled)
    return whole.astype(np.int64) if np.allclose(scaled, whole, atol=1e-6, rtol=0) else words["shot_point"]
