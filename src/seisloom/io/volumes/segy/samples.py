"""Samples as SEG-Y stores them, and as numbers: IBM System/360 floats above all.

An IBM float has four bytes: a sign, an exponent of 16 and a fraction of 24 bits; its value is
(-1)^sign x fraction / 2^24 x 16^(exponent - 64). Source: IBM System/360 Principles of Operation (1964), floating-point
arithmetic; SEG-Y rev 1 (2002), format code 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from seisloom.errors import DataError
from seisloom.io.segy.layout import IBM, IEEE, SAMPLE_TYPES
from seisloom.sample import Array

SIGN, EXPONENT, FRACTION = np.uint32(0x80000000), np.uint32(0x7F000000), np.uint32(0x00FFFFFF)
LOWEST, HIGHEST = np.uint32(0x27000000), np.uint32(0x65000000)
"""Exponents whose power of 16 is a normal float32: between them one product is the value, and nothing is rounded."""
LARGEST = np.uint32(0x7FFFFFFF)
"""About 7.2e75; what infinity becomes, and what float32 reads as infinity."""

IN_CACHE = 1 << 16
"""Samples that are converted at once: what is between two steps stays in the cache of a core."""
WRITTEN_AS = {"f2": IEEE, "f4": IEEE, "f8": IEEE, "b1": 8, "i1": 8, "u1": 3, "i2": 3, "u2": 2, "i4": 2}
"""Format code of rev 1 that holds numbers of a type; float64 alone loses bits."""


def sample_type(format_code: int) -> np.dtype[Any]:  # Any: one of several number types
    """Return the type that samples of a format are read as, in native byte order: float32 for IBM floats."""
    return np.dtype("f4" if format_code == IBM else SAMPLE_TYPES[format_code])


def encode(values: Array, format_code: int, order: str) -> Array:
    """Return samples as a file holds them, in a byte order as NumPy writes it."""
    stored = to_ibm(values) if format_code == IBM else values
    return np.ascontiguousarray(stored, dtype=order + SAMPLE_TYPES[format_code])


def from_ibm(words: Array) -> Array:
    """Return IBM floats as float32 of the same shape, each rounded at most once.

    Normalised words between 1.2e-38 and 3.4e38 are exact, those above become infinite, those below lose bits. Words
    that are not normalised are read for what they are worth; segyio's `tools.native` reads a fraction of 0 wrongly.

    Args:
        words: unsigned 32-bit numbers of any byte order.

    >>> from_ibm(np.array([0x41100000, 0xC276A000, 0x40000000], dtype=np.uint32)).tolist()
    [1.0, -118.625, 0.0]
    """
    bits = np.array(words, dtype=np.uint32)
    fraction, exponent = bits & FRACTION, bits & EXPONENT
    rare = (exponent - LOWEST > HIGHEST - LOWEST) & (fraction != 0)
    power = np.clip(exponent, LOWEST, HIGHEST)
    power <<= np.uint32(1)  # 4 x the exponent of 16, where float32 has that of 2
    power -= np.uint32(153 << 23)  # 127 of float32, less 4 x 64 and the 24 bits of the fraction
    power |= bits & SIGN
    with np.errstate(over="ignore", under="ignore"):
        values = fraction.astype(np.float32)
        values *= power.view(np.float32)
        if rare.any():
            far = np.ldexp(fraction[rare].astype(np.float64), 4 * (exponent[rare] >> 24).astype(np.int32) - 280)
            values[rare] = np.where(bits[rare] & SIGN, -far, far)
    return values


def from_ibm_in_place(words: Array) -> Array:
    """Return IBM floats as float32 in the same memory; `words` is contiguous uint32 in native byte order."""
    flat, values = words.reshape(-1), words.reshape(-1).view(np.float32)
    for start in range(0, flat.size, IN_CACHE):
        values[start : start + IN_CACHE] = from_ibm(flat[start : start + IN_CACHE])
    return values.reshape(words.shape)


def to_ibm(values: Array) -> Array:
    """Return float32 as normalised IBM floats, uint32 of the same shape in native byte order.

    Each is the nearest, ties to even: up to 3 of the 24 bits of a float32 are lost, none of a value that was read from
    a normalised word. So words come back bit for bit, but for those that float32 does not hold (beyond 3.4e38, or
    below 1.2e-38) and those that were not normalised, which come back normalised. Infinity becomes the largest number.

    Raises:
        DataError: if a value is NaN, which IBM floats do not have.

    >>> [hex(one) for one in to_ibm(np.array([1.0, -118.625], dtype=np.float32)).tolist()]
    ['0x41100000', '0xc276a000']
    """
    numbers = np.ascontiguousarray(values, dtype=np.float32)
    bits = numbers.view(np.uint32)
    exponent = bits >> 23 & np.uint32(0xFF)
    special = exponent == 255
    if special.any() and np.isnan(numbers).any():
        raise DataError(
            f"{int(np.isnan(numbers).sum())} samples are NaN, and IBM floats have none. Write another format, or fill "
            "the gaps first"
        )
    small = (exponent == 0) & (bits << 1 != 0)
    if small.any():  # subnormal: 2^24 times it is normal, and 16^6 is what its exponent has too much
        raised = to_ibm(np.ldexp(np.where(small, numbers, 0), 24)) - np.uint32(6 << 24)
        return np.where(small, raised, to_ibm(np.where(small, np.float32(0), numbers)))
    shift = (np.uint32(2) - exponent) & np.uint32(3)  # to a whole power of 16
    fraction = (bits & np.uint32(0x7FFFFF)) | np.uint32(0x800000)
    half = (np.uint32(1) << shift) >> np.uint32(1)
    odd = (fraction >> shift) & np.uint32(1) & (shift != 0)
    fraction += half + odd - (half != 0)
    fraction >>= shift
    words = (bits & SIGN) | (exponent + np.uint32(130) + shift) >> np.uint32(2) << np.uint32(24) | fraction
    words = np.where(exponent == 0, bits, words)  # zero, with its sign
    return np.where(special, (bits & SIGN) | LARGEST, words) if special.any() else words
