"""The whole wavefield against statics, modes, a direct integral of up- and downgoing waves, and finite elements."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import obspy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import hankel2, j0

from seisloom.errors import DataError
from seisloom.physics.surface_waves.medium import LayeredMedium
from seisloom.physics.surface_waves.modes import mode_curves, phase_velocities
from seisloom.physics.surface_waves.wavefield import vertical_response

from .plane import half_space, random_medium

LAYERS = LayeredMedium([4, 8, 0], [400, 800, 1600], [180, 320, 600], [1700, 1900, 2100])
THIN = LayeredMedium([1, 10, 0], [400, 800, 2000], [150, 300, 600], [1800] * 3)
CRUST = LayeredMedium([0.5, 10, 0], [1500, 500, 1500], [800, 200, 600], [2000] * 3)
FREQUENCY = np.linspace(4.0, 30.0, 14)


def reflected(k: np.ndarray, omega: float, medium: LayeredMedium, q: float) -> np.ndarray:
    """Return the response to each wavenumber, from amplitudes of waves down and up and what each layer reflects."""
    a, b, rho = (
        v[None] for v in (medium.vp_m_s * (1 + 0.5j / q), medium.vs_m_s * (1 + 0.5j / q), medium.density_kg_m3)
    )
    k = k[:, None] + 0 * a
    nu, ga, mu = np.sqrt(k**2 - (omega / a) ** 2), np.sqrt(k**2 - (omega / b) ** 2), rho * b**2
    g = 2 * k**2 - (omega / b) ** 2

    def square(*of: np.ndarray) -> np.ndarray:
        return np.stack(of, axis=-1).reshape(*k.shape, 2, 2)

    down, down_stress = square(k, ga, -nu, -k), mu[..., None, None] * square(-2 * k * nu, -g, g, 2 * k * ga)
    up, up_stress = square(k, -ga, nu, -k), mu[..., None, None] * square(2 * k * nu, -g, g, -2 * k * ga)
    z = down_stress[:, -1] @ np.linalg.inv(down[:, -1])
    for i in range(len(medium) - 2, -1, -1):
        back = -np.linalg.solve(up_stress[:, i] - z @ up[:, i], down_stress[:, i] - z @ down[:, i])
        passed = np.exp(-np.stack([nu[:, i], ga[:, i]], axis=-1) * medium.thickness_m[i])
        back = passed[:, :, None] * back * passed[:, None, :]
        z = (down_stress[:, i] + up_stress[:, i] @ back) @ np.linalg.inv(down[:, i] + up[:, i] @ back)
    return -z[:, 0, 0] / (z[:, 0, 0] * z[:, 1, 1] - z[:, 0, 1] * z[:, 1, 0])


def integrated(medium: LayeredMedium, frequency: float, distances: np.ndarray, q: float) -> np.ndarray:
    """Return the response at distances: a dense sum over wavenumbers, far out, that fades at its end."""
    omega = 2 * np.pi * frequency
    middle = 2.2 * omega / medium.vs_m_s.min()
    most = max(300 / distances.min(), 3 * middle, 25 / medium.thickness_m[:-1].min(initial=1e9))
    edges = np.concatenate([np.linspace(0, middle, 20_001), np.linspace(middle, most, 30_001)[1:]])
    k, dk = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
    response = reflected(k, omega, medium, q) * k
    fade = 0.5 * (1 + np.cos(np.pi * np.clip(2 * k / most - 1, 0, 1)))
    kappa = (medium.vs_m_s[0] / medium.vp_m_s[0]) ** 2
    static = 1 / (2 * medium.density_kg_m3[0] * (medium.vs_m_s[0] * (1 + 0.5j / q)) ** 2 * (1 - kappa))
    weight = (response - static) * fade * dk
    return np.array([static / r + np.sum(weight * j0(k * r)) for r in distances]) / (2 * np.pi)


@pytest.mark.parametrize("medium", [half_space(), LAYERS, THIN, CRUST], ids=["half-space", "layers", "thin", "crust"])
@pytest.mark.parametrize("q", [25.0, 100.0])
def test_the_response_is_the_integral_of_waves_down_and_up(medium: LayeredMedium, q: float) -> None:
    distances = np.array([3.0, 10.0, 30.0, 56.0])
    found = vertical_response(medium, FREQUENCY, distances, q_p=q, q_s=q)
    for j in (0, 4, 13):
        expected = integrated(medium, FREQUENCY[j], distances, q)
        error = np.linalg.norm(found[:, j] - expected) / np.linalg.norm(expected)
        assert error < 1e-2  # what lies beyond the sum is a fit


@pytest.mark.parametrize("medium", [half_space(), LAYERS], ids=["half-space", "layers"])
def test_far_away_the_response_is_the_sum_of_modes(medium: LayeredMedium) -> None:
    """u = -i / 2 sum of strength k H0^(2)(k r), its phase included; body waves have died out as 1 / r^2."""
    q, frequency, distances = 400.0, np.array([20.0, 22.0]), np.array([100.0, 120.0, 150.0])
    found = vertical_response(medium, frequency, distances, q_p=q, q_s=q)
    curves = mode_curves(medium, frequency, 12)
    for j, f in enumerate(frequency):
        there = np.isfinite(curves.phase_m_s[:, j])
        c, group = curves.phase_m_s[there, j], curves.group_m_s[there, j]
        k = 2 * np.pi * f / c
        lossy = k * (1 - 0.5j * c / (q * group))  # all velocities times 1 + i / 2Q: as omega divided by it
        waves = curves.strength_per_pa[there, j] * k * hankel2(0, lossy * distances[:, None])
        expected = -0.5j * waves.sum(axis=1)
        assert np.abs(found[:, j] - expected).max() / np.abs(expected).max() < 0.03


def test_at_low_frequencies_the_ground_yields_as_boussinesq_says() -> None:
    medium, distances = half_space(0.3), np.array([1.0, 2.0, 4.0])
    found = vertical_response(medium, [0.05], distances, q_p=1e4, q_s=1e4, n_slowness=4000)[:, 0]
    mu = medium.density_kg_m3[0] * medium.vs_m_s[0] ** 2
    np.testing.assert_allclose(found.real, (1 - 0.3) / (2 * np.pi * mu * distances), rtol=1e-2)
    assert (np.abs(found.imag) < 0.03 * found.real).all()
    np.testing.assert_allclose((found * distances).real, found[0].real, rtol=1e-2)


def test_at_low_frequencies_a_thin_soft_layer_is_not_felt_far_away() -> None:
    """The deep material yields; the layer's own static field has died out."""
    below = half_space(0.3, vs=400.0)
    layered = LayeredMedium([0.5, 0], [below.vp_m_s[0] / 4, below.vp_m_s[0]], [100, 400], [below.density_kg_m3[0]] * 2)
    distances = np.array([20.0, 40.0])
    responses = [vertical_response(medium, [2.0], distances) for medium in (layered, below)]
    np.testing.assert_allclose(*responses, rtol=0.03)


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), q=st.sampled_from([15.0, 50.0, 150.0]))
def test_more_slownesses_change_little(seed: int, q: float) -> None:
    medium, distances = random_medium(seed), np.array([5.0, 17.0, 51.0])
    found = vertical_response(medium, FREQUENCY, distances, q_p=2 * q, q_s=q)
    many = vertical_response(medium, FREQUENCY, distances, q_p=2 * q, q_s=q, n_slowness=12_000)
    error = np.linalg.norm(found - many, axis=0) / np.linalg.norm(many, axis=0)
    assert error.max() < 5e-3


def test_waves_of_a_half_space_die_out_with_the_quality_factor() -> None:
    medium, frequency, distances = half_space(), [30.0], np.array([20.0, 40.0, 60.0])
    lossless = vertical_response(medium, frequency, distances, q_p=1000.0, q_s=1000.0)[:, 0]
    k = 2 * np.pi * 30.0 / phase_velocities(medium, frequency, 1)[0, 0]
    for q in (20.0, 40.0):
        lossy = vertical_response(medium, frequency, distances, q_p=q, q_s=q)[:, 0]
        expected = np.exp(-0.5 * k * distances * (1 / q - 1 / 1000))
        np.testing.assert_allclose(np.abs(lossy / lossless), expected, rtol=0.05)


def test_slices_of_one_material_respond_as_one_layer() -> None:
    table = np.repeat(LAYERS.table, 5, axis=0)[:-4]
    sliced = LayeredMedium(table[:, 0] / 5, *table[:, 1:].T)
    distances = np.array([4.0, 50.0])
    np.testing.assert_allclose(
        vertical_response(sliced, FREQUENCY, distances), vertical_response(LAYERS, FREQUENCY, distances), rtol=1e-7
    )


def test_the_response_has_the_units_of_length_velocity_and_density() -> None:
    """Lengths times 2, velocities times 3, density times 5: displacement by 1 / (2 * 9 * 5)."""
    scaled = LayeredMedium(LAYERS.thickness_m * 2, LAYERS.vp_m_s * 3, LAYERS.vs_m_s * 3, LAYERS.density_kg_m3 * 5)
    distances = np.array([4.0, 50.0])
    found = vertical_response(scaled, FREQUENCY * 1.5, distances * 2)
    np.testing.assert_allclose(found * 90, vertical_response(LAYERS, FREQUENCY, distances), rtol=1e-7)


def phase_shift(gather: np.ndarray, frequency: np.ndarray, distances: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    """Return the panel of Park et al. (1998), (velocity, frequency), each frequency's largest value 1."""
    steering = np.exp(2j * np.pi * frequency * distances[:, None] / velocity[:, None, None])
    panel = np.abs(np.einsum("cdf,df->cf", steering, gather / np.abs(gather)))
    return np.asarray(panel / panel.max(axis=0))


@pytest.mark.parametrize("model", [0, 1])
@pytest.mark.parametrize("source_m", [5, 10, 20])
def test_panels_are_those_of_finite_elements(field_data: Path, model: int, source_m: int) -> None:
    file = field_data / f"dispersion/fe_model_{model}/46m_2m_-{source_m}m.su"
    if not file.is_file():
        pytest.skip(f"{file} is not there")
    if model == 0:
        medium = LayeredMedium([1, 0], [200, 400], [100, 200], [2000] * 2)
    else:
        medium = LayeredMedium([2, 4, 8, 0], [360, 1000, 1400, 1400], [80, 120, 180, 360], [1800] * 4)
    traces = obspy.read(str(file), format="SU")
    gather = np.array([trace.data for trace in traces], dtype=np.float64)
    spectrum, all_hz = np.fft.rfft(gather), np.fft.rfftfreq(gather.shape[1], traces[0].stats.delta)
    band = (all_hz >= 8) & (all_hz <= 50)
    distances, velocity = source_m + 2.0 * np.arange(24), np.linspace(60, 400, 341)
    found = vertical_response(medium, all_hz[band], distances, q_p=200.0, q_s=100.0)
    panels = [phase_shift(u, all_hz[band], distances, velocity) for u in (found, spectrum[:, band])]
    assert np.corrcoef(panels[0].ravel(), panels[1].ravel())[0, 1] > 0.95
    peaks = [velocity[panel.argmax(axis=0)] for panel in panels]
    assert (np.abs(peaks[0] / peaks[1] - 1) < 0.05).mean() > 0.9


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"frequency_hz": [1.0, 2.0, 4.0]}, "positive frequencies at equal steps"),
        ({"frequency_hz": [0.0, 1.0]}, "positive frequencies at equal steps"),
        ({"frequency_hz": [2.0, np.nan]}, "positive frequencies at equal steps"),
        ({"frequency_hz": []}, "positive frequencies at equal steps"),
        ({"distance_m": [0.0, 1.0]}, "distances and quality factors must be positive"),
        ({"distance_m": [np.inf]}, "distances and quality factors must be positive"),
        ({"q_s": 0.0}, "distances and quality factors must be positive"),
        ({"q_p": [50.0, 50.0]}, "one for each of 3 layers; got 2 and 1"),
    ],
)
def test_bad_input_is_refused_with_what_is_wrong(changed: dict[str, list[float] | float], says: str) -> None:
    given = {"frequency_hz": FREQUENCY, "distance_m": [5.0], **changed}
    with pytest.raises(DataError, match=says):
        vertical_response(LAYERS, **given)
