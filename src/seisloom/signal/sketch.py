"""Statistics that are gathered in parts and joined: the result does not depend on how the parts were cut."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from seisloom.sample import Array

BITS = 18
"""Of a float's sign, exponent and mantissa that tell a bin: 9 of the mantissa, so a bin is 0.2 % of its value wide."""
SHIFT = np.uint32(32 - BITS)
"""Bits of a float that do not."""


@dataclass(eq=False)
class AmplitudeSketch:
    """Counts of amplitudes in bins of equal relative width, over all that a float32 can hold.

    Quantiles are those of the data to 0.1 % of their value, in any order and any number of parts.
    """

    counts: Array = field(default_factory=lambda: np.zeros(1 << BITS, dtype=np.int64))
    """How many values fell into each bin, the smallest first."""

    def add(self, values: Array) -> None:
        """Count finite values of any shape."""
        bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32).ravel()
        # The bits of positive floats rise with them, those of negative ones fall
        order = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31)) >> SHIFT
        self.counts += np.bincount(order, minlength=1 << BITS)

    def join(self, other: AmplitudeSketch) -> None:
        """Take over the counts of another part."""
        self.counts += other.counts

    @property
    def n(self) -> int:
        """How many values were counted."""
        return int(self.counts.sum())

    def quantile(self, share: float) -> float:
        """Return the value that a share of all values lies at or below; NaN of nothing."""
        if not self.n:
            return float("nan")
        reached = np.cumsum(self.counts)
        place = int(np.searchsorted(reached, max(1, np.ceil(share * reached[-1]))))
        order = np.array([place], dtype=np.uint32) << SHIFT
        middle = order | np.uint32(1 << (int(SHIFT) - 1))
        negative = not order[0] >> 31
        bits = ~middle if negative else middle & np.uint32(0x7FFFFFFF)
        value = float(bits.view(np.float32)[0])
        # The bin around 0 holds nothing but zeros and what is as good as zero
        return 0.0 if abs(value) < np.finfo(np.float32).tiny else value


class ExactSum:
    """Sums of float64 numbers without rounding: integers on one scale, so any order gives the same.

    >>> total = ExactSum()
    >>> total.add(np.array([1e16, 1.0, -1e16]))
    >>> float(total)
    1.0
    """

    _SCALE = 1200
    """Binary places behind the point: enough for the smallest float64."""

    def __init__(self) -> None:
        self._total = 0

    def add(self, values: Array) -> None:
        """Add finite numbers of any shape."""
        mantissa, exponent = np.frexp(np.asarray(values, dtype=np.float64).ravel())
        whole = np.ldexp(mantissa, 53).astype(np.int64)
        for power in np.unique(exponent).tolist():
            here = whole[exponent == power]
            # Two halves, so that a billion of them still fit 64 bits
            high, low = int((here >> 27).sum()), int((here & ((1 << 27) - 1)).sum())
            self._total += ((high << 27) + low) << (power - 53 + self._SCALE)

    def join(self, other: ExactSum) -> None:
        """Take over the sum of another part."""
        self._total += other._total

    def __float__(self) -> float:
        return float(self._total / (1 << self._SCALE))
