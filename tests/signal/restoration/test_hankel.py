"""Hankel matrices of exponentials, and their projections, against plain linear algebra."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.signal.restoration.hankel import damped_rank, hankel, keep_rank, low_rank, mean_antidiagonals, soft

RNG = np.random.default_rng(0)


def exponentials(n: int, *turns: float) -> np.ndarray:
    """A sum of complex exponentials, turning by so many cycles a trace."""
    return np.asarray(sum((k + 1) * np.exp(2j * np.pi * turn * np.arange(n)) for k, turn in enumerate(turns)))


@pytest.mark.parametrize("n_events", [1, 2, 3])
def test_the_rank_is_the_number_of_events(n_events: int) -> None:
    panel = exponentials(21, *(0.1, -0.23, 0.4)[:n_events])
    singular = np.linalg.svd(hankel(panel), compute_uv=False)
    assert singular[n_events - 1] > 0.1 * singular[0]
    assert singular[n_events] < 1e-12 * singular[0]


@pytest.mark.parametrize("n", [2, 3, 8, 9])
def test_means_along_antidiagonals_are_the_nearest_hankel_matrix(n: int) -> None:
    spectra = RNG.normal(size=(2, n)) + 1j * RNG.normal(size=(2, n))
    np.testing.assert_allclose(mean_antidiagonals(hankel(spectra)), spectra)
    matrix = RNG.normal(size=hankel(spectra[0]).shape)
    # Every Hankel matrix is a sum of those of unit vectors: least squares over them
    basis = np.stack([hankel(unit).ravel() for unit in np.eye(n)], axis=1)
    nearest = np.linalg.lstsq(basis, matrix.ravel(), rcond=None)[0]
    np.testing.assert_allclose(mean_antidiagonals(matrix), nearest, atol=1e-12)


@pytest.mark.parametrize("shape", [(6, 6), (7, 6), (3, 9, 5)])
def test_low_rank_is_the_truncated_singular_value_decomposition(shape: tuple[int, ...]) -> None:
    matrices = RNG.normal(size=shape) + 1j * RNG.normal(size=shape)
    U, singular, Vh = np.linalg.svd(matrices, full_matrices=False)
    for rank in (1, 3, 20):
        kept = np.where(np.arange(singular.shape[-1]) < rank, singular, 0)
        np.testing.assert_allclose(low_rank(matrices, keep_rank(rank)), (U * kept[..., None, :]) @ Vh, atol=1e-10)
    threshold = singular[..., :1] * 0.5
    kept = np.maximum(singular - threshold, 0)
    np.testing.assert_allclose(low_rank(matrices, soft(threshold)), (U * kept[..., None, :]) @ Vh, atol=1e-10)


def test_damping_takes_off_the_share_of_the_first_value_left_out() -> None:
    singular = np.array([8.0, 4.0, 2.0, 1.0])
    np.testing.assert_allclose(damped_rank(2, 1)(singular), [1 - 2 / 8, 1 - 2 / 4, 0, 0])
    np.testing.assert_allclose(damped_rank(2, 3)(singular), [1 - 1 / 64, 1 - 1 / 8, 0, 0])
    np.testing.assert_allclose(damped_rank(4, 1)(singular), 1)
    np.testing.assert_allclose(damped_rank(2, 60)(singular), keep_rank(2)(singular), atol=1e-12)
    assert np.isfinite(damped_rank(1, 2)(np.zeros(3))).all()
