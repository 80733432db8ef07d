"""ObsPy's traces as records of stations."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from seisloom.errors import DataError
from seisloom.io.waveforms.segments import Segment, merge, time_axis
from seisloom.io.waveforms.times import from_nanoseconds
from seisloom.io.waveforms.waveform import Waveform

RATE_SHARE = 1e-4
"""Sampling rates that differ by less are one: SAC keeps the interval in float32, and 100 Hz reads 100.00000223."""


def from_stream(traces: Iterable[Any], *, path: str = "") -> list[Waveform]:  # Any: ObsPy Traces
    """Return a record for each instrument: network, station, location and first two letters of the channel code.

    Segments of a channel are merged, see `seisloom.io.waveforms.segments.merge`, and components put on one time axis.

    Args:
        traces: an ObsPy Stream, or some Traces; masked samples are gaps.
        path: the file that they are from, for errors and for the record.
    Returns:
        Records in the order of their names; components Z first, then N, E, and others as the alphabet has them.
    Raises:
        DataError: if the sampling rates of an instrument differ, or its segments lie too far apart.
    """
    by_instrument: dict[tuple[str, str, str, str], list[Any]] = defaultdict(list)  # Any: see above
    for trace in traces:
        if trace.stats.npts:
            network, station, location, channel = trace.id.split(".")
            by_instrument[(network, station, location, channel[:-1])].append(trace)
    return [_of_instrument(codes, some, path) for codes, some in sorted(by_instrument.items(), key=lambda one: one[0])]


def _of_instrument(codes: tuple[str, str, str, str], traces: Sequence[Any], path: str) -> Waveform:
    """Return the record of the traces of one instrument. Any: ObsPy Traces."""
    where = f"{path or 'Stream'}: {'.'.join(codes)}"
    fs_hz = _rate(traces, where)
    by_component: dict[str, list[Segment]] = defaultdict(list)
    for trace in traces:
        by_component[component_of(trace.stats.channel)].append(_segment(trace))
    start_ns, n_samples = time_axis([one for some in by_component.values() for one in some], fs_hz=fs_hz, where=where)
    channels = sorted(by_component, key=_rank)
    counts: Counter[str] = Counter()
    rows = []
    for channel in channels:
        values, met = merge(by_component[channel], fs_hz=fs_hz, start_ns=start_ns, n_samples=n_samples)
        rows.append(values)
        counts.update(met)
    return Waveform(
        np.stack(rows), tuple(channels), fs_hz, from_nanoseconds(start_ns), *codes, path,
        {name: n for name, n in counts.items() if n},
    )  # fmt: skip


def component_of(channel: str) -> str:
    """Return the component of a SEED channel code, its last letter; Z of a file that has no code.

    >>> component_of("HHZ"), component_of("")
    ('Z', 'Z')
    """
    return channel[-1:].upper() or "Z"


def _rank(component: str) -> tuple[int, str]:
    return ("ZNE".find(component) % 4, component)  # -1 % 4: behind all three


def _rate(traces: Sequence[Any], where: str) -> float:  # Any: ObsPy Traces
    rates = sorted({float(trace.stats.sampling_rate) for trace in traces})
    if rates[-1] - rates[0] > RATE_SHARE * rates[-1]:
        raise DataError(
            f"{where}: sampled at {' and '.join(f'{rate:g}' for rate in rates)} Hz. Bring it to one rate, or split it"
        )
    near = round(rates[0])
    return float(near) if near and abs(rates[0] - near) <= RATE_SHARE * near else round(rates[0], 6)


def _segment(trace: Any) -> Segment:  # Any: an ObsPy Trace
    data = trace.data
    if np.ma.isMaskedArray(data):
        data = np.where(np.ma.getmaskarray(data), np.nan, data.data)
    return Segment(int(trace.stats.starttime.ns), np.asarray(data))
