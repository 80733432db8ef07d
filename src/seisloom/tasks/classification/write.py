"""Answers as files: tables of windows or of events, and QuakeML."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from seisloom.errors import DataError
from seisloom.io.beside import beside
from seisloom.tasks.classification.apply import events_of

logger = logging.getLogger("seisloom")
QUAKEML_TYPES = {
    "earthquake": "earthquake", "explosion": "explosion", "quarry blast": "quarry blast", "blast": "quarry blast",
    "landslide": "landslide", "rockfall": "rockslide", "rockslide": "rockslide", "avalanche": "snow avalanche",
    "collapse": "collapse", "ice quake": "ice quake", "thunder": "thunder", "sonic boom": "sonic boom",
    "mine collapse": "mine collapse", "rock avalanche": "rockslide", "debris flow": "debris avalanche",
    "lahar": "debris avalanche", "snow avalanche": "snow avalanche", "volcanic eruption": "volcanic eruption",
}  # fmt: skip
"""Classes that QuakeML 1.2 has an event type for; others are `other event`, with their name as a description."""


WINDOW = "start of the first window of the event, no onset"


def write_classes(table: Any, path: str | Path) -> None:  # Any: a pandas table
    """Write what was answered, beside and renamed; the suffix chooses .csv, .parquet, or QuakeML (.xml, .quakeml).

    A table has a row an event where it is of streams, else a row a window; `apply.rows` chooses otherwise. QuakeML has
    the events that are answered, with their class as event type, its probability and number of windows as a comment.

    Raises:
        DataError: for an unknown suffix.
        OutputError: if the file cannot be written.
    """
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix not in (".csv", ".parquet", ".xml", ".quakeml"):
        raise DataError(f"{file}: no such format of classes. Use .csv, .parquet, .xml or .quakeml")
    said = table.attrs.get("rows", "auto")
    by_event = said == "events" or (said == "auto" and bool(table["is_stream"].any()))
    by_event = by_event or suffix in (".xml", ".quakeml")
    rows = events_of(table) if by_event else table
    with beside(file) as partial:
        if suffix == ".csv":
            rows.to_csv(partial, index=False, float_format="%.6g")
        elif suffix == ".parquet":
            rows.to_parquet(partial, index=False)
        else:
            _catalogue(rows).write(str(partial), format="QUAKEML", validate=False)
    if by_event:
        logger.info("%s: %d events of %d windows", file, len(rows), len(table))


def _catalogue(events: Any) -> Any:  # Any: a pandas table, an ObsPy Catalog
    """Return the events as an ObsPy Catalog, with the start of their first window as a pick."""
    from obspy import UTCDateTime
    from obspy.core.event import (
        Catalog,
        Comment,
        Event,
        EventDescription,
        Pick,
        ResourceIdentifier,
        WaveformStreamID,
    )

    found = []
    for number, row in enumerate(events.itertuples(index=False)):
        kind = QUAKEML_TYPES.get(row[4], "other event")
        said = f"class {row[4]}, probability {row.probability:.3f}, {row.n_windows} windows"
        one = Event(
            resource_id=ResourceIdentifier(f"smi:local/seisloom/{number}"), event_type=kind,
            event_type_certainty="suspected", comments=[Comment(text=said)],
            event_descriptions=[EventDescription(text=str(row.event)), EventDescription(text=str(row[4]))],
        )  # fmt: skip
        if row.start:  # an origin would need a place, and none is known
            network, _, station = str(row.station).partition(".")
            where = WaveformStreamID(network_code=network, station_code=station)
            one.picks = [Pick(time=UTCDateTime(row.start), waveform_id=where, comments=[Comment(text=WINDOW)])]
        found.append(one)
    return Catalog(found)
