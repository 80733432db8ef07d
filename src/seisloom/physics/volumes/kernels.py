"""Compiled loops over columns of a box: convolutions with short kernels, and noise that is a hash of the coordinates.

Sums run in a fixed order over the taps, and each output is summed alone, so that no box changes a byte of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from seisloom.sample import Array

# Odd constants of splitmix64: Steele, Lea & Flood (2014), OOPSLA, 453-472
GOLDEN, MIX_1, MIX_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
PER_UNIT = np.float32(np.sqrt(3.0) / 65536.0)  # four uniform numbers of 16 bits: their sum has variance 4/12 * 2^32


@njit(cache=True, nogil=True, inline="always")
def _mixed(bits: np.uint64) -> np.uint64:
    bits = (bits ^ (bits >> np.uint64(30))) * MIX_1
    bits = (bits ^ (bits >> np.uint64(27))) * MIX_2
    return bits ^ (bits >> np.uint64(31))


@njit(cache=True, nogil=True, inline="always")
def _normal(bits: np.uint64) -> np.float32:
    """Return about a standard normal number, within 3.5: the sum of four uniform ones."""
    low = (bits & np.uint64(0xFFFF)) + ((bits >> np.uint64(16)) & np.uint64(0xFFFF))
    high = ((bits >> np.uint64(32)) & np.uint64(0xFFFF)) + (bits >> np.uint64(48))
    return (np.float32(np.int64(low + high)) - np.float32(131070.0)) * PER_UNIT


@njit(cache=True, nogil=True, inline="always")
def _column_bits(seed: np.uint64, i: Any, j: Any) -> np.uint64:
    return _mixed(_mixed(seed + np.uint64(i) * GOLDEN) + np.uint64(j) * GOLDEN)


@njit(cache=True, nogil=True)
def white_noise(c0: int, c1: int, first: Array, seed: np.uint64, out: Array) -> None:
    """Fill columns c0 to c1 with standard normal numbers, each a hash of its own coordinates."""
    for c in range(c0, c1):
        i, j = c // out.shape[1], c % out.shape[1]
        start = _column_bits(seed, first[0] + i, first[1] + j) + np.uint64(first[2]) * GOLDEN
        for k in range(out.shape[2]):
            out[i, j, k] = _normal(_mixed(start + np.uint64(k) * GOLDEN))


@njit(cache=True, nogil=True)
def convolve_lateral(c0: int, c1: int, values: Array, taps: Array, step_i: int, step_j: int, out: Array) -> None:
    """Fill columns of `out` with sums of neighbouring columns of `values`, of which the first lies on the first tap."""
    for c in range(c0, c1):
        i, j = c // out.shape[1], c % out.shape[1]
        column = out[i, j]
        column[:] = np.float32(0.0)
        for n in range(taps.shape[0]):
            tap, other = taps[n], values[i + n * step_i, j + n * step_j]
            for k in range(column.shape[0]):
                column[k] += tap * other[k]


@njit(cache=True, nogil=True)
def convolve_time(c0: int, c1: int, values: Array, offset: Array, taps: Array, out: Array) -> None:
    """Fill columns of `out` with the convolution of `values`, whose box begins `offset` voxels before that of `out`.

    out[k] = sum over n of taps[n] values[k + offset - n], for 0 <= k + offset - n < n_time of `values`.
    """
    for c in range(c0, c1):
        i, j = c // out.shape[1], c % out.shape[1]
        column, source = out[i, j], values[i + offset[0], j + offset[1]]
        column[:] = np.float32(0.0)
        for n in range(taps.shape[0]):
            tap, shifted = taps[n], source[offset[2] - n : offset[2] - n + column.shape[0]]
            for k in range(column.shape[0]):
                column[k] += tap * shifted[k]


@njit(cache=True, nogil=True, inline="always")
def _weights(a: float) -> tuple[float, float, float, float]:
    """Return the cubic B-splines at a place between two of their nodes, 0 <= a < 1."""
    b = 1.0 - a
    return b * b * b / 6, (3 * a * a * (a - 2) + 4) / 6, (3 * b * b * (b - 2) + 4) / 6, a * a * a / 6


@njit(cache=True, nogil=True)
def smooth_noise(c0: int, c1: int, first: Array, spacing: Array, seed: np.uint64, out: Array) -> None:
    """Fill columns with smooth noise of about unit RMS: cubic B-splines on hashed nodes `spacing` voxels apart."""
    low = np.int64(np.floor(first[2] / spacing[2])) - 1
    n_nodes = np.int64(np.floor((first[2] + out.shape[2] - 1) / spacing[2])) + 3 - low
    nodes = np.empty(n_nodes)
    scale = 1.0 / 0.4793**1.5  # the mean of the sum of squares of the four weights is 151/315
    for c in range(c0, c1):
        i, j = c // out.shape[1], c % out.shape[1]
        p, q = (first[0] + i) / spacing[0], (first[1] + j) / spacing[1]
        at_i, at_j = np.int64(np.floor(p)), np.int64(np.floor(q))
        wi, wj = _weights(p - at_i), _weights(q - at_j)
        nodes[:] = 0.0
        for m in range(4):
            for n in range(4):
                bits = _column_bits(seed, at_i + m - 1, at_j + n - 1)
                weight = scale * wi[m] * wj[n]
                for k in range(n_nodes):
                    nodes[k] += weight * _normal(_mixed(bits + np.uint64(low + k) * GOLDEN))
        for k in range(out.shape[2]):
            r = (first[2] + k) / spacing[2]
            at = np.int64(np.floor(r))
            w = _weights(r - at)
            at -= 1 + low
            out[i, j, k] = w[0] * nodes[at] + w[1] * nodes[at + 1] + w[2] * nodes[at + 2] + w[3] * nodes[at + 3]


@njit(cache=True, nogil=True)
def add_events(
    c0: int, c1: int, first: Array, events: Array, slopes: Array, rms: float, n_cross: int, out: Array
) -> None:
    """Add dipping linear events: traces that repeat themselves, moved by their slope from column to column."""
    mask = events.shape[1] - 1  # a power of two
    for c in range(c0, c1):
        i, j = c // n_cross, c % n_cross
        for n in range(events.shape[0]):
            late = slopes[n, 0] * (first[0] + i) + slopes[n, 1] * (first[1] + j)
            whole = np.int64(np.floor(late))
            w = _weights(late - whole)
            w0, w1 = np.float32(w[0] * rms), np.float32(w[1] * rms)
            w2, w3 = np.float32(w[2] * rms), np.float32(w[3] * rms)
            event = events[n]
            for k in range(out.shape[2]):
                at = first[2] + k - whole
                out[i, j, k] += (
                    w0 * event[(at + 1) & mask]
                    + w1 * event[at & mask]
                    + w2 * event[(at - 1) & mask]
                    + w3 * event[(at - 2) & mask]
                )


@njit(cache=True, nogil=True)
def finish(c0: int, c1: int, first: Array, noise: Array, footprint: Array, bursts: Array, signal: Array) -> None:
    """Put noise on the signal, in place: stronger in bursts, and all of it under the footprint."""
    amplitude, k_i, k_j, phase_i, phase_j, half_depth = footprint
    for c in range(c0, c1):
        i, j = c // signal.shape[1], c % signal.shape[1]
        x, y = first[0] + i, first[1] + j
        for n in range(bursts.shape[0]):
            lateral = ((x - bursts[n, 0]) * bursts[n, 3]) ** 2 + ((y - bursts[n, 1]) * bursts[n, 4]) ** 2
            if lateral >= 1.0:
                continue
            for k in range(signal.shape[2]):
                left = 1.0 - lateral - ((first[2] + k - bursts[n, 2]) * bursts[n, 5]) ** 2
                if left > 0.0:
                    noise[i, j, k] *= 1.0 + bursts[n, 6] * left * left
        pattern = 0.5 * amplitude * (np.cos(k_i * x + phase_i) + np.cos(k_j * y + phase_j))
        for k in range(signal.shape[2]):
            gain = 1.0 + pattern * half_depth / (half_depth + max(0, first[2] + k))
            signal[i, j, k] = np.float32(gain) * (signal[i, j, k] + noise[i, j, k])
