"""Lines of receivers, their shots, and the spectra of sources."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from seisloom.errors import DataError
from seisloom.physics.surface_waves.acquisition import (
    ArrayPrior,
    Geometry,
    LinearArray,
    Source,
    SourcePrior,
    draw_arrays,
    draw_source,
)
from seisloom.physics.wavelets import blow_spectrum, ormsby_spectrum, ricker, ricker_spectrum


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(2, 60),
    spacing=st.floats(0.2, 20),
    geometry=st.sampled_from(["regular", "irregular", "random"]),
)
def test_drawn_lines_keep_to_their_ranges(seed: int, n: int, spacing: float, geometry: Geometry) -> None:
    prior = ArrayPrior(
        n_receivers=(n, n + 3), spacing_m=(spacing, spacing), geometries=(geometry,), irregularity=(0.1, 0.45),
        first_offset_m=(2.0, 9.0), shots="both",
    )  # fmt: skip
    before, behind = draw_arrays(prior, np.random.default_rng(seed))
    np.testing.assert_array_equal(before.receiver_x_m, behind.receiver_x_m)
    assert n <= len(before) <= n + 3
    assert before.source_x_m < before.receiver_x_m.min()
    assert behind.source_x_m > before.receiver_x_m.max()
    steps = np.diff(before.receiver_x_m)
    assert steps.min() > 0.09 * spacing
    for array in (before, behind):
        assert 2.0 - 1e-6 <= array.offsets_m.min() <= 9.0 + 1e-6
    if geometry == "regular":
        np.testing.assert_allclose(steps, spacing, atol=2e-6)
    if geometry == "random":
        assert before.spacing_m == pytest.approx(spacing, abs=1e-5)


@pytest.mark.parametrize(("shots", "sides"), [("before", {-1}), ("behind", {1}), ("either", {-1, 1})])
def test_shots_are_where_the_prior_says(shots: str, sides: set[int]) -> None:
    prior = ArrayPrior.model_validate({"shots": shots})
    drawn = [draw_arrays(prior, np.random.default_rng(i)) for i in range(20)]
    assert all(len(one) == 1 for one in drawn)
    assert {int(np.sign(one[0].source_x_m)) for one in drawn} == sides


def test_offsets_are_distances_from_the_shot_on_either_side() -> None:
    line = [0.0, 2.0, 5.0]
    np.testing.assert_array_equal(LinearArray(line, -3.0).offsets_m, [3, 5, 8])
    np.testing.assert_array_equal(LinearArray(line, 6.0).offsets_m, [6, 4, 1])
    assert LinearArray(line, 6.0).length_m == 5.0
    assert LinearArray(line, 6.0).spacing_m == 2.5


@pytest.mark.parametrize(
    ("x", "source", "says"),
    [
        ([0.0, 4.0, 2.0, 4.0], 0.0, "receivers 1 and 3 are both at 4 m.*stack"),
        ([1.0], 0.0, r"shape \(1,\).*at least 2"),
        ([[0.0, 1.0]], 0.0, r"shape \(1, 2\)"),
        ([0.0, np.nan], 0.0, "receiver 1 is at nan m"),
        ([0.0, 1.0], np.inf, "source is at inf m"),
    ],
)
def test_lines_that_make_no_sense_say_why(x: list[float], source: float, says: str) -> None:
    with pytest.raises(DataError, match=says):
        LinearArray(x, source)  # type: ignore[arg-type]


def test_ricker_spectrum_is_the_transform_of_the_wavelet() -> None:
    fs, n, peak = 1000.0, 2048, 25.0
    time = (np.arange(n) - n // 2) / fs
    spectrum = np.abs(np.fft.rfft(ricker(time, peak_hz=peak)))
    f = np.fft.rfftfreq(n, 1 / fs)
    closed = ricker_spectrum(f, peak_hz=peak)
    # integral of the wavelet's transform: 2 / (sqrt(pi) e f0) at the peak
    np.testing.assert_allclose(spectrum / fs, 2 / (np.sqrt(np.pi) * np.e * peak) * closed, atol=1e-9)


def test_the_spectrum_of_a_blow_is_the_transform_of_half_a_sine() -> None:
    fs, contact, n = 1e5, 0.01, 10**5
    time = np.arange(n) / fs
    force = np.where(time < contact, np.sin(np.pi * time / contact), 0.0)
    numeric = np.fft.rfft(force) / fs / (2 * contact / np.pi)
    f = np.fft.rfftfreq(n, 1 / fs)
    near = f < 400  # includes 50 Hz, where the closed form is 0 / 0 unless written with care
    np.testing.assert_allclose(numeric[near], blow_spectrum(f[near], contact_s=contact), atol=1e-5)
    np.testing.assert_allclose(blow_spectrum(np.array([0.0, 50.0, 150.0]), contact_s=contact), [1, -0.25j * np.pi, 0],
                               atol=1e-12)  # fmt: skip


def test_ormsby_spectrum_is_a_trapezoid() -> None:
    f = np.array([0.0, 2, 3, 4, 20, 38, 39.5, 40, 100])
    np.testing.assert_allclose(
        ormsby_spectrum(f, corners_hz=(2, 4, 38, 40)), [0, 0, 0.5, 1, 1, 1, 0.25, 0, 0], atol=1e-12
    )


def test_sources_have_a_largest_amplitude_of_one_and_are_drawn_from_their_ranges() -> None:
    f = np.linspace(0, 200, 20001)
    prior = SourcePrior(peak_hz=(12, 18))
    drawn = [draw_source(prior, np.random.default_rng(i)) for i in range(30)]
    assert {one.kind for one in drawn} == {"hammer", "ricker", "ormsby"}
    for one in drawn:
        assert 12 <= one.peak_hz <= 18
        assert np.abs(one.spectrum(f)).max() == pytest.approx(1.0, abs=1e-4)
    assert Source().spectrum(np.array([39.0]))[0] == 0.5


def test_corners_that_do_not_rise_are_refused() -> None:
    with pytest.raises(ValidationError, match="0 <= first < second <= third < fourth"):
        SourcePrior(corners_hz=(4, 2, 38, 40))
