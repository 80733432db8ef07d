"""Synthetic local events: travel times, spectra and patterns in closed form, classes that differ as they should."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.fft import irfft
from scipy.integrate import quad

from seisloom.physics.events import KINDS, EventPriors, Kind, draw_event, network_of
from seisloom.physics.events_noise import Background, background_noise
from seisloom.physics.events_path import (
    band_noise,
    coda_energy_s,
    coda_envelope,
    delayed,
    far_field_m_s,
    octaves,
    rayleigh,
    recorder,
)
from seisloom.physics.events_record import LocalRecord, synthesise_record
from seisloom.physics.events_source import (
    blast,
    blast_corner_hz,
    brune,
    brune_corner_hz,
    double_couple,
    moment_nm,
    ripple,
)
from seisloom.sample import Array
from seisloom.signal.filters import bandpass

FREQUENCY_HZ = np.linspace(0, 50, 2001)


def many(kind: Kind, n: int = 40, **priors: object) -> list[tuple[int, LocalRecord]]:
    """Records of the first station of some events."""
    config = EventPriors.model_validate(priors)
    events = [draw_event(config, kind, seed=5, number=k, n_stations=3) for k in range(n)]
    return [(k, synthesise_record(config, event, 0)) for k, event in enumerate(events)]


# --- sources


def test_a_brune_spectrum_is_half_at_its_corner_and_falls_by_forty_db_a_decade() -> None:
    modulus = np.abs(brune(np.array([0.0, 5.0, 5e3, 5e4]), corner_hz=5.0))
    np.testing.assert_allclose(modulus[:2], [1, 0.5])
    assert 20 * np.log10(modulus[2] / modulus[3]) == pytest.approx(40, abs=1e-4)


def test_the_corner_of_an_earthquake_is_that_of_brune_s_circular_crack() -> None:
    # 0.49 vs (stress / M0)^(1/3), as his corner is written in most papers: 2.34 / (2 pi) (16 / 7)^(1/3) = 0.4906
    corner = brune_corner_hz(1e13, stress_drop_pa=3e6, vs_m_s=3500.0)
    assert corner == pytest.approx(0.4906 * 3500 * (3e6 / 1e13) ** (1 / 3), rel=1e-4)
    assert brune_corner_hz(8e13, stress_drop_pa=3e6, vs_m_s=3500.0) == pytest.approx(corner / 2)
    assert blast_corner_hz(8e13) == pytest.approx(blast_corner_hz(1e13) / 2)


def test_a_blast_without_overshoot_is_brune_s_and_with_two_rises_to_twice_its_level() -> None:
    np.testing.assert_allclose(blast(FREQUENCY_HZ, corner_hz=8, overshoot=0), brune(FREQUENCY_HZ, corner_hz=8))
    humped = np.abs(blast(FREQUENCY_HZ, corner_hz=8, overshoot=2))
    assert humped[0] == 1
    assert humped.max() == pytest.approx(2, abs=0.05)
    assert 3 < FREQUENCY_HZ[humped.argmax()] < 8
    far = np.abs(blast(np.array([1e4, 1e5]), corner_hz=8, overshoot=2))
    assert far[0] / far[1] == pytest.approx(100, rel=1e-3)


def test_rows_of_a_blast_are_in_step_at_multiples_of_one_over_their_delay() -> None:
    rows = np.abs(ripple(np.array([0.0, 5.0, 10.0, 20.0]), n_rows=2, delay_s=0.1))
    np.testing.assert_allclose(rows, [1, 0, 1, 1], atol=1e-12)
    brute = np.mean([np.exp(-2j * np.pi * FREQUENCY_HZ * k * 0.037) for k in range(7)], axis=0)
    np.testing.assert_allclose(ripple(FREQUENCY_HZ, n_rows=7, delay_s=0.037), brute, atol=1e-12)


def test_patterns_of_a_slip_have_the_mean_squares_of_the_sphere() -> None:
    rng = np.random.default_rng(0)
    take_off, azimuth = np.arccos(rng.uniform(-1, 1, 200_000)), rng.uniform(0, 2 * np.pi, 200_000)
    p, sv, sh = double_couple(take_off, azimuth, strike_rad=0.4, dip_rad=1.1, rake_rad=-0.7)
    # 200 000 directions give the mean within half a per cent
    assert np.mean(p**2) == pytest.approx(4 / 15, rel=0.01)
    assert np.mean(sv**2 + sh**2) == pytest.approx(2 / 5, rel=0.01)


def test_a_vertical_strike_slip_has_its_lobes_between_the_nodal_planes() -> None:
    fault = {"strike_rad": 0.0, "dip_rad": np.pi / 2, "rake_rad": 0.0}
    p, _, sh = double_couple(np.pi / 2, np.radians([0.0, 45.0, 90.0, 135.0]), **fault)
    np.testing.assert_allclose(p, [0, 1, 0, -1], atol=1e-12)
    np.testing.assert_allclose(np.abs(sh), [1, 0, 1, 0], atol=1e-12)


# --- paths


def test_a_wave_loses_what_its_t_star_says_and_nothing_comes_before_its_travel_time() -> None:
    way = delayed(FREQUENCY_HZ, travel_s=4.0, t_star_s=0.05)
    assert np.abs(way[[0, 400]]).tolist() == pytest.approx([1, np.exp(-np.pi * 10 * 0.05)])
    trace = irfft(way * brune(FREQUENCY_HZ, corner_hz=4.0), 4000)  # 100 Hz, 40 s
    assert np.abs(trace[:399]).max() < 0.02 * np.abs(trace).max()
    assert 400 < np.abs(trace).argmax() < 430


def test_the_level_of_a_far_field_is_that_of_aki_and_richards() -> None:
    level = far_field_m_s(1e13, distance_m=2e4, velocity_m_s=6e3, density_kg_m3=2700)
    assert level == pytest.approx(2 * 1e13 / (4 * np.pi * 2700 * 6e3**3 * 2e4))


def test_rg_spreads_along_the_surface_and_needs_a_shallow_source() -> None:
    usual = {"moment": 1e12, "density_kg_m3": 2700, "vs_m_s": 3400, "slow_m_s": 1500, "q": 1e9}
    near, far = (np.abs(rayleigh(FREQUENCY_HZ[1:], distance_m=r, depth_m=0, **usual)) for r in (1e4, 4e4))
    np.testing.assert_allclose(near / far, 2, rtol=1e-5)  # its Q is finite
    shallow, deep = (np.abs(rayleigh(FREQUENCY_HZ, distance_m=1e4, depth_m=h, **usual))[40] for h in (20, 8000))
    assert deep < 1e-4 * shallow  # at 1 Hz, some 2.2 km a wavelength


def test_coda_decays_as_its_formula_and_has_the_energy_that_is_said() -> None:
    time_s = np.arange(0, 60, 0.01)
    envelope = coda_envelope(time_s, frequency_hz=4.0, onset_s=10.0, q=150.0)
    assert not envelope[:1000].any()
    assert envelope[3000] / envelope[1500] == pytest.approx(0.5 * np.exp(-np.pi * 4 * 15 / 150))
    for q in (1e4, 150.0, 0.1):
        energy, _ = quad(lambda t, q=q: (10 / t * np.exp(-np.pi * 4 * (t - 10) / q)) ** 2, 10, np.inf, limit=500)
        assert coda_energy_s(frequency_hz=4.0, onset_s=10.0, q=q) == pytest.approx(energy, rel=1e-4)


def test_octaves_share_the_power_of_each_frequency_and_noise_of_a_band_has_unit_power() -> None:
    centre_hz, weight = octaves(FREQUENCY_HZ)
    np.testing.assert_allclose(np.sum(weight**2, axis=0), 1)
    np.testing.assert_allclose(centre_hz[1:] / centre_hz[:-1], 2)
    noise = band_noise(weight, 4000, 40, np.random.default_rng(0))
    # 40 traces; the lowest band has some 50 lines of the spectrum each
    np.testing.assert_allclose(np.mean(noise**2, axis=(1, 2)), 1, rtol=0.1)


def test_a_recorder_passes_its_band_and_foresees_nothing() -> None:
    response = recorder(FREQUENCY_HZ)
    np.testing.assert_allclose(np.abs(response[[0, 800, 1500, 2000]]), [1, 1, 0.5**0.5, 0.1], atol=0.01)
    pulse = irfft(response * delayed(FREQUENCY_HZ, travel_s=4.0, t_star_s=0.03), 4000)
    assert np.abs(pulse[:398]).max() < 0.02 * pulse.max()


# --- whole records


def test_p_and_s_come_when_the_half_space_says() -> None:
    priors = EventPriors(before_s=40)
    for number in range(20):
        event = draw_event(priors, "earthquake", seed=1, number=number, n_stations=4)
        slant_m = np.sqrt(event.distance_m**2 + event.depth_m**2)
        np.testing.assert_allclose(event.p_s, slant_m / event.vp_m_s)
        np.testing.assert_allclose(event.s_s - event.p_s, slant_m * (1 / event.vs_m_s - 1 / event.vp_m_s))
        assert 1.65 <= event.vp_m_s / event.vs_m_s <= 1.82
        record = synthesise_record(priors, event, 2)
        assert record.onset_s == 40
        assert record.s_s - 40 == pytest.approx(float(event.s_s[2] - event.p_s[2]))
        assert not record.signal[:, : round(40 * priors.fs_hz)].any(), "nothing comes before P"


def test_the_signal_rises_at_p_and_again_at_s() -> None:
    shares = []
    for _, record in many("earthquake", q_s=(400, 500)):
        horizontal = np.hypot(record.signal[1], record.signal[2])
        p, s = round(record.onset_s * 40), round(record.s_s * 40)
        shares.append(horizontal[s : s + 20].max() / horizontal[p : s - 2].max())
        assert np.abs(record.signal[0, p : p + 20]).max() > 0
    assert np.median(shares) > 2


def test_the_spectrum_of_p_bends_at_its_corner() -> None:
    """Two sizes of one stress drop: the ratio of their spectra is that of two Brune spectra."""
    usual = {"fs_hz": 100.0, "stress_drop_mpa": (3.0, 3.0), "coda_energy": (1e-6, 1e-6), "rg_level": (1e-9, 1e-9)}
    found = []
    for magnitude in (3.0, 2.0):
        priors = EventPriors.model_validate({**usual, "magnitude": (magnitude, magnitude)})
        event = draw_event(priors, "earthquake", seed=2, number=1, n_stations=1)
        record = synthesise_record(priors, event, 0)
        begin, end = round(record.onset_s * 100), round(record.s_s * 100) - 50
        found.append((np.abs(np.fft.rfft(record.signal[0, begin:end], 1024)), event.corner_p_hz))
    frequency_hz = np.fft.rfftfreq(1024, 0.01)
    band = (frequency_hz > 3) & (frequency_hz < 30)
    expected = moment_nm(3.0) / moment_nm(2.0)
    expected = expected * (1 + (frequency_hz / found[1][1]) ** 2) / (1 + (frequency_hz / found[0][1]) ** 2)
    # What a band's end rings before the onset is cut off, which costs the shorter pulse more: some per cent
    np.testing.assert_allclose((found[0][0] / found[1][0])[band], expected[band], rtol=0.1)


def test_blasts_have_more_p_beside_their_s_than_earthquakes() -> None:
    ratio: dict[Kind, Array] = {}
    for kind in ("earthquake", "explosion"):
        ratios = []
        for _, record in many(kind, n=60):
            x = bandpass(record.signal, fs_hz=40, low_hz=4, high_hz=12, zero_phase=False)
            p, s = round(record.onset_s * 40), round(record.s_s * 40)
            sizes = [np.sqrt(np.mean(np.square(x[:, a : a + 80]))) for a in (p, s)]
            ratios.append(np.log10(sizes[0] / sizes[1]))
        ratio[kind] = np.array(ratios)
    assert np.median(ratio["explosion"]) > np.median(ratio["earthquake"]) + 0.2
    assert ratio["explosion"].min() < np.median(ratio["earthquake"]) + 0.3, "one ratio alone does not tell them apart"


def test_the_snr_that_is_told_is_reached() -> None:
    told, reached = [], []
    for _, record in many("explosion"):
        p = round(record.onset_s * 40)
        signal = np.sqrt(np.mean(np.square(record.signal[0, p : p + 200], dtype=float)))
        told.append(record.snr_db)
        reached.append(20 * np.log10(signal / np.sqrt(np.mean(np.square(record.noise[0], dtype=float)))))
        np.testing.assert_array_equal(record.x, record.signal + record.noise)
    np.testing.assert_allclose(reached, told, atol=0.01)  # float32
    assert np.ptp(told) > 20


def test_noise_is_coloured_as_its_station_says_and_holds_no_event() -> None:
    station = Background(slope=1.5, culture=0.0, culture_hz=5.0, horizontal=1.5)
    rng = np.random.default_rng(0)
    some = [background_noise(station, 4000, fs_hz=40.0, share_transients=0.0, rng=rng) for _ in range(60)]
    noise = np.stack(some)
    np.testing.assert_allclose(np.mean(noise[:, 0] ** 2, axis=-1), 1, rtol=1e-4)
    assert np.mean(noise[:, 1:] ** 2) == pytest.approx(1.5**2, rel=0.05)
    power = np.mean(np.abs(np.fft.rfft(noise[:, 0])) ** 2, axis=0)
    frequency_hz = np.fft.rfftfreq(4000, 1 / 40)
    two, eight = (power[(frequency_hz > f * 0.9) & (frequency_hz < f * 1.1)].mean() for f in (2.0, 8.0))
    # f^-1.5 in amplitude, and a floor of 0.02 that counts at 8 Hz; slopes vary by 0.1 from record to record
    shape = [(1 + (f / 0.5) ** 2) ** -0.75 + 0.02 for f in (2.0, 8.0)]
    assert two / eight == pytest.approx((shape[0] / shape[1]) ** 2, rel=0.2)
    _, record = many("noise", n=1)[0]
    assert not record.signal.any()
    assert np.isnan(record.snr_db)


# --- seeds and priors


def test_an_event_alone_has_the_bytes_that_it_has_among_others() -> None:
    priors = EventPriors(record_s=60, before_s=20)
    for kind in KINDS:
        event = draw_event(priors, kind, seed=3, number=7, n_stations=3)
        whole = [synthesise_record(priors, event, k).x for k in range(3)]
        network_of.cache_clear()
        again = synthesise_record(priors, draw_event(priors, kind, seed=3, number=7, n_stations=3), 1)
        assert again.x.tobytes() == whole[1].tobytes()
        assert again.x.shape == (3, 2400)
        assert again.x.dtype == np.float32
        assert np.isfinite(again.x).all()
        for other in (
            draw_event(priors, kind, seed=4, number=7, n_stations=3),
            draw_event(priors, kind, seed=3, number=8, n_stations=3),
        ):
            assert not np.array_equal(synthesise_record(priors, other, 1).x, again.x)


def test_blasts_come_from_few_places_and_all_events_share_the_stations() -> None:
    priors = EventPriors(n_quarries=3)
    blasts = [draw_event(priors, "explosion", seed=0, number=k, n_stations=4) for k in range(60)]
    places = {(round(one.x_m / 5e3), round(one.y_m / 5e3)) for one in blasts}
    assert len(places) <= 8  # places of 5 km, whose edges may run through a quarry
    assert all(one.depth_m <= 50 for one in blasts)
    assert {k for one in blasts for k in one.stations} <= set(range(priors.n_stations))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"vp_km_s": (6, 5)}, r"vp_km_s is \[6.0, 5.0\]; it needs 0 < smallest <= largest"),
        ({"snr_db": (9, 3)}, r"snr_db is \[9.0, 3.0\]; it needs smallest <= largest"),
        ({"record_s": 20, "before_s": 18}, "record_s 20 ends before 5 s of the event were recorded"),
    ],
)
def test_priors_that_do_not_fit_are_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        EventPriors.model_validate(changes)
