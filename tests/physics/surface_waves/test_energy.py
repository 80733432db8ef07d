"""Group velocity, ellipticity, strength and kernels against derivatives of the curves, identities and closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from seisloom.physics.surface_waves.medium import LayeredMedium
from seisloom.physics.surface_waves.modes import PROPERTIES, Wave, mode_curves, phase_velocities

from .plane import half_space, random_medium, rayleigh_ratio

FREQUENCY = np.array([6.0, 11.0, 19.0, 28.0])
WAVES: tuple[Wave, ...] = ("rayleigh", "love")


def numeric_group(medium: LayeredMedium, frequency: float, mode: int, wave: Wave, step: float = 1e-4) -> float:
    """Return the derivative of omega by k, from phase velocities of two frequencies."""
    near = np.array([1 - step, 1 + step]) * frequency
    k = 2 * np.pi * near / phase_velocities(medium, near, mode + 1, wave=wave)[mode]
    return float(2 * np.pi * np.diff(near)[0] / np.diff(k)[0])


@pytest.mark.parametrize(("poisson", "expected"), [(0.25, 0.6812), (0.5 - 1e-9, 0.5437)])
def test_the_particle_of_a_half_space_moves_on_the_textbook_ellipse(poisson: float, expected: float) -> None:
    """Aki & Richards (2002): 0.6812 for a Poisson's ratio of 1/4; of a liquid-like one 0.5437."""
    curves = mode_curves(half_space(poisson), [3.0, 40.0], 1)
    np.testing.assert_allclose(curves.ellipticity[0], expected, atol=1e-4)
    np.testing.assert_allclose(curves.group_m_s, curves.phase_m_s, rtol=1e-7)


@pytest.mark.parametrize("poisson", [0.0, 0.25, 0.4, 0.49])
def test_the_ellipse_and_strength_of_a_half_space_are_those_of_its_rayleigh_function(poisson: float) -> None:
    medium = half_space(poisson)
    vp, vs, rho = medium.vp_m_s[0], medium.vs_m_s[0], medium.density_kg_m3[0]
    c = rayleigh_ratio(poisson) * vs
    r, s = np.sqrt(1 - (c / vp) ** 2), np.sqrt(1 - (c / vs) ** 2)
    curves = mode_curves(medium, [7.0], 1)
    assert curves.ellipticity[0, 0] == pytest.approx((2 - (c / vs) ** 2) / (2 * r), rel=1e-6)

    def response(p: float) -> float:
        """Lamb's: vertical displacement by force, times k, of slowness p."""
        a, b = np.sqrt(p**2 - vp**-2), np.sqrt(p**2 - vs**-2)
        return float(p * a * vs**-2 / (rho * vs**2 * ((2 * p**2 - vs**-2) ** 2 - 4 * p**2 * a * b)))

    step = 1e-5 / c
    residue = 0.5 * step * (response(1 / c + step) - response(1 / c - step))  # of the pole: what is even drops out
    assert s > 0
    assert curves.strength_per_pa[0, 0] == pytest.approx(abs(residue) * c, rel=1e-6)


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000), wave=st.sampled_from(WAVES))
def test_the_group_velocity_is_the_slope_of_omega_over_k(seed: int, wave: Wave) -> None:
    medium = random_medium(seed)
    curves = mode_curves(medium, FREQUENCY, 3, wave=wave)
    for m, j in np.argwhere(np.isfinite(curves.phase_m_s)):
        if curves.phase_m_s[m, j] < 0.999 * medium.vs_m_s[-1]:  # at the cut-off the slope itself changes fast
            steps = [numeric_group(medium, FREQUENCY[j], m, wave, step) for step in (2e-4, 4e-4)]
            smooth = abs(steps[0] - steps[1])  # modes that nearly meet bend within a step
            assert abs(curves.group_m_s[m, j] - steps[0]) < 3e-4 * steps[0] + 2 * smooth


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000), wave=st.sampled_from(WAVES))
def test_kernels_and_group_velocity_obey_the_scaling_of_length_velocity_and_density(seed: int, wave: Wave) -> None:
    """All velocities times a: c of frequency times a. All lengths times a: of frequency over a. Density: nothing."""
    medium = random_medium(seed)
    curves = mode_curves(medium, FREQUENCY, 3, wave=wave, kernels=True)
    assert curves.kernels is not None
    there = np.isfinite(curves.phase_m_s)
    length, vp, vs, density = (curves.kernels[..., p].sum(axis=-1)[there] for p in range(len(PROPERTIES)))
    c, group = curves.phase_m_s[there], curves.group_m_s[there]
    by_omega = 1 - c / group  # d ln c / d ln omega, as U = c / (1 - d ln c / d ln omega)
    big = np.abs(curves.kernels[there]).max(axis=(1, 2), initial=1.0) * 2e-5  # near the cut-off kernels are large
    assert (np.abs(length - by_omega) < big).all()
    assert (np.abs(vp + vs - (1 - by_omega)) < big).all()
    assert (np.abs(length + vp + vs - 1) < big).all()
    assert (np.abs(density) < big).all()


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), wave=st.sampled_from(WAVES))
def test_kernels_are_what_a_change_of_one_layer_does(seed: int, wave: Wave) -> None:
    medium = random_medium(seed)
    curves = mode_curves(medium, FREQUENCY[1:3], 2, wave=wave, kernels=True)
    assert curves.kernels is not None
    there = curves.phase_m_s < 0.999 * medium.vs_m_s[-1]
    for p, name in enumerate(("thickness_m", "vp_m_s", "vs_m_s", "density_kg_m3")):
        for layer in range(len(medium) - (name == "thickness_m")):
            slopes = []
            for step in (3e-5, 6e-5):
                changed = []
                for sign in (-1, 1):
                    column = getattr(medium, name).copy()
                    column[layer] *= 1 + sign * step
                    changed.append(phase_velocities(replace(medium, **{name: column}), FREQUENCY[1:3], 2, wave=wave))
                slopes.append((np.log(changed[1]) - np.log(changed[0]))[there] / (2 * step))
            found, smooth = curves.kernels[..., layer, p][there], np.abs(slopes[0] - slopes[1])
            # Velocities are to 1e-8 of their value
            assert (np.abs(found - slopes[0]) <= 7e-4 + 2 * smooth).all()


@pytest.mark.parametrize("wave", WAVES)
def test_a_mode_at_its_cut_off_carries_finite_numbers_that_tend_to_the_half_space(wave: Wave) -> None:
    medium = LayeredMedium([5, 0], [400, 1200], [200, 600], [1800, 2000])

    def n_modes(frequency: float) -> float:
        return np.isfinite(phase_velocities(medium, [frequency], 3, wave=wave)).sum() - 1.5

    cut_off = brentq(n_modes, 5.0, 40.0, xtol=1e-13)
    for above in (1e-7, 1e-6, 1e-5, 1e-4, 1e-3):
        curves = mode_curves(medium, [cut_off * (1 + above)], 2, wave=wave, kernels=True)
        assert curves.phase_m_s[1, 0] > 599
        assert 0 < curves.group_m_s[1, 0] < 600
        assert curves.kernels is not None
        assert np.isfinite(curves.kernels[1]).all()
        assert curves.kernels[1, 0, :, 1:3].sum() + curves.kernels[1, 0, 0, 0] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("wave", WAVES)
def test_modes_of_a_deep_channel_carry_what_they_do_though_the_surface_hardly_moves(wave: Wave) -> None:
    """From the surface down, the channel's mode would drown in rounding: its share there is below 1e-10."""
    medium = LayeredMedium([60, 4, 0], [1000, 400, 1200], [500, 200, 600], [1800, 1800, 2000])
    n_trapped = 2 if wave == "rayleigh" else 1
    curves = mode_curves(medium, [40.0], n_trapped, wave=wave)
    assert (curves.phase_m_s[:, 0] < 460).all()
    assert (curves.strength_per_pa[:, 0] < 1e-20).all()
    for m in range(n_trapped):
        assert curves.group_m_s[m, 0] == pytest.approx(numeric_group(medium, 40.0, m, wave, 1e-5), rel=1e-4)


def test_love_modes_of_one_layer_have_the_closed_group_velocity() -> None:
    """Of the closed equation, F(omega, k) = 0: U = -F_k / F_omega, by differences in high steps."""
    h, slow, fast, rho = 8.0, 150.0, 500.0, (1700.0, 2000.0)
    medium = LayeredMedium([h, 0], [400, 1000], [slow, fast], rho)
    curves = mode_curves(medium, [20.0], 3, wave="love")
    omega = 2 * np.pi * 20.0

    def off(omega: float, k: float) -> float:
        x, y = np.sqrt((omega / slow) ** 2 - k**2), np.sqrt(k**2 - (omega / fast) ** 2)
        return float(rho[0] * slow**2 * x * np.sin(x * h) - rho[1] * fast**2 * y * np.cos(x * h))

    for c, group in zip(curves.phase_m_s[:, 0], curves.group_m_s[:, 0], strict=True):
        k = omega / c
        by_k = (off(omega, k * (1 + 1e-6)) - off(omega, k * (1 - 1e-6))) / k
        by_omega = (off(omega * (1 + 1e-6), k) - off(omega * (1 - 1e-6), k)) / omega
        assert group == pytest.approx(-by_k / by_omega, rel=1e-5)
    assert np.isinf(curves.ellipticity).all()
