"""The compiled solver against NumPy's, on chosen rows alone."""

from __future__ import annotations

import numpy as np

from seisloom.signal.restoration.solve import solve_chosen


def test_chosen_unknowns_are_numpys_and_others_zero() -> None:
    rng = np.random.default_rng(0)
    roots = rng.normal(size=(3, 2, 7, 9)) + 1j * rng.normal(size=(3, 2, 7, 9))
    matrices = roots @ roots.conj().swapaxes(-1, -2)
    right = rng.normal(size=(3, 2, 7)) + 1j * rng.normal(size=(3, 2, 7))
    chosen = np.array([[1, 1, 1, 1, 1, 1, 1], [0, 1, 0, 1, 1, 0, 0], [0] * 7], dtype=bool)
    found = solve_chosen(matrices, right, chosen)
    for window, use in enumerate(chosen):
        some = np.ix_(use, use)
        for f in range(2):
            expected = np.linalg.solve(matrices[window, f][some], right[window, f, use])
            np.testing.assert_allclose(found[window, f, use], expected, rtol=1e-9)
        assert not found[window][:, ~use].any()


def test_an_unknown_in_no_equation_is_zero() -> None:
    matrix = np.diag([2.0, 0.0, 4.0]).astype(complex)[None, None]
    found = solve_chosen(matrix, np.ones((1, 1, 3), dtype=complex), np.ones((1, 3), dtype=bool))
    np.testing.assert_allclose(found[0, 0], [0.5, 0, 0.25], rtol=1e-12)
