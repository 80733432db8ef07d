"""Steering: what turns the phases of a wave of one velocity, recorded along a spread, to zero.

Spectra are sums of samples times exp(-i omega t), so a wave that travels away from the source has the phases of
exp(-i k x), and near it those of the Hankel function H0^(2)(k x) = J0 - i Y0.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy.special import j0, y0

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.velocity_spectra.axes import check_choice
from seisloom.signal.velocity_spectra.recorded import Recorded

Steering = Literal["plane", "cylindrical"]
Beam = Callable[[Array, Array], Array]
STEERINGS: tuple[Steering, ...] = ("plane", "cylindrical")
LARGEST_BYTES = 32 * 2**20
"""Of the steering that is held at once: 256 velocities, 129 frequencies and 120 traces. More is done in parts; the last
eight are kept, since to make one takes a hundred times as long as to use it."""


def plane(kx: Array) -> Array:
    """Return exp(i k x): of plane waves."""
    # Reduced in float64, so that float32 is precise enough for what remains; rint is far quicker than remainder
    turns = np.asarray(kx) / (2 * np.pi)
    phase = ((turns - np.rint(turns)) * (2 * np.pi)).astype(np.float32)
    out = np.empty(phase.shape, np.complex64)
    out.real, out.imag = np.cos(phase), np.sin(phase)
    return out


def hankel(kx: Array) -> Array:
    """Return H0^(1)(k x): the conjugate of a cylindrical wave that leaves the source."""
    return np.asarray(j0(kx) + 1j * y0(kx))


def cylindrical(kx: Array) -> Array:
    """Return the phase of a cylindrical wave, turned round. Source: Zywicki & Rix (2005), see `beamformer.fdbf`."""
    value = hankel(kx)
    return np.asarray(value / np.abs(value))


KERNELS: dict[str, Callable[[Array], Array]] = {
    "plane": plane,
    "cylindrical": cylindrical,
    "hankel": hankel,
    "bessel": j0,
}
"""By name: functions of k x, in radians."""


def sweep(beam: Beam, recorded: Recorded, kernel: str) -> Array:
    """Return what a beam gives at all frequencies, float64 (velocity, frequency).

    Args:
        beam: takes spectra, complex64 (frequency, trace, shot), and steering (frequency, velocity, trace), and returns
            amplitudes (frequency, velocity) that grow as the spectra do: it is given spectra of size 1, since float32
            has no room for the squares of some, and what it returns is scaled back.
        recorded: the gather.
        kernel: one of `KERNELS`.
    Raises:
        DataError: if the kernel is not known, or has no value at an offset of 0.
    """
    check_choice("steering", kernel, KERNELS)
    if kernel in ("cylindrical", "hankel") and not recorded.distances_m.all():
        raise DataError(f"a trace lies at the source, where {kernel} waves have no phase; leave it out")
    size = np.abs(recorded.spectra).max(axis=(0, 1))
    spectra = (recorded.spectra / np.where(size > 0, size, 1)).astype(np.complex64).transpose(2, 1, 0)
    n_at_once = max(1, LARGEST_BYTES // (8 * len(recorded.velocity_m_s) * len(recorded.distances_m)))
    geometry = (recorded.distances_m.tobytes(), recorded.velocity_m_s.tobytes())
    parts = []
    for first in range(0, len(spectra), n_at_once):
        part = slice(first, first + n_at_once)
        parts.append(beam(spectra[part], _steering(kernel, recorded.frequency_hz[part].tobytes(), *geometry)))
    return np.asarray(np.concatenate(parts).T * size)


@lru_cache(maxsize=8)
def _steering(kernel: str, frequencies: bytes, distances: bytes, velocities: bytes) -> Array:
    """Return a kernel at k x, complex64 or float32 (frequency, velocity, trace)."""
    distance, velocity = np.frombuffer(distances), np.frombuffer(velocities)
    slowness_distance = 2 * np.pi * distance / velocity[:, None]
    out = np.stack([KERNELS[kernel](f * slowness_distance) for f in np.frombuffer(frequencies)])
    out = out.astype(np.complex64 if np.iscomplexobj(out) else np.float32)
    out.setflags(write=False)
    return out
