"""Pickled events: `(events, labels)`, a table of components for each event and the name of its class."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import DataError
from seisloom.io.waveforms.pickle_notes import Note, read_notes
from seisloom.io.waveforms.pickled_arrays import frame_of, is_note, said, series_of, texts_of
from seisloom.sample import Array

LAYOUT = "(events, labels): a list of DataFrames with a column a component, and the class of each"
COMPONENT = re.compile(r"(?:[A-Z]{2})?[ZNE123]")
"""A component, or a SEED channel code that ends with one."""
_STRANGE = (TypeError, KeyError, IndexError, AttributeError, ValueError, RecursionError, MemoryError, OverflowError)
"""What a pickle whose notes are not those of pandas ends with."""
FROM_TICKS = 1e-3
"""Steps between the times of rows may differ by this share of a sample: nanoseconds are rounded."""


@dataclass(frozen=True, slots=True, eq=False)
class PickledEvent:
    """One event at one station."""

    components: dict[str, Array]
    """Amplitudes by component or channel code, each (time,), in the type that they were pickled in; NaN stays NaN."""
    label: str
    times_ns: Array | None = None
    """Times of the samples in UTC nanoseconds; None where the rows are only numbered, as they mostly are."""
    others: Mapping[str, Sequence[Any]] = field(default_factory=dict)  # Any: texts or numbers
    """Columns that are no components, by their names."""


def read_event_pickle(path: str | Path) -> list[PickledEvent]:
    """Return the events of a pickle; nothing that it names is run, see `seisloom.io.waveforms.pickle_notes`.

    Raises:
        MissingDataError: if there is no such file.
        DataError: if it asks for anything but tables and arrays, or is not laid out as (events, labels).
    """
    file = Path(path)
    try:
        return _events(read_notes(file), file)
    except DataError as error:  # names in it are a stranger's: no second line, nothing that a terminal obeys
        raise DataError("".join(one if one.isprintable() else "?" for one in str(error))) from None
    except _STRANGE as error:
        raise DataError(f"{file}: is not laid out as pandas does it ({type(error).__name__}: {error})") from error


def _events(found: Any, file: Path) -> list[PickledEvent]:  # Any: what a pickle holds
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise DataError(f"{file}: holds {said(found)}, not {LAYOUT}")
    events = _members(found[0], file)
    labels = [str(one) for one in texts_of(found[1], where=f"{file}: labels")]
    if len(events) != len(labels):
        raise DataError(f"{file}: has {len(events)} events and {len(labels)} labels; each event has one")
    if not events:
        raise DataError(f"{file}: has no events")
    return [
        _event(note, label, f"{file}: event {k}") for k, (note, label) in enumerate(zip(events, labels, strict=True))
    ]


def _members(events: Any, file: Path) -> Sequence[Note]:  # Any: what a pickle holds
    """Return the notes of the tables."""
    where = f"{file}: events"
    if is_note(events, "Series"):
        events = series_of(events, where=where)
    elif is_note(events, "_reconstruct"):
        events = texts_of(events, where=where)
    if not isinstance(events, list | tuple):
        raise DataError(f"{file}: its first part is {said(events)}, and it is to be {LAYOUT}")
    for k, one in enumerate(events):
        if not is_note(one, "DataFrame"):
            raise DataError(f"{file}: event {k} is {said(one)}, not a DataFrame")
    return events


def _event(note: Note, label: str, where: str) -> PickledEvent:
    frame = frame_of(note, where=where)
    components = {name: one for name, one in frame.columns.items() if COMPONENT.fullmatch(name.strip().upper())}
    if not components:
        names = ", ".join([*frame.columns, *frame.texts]) or "none"
        raise DataError(f"{where}: columns {names}; give components such as Z, N, E, or channel codes such as HHZ")
    if not label.strip():
        raise DataError(f"{where}: has an empty label")
    others = {**frame.texts, **{name: one.tolist() for name, one in frame.columns.items() if name not in components}}
    by_name = {name.strip().upper(): one for name, one in components.items()}
    return PickledEvent(by_name, label.strip(), frame.times_ns, others)


def rate_of_times(times_ns: Array, *, where: str) -> float:
    """Return the sampling rate in Hz that the times of samples tell.

    Raises:
        DataError: if the times are not evenly spaced.
    """
    steps = np.diff(np.asarray(times_ns, np.int64))
    if steps.size == 0 or steps.min() <= 0 or np.ptp(steps) > max(FROM_TICKS * steps.mean(), 1.0):
        raise DataError(f"{where}: the times of its rows are not evenly spaced. Resample it, or number the rows")
    return float(1e9 / steps.mean())
