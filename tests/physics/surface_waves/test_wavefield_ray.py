"""The sum over slownesses along a ray above the axis: J0 there, and the same response as along the axis."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import jv

from seisloom.physics.surface_waves import wavefield
from seisloom.physics.surface_waves.bessel import CELLS, j0_on_ray
from seisloom.physics.surface_waves.wavefield import vertical_response

from .plane import random_medium


@pytest.mark.parametrize("angle", [0.0, 0.01, 0.3])
def test_the_table_is_j0_on_the_ray(angle: float) -> None:
    ray = np.exp(1j * angle)
    of = j0_on_ray(ray, 40 * CELLS)
    x = np.arange(len(of) - 1) / CELLS
    size = np.exp(x * np.sin(angle))
    for share in (0.0, 0.5, -0.5):
        found = of[:-1, :2] + share * (of[:-1, 2:4] + share * of[:-1, 4:])
        off = np.abs(found @ [1, 1j] - jv(0, (x + share / CELLS) * ray)) / size
        assert off.max() < (1e-10 if share == 0 else 1e-6)  # a parabola is off by step^3 / 48 times f'''


@pytest.mark.parametrize("q", [15.0, 50.0, 200.0])
@pytest.mark.parametrize("distances", [[1.0, 5.0, 20.0], [10.0, 30.0, 56.0], [1.0, 60.0, 200.0]])
def test_the_ray_gives_what_a_dense_sum_along_the_axis_gives(
    monkeypatch: pytest.MonkeyPatch, distances: list[float], q: float
) -> None:
    frequency = np.linspace(3.0, 30.0, 10)
    for seed in range(4):
        medium = random_medium(seed)
        found = vertical_response(medium, frequency, distances, q_p=2 * q, q_s=q)
        with monkeypatch.context() as axis:
            axis.setattr(wavefield, "GROWTH", 1e-9)
            dense = vertical_response(medium, frequency, distances, q_p=2 * q, q_s=q, n_slowness=8000)
        assert (np.abs(found - dense).max(axis=0) / np.abs(dense).max(axis=0)).max() < 1e-3
