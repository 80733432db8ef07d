"""Moving the time axis against closed forms: tones, a wavelet, the edges of the record."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seisloom.augment.batch import Batch
from seisloom.augment.resample import HALF, MAX_SCALE, map_time
from seisloom.sample import Array, Field, Schema

N_TIME = 400
SCALES, SHIFTS = st.floats(0.6, MAX_SCALE), st.floats(-20, 20)


def moved(trace: Array, scale: float, shift: float) -> Array:
    """Return a trace whose sample j shows `scale * j + shift`."""
    values = torch.from_numpy(trace.astype(np.float32))[None]
    batch = Batch({"x": values}, ("a",), Schema((Field("x", ("time",)),)))
    return map_time(batch, np.array([scale]), np.array([shift])).arrays["x"][0].numpy()


@pytest.mark.parametrize(
    ("cycles_a_sample", "largest_error"),
    # Measured over 300 scales, shifts and phases: 1.2e-4 at the lowest, 4e-4 at 0.25, 6e-4 at 0.3, 0.019 at 0.35
    [(0.02, 3e-4), (0.05, 3e-4), (0.1, 3e-4), (0.2, 3e-4), (0.25, 6e-4), (0.3, 9e-4), (0.35, 0.03)],
)
@given(scale=SCALES, shift=SHIFTS, phase=st.floats(0, 6.28))
@settings(deadline=None, max_examples=40)
def test_a_tone_is_the_tone_of_the_moved_times(
    cycles_a_sample: float, largest_error: float, scale: float, shift: float, phase: float
) -> None:
    def tone(at: Array) -> Array:
        return np.sin(2 * np.pi * cycles_a_sample * at + phase)

    at = scale * np.arange(N_TIME) + shift
    inside = (at >= HALF) & (at <= N_TIME - 1 - HALF)  # farther out the record lacks samples that the value needs
    found = moved(tone(np.arange(N_TIME)), scale, shift)
    assert np.abs(found - tone(at))[inside].max() < largest_error


@given(scale=SCALES, shift=SHIFTS, centre=st.floats(150, 200), peak=st.floats(0.02, 0.12))
@settings(deadline=None, max_examples=60)
def test_a_ricker_wavelet_is_stretched_and_shifted(scale: float, shift: float, centre: float, peak: float) -> None:
    def ricker(at: Array) -> Array:
        squared = (np.pi * peak * (at - centre)) ** 2
        return (1 - 2 * squared) * np.exp(-squared)

    at = scale * np.arange(N_TIME) + shift
    found = moved(ricker(np.arange(N_TIME)), scale, shift)
    # Measured: 1.5e-4 of its height; little of it lies above 0.3 cycles a sample
    np.testing.assert_allclose(found, ricker(at), atol=4e-4)


def test_a_constant_stays_one_and_ends_half_a_sample_beyond_the_record() -> None:
    found = moved(np.ones(N_TIME), 1.0, -20.4)
    at = np.arange(N_TIME) - 20.4
    assert (found[at < -0.5] == 0).all()
    np.testing.assert_allclose(found[at > HALF], 1, atol=1e-6)
    assert (moved(np.ones(N_TIME), 1.0, 20.4)[-20:] == 0).all()
    assert moved(np.ones(N_TIME), 1.0, -0.5)[0] > 0.4
    assert moved(np.ones(N_TIME), 1.0, 0.5)[-1] == 0, "half-open: a place belongs to one record or the next"


def test_nothing_moves_where_the_map_is_the_identity() -> None:
    trace = np.random.default_rng(0).normal(size=N_TIME).astype(np.float32)
    np.testing.assert_allclose(moved(trace, 1.0, 0.0), trace, atol=1e-6)


def test_traces_of_an_item_move_alike_and_items_by_their_own_map() -> None:
    values = torch.randn(3, 5, 2, 90, generator=torch.Generator().manual_seed(0))
    schema = Schema((Field("x", ("trace", "channel", "time")),))
    scale, shift = np.array([0.9, 1.0, 1.3]), np.array([2.3, -4.0, 0.1])
    found = map_time(Batch({"x": values}, ("a", "b", "c"), schema), scale, shift).arrays["x"]
    for item, trace, channel in np.ndindex(3, 5, 2):
        alone = moved(values[item, trace, channel].numpy(), scale[item], shift[item])
        np.testing.assert_allclose(found[item, trace, channel], alone, atol=1e-6)


def test_the_compiled_loop_and_torch_read_the_same_and_torch_has_gradients() -> None:
    values = torch.randn(2, 3, 90, generator=torch.Generator().manual_seed(0))
    schema = Schema((Field("x", ("channel", "time")),))
    scale, shift = np.array([0.9, 1.3]), np.array([2.3, -7.7])
    plain = map_time(Batch({"x": values}, ("a", "b"), schema), scale, shift).arrays["x"]
    followed = values.clone().requires_grad_(True)
    other = map_time(Batch({"x": followed}, ("a", "b"), schema), scale, shift).arrays["x"]
    torch.testing.assert_close(other.detach(), plain, atol=1e-6, rtol=0)
    # The map is linear in the data: <A x, w> = <x, A' w>
    weight = torch.randn(plain.shape, generator=torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad((other * weight).sum(), followed)
    assert abs(float((plain * weight).sum() - (values * gradient).sum())) < 1e-3


def test_the_bits_of_an_item_do_not_depend_on_whether_others_shift_by_whole_samples() -> None:
    values = torch.randn(2, 3, 90, generator=torch.Generator().manual_seed(0))
    schema = Schema((Field("x", ("channel", "time")), Field("m", ("time",), "int8", label="mask")))
    arrays = {"x": values, "m": (values[:, 0] > 0).to(torch.int8)}
    both = map_time(Batch(arrays, ("a", "b"), schema), np.ones(2), np.array([4.0, 2.5]))
    for k, shift in enumerate((4.0, 2.5)):
        one = {name: values[k : k + 1] for name, values in arrays.items()}
        alone = map_time(Batch(one, ("a",), schema), np.ones(1), np.array([shift]))
        for name in arrays:
            assert torch.equal(alone.arrays[name][0], both.arrays[name][k])
    assert torch.equal(both.arrays["x"][0, :, :-4], values[0, :, 4:])
