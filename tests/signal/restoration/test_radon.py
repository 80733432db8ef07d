"""The Radon transform against its primal form, and beyond aliasing."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.signal.restoration import masks
from seisloom.signal.restoration.pocs import pocs_fill
from seisloom.signal.restoration.radon import SLOPES_IN_A_BEAM, _fill, radon_fill
from seisloom.signal.restoration.spectra import Spectra

from .events import missing_snr_db, straight_events


def test_one_iteration_is_damped_least_squares_in_its_primal_form() -> None:
    rng = np.random.default_rng(0)
    n, f, slopes, damping = 8, np.array([0.05, 0.11]), (-1.0, 2.0), 0.1
    live = np.array([1, 0, 1, 1, 0, 1, 1, 1], dtype=bool)
    d = np.where(live, rng.normal(size=(1, 2, n)) + 1j * rng.normal(size=(1, 2, n)), 0)
    found = _fill(Spectra(d, live[None], f, np.zeros((1, n, 1)), np.arange(2), 1), slopes, 1, damping)
    p = np.linspace(*slopes, int(np.ceil(3.0 * f[-1] * n * SLOPES_IN_A_BEAM)) + 2)
    for k in range(2):
        L = np.exp(-2j * np.pi * f[k] * np.arange(n)[:, None] * p)
        A = L[live]
        m = np.linalg.solve(A.conj().T @ A + damping * len(p) * np.eye(len(p)), A.conj().T @ d[0, k, live])
        np.testing.assert_allclose(found[0, k], L @ m, atol=1e-9)


@pytest.mark.parametrize("step", [2, 3])
def test_regular_steps_are_filled_where_events_are_aliased(step: int) -> None:
    true = straight_events((40, 128), [(60, 3.5, 1.0), (70, -1.0, 0.6)], centre=20)
    live = masks.regular(40, step)
    # The damping of a twentieth leaves as much of the energy as an error
    assert missing_snr_db(radon_fill(true, live), true, live) > 10
    assert missing_snr_db(pocs_fill(true, live), true, live) < 3


def test_a_range_that_excludes_the_slope_fills_worse() -> None:
    true = straight_events((40, 128), [(60, 1.5, 1.0)], centre=20)
    live = masks.irregular(40, 0.5, np.random.default_rng(0))
    right, wrong = (missing_snr_db(radon_fill(true, live, slopes=s), true, live) for s in ((0.0, 3.0), (-3.0, 0.0)))
    assert right > 20
    assert wrong < 5


def test_parameters_that_do_not_fit_are_refused() -> None:
    for wrong in ({"slopes": (2.0, 1.0)}, {"n_iterations": 0}, {"damping": 0.0}):
        with pytest.raises(DataError, match=r"slopes .* must rise"):
            radon_fill(np.ones((5, 9)), np.ones(5, dtype=bool), **wrong)
