"""Spectra of windows, frequency by frequency: where a straight event is a complex exponential along traces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from seisloom.sample import Array
from seisloom.signal.restoration.windows import Windows

QUIET = 1e-5
"""Power, over that of the strongest frequency, below which a frequency is left as it is: 50 dB down there is nothing to
restore, and half of the work."""


@dataclass(frozen=True, slots=True)
class Spectra:
    """Spectra of the windows that are not silent, at the frequencies that are not quiet."""

    values: Array
    """complex (window, frequency, trace), zeros in dead traces."""
    is_live: Array
    """bool (window, trace)."""
    frequency: Array
    """In cycles a sample, (frequency,), rising."""
    cut: Array
    """The windows themselves, (window, trace, time)."""
    bins: Array
    """Number of each frequency among those of the discrete Fourier transform, (frequency,)."""
    n_fft: int

    def slowed(self, step: int) -> Array:
        """Return what `values` are, at frequencies a whole number of times lower."""
        return rfft(self.cut, step * self.n_fft, axis=-1)[..., self.bins].swapaxes(1, 2)


def by_frequency(values: Array, is_live: Array, windows: Windows, fill: Callable[[Spectra], Array]) -> Array:
    """Return a panel whose windows are restored by a function from their spectra to values of the same shape.

    Args:
        values, is_live: checked, with zeros in dead traces.
        windows: of this panel.
        fill: is not asked when the panel is silent.
    """
    cut, live = windows.cut(values), windows.cut_traces(is_live)
    n_time = cut.shape[-1]
    n_fft = next_fast_len(n_time, real=True)
    spectra = rfft(cut, n_fft, axis=-1).swapaxes(1, 2)
    power = np.sum(np.abs(spectra) ** 2, axis=(0, 2), dtype=np.float64)
    heard = np.flatnonzero((power > QUIET * power.max()) & (power > 0))
    used = np.flatnonzero(np.abs(cut).max(axis=(1, 2)) > 0)
    if heard.size:
        some = np.ix_(used, heard)
        seen = Spectra(np.ascontiguousarray(spectra[some]), live[used], heard / n_fft, cut[used], heard, n_fft)
        spectra[some] = fill(seen)
    return windows.join(irfft(spectra.swapaxes(1, 2), n_fft, axis=-1)[..., :n_time])
