"""The high-resolution Radon transform against its primal form, and how sharp it is."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.signal.velocity_spectra.radon import radon

from .waves import FREQUENCY_HZ, INTERVAL_S, LENGTH_M, OFFSETS_M, VELOCITY_M_S, add_noise, gather_of, plane_field

AXES = (INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, VELOCITY_M_S)


def test_one_iteration_is_damped_least_squares_in_its_primal_form() -> None:
    x = add_noise(gather_of(plane_field(200.0)), 0.2)
    got = radon(x, *AXES, weights="none", n_iterations=1, damping=0.05)
    d = np.fft.rfft(x)[:, 20] / 24
    k = 2 * np.pi * np.fft.rfftfreq(512, INTERVAL_S)[20] / VELOCITY_M_S
    L = np.exp(-1j * k * OFFSETS_M[:, None])
    mu = 0.05 * len(k)
    expected = np.abs(np.linalg.solve(L.conj().T @ L + mu * np.eye(len(k)), L.conj().T @ d))
    # The reference solves 260 equations with 24 data; ours runs in float32
    np.testing.assert_allclose((got.panel * got.scale)[:, 12], expected, atol=1e-4 * expected.max())


def test_two_modes_closer_than_the_resolution_are_told_apart() -> None:
    k, f = 0.9 + np.array([0, 0.7]) * 2 * np.pi / LENGTH_M, FREQUENCY_HZ[20]
    slow, fast = 2 * np.pi * f / k[1], 2 * np.pi * f / k[0]
    delay = np.exp(1j * (0.5 * np.pi + np.diff(k)[0] * OFFSETS_M.mean()))
    x = gather_of(plane_field(fast) + delay * plane_field(slow))
    column = radon(x, *AXES, weights="none", n_iterations=8, damping=0.01).panel[:, 20]
    ridges = np.flatnonzero((column[1:-1] > column[:-2]) & (column[1:-1] > column[2:]) & (column[1:-1] > 0.3)) + 1
    assert len(ridges) == 2
    # The f-k spectrum has one ridge over both, see `test_wavenumber`
    np.testing.assert_allclose(VELOCITY_M_S[ridges], [slow, fast], atol=4)
    assert column[ridges[0] : ridges[1]].min() < 0.35


def test_options_that_do_not_fit_are_told() -> None:
    x = gather_of(plane_field(200.0))
    with pytest.raises(DataError, match="damping is 0; it is above 0"):
        radon(x, *AXES, damping=0)
    with pytest.raises(DataError, match="n_iterations is 0; it is 1 or more"):
        radon(x, *AXES, n_iterations=0)
