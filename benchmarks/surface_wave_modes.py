"""Are all modes there, and how fast: our dispersion curves, disba's and pysurf96's, against a dense scan.

    python benchmarks/surface_wave_modes.py [--media 100] [--frequencies 12] [--step 0.005] [--kinds normal]

disba and pysurf96 are asked if they are installed (pip install disba pysurf96), and are no part of the package. Truth
is every sign change of a secular function that shares nothing with ours: the equations of motion of each layer by
Sylvester's formula, motions made orthonormal on the way up, at velocities a step apart and on both sides of each of our
modes, since two modes may be nearer than a step. Times are those of the processor, turns alternate.
"""

from __future__ import annotations

import argparse
import importlib
import platform
import time
from collections.abc import Callable, Sequence
from math import cos, cosh, pi, sin, sinh, sqrt
from types import ModuleType

import numpy as np
from numba import njit

from seisloom.physics.surface_waves.medium import LayeredMedium
from seisloom.physics.surface_waves.modes import phase_velocities
from seisloom.physics.surface_waves.wavefield import vertical_response

KINDS = ("seed-like", "normal", "low velocity", "stiff crust")
WRONG = 1e-3
"""Share by which a velocity must be off to count as another mode's, or none's."""
MODES = 4
Solver = Callable[[LayeredMedium, np.ndarray], np.ndarray]


def draw(kind: str, rng: np.random.Generator) -> LayeredMedium:
    """Return a random medium of a kind."""
    n = 5 if kind == "seed-like" else int(rng.integers(4, 11))
    if kind == "seed-like":
        jitter = 1 + 0.05 * rng.standard_normal(n)
        vs = np.clip(np.sort(rng.uniform(100, 1100, n)) * jitter, 100, 1100) * rng.uniform(0.8, 1.2, n)
        thickness = np.clip(np.sort(rng.uniform(5, 70, n)) * jitter, 5, 70) * rng.uniform(0.8, 1.2, n)
        return LayeredMedium(thickness, 2 * vs, vs, np.full(n, 1000.0))
    vs = np.append(np.sort(np.exp(rng.uniform(np.log(100), np.log(700), n - 1))), 0)
    if kind == "low velocity":
        at = int(rng.integers(1, n - 1))
        vs[at] = vs[at - 1] * rng.uniform(0.5, 0.85)
    if kind == "stiff crust":
        vs[0] = vs[1] * rng.uniform(1.3, 2.5)
    vs[-1] = vs.max() * rng.uniform(1.1, 1.8)
    ratio = rng.uniform(0.2, 0.48, n)
    return LayeredMedium(
        rng.uniform(1, 8, n), vs * np.sqrt((2 - 2 * ratio) / (1 - 2 * ratio)), vs, rng.uniform(1600, 2200, n)
    )


@njit(cache=False)
def secular(c: float, omega: float, table: np.ndarray) -> float:
    """Return a function of c whose sign changes at each Rayleigh mode."""
    k, last = omega / c, table.shape[0] - 1
    vp, vs, rho = table[last, 1], table[last, 2], table[last, 3]
    r, s, t, mu = sqrt(1 - (c / vp) ** 2), sqrt(1 - (c / vs) ** 2), (c / vs) ** 2, rho * vs * vs
    unit = table[0, 3] * table[0, 2] ** 2 * k  # stresses are measured in it
    x = np.array(
        [
            [1.0, s],
            [r, 1.0],
            [-2 * mu * k * r / unit, mu * k * (t - 2) / unit],
            [mu * k * (t - 2) / unit, -2 * mu * k * s / unit],
        ]
    )
    a = np.zeros((4, 4))
    for i in range(last - 1, -1, -1):
        vp, vs, rho = table[i, 1], table[i, 2], table[i, 3]
        m, mu = rho * vp * vp, rho * vs * vs
        lame = m - 2 * mu
        a[0, 1], a[0, 2], a[1, 0], a[1, 3] = k, unit / mu, -lame * k / m, unit / m
        a[2, 0], a[2, 3] = (k * k * (m - lame * lame / m) - rho * omega**2) / unit, k * lame / m
        a[3, 1], a[3, 2] = -rho * omega**2 / unit, -k
        square = a @ a
        nu2, ga2 = k * k - (omega / vp) ** 2, k * k - (omega / vs) ** 2
        n = int(k * table[i, 0] / 3) + 1
        h = -table[i, 0] / n  # upwards
        even_p, odd_p = hyperbolic(nu2, h)
        even_s, odd_s = hyperbolic(ga2, h)
        part_p, part_s = square.copy(), square.copy()
        for d in range(4):
            part_p[d, d] -= ga2
            part_s[d, d] -= nu2
        up = (even_p * part_p + odd_p * (part_p @ a) - even_s * part_s - odd_s * (part_s @ a)) / (nu2 - ga2)
        for _ in range(n):
            x = up @ x
            x[:, 0] /= sqrt((x[:, 0] ** 2).sum())
            x[:, 1] -= (x[:, 0] * x[:, 1]).sum() * x[:, 0]
            x[:, 1] /= sqrt((x[:, 1] ** 2).sum())
    return x[2, 0] * x[3, 1] - x[2, 1] * x[3, 0]


@njit(cache=False)
def hyperbolic(q2: float, h: float) -> tuple[float, float]:
    """Return cosh(q h) and sinh(q h) / q."""
    q = sqrt(abs(q2))
    if q * abs(h) < 1e-9:
        return 1.0, h
    return (cosh(q * h), sinh(q * h) / q) if q2 > 0 else (cos(q * h), sin(q * h) / q)


@njit(cache=False)
def scan(velocities: np.ndarray, omega: float, table: np.ndarray, n_modes: int) -> np.ndarray:
    """Return the middles of the first intervals between whose ends the sign changes, NaN where there are no more."""
    out, n, before = np.full(n_modes, np.nan), 0, secular(velocities[0], omega, table)
    for i in range(1, velocities.shape[0]):
        now = secular(velocities[i], omega, table)
        if (now > 0) != (before > 0):
            out[n] = 0.5 * (velocities[i - 1] + velocities[i])
            n += 1
            if n == n_modes:
                break
        before = now
    return out


def truth(medium: LayeredMedium, frequency: np.ndarray, ours: np.ndarray, step: float) -> np.ndarray:
    """Return what the scan finds, (mode, frequency)."""
    top = medium.vs_m_s[-1] * (1 - 1e-9)
    grid = np.arange(0.68 * medium.vs_m_s.min(), top, step)
    found = np.empty_like(ours)
    for j, f in enumerate(frequency):
        beside = np.outer(ours[np.isfinite(ours[:, j]), j], [1 - 1e-6, 1 - 1e-7, 1 + 1e-7, 1 + 1e-6]).ravel()
        all_of_them = np.sort(np.concatenate([grid, beside[beside < top], [top]]))
        found[:, j] = scan(all_of_them, 2 * pi * f, medium.table, MODES)
    return found


def ask_disba(disba: ModuleType, dc: float) -> Solver:
    """Return disba's solver, with its step between trial velocities in km/s."""

    def solve(medium: LayeredMedium, frequency: np.ndarray) -> np.ndarray:
        out, period = np.full((MODES, len(frequency)), np.nan), 1 / frequency[::-1]
        columns = (medium.thickness_m, medium.vp_m_s, medium.vs_m_s, medium.density_kg_m3)
        asked = disba.PhaseDispersion(*(column / 1000 for column in columns), algorithm="dunkin", dc=dc)
        for m in range(MODES):
            try:
                curve = asked(period, mode=m, wave="rayleigh")
            except disba.DispersionError:
                continue
            out[m, np.searchsorted(frequency, 1 / curve.period * (1 - 1e-9))] = 1000 * curve.velocity
        return out

    return solve


def ask_pysurf96(pysurf96: ModuleType) -> Solver:
    """Return pysurf96's solver."""

    def solve(medium: LayeredMedium, frequency: np.ndarray) -> np.ndarray:
        out, period = np.full((MODES, len(frequency)), np.nan), 1 / frequency[::-1]
        columns = (medium.thickness_m, medium.vp_m_s, medium.vs_m_s, medium.density_kg_m3)
        for m in range(MODES):
            for part in np.array_split(np.arange(len(period)), -(-len(period) // 60)):  # it takes no more at a time
                try:
                    found = pysurf96.surf96(
                        *(column / 1000 for column in columns), period[part], wave="rayleigh", mode=m + 1,
                        velocity="phase", flat_earth=False,
                    )  # fmt: skip
                except pysurf96.wrapper.Surf96Error:
                    continue
                out[m, len(period) - 1 - part] = np.where(found > 0, 1000 * found, np.nan)
        return out

    return solve


def solvers() -> dict[str, Solver | None]:
    """Return who can be asked; None who is not installed."""
    asked: dict[str, Solver | None] = {"ours": lambda medium, frequency: phase_velocities(medium, frequency, MODES)}
    try:
        disba = importlib.import_module("disba")
        asked |= {"disba dc .005 (default)": ask_disba(disba, 0.005), "disba dc .001": ask_disba(disba, 0.001)}
    except ImportError:
        asked["disba"] = None
    try:
        asked["pysurf96"] = ask_pysurf96(importlib.import_module("pysurf96"))
    except ImportError:
        asked["pysurf96"] = None
    return asked


def completeness(kinds: Sequence[str], n_media: int, n_frequencies: int, step: float) -> None:
    """Print how many points of how many are wrong, missing or invented."""
    print(
        f"\n{n_media} media a kind, {n_frequencies} frequencies of 3-30 Hz, {MODES} modes; scan {step} m/s; % of points"
    )
    print(f"{'kind':14s}{'solver':26s}{'points':>8s}{'wrong':>9s}{'missing':>9s}{'extra':>9s}")
    frequency = np.linspace(3, 30, n_frequencies)
    for kind in kinds:
        rng = np.random.default_rng(KINDS.index(kind))
        media = [draw(kind, rng) for _ in range(n_media)]
        true = [truth(medium, frequency, phase_velocities(medium, frequency, MODES), step) for medium in media]
        for name, solve in solvers().items():
            if solve is None:
                print(f"{kind:14s}{name:26s} not installed")
                continue
            counted = np.zeros(4, dtype=int)
            for medium, right in zip(media, true, strict=True):
                found, there = solve(medium, frequency), np.isfinite(right)
                both = there & np.isfinite(found)
                off = np.abs(found[both] / right[both] - 1) > WRONG
                extra = np.isfinite(found) & ~there
                counted += there.sum(), off.sum(), (there & ~np.isfinite(found)).sum(), extra.sum()
            shares = 100 * counted[1:] / counted[0]
            print(f"{kind:14s}{name:26s}{counted[0]:8d}" + "".join(f"{share:9.3f}" for share in shares), flush=True)


def speed(n_media: int) -> None:
    """Print the time that curves of a medium take."""
    frequency, rng = np.linspace(3, 30, 111), np.random.default_rng(1)
    media = [draw("normal", rng) for _ in range(n_media)]
    asked = {name: solve for name, solve in solvers().items() if solve and "default" not in name}
    spent: dict[str, list[float]] = {name: [] for name in asked}
    for solve in asked.values():
        solve(media[0], frequency)
    for medium in media:
        for name, solve in asked.items():
            start = time.process_time()
            solve(medium, frequency)
            spent[name].append(1000 * (time.process_time() - start))
    print(f"\n111 frequencies x {MODES} modes, {n_media} normal media of 4-10 layers, ms of the processor a medium")
    for name, of in spent.items():
        ratio = np.median(np.array(of) / np.array(spent["ours"]))
        print(f"{name:26s} median {np.median(of):7.3f}  mean {np.mean(of):7.3f}  times ours {ratio:6.2f}")
    distances = 10 + 2.0 * np.arange(24)
    for q in (25.0, 50.0, 100.0):
        of = []
        vertical_response(media[0], frequency, distances, q_p=2 * q, q_s=q)
        for medium in media:
            start = time.process_time()
            vertical_response(medium, frequency, distances, q_p=2 * q, q_s=q)
            of.append(1000 * (time.process_time() - start))
        median, mean = np.median(of), np.mean(of)
        print(f"whole wavefield, 24 channels x 111 frequencies, Q_s {q:g}: median {median:6.1f} ms, mean {mean:6.1f}")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--media", type=int, default=100, help="of each kind")
    parser.add_argument("--frequencies", type=int, default=12, help="of each medium")
    parser.add_argument("--step", type=float, default=0.005, help="of the scan, m/s")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="of media; each has draws of its own")
    asked = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, NumPy {np.__version__}, one thread")
    speed(min(asked.media, 50))
    completeness(asked.kinds, asked.media, asked.frequencies, asked.step)


if __name__ == "__main__":
    main()
