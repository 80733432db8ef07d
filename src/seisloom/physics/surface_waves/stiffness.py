"""Stiffness of a layer and of a half-space for plane waves of one wavenumber: forces on faces by their displacements.

All lengths are measured in 1 / k and all forces in k, so that what remains depends on the phase velocity c = omega / k.
With r^2 = 1 - c^2 / vp^2, s^2 = 1 - c^2 / vs^2 and t = c^2 / vs^2, a layer of thickness h moves as the sum of a part
that is even about its middle and one that is odd. For waves of P and SV the displacements are (u_x / i, u_z) and the
forces (tau_xz / i, sigma_zz), z downward; on the lower face they belong together by two symmetric matrices,

    even  mu / (C_r S_s - r^2 S_r C_s) [[t r^2 S_r S_s, (2 - t) C_r S_s - 2 r^2 S_r C_s], [., t C_r C_s]]
    odd   mu / (S_r C_s - s^2 S_s C_r) [[t C_r C_s, (2 - t) C_s S_r - 2 s^2 C_r S_s], [., t s^2 S_r S_s]]

with C_q = cosh(q k h / 2) and S_q = sinh(q k h / 2) / q, which are real on both sides of q^2 = 0. Each product has one
factor of r and one of s, so an exponential of each cancels: nothing grows. Derived from plane waves; Kausel & Roesset
(1981), BSSA 71, 1743-1761, have the whole layer's matrix, in which thin layers lose more digits.
"""

from __future__ import annotations

from math import cos, expm1, sin, sqrt

from numba import njit

Part = tuple[float, float, float]
"""A symmetric matrix: its elements 11, 12 and 22."""


@njit(cache=True, nogil=True, error_model="numpy")
def even_and_odd(q2: float, half: float) -> tuple[float, float]:
    """Return cosh(q half) and sinh(q half) / q, both times exp(-q half) where q^2 is positive."""
    if q2 > 0.0:
        q = sqrt(q2)
        less = expm1(-2.0 * q * half)
        return 1.0 + 0.5 * less, -0.5 * less / q
    if q2 == 0.0:
        return 1.0, half
    q = sqrt(-q2)
    return cos(q * half), sin(q * half) / q


@njit(cache=True, nogil=True, error_model="numpy")
def psv_layer(c: float, kh: float, vp: float, vs: float, rho: float) -> tuple[Part, Part]:
    """Return the even and the odd part of a layer's stiffness for waves of P and SV, forces by displacements below.

    Args:
        c: phase velocity in m/s.
        kh: thickness times wavenumber.
        vp, vs: velocities in m/s.
        rho: density in kg/m^3.
    """
    t = (c / vs) ** 2
    r2, s2, mu = 1.0 - (c / vp) ** 2, 1.0 - t, rho * vs * vs
    cr, sr = even_and_odd(r2, 0.5 * kh)
    cs, ss = even_and_odd(s2, 0.5 * kh)
    rr, cc, crss, srcs = sr * ss, cr * cs, cr * ss, sr * cs
    even = mu / (crss - r2 * srcs)
    odd = mu / (srcs - s2 * crss)
    return (
        (even * t * r2 * rr, even * ((2.0 - t) * crss - 2.0 * r2 * srcs), even * t * cc),
        (odd * t * cc, odd * ((2.0 - t) * srcs - 2.0 * s2 * crss), odd * t * s2 * rr),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def psv_half_space(c: float, vp: float, vs: float, rho: float) -> Part:
    """Return the stiffness of a half-space whose face is its top, for waves of P and SV slower than vs."""
    t = (c / vs) ** 2
    r, s = sqrt(1.0 - (c / vp) ** 2), sqrt(1.0 - t)
    scale = rho * vs * vs / (1.0 - r * s)
    return scale * t * r, scale * (2.0 * r * s - 2.0 + t), scale * t * s


@njit(cache=True, nogil=True, error_model="numpy")
def sh_layer(c: float, kh: float, vs: float, rho: float) -> tuple[float, float]:
    """Return the even and odd part of a layer's stiffness for waves of SH: s^2 S_s / C_s and C_s / S_s, times mu."""
    s2, mu = 1.0 - (c / vs) ** 2, rho * vs * vs
    cs, ss = even_and_odd(s2, 0.5 * kh)
    return mu * s2 * ss / cs, mu * cs / ss


@njit(cache=True, nogil=True, error_model="numpy")
def sh_half_space(c: float, vs: float, rho: float) -> float:
    """Return the stiffness of a half-space whose face is its top, for waves of SH slower than vs."""
    return rho * vs * vs * sqrt(1.0 - (c / vs) ** 2)


@njit(cache=True, nogil=True, error_model="numpy")
def n_parts(c: float, kh: float, vs: float) -> int:
    """Return in how many equal parts a layer has no motion of its own with both faces held, below this velocity.

    A held layer of thickness h moves at frequencies of at least vs sqrt(k^2 + (pi / h)^2): its elastic energy is not
    less than mu / 2 times the square of the gradient. So parts of less than half a vertical wavelength of S have none.
    """
    if c <= vs:
        return 1
    return int(kh * sqrt((c / vs) ** 2 - 1.0) / 3.0) + 1  # 3 < pi: and none is so near that digits are lost
