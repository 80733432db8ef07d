"""Drawing numbers from ranges."""

from __future__ import annotations

import numpy as np

from seisloom.sample import Array


def log_uniform(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    """Return a number between two bounds above 0, its logarithm uniform."""
    return float(bounds[0] * (bounds[1] / bounds[0]) ** rng.random())


def smooth(rng: np.random.Generator, place: Array, n_rows: int, *, shortest: float = 0.4) -> Array:
    """Return smooth random curves of unit deviation along a spread, shape (row, trace).

    Args:
        place: along the spread, in its lengths, shape (trace,).
        n_rows: number of curves.
        shortest: wavelength of the fastest part, in lengths of the spread; the slowest is 3 long.
    """
    wave_number = 2 * np.pi / np.array([3.0, 1.2, shortest])
    phase = wave_number * place[:, None]
    both = np.concatenate([np.cos(phase), np.sin(phase)], axis=1)
    return np.asarray(rng.standard_normal((n_rows, 6)) @ both.T / np.sqrt(3.0))
