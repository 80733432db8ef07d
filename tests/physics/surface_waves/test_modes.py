"""Dispersion curves against closed equations, another code, and the counts that prove them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from seisloom.errors import DataError
from seisloom.physics.surface_waves.medium import LayeredMedium
from seisloom.physics.surface_waves.modes import (
    Wave,
    count_modes,
    mode_curves,
    phase_velocities,
    phase_velocities_of_many,
)

from .plane import half_space, random_medium, rayleigh_ratio, secular

FREQUENCY = np.linspace(3.0, 30.0, 28)
WAVES: tuple[Wave, ...] = ("rayleigh", "love")
waves = st.sampled_from(WAVES)
seeds = st.integers(0, 10_000)


@pytest.mark.parametrize("poisson", [-0.4, 0.0, 0.05, 0.25, 0.4, 0.499])
def test_a_half_space_has_the_velocity_of_the_rayleigh_polynomial_at_all_frequencies(poisson: float) -> None:
    medium = half_space(poisson)
    found = phase_velocities(medium, [0.01, 5.0, 4000.0], 2)
    np.testing.assert_allclose(found[0], rayleigh_ratio(poisson) * medium.vs_m_s[0], rtol=2e-8)
    assert np.isnan(found[1]).all()
    assert np.isnan(phase_velocities(medium, [5.0], wave="love")).all()


def test_love_modes_are_the_roots_of_the_closed_equation() -> None:
    h, slow, fast, rho = 8.0, 150.0, 500.0, (1700.0, 2000.0)
    medium = LayeredMedium([h, 0], [400, 1000], [slow, fast], rho)
    found = phase_velocities(medium, FREQUENCY, 6, wave="love")
    for j, frequency in enumerate(FREQUENCY):
        # tan(x) = mu2 sqrt(1/c^2 - 1/fast^2) / (mu1 sqrt(1/slow^2 - 1/c^2)), x = omega h sqrt(1/slow^2 - 1/c^2)
        most = 2 * np.pi * frequency * h * np.sqrt(slow**-2 - fast**-2)

        def off(x: float, most: float = most) -> float:
            ratio = rho[1] * fast**2 / (rho[0] * slow**2)
            return float(x * np.sin(x) - ratio * np.sqrt(max(most**2 - x**2, 0.0)) * np.cos(x))

        x = [
            brentq(off, m * np.pi, min(m * np.pi + np.pi / 2, most), xtol=1e-13) for m in range(int(most / np.pi) + 1)
        ][:6]
        expected = 1 / np.sqrt(slow**-2 - (np.array(x) / (2 * np.pi * frequency * h)) ** 2)
        np.testing.assert_allclose(found[: len(x), j], expected, rtol=2e-8)
        assert np.isnan(found[len(x) :, j]).all()


@pytest.mark.parametrize("wave", WAVES)
@pytest.mark.parametrize("seed", range(4))
def test_modes_are_roots_of_an_independent_secular_function(seed: int, wave: Wave) -> None:
    medium = random_medium(seed, n_layers=4)
    for frequency in (8.0, 25.0):
        for c in phase_velocities(medium, [frequency], 4, wave=wave)[:, 0]:
            if np.isfinite(c):
                sides = [
                    secular(medium, c * x, 2 * np.pi * frequency, love=wave == "love") for x in (1 - 1e-7, 1 + 1e-7)
                ]
                assert sides[0] * sides[1] < 0


@pytest.mark.parametrize("model", [0, 1])
def test_modes_agree_with_another_code(field_data: Path, model: int) -> None:
    file = field_data / f"dispersion/fe_model_{model}/mod{model}_dc.txt"
    if not file.is_file():
        pytest.skip(f"{file} is not there")
    if model == 0:
        medium = LayeredMedium([1, 0], [200, 400], [100, 200], [2000] * 2)
    else:
        medium = LayeredMedium([2, 4, 8, 0], [360, 1000, 1400, 1400], [80, 120, 180, 360], [1800] * 4)
    modes: list[list[tuple[float, float]]] = []
    for line in file.read_text().splitlines():
        if line.startswith("# Mode"):
            modes.append([])
        elif line.strip() and not line.startswith("#"):
            frequency, slowness = line.split()
            modes[-1].append((float(frequency), float(slowness)))
    assert sum(map(len, modes)) > 40
    for m, curve in enumerate(modes):
        frequency, slowness = np.array(curve).T
        found = phase_velocities(medium, frequency, m + 1)[m]
        np.testing.assert_allclose(found, 1 / slowness, rtol=1e-6)


def channel(depth: float) -> LayeredMedium:
    """Return soft ground, and at a depth a soft channel, with the same waves but for what comes through between."""
    return LayeredMedium([2, depth, 6, 0], [340, 1000, 400, 1200], [170, 500, 200, 600], [1800] * 4)


@pytest.mark.parametrize("wave", WAVES)
def test_modes_that_nearly_meet_are_both_there(wave: Wave) -> None:
    """A mode of the surface and one of the channel cross, but for what passes through the layer between them."""
    frequency, closest = np.linspace(20, 60, 401), []
    for depth in (4.0, 8.0, 16.0, 32.0):
        for _ in range(3):  # ever closer between two frequencies
            found = phase_velocities(channel(depth), frequency, 4, wave=wave)
            gap = np.diff(found, axis=0) / found[1:]
            m, j = np.unravel_index(np.nanargmin(gap), gap.shape)
            crossing, pair = frequency[j], found[m : m + 2, j]
            frequency = np.linspace(frequency[max(j - 1, 0)], frequency[min(j + 1, 400)], 401)
        frequency = np.linspace(20, 60, 401)
        closest.append(gap[m, j])
        sides = pair[0] * (1 - 1e-7), pair[1] * (1 + 1e-7)
        assert [count_modes(channel(depth), c, crossing, wave=wave) for c in sides] == [m, m + 2]
    assert (np.diff(closest) < 0).all()
    assert closest[-1] < 1e-4


@settings(max_examples=60)
@given(seed=seeds, wave=waves)
def test_each_velocity_is_proved_by_counts_on_both_sides(seed: int, wave: Wave) -> None:
    medium = random_medium(seed)
    found = phase_velocities(medium, FREQUENCY[::5], 4, wave=wave)
    for j, frequency in enumerate(FREQUENCY[::5]):
        there = np.isfinite(found[:, j])
        n = count_modes(medium, medium.vs_m_s[-1] * (1 - 1e-10), frequency, wave=wave)
        assert there.tolist() == (np.arange(4) < n).tolist()
        assert (np.diff(found[there, j]) > 0).all()
        for m, c in enumerate(found[there, j]):
            assert count_modes(medium, c * (1 - 1e-7), frequency, wave=wave) == m
            if c * (1 + 1e-7) < medium.vs_m_s[-1]:
                assert count_modes(medium, c * (1 + 1e-7), frequency, wave=wave) == m + 1


@settings(max_examples=40)
@given(seed=seeds, wave=waves, n=st.integers(2, 6))
def test_velocities_depend_neither_on_other_frequencies_nor_on_how_layers_are_cut(
    seed: int, wave: Wave, n: int
) -> None:
    medium = random_medium(seed)
    found = phase_velocities(medium, FREQUENCY, wave=wave)
    alone = np.concatenate([phase_velocities(medium, [f], wave=wave) for f in FREQUENCY[::6]], axis=1)
    np.testing.assert_allclose(found[:, ::6], alone, rtol=1e-7)
    table = np.repeat(medium.table, n, axis=0)
    sliced = LayeredMedium(table[:, 0] / n, *table[:, 1:].T)
    np.testing.assert_allclose(phase_velocities(sliced, FREQUENCY, wave=wave), found, rtol=1e-7)


@settings(max_examples=30)
@given(seed=seeds, wave=waves, longer=st.floats(0.01, 100), faster=st.floats(0.1, 10))
def test_units_of_length_and_time_do_not_matter(seed: int, wave: Wave, longer: float, faster: float) -> None:
    medium = random_medium(seed)
    scaled = LayeredMedium(
        medium.thickness_m * longer, medium.vp_m_s * faster, medium.vs_m_s * faster, medium.density_kg_m3 * 3
    )
    found = phase_velocities(medium, FREQUENCY[::4], wave=wave)
    again = phase_velocities(scaled, FREQUENCY[::4] * faster / longer, wave=wave)
    # A mode at its very cut-off may be there in one of the two
    both = np.isfinite(found) & np.isfinite(again)
    assert (both == np.isfinite(found)).mean() > 0.95
    np.testing.assert_allclose(again[both] / faster, found[both], rtol=1e-7)


def test_many_media_give_what_each_gives_alone() -> None:
    media = [random_medium(seed) for seed in range(7)]
    for wave in WAVES:
        together = phase_velocities_of_many(media, FREQUENCY, 3, wave=wave, threads=2)
        for medium, found in zip(media, together, strict=True):
            np.testing.assert_array_equal(found, phase_velocities(medium, FREQUENCY, 3, wave=wave))


EXTREME = {
    "forty layers": LayeredMedium([2] * 40, np.linspace(300, 1900, 40), np.linspace(100, 500, 40), [1900] * 40),
    "contrast of thirty": LayeredMedium([5, 0], [200, 6000], [100, 3000], [1500, 2600]),
    "a film": LayeredMedium([0.001, 10, 0], [200, 400, 900], [100, 200, 500], [1500, 1800, 2000]),
    "very thick": LayeredMedium([5000, 0], [400, 6000], [200, 3000], [1800, 2600]),
    "slow half-space": LayeredMedium([3, 8, 0], [900, 600, 300], [500, 300, 150], [1900] * 3),
    "one material": LayeredMedium([3, 8, 1, 0], [400] * 4, [200] * 4, [1800] * 4),
    "nearly a liquid": LayeredMedium([5, 0], [1500, 1800], [60, 300], [1600, 1900]),
}  # fmt: skip


@pytest.mark.parametrize("name", [*EXTREME])
@pytest.mark.parametrize("wave", WAVES)
def test_extreme_media_give_finite_curves_that_their_counts_prove(name: str, wave: Wave) -> None:
    medium, frequencies = EXTREME[name], np.geomspace(0.1, 200, 25)
    curves = mode_curves(medium, frequencies, wave=wave)
    there = np.isfinite(curves.phase_m_s)
    assert np.isfinite(curves.group_m_s[there]).all()
    for m, j in np.argwhere(there):
        c, f = curves.phase_m_s[m, j], frequencies[j]
        assert count_modes(medium, c * (1 - 1e-7), f, wave=wave) <= m
        if c * (1 + 1e-7) < medium.vs_m_s[-1]:
            assert count_modes(medium, c * (1 + 1e-7), f, wave=wave) > m
    expected = [min(4, count_modes(medium, medium.vs_m_s[-1] * (1 - 1e-10), f, wave=wave)) for f in frequencies]
    assert there.sum(axis=0).tolist() == expected
    if name == "one material" and wave == "rayleigh":
        np.testing.assert_allclose(curves.phase_m_s[0], 200 * rayleigh_ratio(1 / 3), rtol=1e-7)


@pytest.mark.parametrize(
    ("frequency", "n_modes", "says"),
    [
        ([], 4, "one axis of positive, finite frequencies"),
        ([0.0, 1.0], 4, "one axis of positive, finite frequencies"),
        ([1.0, np.nan], 4, "one axis of positive, finite frequencies"),
        ([[1.0, 2.0]], 4, "one axis of positive, finite frequencies"),
        ([1.0, 3.0, 2.0], 4, "3 Hz is followed by 2 Hz. Sort them"),
        ([1.0], 0, "n_modes 0: at least 1 is needed"),
    ],
)
def test_bad_input_is_refused_with_what_is_wrong(frequency: list[float], n_modes: int, says: str) -> None:
    medium = half_space()
    for ask in (phase_velocities, mode_curves):
        with pytest.raises(DataError, match=says):
            ask(medium, frequency, n_modes)
    with pytest.raises(DataError, match=says):
        phase_velocities_of_many([medium], frequency, n_modes)


def test_modes_are_not_counted_where_waves_leave_into_the_half_space() -> None:
    for velocity, frequency in ((200.0, 5.0), (-1.0, 5.0), (np.nan, 5.0), (100.0, 0.0)):
        with pytest.raises(DataError, match="below 200 m/s, vs of the half-space"):
            count_modes(half_space(), velocity, frequency)
