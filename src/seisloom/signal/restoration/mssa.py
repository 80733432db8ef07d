"""Singular spectrum analysis along traces (Cadzow filtering): noise taken off, and missing traces filled."""

from __future__ import annotations

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.restoration.hankel import damped_rank, hankel, keep_rank, low_rank, mean_antidiagonals
from seisloom.signal.restoration.panel import checked, put_back
from seisloom.signal.restoration.spectra import Spectra, by_frequency
from seisloom.signal.restoration.subspace import fill_low_rank
from seisloom.signal.restoration.windows import Windows


def mssa_fill(
    values: Array,
    is_live: Array,
    *,
    rank: int = 4,
    n_traces: int = 30,
    n_samples: int = 100,
    n_iterations: int = 20,
    damping: int = 0,
) -> Array:
    """Return dead traces filled so that Hankel matrices of windows have a low rank.

    Iterates: a Hankel matrix a frequency, its largest singular values, means along antidiagonals, live traces put back.

    Args:
        values, is_live: see `panel`; equally spaced traces.
        rank: straight events in a window.
        n_traces, n_samples: size of the windows; a window of a smaller panel has all of its traces.
        n_iterations: more for more missing traces.
        damping: exponent of `hankel.damped_rank`, 1 to 4 for noisy panels; 0 truncates.
    Raises:
        DataError: see `panel.checked`; or a parameter does not fit.
    Source: Oropeza & Sacchi (2011), Geophysics 76(3), V25-V32, with all of the data put back; a trace every n-th
        of which is live is its own alias, and is filled with zeros.
    """
    check(rank, damping, n_iterations)
    x, live = checked(values, is_live)
    none = np.zeros(n_iterations)

    def fill(seen: Spectra) -> Array:
        return np.asarray(fill_low_rank(seen.values.astype(np.complex128), seen.is_live, rank, damping, none))

    return put_back(by_frequency(x, live, Windows.of(x.shape, n_traces, n_samples), fill), x, live)


def mssa_denoise(values: Array, *, rank: int = 4, n_traces: int = 30, n_samples: int = 100, damping: int = 2) -> Array:
    """Return a panel (trace, time) whose windows have Hankel matrices of low rank: random noise taken off.

    Args and Raises: as for `mssa_fill`; all traces are live.
    Source: Trickett (2008), F-xy Cadzow noise suppression, SEG abstracts, 2586-2590; damping by Huang et al. (2016).
    """
    check(rank, damping, 1)
    x, live = checked(values)
    shrink = damped_rank(rank, damping) if damping else keep_rank(rank)

    def denoise(seen: Spectra) -> Array:
        return mean_antidiagonals(low_rank(hankel(seen.values), shrink))

    return by_frequency(x, live, Windows.of(x.shape, n_traces, n_samples), denoise) if len(x) > 1 else x


def check(rank: int, damping: int, n_iterations: int) -> None:
    """Raise DataError unless the parameters of a filling by low rank fit."""
    if rank < 1 or n_iterations < 1 or damping < 0:
        raise DataError(f"rank {rank} and n_iterations {n_iterations} are at least 1, damping {damping} at least 0")
