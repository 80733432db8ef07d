"""One record of a station: its components on one time axis, NaN where nothing was recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from seisloom.errors import DataError
from seisloom.io.waveforms.times import UNKNOWN, after
from seisloom.sample import Array

STAND_INS = {"N": "1", "E": "2", "Z": "3"}
"""Components of sensors whose horizontals point elsewhere (SEED manual, appendix A): 1 and 2 are orthogonal, their
azimuths stand in the station's metadata."""


@dataclass(frozen=True, slots=True, eq=False)
class Waveform:
    """Components of one instrument of a station."""

    values: Array
    """Amplitudes, float32 (channel, time), in the file's unit; NaN in gaps, and where a component began later."""
    channels: tuple[str, ...]
    """Component of each row: Z, N, E, 1, 2, ...: the last letter of its SEED channel code."""
    fs_hz: float
    start: np.datetime64 = UNKNOWN
    """UTC time of the first sample; NaT where the file has none."""
    network: str = ""
    station: str = ""
    location: str = ""
    band: str = ""
    """Band and instrument: the first two letters of the SEED channel code, such as HH; empty where not known."""
    path: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Samples by what was met: `gap` not recorded, `overlap` recorded twice alike, `conflict` recorded twice and not
    alike, which are NaN; `rounded` integers that float32 does not hold."""
    notes: tuple[str, ...] = ()
    """What was assumed in reading it."""

    @property
    def name(self) -> str:
        """NETWORK.STATION.LOCATION.BAND, as SEED has it without the component."""
        return f"{self.network}.{self.station}.{self.location}.{self.band}"

    @property
    def n_samples(self) -> int:
        """Samples along time."""
        return int(self.values.shape[-1])

    @property
    def duration_s(self) -> float:
        """Length in s."""
        return self.n_samples / self.fs_hz

    def with_channels(self, wanted: Sequence[str], *, missing: str = "refuse") -> Waveform:
        """Return the record with these components in this order.

        Where N, E or Z is not there, 1, 2 or 3 takes its place, and a note says so.

        Args:
            wanted: components, such as Z, N, E.
            missing: what becomes of one that is not there: `refuse`, or `zero` for a row of zeros, which is noted.
        Raises:
            DataError: if a component is not there.
        """
        rows, notes = [], list(self.notes)
        for channel in wanted:
            own = component_for(channel, self.channels)
            if own is None and missing == "refuse":
                raise DataError(
                    f"{self.path or 'array'}: {self.name} has no component {channel}; it has "
                    f"{', '.join(self.channels) or 'none'}. Choose others: data.channels=[{','.join(self.channels)}]"
                )
            if own is None:
                notes.append(f"component {channel} is not there: zeros")
                rows.append(np.zeros(self.n_samples, np.float32))
                continue
            if own != channel:
                notes.append(f"component {own} is taken for {channel}; its azimuth is not known")
            rows.append(self.values[self.channels.index(own)])
        return replace(self, values=np.stack(rows), channels=tuple(wanted), notes=tuple(notes))

    def piece(self, first: int, n: int) -> Waveform:
        """Return n samples from a place on, which may lie outside of the record: NaN there."""
        values = np.full((len(self.channels), n), np.nan, np.float32)
        low, high = max(first, 0), min(first + n, self.n_samples)
        if high > low:
            values[:, low - first : high - first] = self.values[:, low:high]
        start = self.start if np.isnat(self.start) else after(self.start, first / self.fs_hz)
        return replace(self, values=values, start=start)


def component_for(wanted: str, there: Sequence[str]) -> str | None:
    """Return which of the components that are there stands for one that is wanted, or None.

    >>> component_for("N", ("1", "2", "Z"))
    '1'
    """
    if wanted in there:
        return wanted
    stand_in = STAND_INS.get(wanted)
    return stand_in if stand_in in there else None
