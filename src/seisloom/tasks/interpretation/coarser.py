"""A survey that is sampled finer than what a network learnt from: seen on every n-th sample, and brought back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal

from seisloom.sample import Array, Arrays, Predictor


@dataclass(frozen=True, slots=True)
class Coarser:
    """Lets a predictor see every n-th trace and sample, of all that a tile holds, without aliasing."""

    traces: int
    """Along each lateral axis."""
    time: int

    def __call__(self, predictor: Predictor) -> Predictor:
        """Return the predictor on the finer grid: outputs lie on it, and are in its units."""

        def predict(arrays: Arrays) -> Arrays:
            x = arrays["x"]
            place = x.shape[2:]
            factors = (*[self.traces] * (len(place) - 1), self.time)
            small = x
            for axis, factor in enumerate(factors, start=2):
                if factor > 1 and small.shape[axis] > 1:
                    # A line through the ends goes on beyond them: zeros there would be a reflector
                    small = signal.resample_poly(small, 1, factor, axis=axis, padtype="line").astype(x.dtype)
            found = predictor({**arrays, "x": small})
            return {name: self._back(name, one, place, factors) for name, one in found.items() if name != "rgt"}

        return predict

    def _back(self, name: str, values: Array, place: tuple[int, ...], factors: tuple[int, ...]) -> Array:
        """Return an output (item, *place) or (item, component, *place) on the finer grid."""
        if name == "normal":  # depth, crossline, inline: a plane through (k z, k x) has a normal of (z / k, x / k)
            scale = np.array([1 / self.time, *[1 / self.traces] * (values.shape[1] - 1)], values.dtype)
            values = values * scale.reshape(-1, *[1] * len(place))
        elif name == "rgt_steps":  # lateral ones in samples of time a trace; those along time stay about 1
            scale = np.array([*[self.time / self.traces] * (len(place) - 1), 1.0], values.dtype)
            values = values * scale.reshape(-1, *[1] * len(place))
        first = values.ndim - len(place)
        for axis, (n, factor) in enumerate(zip(place, factors, strict=True), start=first):
            if values.shape[axis] != n:
                values = _between(values, n, factor, axis)
        return values


def _between(values: Array, n: int, factor: int, axis: int) -> Array:
    """Return n samples along an axis, linear between those at every `factor`-th; the last one holds on."""
    at = np.arange(n) / factor
    last = values.shape[axis] - 1
    low = np.minimum(at.astype(int), last)
    share = (at - low).astype(values.dtype).reshape(-1, *[1] * (values.ndim - 1 - axis))
    before, after = values.take(low, axis), values.take(np.minimum(low + 1, last), axis)
    return np.asarray(before + np.minimum(share, 1) * (after - before))
