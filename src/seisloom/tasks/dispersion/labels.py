"""What is known of each mode at each frequency, and whether an array of this length can see it."""

from __future__ import annotations

import numpy as np

from seisloom.physics.surface_waves.modes import ModeCurves
from seisloom.sample import Array, Arrays
from seisloom.signal.velocity_spectra.limits import array_limits

EXCITED = 0.01
"""Least share of the energy of a mode that counts as excited."""
HEARD_DB = 6.0
"""Least energy of a mode over noise, with the gain of all receivers together, that counts as heard: over some twenty
independent velocities the largest value of noise alone is 5 dB above its mean."""
MOST_DB = 60.0
"""Signal-to-noise ratios are cut to so much either way; that of a gather without noise is this."""


def mode_labels(
    curves: ModeCurves, offsets_m: Array, velocity_m_s: Array, *, n_modes: int, q_s: float = np.inf,
    field: Array | None = None,
) -> Arrays:  # fmt: skip
    """Return labels of the first modes, each (mode, frequency); see `recipe.SAMPLE` for what they are.

    Args:
        curves: of more modes than are labelled, where there are more: they share the energy.
        offsets_m: (channel,), of the receivers from the source.
        velocity_m_s: (velocity,), the window in which curves are seen.
        n_modes: that are labelled.
        q_s: quality factor of S waves, which weakens slow modes more.
        field: (frequency,), mean over the receivers of the squared response to 1 N times the distance, m^3 / N^2: where
            it is more than all modes have, body and leaky waves are the rest.
    """
    f, c, limits = curves.frequency_hz, curves.phase_m_s, array_limits(offsets_m)
    exists = np.isfinite(c)
    share = _energy_share(curves, offsets_m, q_s, field)
    low, high = float(velocity_m_s.min()), float(velocity_m_s.max())
    with np.errstate(invalid="ignore"):
        in_window = (c >= low) & (c <= high)
        aliased = limits.is_aliased(f, c, slowest_m_s=low, fastest_m_s=high) & exists
    floats = {
        "curves": c,
        "group_velocity": curves.group_m_s,
        "energy_share": share,
        "mode_gap": _gap(c),
        "nacd": limits.nacd(f, c),
    }
    flags = {
        "in_window": in_window,
        "resolved": limits.is_separable(f, c),
        "excited": share > EXCITED,
        "aliased": aliased,
    }
    return {
        **{name: one[:n_modes].astype(np.float32) for name, one in floats.items()},
        **{name: one[:n_modes].astype(np.uint8) for name, one in flags.items()},
    }


def _energy_share(curves: ModeCurves, offsets_m: Array, q_s: float, field: Array | None) -> Array:
    """Return the share of each mode in the energy at all receivers, (mode, frequency), NaN where it does not exist.

    A mode's amplitude is strength k / 2 |H0(k r)|, about the root of k / (2 pi r) times strength; it fades by
    exp(-omega r / (2 Q U)). Love waves are taken as if by a transverse force.
    """
    omega = 2 * np.pi * curves.frequency_hz
    fade = np.exp(-np.abs(offsets_m)[:, None, None] * omega / (q_s * curves.group_m_s)).mean(axis=0)
    energy = curves.strength_per_pa**2 * curves.frequency_hz / curves.phase_m_s * fade
    total = np.nansum(energy, axis=0)
    if field is not None:
        total = np.maximum(total, field)
    return np.asarray(energy / np.where(total > 0, total, np.nan))


def _gap(curves_m_s: Array) -> Array:
    """Return the distance to the nearest other mode in m/s, NaN where there is no other one."""
    below = np.diff(curves_m_s, axis=0, prepend=np.nan)
    above = np.diff(curves_m_s, axis=0, append=np.nan)
    return np.fmin(below, above)


def snr_db(clean: Array, noisy: Array, interval_s: float, frequency_hz: Array) -> Array:
    """Return the signal-to-noise ratio of a gather at each frequency in dB, float32 (frequency,).

    It is that of the energies of all traces, smoothed over three bins of the record's own frequencies. What faulty
    channels do counts as noise.

    Args:
        clean: the gather without noise, (channel, time).
        noisy: the same with noise.
        interval_s: between samples.
        frequency_hz: (frequency,).
    """
    own_hz = np.fft.rfftfreq(clean.shape[1], interval_s)
    energies = []
    for gather in (clean, noisy - clean):
        energy = (np.abs(np.fft.rfft(gather, axis=-1)) ** 2).sum(axis=0)
        energies.append(np.interp(frequency_hz, own_hz, np.convolve(energy, np.full(3, 1 / 3), mode="same")))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = 10 * np.log10(energies[0] / energies[1])
    return np.asarray(np.clip(np.nan_to_num(ratio, nan=-MOST_DB), -MOST_DB, MOST_DB), dtype=np.float32)


def heard(energy_share: Array, ratio_db: Array, n_receivers: int) -> Array:
    """Return where a mode is heard by all receivers together, uint8 (mode, frequency).

    Args:
        energy_share: of each mode, (mode, frequency), NaN where it does not exist.
        ratio_db: signal-to-noise ratio of one receiver, (frequency,).
        n_receivers: which add up in phase, and their noise does not.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        own_db = 10 * np.log10(energy_share) + ratio_db + 10 * np.log10(n_receivers)
        return np.asarray(own_db >= HEARD_DB, dtype=np.uint8)
