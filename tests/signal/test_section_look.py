"""What a section looks like: known frequencies, slopes, folds and noise come back."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.draw import draw_volume
from seisloom.physics.volumes.priors import VolumePriors
from seisloom.sample import Array
from seisloom.signal.section_look import SectionLook, look_at_section


def layered(slope: Array, *, f0: float = 0.1, seed: int = 0, n: int = 200) -> Array:
    """Return layers that follow a relief, (trace, time): band-limited noise around f0, moved by the sum of slopes."""
    rng = np.random.default_rng(seed)
    frequency = np.fft.rfftfreq(4 * n)
    ricker = (frequency / f0) ** 2 * np.exp(1 - (frequency / f0) ** 2)
    trace = np.fft.irfft(np.fft.rfft(rng.standard_normal(4 * n)) * ricker)
    at = 1.5 * n + np.arange(n) - np.cumsum(slope)[:, None]
    return np.asarray(ndimage.map_coordinates(trace, at[None], order=3) / trace.std())


def look(section: Array) -> SectionLook:
    found = look_at_section(section)
    assert found is not None
    return found


@pytest.mark.parametrize("slope", [-0.5, -0.1, 0.0, 0.3])
@pytest.mark.parametrize("seed", range(3))
def test_a_constant_slope_is_the_tilt(slope: float, seed: int) -> None:
    found = look(layered(np.full(100, slope), seed=seed))
    assert found.tilt == pytest.approx(slope, abs=0.03)
    assert found.slope_rms < 0.02
    assert found.noise_ratio < 0.1


@pytest.mark.parametrize("ratio", [0.2, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_white_noise_is_measured_whatever_the_scale_and_the_polarity(ratio: float, seed: int) -> None:
    # Slopes of a noisy section follow the noise a little, so that some of it counts as common
    noise = np.random.default_rng(seed).standard_normal((100, 200))
    section = layered(np.full(100, 0.1), seed=seed) + ratio * noise
    found = look(section)
    assert found.noise_ratio == pytest.approx(ratio, rel=0.2, abs=0.05)
    assert found.noise_width < 0.5
    assert look(-1000 * section).noise_ratio == pytest.approx(found.noise_ratio, rel=1e-6)


@pytest.mark.parametrize("width", [1.0, 2.0])
def test_the_width_of_noise_is_measured_where_noise_is_what_there_is(width: float) -> None:
    noise = ndimage.gaussian_filter1d(np.random.default_rng(0).standard_normal((200, 200)), width, axis=0)
    found = look(layered(np.zeros(200)) + 0.5 * noise / noise.std())
    assert found.noise_width == pytest.approx(width, rel=0.25)


@pytest.mark.parametrize("width", [12.0, 25.0])
def test_folds_have_their_width_and_height(width: float) -> None:
    widths, heights = [], []
    for seed in range(8):
        white = np.random.default_rng(seed).standard_normal(656)
        relief = ndimage.gaussian_filter1d(white, width)[200:456]
        relief *= 10 / 4 * np.sqrt(2 * np.sqrt(np.pi) * width)  # a standard deviation of a quarter of 10 samples
        found = look(layered(np.diff(relief, prepend=relief[0]), seed=seed))
        widths.append(found.fold_width)
        heights.append(found.relief)
    # One section has a handful of folds: single ones are off by up to a half
    assert np.median(widths) == pytest.approx(width, rel=0.25)
    assert np.median(heights) == pytest.approx(10, rel=0.3)


@pytest.mark.parametrize("f0", [0.05, 0.1, 0.18])
@pytest.mark.parametrize("noise", [0.0, 0.8])
def test_the_frequency_of_generated_sections_is_recovered_through_white_noise(f0: float, noise: float) -> None:
    priors = VolumePriors(f0_cycles_per_sample=(f0, f0), noise_ratio=(noise, noise), noises=("white",))
    sections = [make_box(draw_volume((1, 128, 192), seed, priors), None, ("seismic",)) for seed in range(6)]
    found = [look(one["seismic"][0]).f0 for one in sections]
    assert np.median(found) == pytest.approx(f0, rel=0.2)


def test_dead_traces_padding_and_nan_change_little() -> None:
    section = layered(np.full(120, 0.2)) + 0.2 * np.random.default_rng(1).standard_normal((120, 200))
    whole, holed = look(section), section.copy()
    holed[[5, 40, 77]] = 0
    holed = np.pad(holed, ((0, 0), (60, 30)))
    holed[3, 100] = np.nan
    found = look(holed)
    assert found.f0 == pytest.approx(whole.f0, rel=0.05)
    assert found.tilt == pytest.approx(whole.tilt, abs=0.03)
    assert found.noise_ratio == pytest.approx(whole.noise_ratio, abs=0.1)


@pytest.mark.parametrize(
    "section",
    [np.zeros((50, 100)), np.ones((50, 100)), np.full((50, 100), np.nan), np.ones((3, 100)), np.ones((50, 5))],
)
def test_a_section_with_nothing_to_see_is_said_to_be_none(section: Array) -> None:
    assert look_at_section(section) is None
