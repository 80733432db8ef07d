"""Stiffness of a layer and a half-space against the equations of motion, integrated over the layer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from seisloom.physics.surface_waves.counting import through_layer
from seisloom.physics.surface_waves.stiffness import (
    n_parts,
    psv_half_space,
    psv_layer,
    sh_half_space,
    sh_layer,
)

from .plane import psv_system, sh_system

VP, VS, RHO = 420.0, 200.0, 1800.0


def square(part: tuple[float, float, float]) -> np.ndarray:
    return np.array([[part[0], part[1]], [part[1], part[2]]])


def brute(system: np.ndarray, h: float) -> tuple[np.ndarray, np.ndarray]:
    """Return forces on the lower face by displacements of the lower and of the upper one."""
    half = len(system) // 2
    p = expm(system * h)
    uu, ut, tu, tt = p[:half, :half], p[:half, half:], p[half:, :half], p[half:, half:]
    by_lower = tt @ np.linalg.inv(ut)
    return by_lower, tu - by_lower @ uu


@pytest.mark.parametrize("c", [50.0, 150.0, 199.999999, 200.0, 200.000001, 300.0, 420.0, 500.0])
@pytest.mark.parametrize("kh", [0.01, 0.3, 1.5])
def test_a_layer_of_p_and_sv_resists_as_its_equations_of_motion_say(c: float, kh: float) -> None:
    k = 0.3
    even, odd = (square(part) for part in psv_layer(c, kh, VP, VS, RHO))
    by_lower, by_upper = brute(psv_system(k, k * c, VP, VS, RHO), kh / k)
    # The mirror of a displacement about the middle turns the vertical round
    tolerance = {"rtol": 1e-6, "atol": 1e-7 * np.abs(by_lower).max() / k}  # of the brute force, whose inverse is large
    np.testing.assert_allclose(0.5 * (even + odd), by_lower / k, **tolerance)
    np.testing.assert_allclose(0.5 * (even - odd) @ np.diag([1.0, -1.0]), by_upper / k, **tolerance)


@pytest.mark.parametrize("c", [50.0, 200.0, 300.0, 700.0])
def test_a_layer_of_sh_resists_as_its_equation_of_motion_says(c: float) -> None:
    k, kh = 0.3, 0.7
    even, odd = sh_layer(c, kh, VS, RHO)
    by_lower, by_upper = brute(sh_system(k, k * c, VS, RHO), kh / k)
    assert 0.5 * (even + odd) == pytest.approx(by_lower[0, 0] / k, rel=1e-9)
    assert 0.5 * (even - odd) == pytest.approx(by_upper[0, 0] / k, rel=1e-9)


@pytest.mark.parametrize("c", [20.0, 150.0, 199.0])
def test_a_half_space_resists_as_the_motions_that_vanish_at_depth(c: float) -> None:
    k = 0.3
    values, vectors = np.linalg.eig(psv_system(k, k * c, VP, VS, RHO))
    down = vectors[:, values.real < 0].real
    expected = -down[2:] @ np.linalg.inv(down[:2]) / k  # the force on a face whose outside is up
    np.testing.assert_allclose(square(psv_half_space(c, VP, VS, RHO)), expected, rtol=1e-6)
    assert sh_half_space(c, VS, RHO) == pytest.approx(RHO * VS**2 * np.sqrt(1 - (c / VS) ** 2))


@settings(max_examples=60)
@given(c=st.floats(20, 199), kh=st.floats(1e-6, 400))
def test_a_layer_above_a_half_space_of_its_own_material_changes_nothing(c: float, kh: float) -> None:
    z = psv_half_space(c, VP, VS, RHO)
    even, odd = psv_layer(c, kh, VP, VS, RHO)
    above, _, n_negative, _ = through_layer(z, even, odd)
    assert n_negative == 0 or c > 0.8 * VS
    # A thin layer is as stiff as 1 / kh, of which the half-space is what is left
    np.testing.assert_allclose(above, z, rtol=1e-9 + 1e-13 / min(kh, 1.0))


@settings(max_examples=60)
@given(c=st.floats(201, 900), h=st.floats(0.01, 80))
def test_parts_of_a_layer_have_no_motion_of_their_own_with_both_faces_held(c: float, h: float) -> None:
    """A held layer moves where its forces on the faces are infinite; between 0 and c none of its poles is passed."""
    kh = 0.3 * h
    n = n_parts(c, kh, VS)
    assert kh / n * np.sqrt((c / VS) ** 2 - 1) < np.pi
    assume(n > 1)
    assert kh / (n - 1) * np.sqrt((c / VS) ** 2 - 1) >= 3 * (1 - 1e-12)
    for part in psv_layer(c, kh / n, VP, VS, RHO):
        assert np.isfinite(part).all()
