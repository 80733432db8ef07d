"""Velocity spectra of finite-element gathers of layered models whose modes are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seisloom.io.gather import read_gather
from seisloom.sample import Array
from seisloom.signal.velocity_spectra.panel import VelocitySpectrum
from seisloom.signal.velocity_spectra.phase_shift import phase_shift

FREQUENCY_HZ, VELOCITY_M_S = np.linspace(5, 50, 129), np.linspace(60, 600, 256)


def true_modes(path: Path) -> Array:
    """Return velocities of modes in m/s, (mode, frequency), NaN outside what the file has."""
    modes: list[list[list[float]]] = []
    for line in path.read_text().splitlines():
        if line.startswith("# Mode"):
            modes.append([])
        elif line and not line.startswith("#"):
            modes[-1].append([float(word) for word in line.split()])
    curves = [np.array(mode).T for mode in modes]
    return np.stack([np.interp(FREQUENCY_HZ, f, 1 / slowness, np.nan, np.nan) for f, slowness in curves])


@pytest.fixture(params=["46m_2m_-5m", "46m_2m_-10m", "46m_2m_-20m", "60m_Xm_-5m", "60m_Xm_-10m"])
def line(request: pytest.FixtureRequest) -> str:
    """Length, spacing (X for an irregular one) and first offset."""
    return str(request.param)


def spectrum_and_error(field_data: Path, model: int, line: str) -> tuple[VelocitySpectrum, Array, Array]:
    """Return a spectrum, the share by which its peak misses the nearest mode, and the modes."""
    folder = field_data / "dispersion" / f"fe_model_{model}"
    if not (folder / f"{line}.su").is_file():
        pytest.skip(f"{folder / line}.su is not there")
    gather = read_gather(folder / f"{line}.su")
    modes = true_modes(folder / f"mod{model}_dc.txt")
    got = phase_shift(gather.traces, 1 / gather.fs_hz, gather.offset_m, FREQUENCY_HZ, VELOCITY_M_S)
    return got, np.nanmin(np.abs(got.peak_m_s / modes - 1), axis=0), modes


def test_the_peak_follows_the_modes_of_a_stiffening_soil(field_data: Path, line: str) -> None:
    got, error, modes = spectrum_and_error(field_data, 0, line)
    assert np.mean(error < 0.05) > 0.93
    assert np.median(error) < 0.01
    far = got.limits.nacd(FREQUENCY_HZ, modes[0]) > 1
    assert np.mean(error[far] < 0.05) > 0.96


def test_where_the_peak_leaves_the_modes_of_a_soft_soil_the_limits_said_so(field_data: Path, line: str) -> None:
    got, error, modes = spectrum_and_error(field_data, 1, line)
    aliased = got.limits.is_aliased(FREQUENCY_HZ, modes, slowest_m_s=60, fastest_m_s=600).any(axis=0)
    assert np.mean(error[~aliased] < 0.05) > 0.98
    assert np.mean(error < 0.05) > 0.84
