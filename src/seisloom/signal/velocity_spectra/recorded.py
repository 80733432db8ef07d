"""A gather at the frequencies of a panel: checked, its dead traces known, its spectra without an FFT's raster."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.velocity_spectra.axes import check_frequencies, check_offsets, check_velocities

BLOCK = 256
"""Samples that are transformed at once: their waves stay in a processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """Spectra of the traces of a spread."""

    spectra: Array
    """complex128 (shot, trace, frequency), sum of samples times exp(-i omega t); 0 where a trace is dead."""
    distances_m: Array
    """(trace,), from the source; they grow or fall."""
    live: Array
    """(trace,), that a trace is not dead in every shot."""
    frequency_hz: Array
    velocity_m_s: Array
    n_dead: int
    """Traces of all shots with one and the same value throughout."""
    n_nan: int
    """Traces of all shots with a value that is not finite."""

    def only_live(self) -> Recorded:
        """Return the same without the traces that are dead in every shot."""
        if self.live.all():
            return self
        kept = self.live
        return replace(self, spectra=self.spectra[:, kept], distances_m=self.distances_m[kept], live=kept[kept])


def record(
    gather: Array, interval_s: float, offsets_m: Array, frequency_hz: Array, velocity_m_s: Array, *, shots: bool = False
) -> Recorded:
    """Return the spectra of a gather.

    Args:
        gather: (trace, time), any unit, the first sample at the time of the shot. A trace with NaN or inf is left out
            with a warning, one of a single value throughout without.
        interval_s: between samples, in s.
        offsets_m: (trace,), in m, all on one side of the source, growing or falling.
        frequency_hz: (frequency,), ascending, of 1 / length of the gather to the Nyquist frequency; any raster.
        velocity_m_s: (velocity,), ascending.
        shots: that (shot, trace, time) is right too: sources at one and the same place of the spread.
    Raises:
        DataError: if anything does not fit, or fewer than two traces are live.
    """
    traces = np.asarray(gather)
    if traces.ndim not in ((2, 3) if shots else (2,)) or traces.size == 0 or np.iscomplexobj(traces):
        expected = "(trace, time), or (shot, trace, time)" if shots else "(trace, time)"
        raise DataError(f"the gather has shape {traces.shape} and type {traces.dtype}; expected real {expected}")
    traces = traces.reshape(-1, *traces.shape[-2:])
    n_traces, n_time = traces.shape[-2:]
    distances = check_offsets(offsets_m, n_traces)
    frequency = check_frequencies(frequency_hz, n_time=n_time, interval_s=interval_s)
    velocity = check_velocities(velocity_m_s)
    finite = np.isfinite(traces).all(axis=-1)
    if not finite.all():
        shot, trace = np.argwhere(~finite)[0]
        warnings.warn(
            f"{np.sum(~finite)} of {finite.size} traces have values that are not finite and are left out; the first is "
            f"trace {trace}{f' of shot {shot}' if len(traces) > 1 else ''}",
            stacklevel=3,
        )
    live = finite & (traces != traces[..., :1]).any(axis=-1)
    if (n_live := int(live.any(axis=0).sum())) < 2:
        raise DataError(f"{n_live} of {n_traces} traces are live; a phase velocity needs two. Look at the gather.")
    if not live.all():
        traces = np.where(live[..., None], traces, 0)
    return Recorded(
        spectra=spectra_at(traces, interval_s, frequency),
        distances_m=distances,
        live=live.any(axis=0),
        frequency_hz=frequency,
        velocity_m_s=velocity,
        n_dead=int((finite & ~live).sum()),
        n_nan=int((~finite).sum()),
    )


def spectra_at(traces: Array, interval_s: float, frequency_hz: Array) -> Array:
    """Return the Fourier sums of traces (..., time) at any frequencies, complex128 (..., frequency), first sample at 0.

    Blocks of samples share their waves; each block is shifted to its time.
    """
    n_time, n_frequencies = traces.shape[-1], len(frequency_hz)
    n_blocks = -(-n_time // BLOCK)
    blocks = np.zeros((*traces.shape[:-1], n_blocks * BLOCK))
    blocks[..., :n_time] = traces
    sums = (blocks.reshape(-1, BLOCK) @ _waves(interval_s, frequency_hz.tobytes())).view(np.complex128)
    first_s = np.arange(n_blocks) * (BLOCK * interval_s)
    shift = np.exp(-2j * np.pi * (first_s[:, None] * frequency_hz))
    sums = sums.reshape(*traces.shape[:-1], n_blocks, n_frequencies)
    return np.asarray(np.einsum("...bf,bf->...f", sums, shift))


@lru_cache(maxsize=8)
def _waves(interval_s: float, frequencies: bytes) -> Array:
    """Return cosines and minus sines of a block in turn, (time, 2 frequency)."""
    time_s = np.arange(BLOCK) * interval_s
    waves = np.exp(-2j * np.pi * (time_s[:, None] * np.frombuffer(frequencies)))
    return np.asarray(waves.view(np.float64))
