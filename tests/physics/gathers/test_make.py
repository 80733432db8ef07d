"""Gathers as a whole: reproducible, of every kind, with the moveouts and contents that were drawn."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from seisloom.errors import DataError
from seisloom.physics.gathers.dispersive import Mode
from seisloom.physics.gathers.make import make_gather, rms_velocity
from seisloom.physics.gathers.medium import Earth
from seisloom.physics.gathers.moveout import corrected, muted_above
from seisloom.physics.gathers.priors import KINDS, LIMITS, GatherPriors
from seisloom.physics.gathers.synthesis import sum_arrivals
from seisloom.physics.wavelets import ricker

PRIORS = GatherPriors()


def test_a_gather_depends_on_its_seed_and_its_index_alone() -> None:
    one = make_gather(PRIORS, (24, 200), seed=3, index=7)
    make_gather(PRIORS, (24, 200), seed=3, index=8)
    again = make_gather(PRIORS, (24, 200), seed=3, index=7)
    assert np.array_equal(one.traces, again.traces)
    assert np.array_equal(one.offset_m, again.offset_m)
    for seed, index in ((3, 8), (4, 7)):
        assert not np.array_equal(one.traces, make_gather(PRIORS, (24, 200), seed=seed, index=index).traces)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_made_as_asked(kind: str) -> None:
    for index in range(6):
        gather = make_gather(GatherPriors(kinds=(kind,)), (40, 300), seed=0, index=index)
        assert gather.kind == kind
        assert gather.traces.shape == (40, 300)
        assert gather.traces.dtype == gather.offset_m.dtype == np.float32
        assert np.isfinite(gather.traces).all()
        assert np.mean(gather.traces**2, dtype=float) == pytest.approx(1.0, rel=1e-4)
        assert np.isfinite(gather.offset_m).all()
        assert gather.fs_hz in PRIORS.fs_hz


def test_all_kinds_are_drawn_by_their_weights() -> None:
    priors = GatherPriors(kind_weights=(0, 0, 1, 0, 1))
    found = [make_gather(priors, (4, 32), seed=1, index=index).kind for index in range(40)]
    assert set(found) == {"receiver", "cdp_nmo"}
    assert 8 <= found.count("receiver") <= 32  # 40 fair coins: outside with probability 2e-4


def test_amplitudes_stay_below_the_filter_of_the_recorder() -> None:
    for index in range(20):
        gather = make_gather(
            GatherPriors(kinds=("marine_shot", "land_shot"), share_muted=0), (8, 512), seed=2, index=index
        )
        taper = np.hanning(512)  # or the ends of the window leak
        power = np.abs(np.fft.rfft(gather.traces * taper, axis=1)) ** 2
        assert power[:, -8:].sum() < 1e-6 * power.sum()


def test_arrivals_are_delayed_and_absorbed_exactly() -> None:
    f = np.linspace(0, 100, 51)
    rng = np.random.default_rng(0)
    time, absorbed = rng.uniform(-1, 3, (5, 4)), rng.uniform(0, 0.1, (5, 4))
    amplitude = rng.standard_normal((5, 4)) * np.exp(1j * rng.uniform(0, 6, (5, 4)))
    amplitude[2] = 0
    expected = sum(
        a[:, None] * np.exp(-np.pi * f * q[:, None] - 2j * np.pi * f * t[:, None])
        for t, a, q in zip(time, amplitude, absorbed, strict=True)
    )
    np.testing.assert_allclose(sum_arrivals(time, amplitude, absorbed, f), expected, atol=1e-12)


def test_moveout_correction_flattens_a_hyperbola_and_stretches_it() -> None:
    fs, v, t0 = 500.0, 2000.0, 0.8
    x = np.array([0.0, 500.0, 1000.0])
    t = np.arange(1200) / fs
    traces = ricker(t - np.sqrt(t0**2 + (x[:, None] / v) ** 2), peak_hz=30.0)
    flat = corrected(
        traces, source_start_s=0.0, start_s=0.2, n_time=600, fs_hz=fs, offset_m=x, velocity_m_s=np.full(600, v),
        max_stretch=3.0,
    )  # fmt: skip
    assert (np.argmax(flat, axis=1) == round((t0 - 0.2) * fs)).all()
    np.testing.assert_allclose(flat[0], traces[0, 100:700], atol=1e-3)
    # Sample by sample what stood on the hyperbola through it
    tau = 0.2 + np.arange(600) / fs
    expected = ricker(np.sqrt(tau**2 + (x[1] / v) ** 2) - np.sqrt(t0**2 + (x[1] / v) ** 2), peak_hz=30.0)
    np.testing.assert_allclose(flat[1, 100:], expected[100:], atol=1e-3)


def test_what_is_stretched_too_much_is_muted() -> None:
    fs, v = 500.0, 2000.0
    flat = corrected(
        np.ones((1, 1000)), source_start_s=0.0, start_s=0.0, n_time=500, fs_hz=fs, offset_m=np.array([1000.0]),
        velocity_m_s=np.full(500, v), max_stretch=1.5,
    )[0]  # fmt: skip
    # dt / d tau = tau / t, 1 / 1.5 where tau^2 = (x / v)^2 / (1.5^2 - 1)
    tau = 0.5 / np.sqrt(1.5**2 - 1)
    first = int(np.flatnonzero(flat)[0])
    assert first == pytest.approx(tau * fs, abs=2)
    assert flat[first + 12] == pytest.approx(1.0, abs=1e-3)


def test_mutes_rise_after_their_time() -> None:
    muted = muted_above(np.ones((2, 100)), time_s=np.array([0.1, -1.0]), start_s=0.0, fs_hz=100.0, taper=10)
    assert not muted[0, :11].any()
    assert (np.diff(muted[0, 10:21]) > 0).all()
    assert (muted[0, 20:] == 1).all()
    assert (muted[1] == 1).all()


def test_rms_velocity_is_that_of_dix() -> None:
    earth = Earth(np.array([100.0, 300.0]), np.array([1000.0, 2000.0, 4000.0]), np.ones(3), 100.0, False)
    # 0.2 s of 1000 m/s, 0.3 s of 2000 m/s, then 4000 m/s
    found = rms_velocity(earth, np.array([0.0, 0.1, 0.5, 1.0]))
    expected = np.sqrt([1e6, 1e6, (0.2e6 + 0.3 * 4e6) / 0.5, 0.2e6 + 0.3 * 4e6 + 0.5 * 16e6])
    np.testing.assert_allclose(found, expected)


def test_a_mode_without_dispersion_is_a_delay() -> None:
    f = np.fft.rfftfreq(1000, 1 / 250)
    mode = Mode(400.0, 400.0, 10.0, quality=1e9, peak_hz=20.0, width=0.4, size=1.0)
    near, far = np.fft.irfft(mode.spectra(np.array([200.0, 600.0]), f, (0.0, 4.0)))
    np.testing.assert_allclose(np.roll(near, 250) * np.sqrt(200 / 600), far, atol=1e-9)


def test_a_dispersive_mode_arrives_by_its_group_velocity() -> None:
    f = np.fft.rfftfreq(4000, 1 / 250)
    mode = Mode(300.0, 700.0, 12.0, quality=1e9, peak_hz=15.0, width=0.1, size=1.0)
    trace = np.fft.irfft(mode.spectra(np.array([1200.0]), f, (0.0, 16.0)))[0]
    k = lambda hz: hz / (300 + 400 / (1 + (hz / 12) ** 2))  # noqa: E731
    group_s = 1200 * (k(15.1) - k(14.9)) / 0.2
    envelope = np.abs(trace) ** 2
    middle = (envelope * np.arange(4000)).sum() / envelope.sum() / 250
    assert middle == pytest.approx(group_s, rel=0.03)
    assert group_s > 1.2 * 1200 * k(15) / 15  # well behind the phase


def test_what_cannot_be_made_is_said() -> None:
    with pytest.raises(DataError, match="cannot be made"):
        make_gather(PRIORS, (1, 256), seed=0, index=0)
    with pytest.raises(DataError, match="whole numbers from 0"):
        make_gather(PRIORS, (8, 64), seed=0, index=-1)
    with pytest.raises(DataError, match="widen peak_hz"):
        make_gather(GatherPriors(peak_hz=(300, 400), fs_hz=(250,)), (8, 64), seed=0, index=0)
    with pytest.raises(ValidationError, match="smallest <= largest"):
        GatherPriors(water_m=(500, 100))
    with pytest.raises(ValidationError, match="kind_weights"):
        GatherPriors(kind_weights=(1, 2))
    with pytest.raises(ValidationError, match="more than 1 together"):
        GatherPriors(share_zero_phase=0.6, share_minimum_phase=0.6)


def test_every_default_lies_within_its_limits() -> None:
    for name, (low, high) in LIMITS.items():
        assert low <= getattr(PRIORS, name)[0] <= getattr(PRIORS, name)[1] <= high
