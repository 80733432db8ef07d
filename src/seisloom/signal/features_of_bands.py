"""How a record grows and dies away in each of several bands, and how far it stands above the noise before its onset.

Explosions and earthquakes differ in how much of each band comes early, and slides in which bands stay. Ratios of P to S
by band need picks; here the first arrival is where the envelope triggers, and the strongest part behind it stands for
S.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from seisloom.sample import Array
from seisloom.signal.feature_list import Feature
from seisloom.signal.features_of_spectrum import band_name, fits
from seisloom.signal.filters import bandpass
from seisloom.signal.moving import moving_mean

OCTAVES_HZ = ((0.5, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, 8.0), (8.0, 15.0))
"""Bands in Hz; one that reaches beyond 0.95 of the Nyquist frequency has no features."""
ENVELOPE_S = 0.5
"""Window in s of the RMS that is the envelope here."""
QUIET, LOUD = 0.1, 0.9
"""Quantiles of the envelope that stand for noise and for signal."""
QUIET_POWER = 1.5
"""Mean power of noise over the square of the tenth quantile of its envelope, about, for windows of half a second."""
LEAST = 1e-4
"""Share of the power that is left at least when that of noise is taken off."""
SHORT_S, LONG_S = 1.0, 8.0
"""Windows in s of the trigger."""
PHASE_S = 2.5
"""Window in s of the first arrival, and of the strongest one behind it."""
CODA_S = (20.0, 30.0)
"""The coda, in s behind the first arrival."""
AFTER_S = ((0.0, 3.0), (3.0, 6.0), (6.0, 10.0), (10.0, 15.0), (15.0, 25.0), (25.0, 40.0), (40.0, 60.0))
"""Windows in s behind the onset of the signal-to-noise ratios."""
NOISE_PIECE_S, GUARD_S = 5.0, 1.0
"""Noise is the median over pieces of this length, up to so long before the onset, since picks may be late."""

NAMES = (*(band_name(one) for one in OCTAVES_HZ), "all")
"""Of the bands, and of the record as it is."""
_FAR = tuple(zip(NAMES[2:-1], NAMES[:-3], strict=True))
"""Bands two octaves apart, the higher one first."""
_OF_ENVELOPE = {
    "peak_over_quiet": "largest envelope over its 10 % quantile",
    "median_over_quiet": "median of the envelope over its 10 % quantile",
    "loud_over_quiet": "90 % over 10 % quantile of the envelope",
    "peak_over_loud": "largest envelope over its 90 % quantile",
    "first_over_strongest": "RMS in 2.5 s from the trigger on over that of the strongest 2.5 s behind",
    "first_over_quiet": "RMS in 2.5 s from the trigger on over the 10 % quantile of the envelope",
    "strongest_over_quiet": "RMS of the strongest 2.5 s behind the first over the 10 % quantile of the envelope",
    "coda_over_strongest": "RMS 20 to 30 s behind the trigger over that of the strongest 2.5 s",
}
_SHARES = {
    "energy": "energy, less that of noise, over that of the whole record",
    "quiet": "10 % quantile of the envelope over that of the whole record",
    "peak": "largest envelope, less noise, over that of the whole record",
}


def where(name: str) -> str:
    """Return a band's name as the meanings of features have it."""
    return "of the record as it is" if name == "all" else f"at {name.removesuffix('_hz').replace('_', ' to ')} Hz"


BANDS = (
    *(
        Feature(f"band_{what}_{name}_log10", "1", f"log10 of {doc}, {where(name)}")
        for what, doc in _OF_ENVELOPE.items()
        for name in NAMES
    ),
    *(
        Feature(f"band_{what}_{name}_over_all_log10", "1", f"log10 of {doc}, {where(name)}, as an amplitude")
        for what, doc in _SHARES.items()
        for name in NAMES[:-1]
    ),
    *(
        Feature(f"band_{what}_{high}_over_{low}_log10", "1", f"log10 of {what} {where(high)} over that {where(low)}")
        for what in ("energy", "peak")
        for high, low in _FAR
    ),
    *(
        Feature(f"band_peak_delay_{name}_s", "s", f"how much later the envelope is largest {where(name)} than in all")
        for name in NAMES[:-1]
    ),
    Feature("band_trigger_log10", "1", "log10 of the largest ratio of 1 s to the 8 s before, at 1 to 8 Hz"),
    Feature("band_peak_after_trigger_s", "s", "from the trigger to the largest envelope"),
    *(
        Feature(f"band_centre_{name}_s", "s", f"centre of the energy behind the trigger, {where(name)}")
        for name in NAMES
    ),
    *(
        Feature(f"band_duration_{name}_s", "s", f"standard deviation in time of the energy, {where(name)}")
        for name in NAMES
    ),
)
SNR = (
    *(
        Feature(
            f"snr_{name}_{start:g}_{end:g}_s_log10", "1",
            f"log10 of the power {start:g} to {end:g} s behind the onset over that of noise before it, {where(name)}",
        )
        for name in NAMES[:-1]
        for start, end in AFTER_S
    ),
    *(Feature(f"snr_{name}_largest_log10", "1", f"the largest of these {where(name)}") for name in NAMES[:-1]),
    *(
        Feature(f"snr_{high}_over_{low}_log10", "1", f"the largest {where(high)} less that {where(low)}")
        for low, high in pairwise(NAMES[:-1])
    ),
)  # fmt: skip


def band_features(x: Array, real: Array, *, fs_hz: float) -> dict[str, float]:
    """Return the features BANDS of one channel, none of which takes an onset.

    Args:
        x: amplitudes about 0, shape (time,), 0 where not real.
        real: bool, shape (time,), with 32 samples at least.
        fs_hz: sampling rate in Hz.
    Returns:
        Numbers by name. What is not defined is not there: a band above 0.95 of Nyquist, 2.5 s from the trigger on that
        the record does not have, a silent band.
    """
    n = max(1, round(ENVELOPE_S * fs_hz))
    powers = {name: moving_mean(one**2, n_window=n)[real] for name, one in in_bands(x, fs_hz).items()}
    powers["all"] = moving_mean(x**2, n_window=n)[real]
    # What filters leave of nothing is rounding
    floor = 1e-20 * float(powers["all"].max())
    powers = {name: np.maximum(one, floor) for name, one in powers.items()}
    first, ratio = _trigger(powers, fs_hz)
    top = {name: int(one.argmax()) for name, one in powers.items()}
    found = {
        "band_trigger_log10": _log(ratio),
        "band_peak_after_trigger_s": (top["all"] - first) / fs_hz,
        **{f"band_peak_delay_{name}_s": (top[name] - top["all"]) / fs_hz for name in powers if name != "all"},
    }
    levels = {name: _levels(one) for name, one in powers.items()}
    for name, power in powers.items():
        found |= {f"band_{what}_{name}_log10": one for what, one in _ratios(power, first, fs_hz).items()}
        found |= {f"band_{what}_{name}_s": one for what, one in _times(power, first, fs_hz).items()}
        if name != "all":
            found |= {
                f"band_{what}_{name}_over_all_log10": 0.5 * _log(levels[name][what] / levels["all"][what])
                for what in _SHARES
            }
    for high, low in _FAR:
        if high in levels and low in levels:
            found |= {
                f"band_{what}_{high}_over_{low}_log10": 0.5 * _log(levels[high][what] / levels[low][what])
                for what in ("energy", "peak")
            }
    return found


def snr_features(x: Array, real: Array, *, fs_hz: float, onset_s: float | None) -> dict[str, float]:
    """Return the features SNR of one channel: its power behind an onset over that of the noise before it.

    Noise is the median power over pieces of 5 s without gaps that end 1 s before the onset and earlier.

    Args:
        x, real, fs_hz: as `band_features`.
        onset_s: in s after the first sample; None or NaN where it is not known.
    Returns:
        Numbers by name; nothing without an onset or a piece of noise, and no window of which less than half is there.
    """
    if onset_s is None or not np.isfinite(onset_s):
        return {}
    n = round(NOISE_PIECE_S * fs_hz)
    last = round((onset_s - GUARD_S) * fs_hz)
    pieces = [slice(end - n, end) for end in range(min(last, x.size), n - 1, -n)]
    pieces = [one for one in pieces if real[one].all()]
    if not pieces:
        return {}
    found: dict[str, float] = {}
    largest: dict[str, float] = {}
    for name, values in in_bands(x, fs_hz).items():
        power = values**2
        noise = float(np.median([power[one].mean() for one in pieces]))
        if not noise > 0:
            continue
        ratios = {}
        for start, end in AFTER_S:
            part = slice(*(max(round((onset_s + one) * fs_hz), 0) for one in (start, end)))
            live = real[part]
            if live.sum() >= 0.5 * (end - start) * fs_hz and (mean := float(power[part][live].mean())) > 0:
                ratios[f"snr_{name}_{start:g}_{end:g}_s_log10"] = _log(mean / noise)
        found |= ratios
        if ratios:
            largest[name] = max(ratios.values())
    found |= {f"snr_{name}_largest_log10": one for name, one in largest.items()}
    for low, high in pairwise(NAMES[:-1]):
        if low in largest and high in largest:
            found[f"snr_{high}_over_{low}_log10"] = largest[high] - largest[low]
    return found


def in_bands(x: Array, fs_hz: float) -> dict[str, Array]:
    """Return a channel (time,) in each band that it has, by the band's name."""
    return {
        band_name(one): np.asarray(bandpass(x, fs_hz=fs_hz, low_hz=one[0], high_hz=one[1]))
        for one in OCTAVES_HZ
        if fits(one, fs_hz)
    }


def _trigger(powers: dict[str, Array], fs_hz: float) -> tuple[int, float]:
    """Where half of the largest ratio of short to long mean is reached first, in samples, and that ratio.

    Of the geometric mean of the bands at 1 to 8 Hz that are there, so that no band alone decides.
    """
    chosen = [powers[name] for name in NAMES[1:4] if name in powers] or [powers["all"]]
    power = np.exp(np.mean(np.log(np.maximum(chosen, np.finfo(float).tiny)), axis=0))
    total = np.r_[0.0, np.cumsum(power)]
    short, long = round(SHORT_S * fs_hz), round(LONG_S * fs_hz)
    place = np.arange(2 * short, power.size - short)
    if not place.size or not total[-1] > 0:
        return 0, 1.0
    begin = np.maximum(place - long, 0)
    before = (total[place] - total[begin]) / (place - begin)
    after = (total[place + short] - total[place]) / short
    ratio = after / np.maximum(before, 1e-12 * total[-1] / power.size)
    largest = float(ratio.max())
    return int(place[np.argmax(ratio >= max(0.5 * largest, min(1.0, largest)))]), largest


def _levels(power: Array) -> dict[str, float]:
    """Power of the whole, of noise, and of the peak, those of signals less that of noise."""
    quiet = float(np.quantile(power, QUIET)) * QUIET_POWER
    mean, largest = float(power.mean()), float(power.max())
    return {
        "energy": max(mean - quiet, LEAST * mean),
        "quiet": quiet,
        "peak": max(largest - quiet, LEAST * largest),
    }


def _ratios(power: Array, first: int, fs_hz: float) -> dict[str, float]:
    """Logarithms of ratios of amplitudes, by the first parts of their names; what is not there is left out."""
    quiet, median, loud = (float(one) for one in np.quantile(power, [QUIET, 0.5, LOUD]))
    n = round(PHASE_S * fs_hz)
    mean = np.convolve(power, np.full(n, 1 / n), mode="valid") if power.size >= n else np.zeros(0)
    begins = np.arange(first + n, power.size - n, max(1, round(fs_hz)))
    coda = power[first + round(CODA_S[0] * fs_hz) : first + round(CODA_S[1] * fs_hz)]
    early = float(mean[first]) if first < mean.size else 0.0
    strongest = float(mean[begins].max()) if begins.size else 0.0
    pairs = {
        "peak_over_quiet": (float(power.max()), quiet),
        "median_over_quiet": (median, quiet),
        "loud_over_quiet": (loud, quiet),
        "peak_over_loud": (float(power.max()), loud),
        "first_over_strongest": (early, strongest),
        "first_over_quiet": (early, quiet),
        "strongest_over_quiet": (strongest, quiet),
        "coda_over_strongest": (float(coda.mean()) if coda.size > 2 else 0.0, strongest),
    }
    return {name: 0.5 * _log(one / other) for name, (one, other) in pairs.items() if one > 0 and other > 0}


def _times(power: Array, first: int, fs_hz: float) -> dict[str, float]:
    """Centre and spread in time of what is above the noise."""
    above = np.maximum(power - _levels(power)["quiet"], 0.0)
    if not above.sum() > 0:
        return {}
    share = above / above.sum()
    time = (np.arange(power.size) - first) / fs_hz
    centre = float(share @ time)
    return {"centre": centre, "duration": float(np.sqrt(share @ (time - centre) ** 2))}


def _log(ratio: float) -> float:
    return float(np.log10(ratio))
