"""The frequency-Bessel transform of correlations that are known: J0 of k r."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import j0

from seisloom.errors import DataError
from seisloom.signal.velocity_spectra.correlations import KERNEL_NAMES, Kernel, fj, stack_equal_distances

from .waves import FREQUENCY_HZ, INTERVAL_S, VELOCITY_M_S, noise_correlation

DISTANCES_M = 2.0 * np.arange(1, 31)


@pytest.mark.parametrize("kernel", KERNEL_NAMES)
def test_the_peak_of_a_bessel_function_lies_at_its_wavenumber(kernel: Kernel) -> None:
    x = noise_correlation(200.0, DISTANCES_M)
    f = FREQUENCY_HZ[:20]  # without ghosts
    got = fj(x, INTERVAL_S, DISTANCES_M, f, VELOCITY_M_S, kernel=kernel)
    off = np.abs(2 * np.pi * f / got.peak_m_s - 2 * np.pi * f / 200)
    assert (off < 0.25 * got.limits.wavenumber_resolution_rad_m).all()


def test_the_integral_is_that_of_its_formula() -> None:
    x = noise_correlation(200.0, DISTANCES_M)
    got = fj(x, INTERVAL_S, DISTANCES_M, FREQUENCY_HZ, VELOCITY_M_S, normalise="overall")
    f, r = FREQUENCY_HZ[10], DISTANCES_M
    wavelet = (f / 30) ** 2 * np.exp(1 - (f / 30) ** 2)
    values = wavelet * j0(2 * np.pi * f * r / 200) * j0(2 * np.pi * f / VELOCITY_M_S[:, None] * r) * r
    expected = np.abs(np.trapezoid(values, r, axis=1))
    np.testing.assert_allclose((got.panel * got.scale)[:, 10], expected, atol=1e-3 * expected.max())


def test_hankel_has_no_crossed_artefact() -> None:
    r = 5.0 * np.arange(1, 20)
    f = FREQUENCY_HZ[(FREQUENCY_HZ > 12) & (FREQUENCY_HZ < 17)]
    k, true = 2 * np.pi * f / VELOCITY_M_S[:, None], 2 * np.pi * f / 200
    resolution = 2 * np.pi / (r[-1] - r[0])
    crossed = (np.abs(k - (2 * np.pi / 5 - true)) < resolution) & (np.abs(k - true) > 1.5 * resolution)
    bessel, hankel = (
        np.max(
            fj(noise_correlation(200.0, r), INTERVAL_S, r, f, VELOCITY_M_S, kernel=kernel).panel,
            0,
            where=crossed,
            initial=0,
        )
        for kernel in KERNEL_NAMES
    )
    assert (bessel > 0.5).all()
    assert (hankel < 0.12).all()


def test_pairs_of_equal_distance_are_stacked_and_broken_ones_left_out() -> None:
    pairs = np.array([[4.0, 4.0], [1.0, 2.0], [3.0, 4.0], [np.nan, 1.0]])
    stack, distance, n_pairs = stack_equal_distances(pairs, np.array([20.0, 10.0, 10.0, 30.0]))
    assert stack.tolist() == [[2, 3], [4, 4]]
    assert (distance.tolist(), n_pairs.tolist()) == ([10, 20], [2, 1])
    stack, distance, n_pairs = stack_equal_distances(pairs[:3], np.array([20.0, 10.0, 11.0]), width_m=5.0)
    assert (distance.tolist(), n_pairs.tolist()) == ([10.5, 20], [2, 1])


def test_what_does_not_fit_is_told() -> None:
    with pytest.raises(DataError, match="one distance a pair"):
        stack_equal_distances(np.zeros((3, 4)), np.zeros(2))
    with pytest.raises(DataError, match="distance of pair 1 is -1 m"):
        stack_equal_distances(np.zeros((2, 4)), np.array([1.0, -1.0]))
    with pytest.raises(DataError, match="kernel is 'j0'; it is one of bessel, hankel"):
        fj(noise_correlation(200.0), INTERVAL_S, DISTANCES_M, FREQUENCY_HZ, VELOCITY_M_S, kernel="j0")  # type: ignore[arg-type]
