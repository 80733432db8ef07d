"""The phase-shift transform against loops written out, and coherences that are known."""

from __future__ import annotations

import numpy as np

from seisloom.signal.velocity_spectra.phase_shift import phase_shift

from .waves import FREQUENCY_HZ, INTERVAL_S, OFFSETS_M, VELOCITY_M_S, add_noise, plane_wave


def test_the_panel_is_that_of_loops_over_everything() -> None:
    x = add_noise(plane_wave(200.0), 0.3)
    frequency, velocity = np.array([9.1, 20.0, 33.3]), np.linspace(100, 500, 21)
    got = phase_shift(x, INTERVAL_S, OFFSETS_M, frequency, velocity, normalise="overall")
    time_s = np.arange(x.shape[1]) * INTERVAL_S
    expected = np.zeros((21, 3))
    for i, c in enumerate(velocity):
        for j, f in enumerate(frequency):
            total = 0j
            for trace, offset in zip(x, OFFSETS_M, strict=True):
                value = np.sum(trace * np.exp(-2j * np.pi * f * time_s))
                total += value / abs(value) * np.exp(2j * np.pi * f * offset / c)
            expected[i, j] = abs(total) / len(x)
    np.testing.assert_allclose(got.panel * got.scale, expected, atol=1e-5)  # float32, 24 terms


def test_one_wave_is_wholly_coherent_at_its_velocity() -> None:
    got = phase_shift(plane_wave(200.0), INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, VELOCITY_M_S)
    np.testing.assert_allclose(got.scale, 1, atol=1e-5)
    np.testing.assert_array_equal(got.peak_m_s, 200)


def test_noise_is_as_coherent_as_a_walk_at_random() -> None:
    x = np.random.default_rng(2).normal(size=(24, 512))
    got = phase_shift(x, INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, np.array([200.0, 300.0]), normalise="overall")
    # A walk of n steps is sqrt(n) long in the root mean square; 104 of them scatter by 5 %
    assert abs(np.sqrt(np.mean((got.panel * got.scale) ** 2)) * np.sqrt(24) - 1) < 0.15


def test_a_gain_of_each_trace_does_not_count() -> None:
    x = add_noise(plane_wave(200.0), 0.3)
    gains = 10 ** np.random.default_rng(3).uniform(-3, 3, (24, 1))
    same = [phase_shift(y, INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, VELOCITY_M_S).panel for y in (x, gains * x)]
    np.testing.assert_allclose(*same, atol=1e-5)
