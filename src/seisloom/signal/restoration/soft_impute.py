"""SoftImpute: missing traces filled by shrinking the singular values of Hankel matrices."""

from __future__ import annotations

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.restoration.mssa import check
from seisloom.signal.restoration.panel import checked, put_back
from seisloom.signal.restoration.spectra import Spectra, by_frequency
from seisloom.signal.restoration.subspace import fill_low_rank
from seisloom.signal.restoration.windows import Windows


def soft_impute(
    values: Array,
    is_live: Array,
    *,
    weakest: float = 0.01,
    rank: int = 10,
    n_traces: int = 30,
    n_samples: int = 100,
    n_iterations: int = 20,
) -> Array:
    """Return dead traces filled so that Hankel matrices of windows have a small sum of singular values.

    The threshold falls exponentially from half of the largest singular value, each step beginning where the last ended.
    A panel's own matrix (trace, time) would not do: of a row without any sample nothing is known.

    Args:
        values, is_live, n_traces, n_samples: as for `mssa_fill`.
        weakest: last threshold as a share of the largest singular value at the window's frequency, 0 to below 0.5.
        rank: singular values that are followed; those beyond are taken as 0.
        n_iterations: steps of the threshold.
    Raises:
        DataError: as for `mssa_fill`.
    Source: Mazumder, Hastie & Tibshirani (2010), JMLR 11, 2287-2322, algorithm 1, with one iteration a threshold; with
        means along antidiagonals after each, so that the matrices stay Hankel.
    """
    check(rank, 0, n_iterations)
    if not 0 < weakest < 0.5:
        raise DataError(f"weakest is {weakest}; it is above 0 and below 0.5, 0.01 is usual")
    x, live = checked(values, is_live)
    falling = np.geomspace(0.5, weakest, n_iterations)

    def fill(seen: Spectra) -> Array:
        return np.asarray(fill_low_rank(seen.values.astype(np.complex128), seen.is_live, rank, 0, falling))

    return put_back(by_frequency(x, live, Windows.of(x.shape, n_traces, n_samples), fill), x, live)
