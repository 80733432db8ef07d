"""What a station records of a synthetic local event: direct waves, Rg and coda through its ground, and its noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.fft import irfft, next_fast_len
from scipy.signal import lfilter

from seisloom.physics.events import SNR_S, EventPriors, LocalEvent, Station, keyed, network_of
from seisloom.physics.events_noise import background_noise
from seisloom.physics.events_path import (
    RAYLEIGH_H_OVER_V,
    band_noise,
    coda_energy_s,
    coda_envelope,
    delayed,
    far_field_m_s,
    octaves,
    rayleigh,
    recorder,
)
from seisloom.physics.events_source import blast, brune, double_couple, moment_nm, ripple
from seisloom.sample import Array

DENSITY_KG_M3 = 2700.0
"""Of crystalline crust; Christensen & Mooney (1995), JGR 100(B6), 9761-9788."""
SCATTERED_P2, SCATTERED_S2 = 4 / 15, 2 / 5
"""Mean squares of the patterns of a slip: coda comes from all directions."""
LOUDER = 1.3
"""Power of distance by which near stations are louder than far ones: spreading and loss."""
_RECORD = 1  # what its random numbers are keyed by, behind the seed


@dataclass(frozen=True, slots=True)
class LocalRecord:
    """What one station recorded, and its truth. Arrays (channel, time): Z, N, E, ground velocity in m/s."""

    signal: Array
    """float32; 0 everywhere for noise."""
    noise: Array
    """float32."""
    onset_s: float
    """P wave in s after the first sample; for noise, where it would be."""
    s_s: float
    """S wave in s after the first sample."""
    snr_db: float
    """RMS of the signal on Z in 5 s from the onset on, over that of all noise on Z; NaN for noise."""

    @property
    def x(self) -> Array:
        """What is recorded, float32 (channel, time)."""
        return self.signal + self.noise


def synthesise_record(priors: EventPriors, event: LocalEvent, k: int) -> LocalRecord:
    """Return what one station recorded of an event, keyed by (seed, number of the event, station).

    Args:
        priors: those that the event was drawn from.
        event: of `draw_event`.
        k: which of the event's stations.
    """
    number = event.stations[k]
    station, rng = network_of(priors, event.seed)[number], keyed(event.seed, _RECORD, event.number, number)
    n_time = round(priors.record_s * priors.fs_hz)
    noise = background_noise(
        station.background, n_time, fs_hz=priors.fs_hz, share_transients=priors.share_transients, rng=rng
    )
    onset_s, s_s = priors.before_s, priors.before_s + float(event.s_s[k] - event.p_s[k])
    if event.kind == "noise":
        level = 1e-8 * rng.lognormal(0, 1)  # of the order of a quiet station's, in m/s
        silent = np.zeros((3, n_time), np.float32)
        return LocalRecord(silent, (noise * level).astype(np.float32), onset_s, s_s, float("nan"))
    signal = _signal(priors, event, k, station, n_time, rng)
    reference_m = float(np.median(event.slant_m))
    wanted_db = event.snr_db + 20 * LOUDER * np.log10(reference_m / event.slant_m[k]) + rng.normal(0, 3)
    after = signal[0, round(onset_s * priors.fs_hz) :][: round(SNR_S * priors.fs_hz)]
    level = float(np.sqrt(np.mean(np.square(after, dtype=np.float64)))) * 10 ** (-wanted_db / 20)
    return LocalRecord(
        signal.astype(np.float32), (noise * level).astype(np.float32), onset_s, s_s, float(wanted_db)
    )  # fmt: skip


def _signal(
    priors: EventPriors, event: LocalEvent, k: int, station: Station, n_time: int, rng: np.random.Generator
) -> Array:
    """Return ground velocity (channel, time) without noise: direct waves, Rg and coda, from the origin on."""
    fs_hz, origin_s = priors.fs_hz, priors.before_s - float(event.p_s[k])
    # Twice as long, so that a slow Rg leaves at the end and does not come in at the beginning
    n_fft = next_fast_len(2 * n_time, real=True)
    frequency_hz = np.fft.rfftfreq(n_fft, 1 / fs_hz)
    p, s = _body_waves(event, k, station, frequency_hz)
    zrt = _polarised(event, k, station, p, s)
    rg = _surface_wave(event, k, frequency_hz)
    zrt[0] += rg
    zrt[1] += 1j * RAYLEIGH_H_OVER_V * rg
    zrt *= np.exp(-2j * np.pi * frequency_hz * origin_s)
    direct = irfft(zrt * _velocity(n_fft, fs_hz), n_fft, axis=-1)[:, :n_time] * fs_hz
    direct[:, : max(int(np.ceil(priors.before_s * fs_hz)), 0)] = 0.0  # what the end of the band rings before the onset
    azimuth = float(event.azimuth_rad[k])
    z, radial, transverse = direct
    signal = np.stack(
        [
            z, radial * np.cos(azimuth) - transverse * np.sin(azimuth),
            radial * np.sin(azimuth) + transverse * np.cos(azimuth),
        ]
    )  # fmt: skip
    signal += _coda(event, k, n_time, fs_hz, origin_s, n_fft, np.abs(p), np.abs(s), rng)
    return _through_the_ground(signal, station, fs_hz)


def _body_waves(event: LocalEvent, k: int, station: Station, frequency_hz: Array) -> tuple[Array, Array]:
    """Return displacement spectra of P and S at the station, complex (frequency,), in m s, for patterns of 1."""
    moment, slant_m = float(moment_nm(event.magnitude)), float(event.slant_m[k])
    p = far_field_m_s(moment, distance_m=slant_m, velocity_m_s=event.vp_m_s, density_kg_m3=DENSITY_KG_M3)
    s = far_field_m_s(moment, distance_m=slant_m, velocity_m_s=event.vs_m_s, density_kg_m3=DENSITY_KG_M3)
    if event.kind == "explosion":
        rows = ripple(frequency_hz, n_rows=event.ripple_rows, delay_s=event.ripple_delay_s)
        source_p = rows * blast(frequency_hz, corner_hz=event.corner_p_hz, overshoot=event.overshoot)
        source_s = rows * blast(frequency_hz, corner_hz=event.corner_s_hz, overshoot=event.overshoot)
        s = p * event.s_over_p
    else:
        source_p = brune(frequency_hz, corner_hz=event.corner_p_hz)
        source_s = brune(frequency_hz, corner_hz=event.corner_s_hz)
    t_p, t_s = float(event.p_s[k]), float(event.s_s[k])
    way_p = delayed(frequency_hz, travel_s=t_p, t_star_s=t_p / event.q_p + station.kappa_s)
    way_s = delayed(frequency_hz, travel_s=t_s, t_star_s=t_s / event.q_s + station.kappa_s)
    return p * source_p * way_p, s * source_s * way_s


def _patterns(event: LocalEvent, k: int) -> tuple[float, float, float]:
    """Return the patterns of P, SV and SH towards a station; a blast is alike in all directions."""
    if event.kind == "explosion":
        turn = event.strike_rad + event.azimuth_rad[k]
        return 1.0, float(np.cos(turn)), float(np.sin(turn))  # how its S is polarised is a matter of its surroundings
    up = np.pi - np.arctan2(event.distance_m[k], event.depth_m)  # from straight down: the ray goes up
    p, sv, sh = double_couple(
        up, event.azimuth_rad[k], strike_rad=event.strike_rad, dip_rad=event.dip_rad, rake_rad=event.rake_rad
    )
    return float(p), float(sv), float(sh)


def _polarised(event: LocalEvent, k: int, station: Station, p: Array, s: Array) -> Array:
    """Return spectra on the vertical, radial and transverse component, complex (3, frequency)."""
    of_p, of_sv, of_sh = _patterns(event, k)
    sine = float(event.distance_m[k] / event.slant_m[k]) * station.softness  # Snell: softer ground, steeper ray
    cosine = np.sqrt(1 - sine**2)
    return np.stack([of_p * cosine * p - of_sv * sine * s, of_p * sine * p + of_sv * cosine * s, of_sh * s])


def _surface_wave(event: LocalEvent, k: int, frequency_hz: Array) -> Array:
    """Return Rg on the vertical component, complex (frequency,)."""
    moment = float(moment_nm(event.magnitude))
    rg = rayleigh(
        frequency_hz, moment=moment, distance_m=float(event.distance_m[k]), depth_m=event.depth_m,
        density_kg_m3=DENSITY_KG_M3, vs_m_s=event.vs_m_s, slow_m_s=event.rg_m_s, q=event.rg_q,
    )  # fmt: skip
    if event.kind == "explosion":
        source = blast(frequency_hz, corner_hz=event.corner_p_hz, overshoot=event.overshoot)
        source = source * ripple(frequency_hz, n_rows=event.ripple_rows, delay_s=event.ripple_delay_s)
    else:
        source = brune(frequency_hz, corner_hz=event.corner_s_hz)
    return np.asarray(event.rg_level * rg * source)


@lru_cache(maxsize=8)  # the same for all records of a length
def _velocity(n: int, fs_hz: float) -> Array:
    """Return the factor, complex (frequency,), from displacement to what a recorder of velocity gives."""
    frequency_hz = np.fft.rfftfreq(n, 1 / fs_hz)
    return np.asarray(2j * np.pi * frequency_hz * recorder(frequency_hz))


@lru_cache(maxsize=8)
def _octaves(n: int, fs_hz: float) -> tuple[Array, Array]:
    """Return centres in Hz and weights of octaves, for the spectrum of n samples."""
    return octaves(np.fft.rfftfreq(n, 1 / fs_hz))


def _coda(
    event: LocalEvent, k: int, n_time: int, fs_hz: float, origin_s: float, n_fft: int, p: Array, s: Array,
    rng: np.random.Generator,
) -> Array:  # fmt: skip
    """Return scattered waves (channel, time): noise by octaves, as strong as the direct waves' energy says.

    Args:
        event, k, n_time, fs_hz, origin_s, rng: of the record.
        n_fft: samples that the spectra of the direct waves are of.
        p, s: their displacement, absolute values, (frequency,).
    """
    frequency_hz, direct_hz = (np.fft.rfftfreq(n, 1 / fs_hz) for n in (n_time, n_fft))
    # Of a slip the mean over all directions, of a blast its only value
    p2, s2 = (1.0, 1.0) if event.kind == "explosion" else (SCATTERED_P2, SCATTERED_S2)
    factor = np.abs(_velocity(n_fft, fs_hz)) ** 2
    power_p, power_s = p2 * p**2 * factor, s2 * s**2 * factor
    centre_hz, weight = _octaves(n_fft, fs_hz)
    shape = _octaves(n_time, fs_hz)[1] * np.sqrt(np.interp(frequency_hz, direct_hz, power_p + power_s))
    traces = band_noise(shape, n_time, 3, rng)
    time_s = np.arange(n_time) / fs_hz - origin_s
    q = event.coda_q * centre_hz**event.coda_q_power
    total: Array = np.zeros((3, n_time))
    for band, f_hz in enumerate(centre_hz):
        squared: Array = np.zeros(n_time)
        for power, onset_s in ((power_p, float(event.p_s[k])), (power_s, float(event.s_s[k]))):
            energy = 2 * float(np.sum(power * weight[band] ** 2)) * float(direct_hz[1])  # Parseval, in m^2/s
            envelope = coda_envelope(time_s, frequency_hz=f_hz, onset_s=onset_s, q=float(q[band]))
            whole_s = coda_energy_s(frequency_hz=f_hz, onset_s=onset_s, q=float(q[band]))
            squared += event.coda_energy * energy / whole_s / 3 * envelope**2  # shared by the components
        total += np.sqrt(squared) * traces[band]
    return total


def _through_the_ground(signal: Array, station: Station, fs_hz: float) -> Array:
    """Return what the soft ground under a station makes of it: a gain, and a resonance of the horizontal components.

    The resonance is a causal one, 1 + g (f / fr) i / Q / (1 + i f / (fr Q) - (f / fr)^2) with Q = 3, along time.
    """
    turn, quality = 2 * np.pi * station.resonance_hz / fs_hz, 3.0
    alpha = np.sin(turn) / (2 * quality)
    # A band-pass of peak gain 1; Bristow-Johnson, Cookbook formulae for audio equalizer biquad filter coefficients
    b, a = np.array([alpha, 0, -alpha]), np.array([1 + alpha, -2 * np.cos(turn), 1 - alpha])
    horizontal = signal[1:] + station.resonance * lfilter(b / a[0], a / a[0], signal[1:], axis=-1)
    return np.asarray(station.gain * np.concatenate([signal[:1], horizontal]))
