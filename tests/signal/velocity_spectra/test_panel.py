"""A panel: its scale, its peak, its shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.signal.velocity_spectra.limits import array_limits
from seisloom.signal.velocity_spectra.panel import VelocitySpectrum, normalise_panel

AMPLITUDE = np.array([[1.0, 0.0, 3.0], [2.0, 0.0, 6.0]])


@pytest.mark.parametrize(
    ("normalise", "panel", "scale"),
    [
        ("frequency", [[0.5, 0, 0.5], [1, 0, 1]], [2, 0, 6]),
        ("overall", [[1 / 6, 0, 0.5], [1 / 3, 0, 1]], [6, 6, 6]),
    ],
)
def test_a_panel_times_its_scale_is_what_it_was(normalise: Any, panel: Any, scale: Any) -> None:
    got, got_scale = normalise_panel(AMPLITUDE, normalise)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, panel, rtol=1e-7)
    np.testing.assert_allclose(got_scale, scale)
    np.testing.assert_allclose(got * got_scale, AMPLITUDE, rtol=1e-7)


def test_silence_stays_silence() -> None:
    panel, scale = normalise_panel(np.zeros((2, 3)), "overall")
    assert not panel.any()
    assert not scale.any()


def test_another_rule_is_told() -> None:
    with pytest.raises(DataError, match="normalise is 'max'; it is one of frequency, overall"):
        normalise_panel(AMPLITUDE, "max")  # type: ignore[arg-type]


def _spectrum(n_velocities: int) -> VelocitySpectrum:
    panel, scale = normalise_panel(AMPLITUDE, "frequency")
    velocity, frequency = 100.0 + np.arange(n_velocities), np.array([5.0, 6.0, 7.0])
    return VelocitySpectrum(panel, velocity, frequency, scale, array_limits(np.arange(3.0)), "fk", 3)


def test_the_peak_is_not_known_where_there_is_nothing() -> None:
    np.testing.assert_array_equal(_spectrum(2).peak_m_s, [101, np.nan, 101])


def test_a_panel_fits_its_axes() -> None:
    with pytest.raises(DataError, match="does not fit its axes"):
        _spectrum(3)
