"""What a local event sends out: moment, source spectra of earthquakes and of blasts, and the pattern of a slip."""

from __future__ import annotations

import numpy as np

from seisloom.sample import Array

P_OVER_S_CORNER = 1.5
"""Corner frequency of P over that of S of an earthquake; Madariaga (1976), BSSA 66(3), 639-666, table 1."""
GRANITE_RAD_S, GRANITE_NM = 16.8, 1.26e15
"""Corner of 5 kt in granite, von Seggern & Blandford (1972), Geophys. J. R. astr. Soc. 31, 83-97. That its moment is
that of magnitude 4 is our own assumption; corners of smaller blasts follow the cube root of their moment."""


def moment_nm(magnitude: Array | float) -> Array:
    """Return the seismic moment in N m of a moment magnitude.

    Source: Hanks & Kanamori (1979), JGR 84(B5), 2348-2350; the constant 9.1 as IASPEI has it.

    >>> float(moment_nm(2.0)) == 10**12.1
    True
    """
    return np.asarray(10.0 ** (1.5 * np.asarray(magnitude, float) + 9.1))


def brune_corner_hz(moment: float, *, stress_drop_pa: float, vs_m_s: float) -> float:
    """Return the corner frequency of S of an earthquake in Hz: fc = 2.34 vs / (2 pi a), a = (7 M0 / (16 stress))^(1/3).

    Args:
        moment: in N m.
        stress_drop_pa: in Pa; 1e6 to 1e7 is common.
        vs_m_s: shear velocity at the source in m/s.
    Source: Brune (1970), JGR 75(26), 4997-5009, and its correction (1971); Eshelby's circular crack.
    """
    radius_m = (7.0 * moment / (16.0 * stress_drop_pa)) ** (1 / 3)
    return float(2.34 * vs_m_s / (2 * np.pi * radius_m))


def blast_corner_hz(moment: float) -> float:
    """Return the corner frequency of P of an explosion in Hz; it falls with the cube root of the moment in N m."""
    return float(GRANITE_RAD_S / (2 * np.pi) * (moment / GRANITE_NM) ** (-1 / 3))


def brune(frequency_hz: Array, *, corner_hz: float) -> Array:
    """Return the spectrum of an earthquake's moment rate, complex: 1 at low frequency, f^-2 above the corner.

    1 / (1 + i f / fc)^2, the transform of k^2 t exp(-k t) with k = 2 pi fc: nothing comes before time 0. Its modulus is
    Brune's 1 / (1 + (f / fc)^2), half at the corner.
    """
    return np.asarray(1.0 / (1.0 + 1j * np.asarray(frequency_hz) / corner_hz) ** 2)


def blast(frequency_hz: Array, *, corner_hz: float, overshoot: float) -> Array:
    """Return the spectrum of an explosion's moment rate, complex: 1 at low frequency, a hump, f^-2 above.

    (1 + i (1 + 2 B) f / fc) / (1 + i f / fc)^3, the transform of the derivative of 1 - exp(-kt) (1 + kt - B (kt)^2).
    Nothing comes before time 0.

    Args:
        frequency_hz: any shape.
        corner_hz: fc = k / (2 pi) in Hz.
        overshoot: B; 0 gives the spectrum of `brune`, 2 a hump of twice the low frequencies.
    Source: von Seggern & Blandford (1972), Geophys. J. R. astr. Soc. 31, 83-97: their form of the reduced displacement
        potential, simpler than that of Mueller & Murphy (1971), BSSA 61(6), 1675-1692, and as steep.
    """
    u = 1j * np.asarray(frequency_hz) / corner_hz
    return np.asarray((1.0 + (1.0 + 2.0 * overshoot) * u) / (1.0 + u) ** 3)


def ripple(frequency_hz: Array, *, n_rows: int, delay_s: float) -> Array:
    """Return the factor, complex, by which rows of a blast that are fired one after the other change its spectrum.

    The mean of exp(-2 pi i f k delay) over the rows k: 1 at low frequency and at multiples of 1 / delay.

    Source: Hedlin, Minster & Orcutt (1990), BSSA 80, 2143-2160.
    """
    turn = np.exp(-2j * np.pi * np.asarray(frequency_hz) * delay_s)
    total: Array = np.ones_like(turn)
    for _ in range(n_rows - 1):  # Horner: few rows, and no division by zero where turn is 1
        total = total * turn + 1.0
    return np.asarray(total / n_rows)


def double_couple(
    take_off_rad: Array | float, azimuth_rad: Array | float, *, strike_rad: float, dip_rad: float, rake_rad: float
) -> tuple[Array, Array, Array]:
    """Return the far-field pattern of a slip on a fault, for P, SV and SH; shapes of the angles.

    Args:
        take_off_rad: angle of the ray at the source, from straight down.
        azimuth_rad: of the ray, clockwise from north.
        strike_rad, dip_rad, rake_rad: of the fault.
    Source: Aki & Richards (2002), Quantitative Seismology, equations 4.89 to 4.91. Mean squares over all directions are
        4/15 for P and 2/5 for SV and SH together.
    """
    i, turn = np.asarray(take_off_rad, float), np.asarray(azimuth_rad, float) - strike_rad
    cos_rake, sin_rake = np.cos(rake_rad), np.sin(rake_rad)
    cos_dip, sin_dip, cos_2dip, sin_2dip = np.cos(dip_rad), np.sin(dip_rad), np.cos(2 * dip_rad), np.sin(2 * dip_rad)
    p = (
        cos_rake * sin_dip * np.sin(i) ** 2 * np.sin(2 * turn)
        - cos_rake * cos_dip * np.sin(2 * i) * np.cos(turn)
        + sin_rake * sin_2dip * (np.cos(i) ** 2 - np.sin(i) ** 2 * np.sin(turn) ** 2)
        + sin_rake * cos_2dip * np.sin(2 * i) * np.sin(turn)
    )
    sv = (
        sin_rake * cos_2dip * np.cos(2 * i) * np.sin(turn)
        - cos_rake * cos_dip * np.cos(2 * i) * np.cos(turn)
        + 0.5 * cos_rake * sin_dip * np.sin(2 * i) * np.sin(2 * turn)
        - 0.5 * sin_rake * sin_2dip * np.sin(2 * i) * (1 + np.sin(turn) ** 2)
    )
    sh = (
        cos_rake * cos_dip * np.cos(i) * np.sin(turn)
        + cos_rake * sin_dip * np.sin(i) * np.cos(2 * turn)
        + sin_rake * cos_2dip * np.cos(i) * np.cos(turn)
        - 0.5 * sin_rake * sin_2dip * np.sin(i) * np.sin(2 * turn)
    )
    return np.asarray(p), np.asarray(sv), np.asarray(sh)
