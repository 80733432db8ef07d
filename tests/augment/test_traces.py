"""Augmentations of records against closed forms: tones, spectra, ratios in dB, moveout, rotation, gaps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy import signal

from seisloom.augment.amplitude import AmplitudeScale, PolarityFlip
from seisloom.augment.augmentation import Augmentation, augment
from seisloom.augment.band import Bandlimit, butterworth
from seisloom.augment.batch import Batch
from seisloom.augment.channels import ChannelDropout, Rotate
from seisloom.augment.examples import gather_batch, trace_batch
from seisloom.augment.gather import TraceDropout
from seisloom.augment.masks import Gap
from seisloom.augment.noise import AddNoise, LinearNoise, SwellNoise, make_noise
from seisloom.augment.time import Resample, TimeShift, TimeStretch, TimeWarp
from seisloom.sample import Array, Field, Schema

FS_HZ = 100.0
RECORD = Schema((Field("x", ("channel", "time")), Field("fs", (), unit="Hz")))


def records(x: Array) -> Batch:
    """A batch of records (item, channel, time) at 100 Hz."""
    arrays = {"x": torch.from_numpy(x.astype(np.float32)), "fs": torch.full((len(x),), FS_HZ)}
    return Batch(arrays, tuple(f"r{k}" for k in range(len(x))), RECORD)


def tones(hz: float, n_item: int = 4, n_time: int = 6000) -> Batch:
    t = np.arange(n_time) / FS_HZ
    return records(np.sin(2 * np.pi * hz * t + np.arange(n_item)[:, None, None]))


def frequency_hz(trace: Array, fs_hz: float = FS_HZ) -> float:
    """Return the frequency of a tone, by a parabola through the logarithm of its tapered spectrum."""
    found = np.log(np.abs(np.fft.rfft(trace * np.hanning(len(trace)))) + 1e-12)
    k = int(found.argmax())
    a, b, c = found[k - 1 : k + 2]
    return (k + 0.5 * (a - c) / (a - 2 * b + c)) * fs_hz / len(trace)


def of(entry: Augmentation, batch: Batch, name: str, seed: int = 0) -> tuple[Batch, Array]:
    """Return the changed batch and what was drawn under a name."""
    changed, drawn = augment(batch, [entry], seed=seed)
    return changed, np.array([row[f"0.{entry.name}.{name}"] for row in drawn])


# --- time


def test_a_stretch_divides_the_frequency_of_a_tone() -> None:
    changed, factor = of(TimeStretch(0.8, 1.25), tones(5.0), "factor")
    for trace, f in zip(changed.arrays["x"][:, 0].numpy(), factor, strict=True):
        assert abs(frequency_hz(trace[:4500]) - 5.0 / f) < 0.003
    assert np.abs(factor - 1).max() > 0.05


def test_resampling_keeps_the_frequency_in_hz_and_moves_the_rate() -> None:
    changed, factor = of(Resample(0.8, 1.25), tones(5.0), "factor")
    np.testing.assert_allclose(changed.arrays["fs"].numpy(), FS_HZ * factor, rtol=1e-6)
    for trace, fs_hz in zip(changed.arrays["x"][:, 0].numpy(), changed.arrays["fs"].tolist(), strict=True):
        assert abs(frequency_hz(trace[:4500], fs_hz) - 5.0) < 0.003


def test_a_share_of_the_record_shifts_by_whole_samples() -> None:
    batch = tones(3.0)
    changed, shift = of(TimeShift(max_shift=0.1), batch, "shift")
    old, new = batch.arrays["x"][:, 0].numpy(), changed.arrays["x"][:, 0].numpy()
    for a, b, n in zip(old, new, shift.astype(int), strict=True):
        assert 0 < abs(n) <= 600
        expected = np.zeros_like(a)
        expected[max(n, 0) : len(a) + min(n, 0)] = a[max(-n, 0) : len(a) - max(n, 0)]
        np.testing.assert_array_equal(b, expected)


def test_a_circular_shift_is_a_roll_with_its_picks_and_keeps_all_magnitudes() -> None:
    batch = trace_batch()
    changed, shift = of(TimeShift(max_shift=0.5, circular=True), batch, "shift")
    for a, b, n in zip(batch.arrays["x"].numpy(), changed.arrays["x"].numpy(), shift.astype(int), strict=True):
        np.testing.assert_array_equal(b, np.roll(a, n, axis=-1))
        np.testing.assert_allclose(np.abs(np.fft.rfft(b)), np.abs(np.fft.rfft(a)), rtol=1e-6, atol=1e-6)
    expected = (batch.arrays["y_idx"] + torch.as_tensor(shift)) % 400
    assert torch.allclose(changed.arrays["y_idx"].double(), expected, atol=1e-4)


def test_a_warp_moves_each_tone_by_its_own_rate_and_keeps_both_ends() -> None:
    n = 4000
    entry = TimeWarp(strength=0.2)
    batch = tones(4.0, n_time=n)
    changed, wave = of(entry, batch, "wave")
    for trace, a, phase in zip(changed.arrays["x"][:, 0].numpy(), wave, range(4), strict=True):
        x = np.arange(n) / (n - 1)
        place = (x + sum(a[k] * np.sin(np.pi * (k + 1) * x) for k in range(3))) * (n - 1)
        assert 0.79 < np.diff(place).min() < np.diff(place).max() < 1.21
        np.testing.assert_allclose(trace[10:-10], np.sin(2 * np.pi * 4 * place / FS_HZ + phase)[10:-10], atol=1e-3)


def test_maps_with_other_entries_between_wait_for_those_samples_only() -> None:
    batch = tones(5.0)
    entries = [TimeStretch(0.9, 0.9), AmplitudeScale(2.0, 2.0, p=0.5), TimeStretch(1 / 0.9, 1 / 0.9)]
    changed, drawn = augment(batch, entries, seed=0)
    scaled = np.array(["1.amplitude_scale.factor" in row for row in drawn])
    assert 0 < scaled.sum() < len(scaled)
    # Where nothing came between, both maps are one, which is none: not a bit changes
    np.testing.assert_array_equal(changed.arrays["x"][~scaled].numpy(), batch.arrays["x"][~scaled].numpy())


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: TimeShift(max_shift=0.1, max_shift_s=0.1), "not both"),
        (lambda: AddNoise(snr_min=3, snr_max=9, low_db=-3), "not both kinds"),
        (lambda: AddNoise(snr_min=3), "belong together"),
        (lambda: AddNoise(snr_min=9, snr_max=3), "must not be above"),
        (lambda: AmplitudeScale(1.1, 0.9), "must not be above"),
        (lambda: Bandlimit(low_hz=(5, 50), high_hz=(40, 45)), "must lie below"),
        (lambda: Rotate(channels="ZZE"), "Z, N and E"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(make: object, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        make()  # type: ignore[operator]


def test_values_without_a_name_come_in_their_order() -> None:
    assert AmplitudeScale(0.9, 1.1) == AmplitudeScale(low=0.9, high=1.1)
    assert TimeStretch(0.95, 1.05) == TimeStretch(low=0.95, high=1.05)
    assert ChannelDropout(0.3, 2) == ChannelDropout(p_drop=0.3, max_channels=2)
    assert TimeShift().max_shift_s == 0.002
    with pytest.raises(TypeError, match="given twice"):
        AmplitudeScale(0.9, low=0.8)
    with pytest.raises(TypeError, match="takes 2 values"):
        TimeStretch(0.9, 1.1, 1.2)


# --- noise


@pytest.mark.parametrize("colour", [{}, {"exponent_min": 1.0, "exponent_max": 2.0}, {"max_smooth": 9}])
def test_the_ratio_in_db_is_the_one_that_was_drawn(colour: dict[str, float]) -> None:
    batch = trace_batch()
    changed, snr_db = of(AddNoise(snr_min=-5, snr_max=40, **colour), batch, "snr_db")
    x = batch.arrays["x"].double().numpy()
    noise = changed.arrays["x"].double().numpy() - x
    found = 10 * np.log10((x**2).mean(axis=(1, 2)) / (noise**2).mean(axis=(1, 2)))
    np.testing.assert_allclose(found, snr_db, atol=0.01)


def test_noise_does_not_come_from_silence() -> None:
    changed, _ = augment(records(np.zeros((2, 3, 50))), [AddNoise(snr_min=0, snr_max=0)], seed=0)
    assert not changed.arrays["x"].any()


@pytest.mark.parametrize("exponent", [-1.0, 1.0, 2.0])
def test_coloured_noise_has_its_slope(exponent: float) -> None:
    n = 2**15
    noise = np.stack([make_noise(k, 1, torch.zeros(n), exponent=exponent).numpy() for k in range(20)])
    power = (np.abs(np.fft.rfft(noise)) ** 2).mean(axis=0)
    f = np.arange(len(power))
    octave = slice(16, len(f) // 2)
    slope = np.polyfit(np.log(f[octave]), np.log(power[octave]), 1, w=1 / np.sqrt(f[octave]))[0]
    # A mean of 20 periodograms scatters by 22 % at each of 8000 frequencies
    assert abs(slope + exponent) < 0.02
    assert abs(noise.std() - 1) < 0.1


def test_linear_events_have_the_moveout_that_was_drawn() -> None:
    n_time, offset = 800, np.linspace(0, 60, 13)
    schema = Schema((Field("x", ("trace", "time")), Field("offset_m", ("trace",)), Field("fs", ())))
    quiet = np.zeros((3, 13, n_time))
    quiet[:, 0, 0] = 1.0  # levels are relative to the largest amplitude
    arrays = {"x": quiet, "offset_m": np.tile(offset, (3, 1)), "fs": np.full(3, 1000.0)}
    batch = Batch({k: torch.from_numpy(v.astype(np.float32)) for k, v in arrays.items()}, ("a", "b", "c"), schema)
    entry = LinearNoise(n_events=1, low_db=0, high_db=0, low_hz=30, high_hz=40)
    changed, drawn = augment(batch, [entry], seed=1)
    n_seen = 0
    for x, row in zip(changed.arrays["x"].numpy(), drawn, strict=True):
        start, slowness = float(row["0.linear_noise.start"][0]), float(row["0.linear_noise.slowness"][0])
        place = start * n_time + 1000 * slowness * offset
        for trace, at in list(zip(x, place, strict=True))[1:]:
            if 5 < at < n_time - 5:
                n_seen += 1
                assert abs(trace.argmax() - at) <= 0.5 + 1e-6
                assert 0.98 < trace.max() <= 1.0
    assert n_seen > 15


def test_swell_is_low_neighbouring_and_of_its_level() -> None:
    n = 4096
    batch = gather_batch(n_trace=20, n_time=n)
    entry = SwellNoise(high_hz=10.0, low_db=6, high_db=6)
    changed, level = of(entry, batch, "level")
    noise = (changed.arrays["x"] - batch.arrays["x"])[:, :, 0].double().numpy()
    power = np.abs(np.fft.rfft(noise)) ** 2
    f = np.fft.rfftfreq(n, 1e-3)
    assert power[..., f > 10.5].sum() < 1e-6 * power.sum()
    rms = batch.arrays["x"].flatten(1).square().mean(dim=1).sqrt().numpy()
    for one, on, size in zip(noise, level > 0, rms, strict=True):
        first, last = np.flatnonzero(on)[[0, -1]]
        assert on[first : last + 1].all()
        assert on.sum() <= 6
        ratio = one[on].std(axis=1).mean() / size
        # 40 frequencies, so the deviation of a trace scatters by a tenth
        assert abs(20 * np.log10(ratio) - 6) < 2
        assert not one[~on].any()


# --- amplitude, channels, bands


def test_one_gain_a_sample() -> None:
    batch = trace_batch()
    changed, factor = of(AmplitudeScale(0.5, 2.0), batch, "factor")
    ratio = changed.arrays["x"].numpy() / batch.arrays["x"].numpy()
    np.testing.assert_allclose(ratio, np.broadcast_to(factor[:, None, None], ratio.shape), rtol=1e-5)


def test_polarity_is_negated_with_its_record() -> None:
    batch = trace_batch()
    changed, sign = of(PolarityFlip(gather=0.5, trace=0), batch, "sign")
    assert {-1.0, 1.0} == set(sign.ravel())
    np.testing.assert_array_equal(changed.arrays["polarity"].numpy(), batch.arrays["polarity"].numpy() * sign[:, 0])
    first = changed.arrays["x"][torch.arange(6), 0, changed.arrays["y_idx"].round().long()]
    assert (torch.sign(first) == changed.arrays["polarity"]).all()


def test_a_rotation_keeps_energy_and_turns_the_azimuth() -> None:
    batch = trace_batch()
    changed, angle = of(Rotate(), batch, "angle_deg")
    old, new = batch.arrays["x"].double().numpy(), changed.arrays["x"].double().numpy()
    np.testing.assert_array_equal(new[:, 0], old[:, 0])
    np.testing.assert_allclose((new**2).sum(axis=(1, 2)), (old**2).sum(axis=(1, 2)), rtol=1e-6)
    azimuth = changed.arrays["back_azimuth_deg"].numpy()
    assert ((azimuth >= 0) & (azimuth < 360)).all()
    # At the bump motion is towards the azimuth, by the example's construction, up to noise of 1 on 15
    place, polarity = batch.arrays["y_idx"].round().long().numpy(), batch.arrays["polarity"].numpy()
    for one, at, sign, expected in zip(new, place, polarity, azimuth, strict=True):
        seen = np.degrees(np.arctan2(*(sign * one[[2, 1], at - 2 : at + 3].mean(axis=1))))
        assert abs((seen - expected + 180) % 360 - 180) < 8
    assert (np.abs(angle) > 5).any()


def test_channels_fail_and_never_all() -> None:
    batch = records(np.ones((400, 3, 8)))
    changed, alive = of(ChannelDropout(0.5, 3), batch, "alive")
    assert (alive.sum(axis=1) >= 1).all()
    # One or two channels are chosen, each fails with one half: none in (1/2 + 1/4) / 2 of the cases
    none = (alive.sum(axis=1) == 3).mean()
    assert abs(none - 0.375) < 4 * (0.375 * 0.625 / 400) ** 0.5
    np.testing.assert_array_equal(changed.arrays["x"][..., 0].numpy(), alive)
    with pytest.raises(ValueError, match="one channel"):
        augment(tones(5.0), [ChannelDropout()], seed=0)


def test_the_filter_is_the_butterworth_of_scipy_and_keeps_phase() -> None:
    cycles = np.arange(1, 200) / 400
    for high_pass, kind in ((False, "lowpass"), (True, "highpass")):
        sos = signal.butter(3, 0.11, kind, fs=1, output="sos")
        expected = signal.sosfreqz(sos, cycles, fs=1)[1]
        found = butterworth(cycles, np.array([0.11]), order=3, high_pass=high_pass)[0]
        np.testing.assert_allclose(found, expected, atol=1e-9)
    batch = tones(10.0)
    entry = Bandlimit(low_hz=(4, 4), high_hz=(10, 10), order=2)
    changed, _ = augment(batch, [entry], seed=0)
    middle = slice(1000, 5000)
    old, new = (one.arrays["x"][:, 0, middle].numpy() for one in (batch, changed))
    # -3 dB a pass at the upper corner, forward and backward; the lower one still takes a little at 10 Hz
    gain = 0.5 / (1 + (np.tan(np.pi * 0.04) / np.tan(np.pi * 0.1)) ** 4)
    np.testing.assert_allclose(new, gain * old, atol=2e-3)
    one_way, _ = augment(batch, [entry.model_copy(update={"zero_phase": False})], seed=0)
    assert np.abs(one_way.arrays["x"][:, 0, middle].numpy() - gain**0.5 * old).max() > 0.3


def test_a_pick_in_a_gap_is_one_that_nobody_knows() -> None:
    batch = gather_batch(n_item=40)
    entry = Gap(share=0.5)
    changed, first = of(entry, batch, "first")
    _, stop = of(entry, batch, "stop")
    picked = batch.arrays["has_pick"].numpy() == 1
    y = batch.arrays["y_idx"].numpy()
    inside = picked & (y > first[:, None]) & (y < stop[:, None] - 1)
    outside = picked & ((y < first[:, None] - 1) | (y > stop[:, None]))
    assert inside.any()
    assert (changed.arrays["has_pick"].numpy()[inside] == -1).all()
    assert (changed.arrays["y_idx"].numpy()[inside] == -1).all()
    np.testing.assert_array_equal(changed.arrays["y_idx"].numpy()[outside], y[outside])
    for x, a, b in zip(changed.arrays["x"].numpy(), first, stop, strict=True):
        assert not x[..., a:b].any()


def test_traces_die_one_by_one_on_a_raster_or_side_by_side() -> None:
    batch = gather_batch(n_item=60, n_trace=24)
    _, alive = of(TraceDropout(mode="regular", every=4), batch, "alive")
    assert {len(set(np.diff(np.flatnonzero(one)))) for one in alive} == {1}
    assert set(alive.sum(axis=1)) <= {6.0, 8.0, 12.0}
    _, alive = of(TraceDropout(0.5, mode="blocks"), batch, "alive")
    for one in alive:
        dead = np.flatnonzero(one == 0)
        assert 1 <= len(dead) <= 12
        assert len(dead) == 1 or (np.diff(dead) == 1).all()
    _, alive = of(TraceDropout(0.3), batch, "alive")
    assert abs(1 - alive.mean() - 0.3) < 4 * (0.21 / alive.size) ** 0.5
