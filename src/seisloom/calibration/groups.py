"""Bins of SNR for Mondrian calibration: weak and strong arrivals each get their own quantile."""

from __future__ import annotations

import numpy as np

from seisloom.errors import CalibrationError
from seisloom.sample import Array


def snr_edges(
    snr_db: Array, *, n_bins: int, min_n: int = 100, groups: Array | None = None, min_groups: int = 1
) -> tuple[float, ...]:
    """Return the inner edges of SNR bins that hold equally many calibration picks, small bins merged.

    A bin with fewer than `min_n` picks, or picks of fewer than `min_groups` groups, is merged into the neighbour that
    has fewer picks, until all are large enough or one is left. The outer bins are open: any later SNR has a bin.

    Args:
        snr_db: SNR in dB, shape (pick,); NaN (not known) and infinite values take no part.
        n_bins: bins to start from, at least 1.
        min_n: least number of picks a bin; 100 holds the coverage of a 90 % interval to about +-3 %.
        groups: calibration unit of each pick, shape (pick,), or None.
        min_groups: least number of groups a bin; 9 are needed for a finite 90 % quantile of `conformal_quantile`.
    Returns:
        Increasing edges in dB, between 0 and `n_bins` - 1 of them.
    Source: Mondrian conformal prediction, Vovk, Gammerman & Shafer (2005), Algorithmic learning in a random world,
        sec. 4.5; quantile bins as in Dewolf et al. (2023), arXiv 2309.08313, sec. 4.

    >>> snr_edges(np.arange(300.0), n_bins=3)
    (100.0, 200.0)
    >>> snr_edges(np.arange(150.0), n_bins=3)
    ()
    """
    if n_bins < 1:
        raise CalibrationError(f"n_bins is {n_bins}; use 1 for a single quantile, 3 to 5 for bins by SNR")
    snr_db = np.asarray(snr_db, float)
    known = np.isfinite(snr_db)
    values = snr_db[known]
    labels = None if groups is None else np.asarray(groups).astype(str)[known]
    if values.size == 0:
        return ()
    # An edge is the smallest value of the bin above it, so that equal values never part.
    ranks = (np.arange(1, n_bins) * values.size) // n_bins
    edges = sorted(set(np.sort(values)[ranks].tolist()))
    while edges:
        bins = np.searchsorted(edges, values, side="right")
        n = np.bincount(bins, minlength=len(edges) + 1)
        n_groups = [
            min_groups if labels is None else np.unique(labels[bins == one]).size for one in range(len(edges) + 1)
        ]
        small = [one for one in range(len(n)) if n[one] < min_n or n_groups[one] < min_groups]
        if not small:
            break
        one = min(small, key=lambda b: int(n[b]))
        below_is_smaller = one > 0 and (one == len(edges) or n[one - 1] <= n[one + 1])
        del edges[one - 1 if below_is_smaller else one]
    return tuple(float(edge) for edge in edges)


def snr_bin(snr_db: Array, edges_db: tuple[float, ...]) -> Array:
    """Return the bin of each SNR: 0 below the first edge, len(edges) from the last edge up, -1 for NaN.

    Args:
        snr_db: SNR in dB, any shape.
        edges_db: increasing inner edges; a value on an edge belongs to the bin above it.
    Returns:
        Bins, int64, the shape of `snr_db`.

    >>> snr_bin(np.array([-3.0, 10.0, 25.0, np.nan]), (10.0, 20.0))
    array([ 0,  1,  2, -1])
    """
    snr_db = np.asarray(snr_db, float)
    return np.where(np.isnan(snr_db), -1, np.searchsorted(edges_db, snr_db, side="right")).astype(np.int64)
