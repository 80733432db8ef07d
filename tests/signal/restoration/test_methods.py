"""What every method that fills must hold, whatever it does in between."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.signal.restoration import masks
from seisloom.signal.restoration.along_traces import cubic, linear
from seisloom.signal.restoration.dct import dct_denoise
from seisloom.signal.restoration.fx import fx_denoise, fx_fill
from seisloom.signal.restoration.median import median_denoise
from seisloom.signal.restoration.mssa import mssa_denoise, mssa_fill
from seisloom.signal.restoration.panel import Restore
from seisloom.signal.restoration.plane_wave import plane_wave_fill
from seisloom.signal.restoration.pocs import pocs_fill
from seisloom.signal.restoration.radon import radon_fill
from seisloom.signal.restoration.soft_impute import soft_impute

from .events import missing_snr_db, straight_events

FILLING: dict[str, Restore] = {
    "linear": linear,
    "cubic": cubic,
    "akima": partial(cubic, local=True),
    "pocs": partial(pocs_fill, n_iterations=20),
    "fx": fx_fill,
    "mssa": partial(mssa_fill, rank=2),
    "damped mssa": partial(mssa_fill, rank=2, damping=2),
    "soft_impute": partial(soft_impute, rank=4),
    "plane_wave": partial(plane_wave_fill, slopes=(-2.0, 2.0)),
    "radon": partial(radon_fill, slopes=(-2.0, 2.0)),
}
DENOISING = {"fx": fx_denoise, "mssa": mssa_denoise, "dct": dct_denoise, "median": median_denoise}

RNG = np.random.default_rng(0)
TRUE = straight_events((24, 96), [(30, 0.4, 1.0), (60, -0.3, 0.7)])
LIVE = masks.irregular(24, 0.3, np.random.default_rng(3))


@pytest.fixture(params=FILLING.values(), ids=FILLING.keys())
def fill(request: pytest.FixtureRequest) -> Restore:
    """Each method in turn."""
    method: Restore = request.param
    return method


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_live_traces_come_back_bit_by_bit_and_dead_ones_are_never_looked_at(fill: Restore, kind: type) -> None:
    given = np.where(LIVE[:, None], TRUE, np.nan).astype(kind)
    before, mask = given.copy(), LIVE.copy()
    restored = fill(given, LIVE)
    assert restored.dtype == kind
    assert np.array_equal(restored[LIVE], given[LIVE])
    assert np.isfinite(restored).all()
    assert np.array_equal(given, before, equal_nan=True)
    assert np.array_equal(LIVE, mask)


def test_straight_events_are_filled_far_better_than_by_zeros(fill: Restore) -> None:
    # Zeros have 0 dB; at equal time these events are a third of a period apart from trace to trace
    assert missing_snr_db(fill(TRUE, LIVE), TRUE, LIVE) > 3


def test_amplitudes_may_have_any_unit(fill: Restore) -> None:
    # A power of two changes no digit
    np.testing.assert_array_equal(fill(TRUE * 2.0**20, LIVE), fill(TRUE, LIVE) * 2.0**20)


def test_nothing_is_filled_where_nothing_is_missing(fill: Restore) -> None:
    everywhere = np.ones(24, dtype=bool)
    assert np.array_equal(fill(TRUE, everywhere), TRUE)


def test_a_silent_panel_stays_silent(fill: Restore) -> None:
    assert not fill(np.zeros((24, 96)), LIVE).any()


@pytest.mark.parametrize("shape", [(1, 50), (2, 50), (3, 7), (5, 3), (7, 1)])
def test_panels_smaller_than_a_window_and_single_traces_are_restored(fill: Restore, shape: tuple[int, int]) -> None:
    values = RNG.normal(size=shape)
    live = np.arange(shape[0]) % 3 == 0
    restored = fill(values, live)
    assert restored.shape == shape
    assert np.isfinite(restored).all()
    assert np.array_equal(restored[live], values[live])


def test_one_live_trace_is_enough_to_answer(fill: Restore) -> None:
    alone = np.arange(24) == 7
    assert np.isfinite(fill(TRUE, alone)).all()


def test_a_panel_without_any_live_trace_is_refused(fill: Restore) -> None:
    with pytest.raises(DataError, match="all traces of the panel are dead"):
        fill(TRUE, np.zeros(24, dtype=bool))


@pytest.mark.parametrize("denoise", DENOISING.values(), ids=DENOISING.keys())
def test_noise_on_straight_events_is_lowered_and_the_input_left_alone(denoise) -> None:  # type: ignore[no-untyped-def]
    noise = 0.3 * np.random.default_rng(5).normal(size=TRUE.shape)
    noisy = TRUE + noise
    before = noisy.copy()
    error = denoise(noisy) - TRUE
    # 3 dB: half of the noise's energy
    assert np.sum(error**2) < 0.5 * np.sum(noise**2)
    assert np.array_equal(noisy, before)
    assert denoise(noisy.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("denoise", DENOISING.values(), ids=DENOISING.keys())
@pytest.mark.parametrize("shape", [(1, 40), (2, 5), (6, 1)])
def test_small_panels_are_denoised_without_a_word(denoise, shape: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
    denoised = denoise(RNG.normal(size=shape))
    assert denoised.shape == shape
    assert np.isfinite(denoised).all()
