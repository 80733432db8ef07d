"""Events that are made, not read: the catalogue of a synthetic network, and its records by their names."""

from __future__ import annotations

import logging
import os
from functools import lru_cache

import numpy as np

from seisloom.io.waveforms.entry import Entry
from seisloom.io.waveforms.times import after
from seisloom.io.waveforms.waveform import Waveform
from seisloom.physics.events import LocalEvent, draw_event
from seisloom.physics.events_record import synthesise_record
from seisloom.tasks.classification.places import VARIABLE, names_no_catalogue
from seisloom.tasks.classification.recipe import ClassificationData, SyntheticEvents

logger = logging.getLogger("seisloom")
NAME = "synthetic"
"""Of the set."""
FIRST, EVERY_S = np.datetime64("2020-01-01T00:00:00", "ns"), 6 * 3600.0
"""Time of event 0, and from one to the next."""
DEGREE_M = 111_195.0
"""Length of a degree on a sphere of 6371 km; the network lies about 0 N 0 E, where both directions have it."""


def is_synthetic(data: ClassificationData) -> bool:
    """Return whether records are made; see `names_no_catalogue`."""
    return names_no_catalogue(data.paths)


def synthetic_entries(data: ClassificationData, seed: int) -> list[Entry]:
    """Return the catalogue of the synthetic events: as a network would hand it over, with exact onsets.

    Args:
        data: its `synth` counts; that records are synthetic is said.
        seed: of the recipe.
    """
    synth = data.synth
    logger.warning(
        "data.paths: no catalogue is given%s: synthetic, %d records of %d events (data.synth)",
        "" if os.environ.get(VARIABLE) else f", and {VARIABLE} is not set", synth.n_events * synth.stations,
        synth.n_events,
    )  # fmt: skip
    return [
        _entry(synth, _event(synth, seed, number), k)
        for number in range(synth.first, synth.first + synth.n_events)
        for k in range(synth.stations)
    ]


def synthetic_waveform(data: ClassificationData, entry: Entry, seed: int) -> Waveform:
    """Return the record of an entry of `synthetic_entries`; the same one whatever else is made."""
    synth, priors = data.synth, data.synth.priors
    event = _event(synth, seed, int(entry.event))
    record = synthesise_record(priors, event, event.stations.index(int(entry.station[1:])))
    return Waveform(
        record.x, ("Z", "N", "E"), priors.fs_hz, entry.start, entry.network, entry.station, entry.location, entry.band
    )


@lru_cache(maxsize=64)  # records of one event follow each other
def _event(synth: SyntheticEvents, seed: int, number: int) -> LocalEvent:
    """Return an event; classes take turns, so that its number says which it has."""
    kind = synth.classes[number % len(synth.classes)]
    return draw_event(synth.priors, kind, seed=seed, number=number, n_stations=synth.stations)


def _entry(synth: SyntheticEvents, event: LocalEvent, k: int) -> Entry:
    priors = synth.priors
    origin = after(FIRST, EVERY_S * event.number)
    return Entry(
        event=f"{event.number:06d}", files=(), network="XX", station=f"S{event.stations[k]:02d}", band="HH",
        channels=("Z", "N", "E"), label=event.kind, fs_hz=priors.fs_hz,
        n_samples=round(priors.record_s * priors.fs_hz), start=after(origin, float(event.p_s[k]) - priors.before_s),
        pick_s=priors.before_s, latitude=event.y_m / DEGREE_M, longitude=event.x_m / DEGREE_M, where=NAME,
    )  # fmt: skip
