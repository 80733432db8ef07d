"""Physics losses on wavefields of another code and on noise, and the PINN on standing waves and on a movie.

    python benchmarks/physics_losses.py [--pinn-seeds 3]

Movies are deepwave's (pip install 'seisloom[physics]'), made on a grid of half the spacing with 8 steps of time between
two snapshots, so that neither its stencil nor its step is that of the loss; sources are over before the movie begins.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import math
import platform
import time

import torch
from torch import Tensor
from torch.nn import functional

from seisloom.errors import RecipeError
from seisloom.losses.gathers.plane_wave import PlaneWave
from seisloom.losses.stencils import Order, radius
from seisloom.losses.wave_equation import WaveEquationLoss
from seisloom.losses.wavefield import Grid, dispersion_floor, relative_residual, wave_residual
from seisloom.nn.pinn import Domain, PinnWavefield
from seisloom.nn.pinn_fit import Measured, fit_pinn

C, N_Z, N_X = 2000.0, 100, 120
ORDERS: tuple[Order, ...] = (2, 4, 8)


def movie(velocity: Tensor, *, hz: float, h: float, dt: float, n_time: int, finer: int = 2, steps: int = 8) -> Tensor:
    """Return snapshots (time, depth, x) of an explosion in the middle, from two periods after its peak on."""
    import deepwave

    fine = velocity.repeat_interleave(finer, 0).repeat_interleave(finer, 1)
    first = math.ceil(3.5 / hz / dt)
    n_steps = (first + n_time) * steps
    shots: list[Tensor] = []
    middle = torch.tensor([[[n // 2 for n in fine.shape]]])
    deepwave.scalar(
        fine, h / finer, dt / steps, source_locations=middle, accuracy=8, pml_width=40, pml_freq=hz,
        source_amplitudes=deepwave.wavelets.ricker(hz, n_steps, dt / steps, 1.5 / hz).reshape(1, 1, -1),
        callback_frequency=steps,
        forward_callback=lambda state: shots.append(state.get_wavefield("wavefield_0", view="inner")[0].clone()),
    )  # fmt: skip
    return torch.stack(shots[first : first + n_time])[:, ::finer, ::finer]


def layered() -> Tensor:
    """Return velocities (depth, x) in m/s: two layers and a lens."""
    velocity = torch.full((N_Z, N_X), 1800.0)
    velocity[40:] = 2400.0
    z, x = torch.meshgrid(torch.arange(N_Z), torch.arange(N_X), indexing="ij")
    velocity[((z - 70) / 12.0) ** 2 + ((x - 70) / 25.0) ** 2 < 1] = 3000.0
    return velocity


def root(u: Tensor, velocity: Tensor, grid: Grid, *, off_jumps: bool = False) -> float:
    """Return the root of the loss; at will without cells whose stencil has a jump of velocity in it."""
    residual, u_tt = wave_residual(u[None], velocity[None], grid)
    where = None
    if off_jumps:
        reach = radius(grid.space_order)
        high, low = (functional.max_pool2d(sign * velocity[None], 2 * reach + 1, 1) for sign in (1, -1))
        where = (high + low <= 0.01 * high)[:, None].expand_as(residual)
    return math.sqrt(float(relative_residual(residual, u_tt, where)))


def grid_of(h: float, dt: float, space: Order, when: Order = 4) -> Grid:
    return Grid(torch.tensor([dt]), (torch.tensor([h]),) * 2, space, when)


def movies() -> None:
    """Print the root of the loss of true movies, its floor, and that with velocities 10 % too high."""
    print("\nroot of the loss of movies by deepwave, its floor, and with c + 10 %")
    print(
        f"{'medium':10s} {'h m':>4s} {'dt ms':>6s} {'f0 Hz':>6s} {'order':>5s} {'root':>9s} "
        f"{'off jumps':>9s} {'floor':>9s} {'c+10%':>7s}"
    )
    for name, (h, dt), hz in itertools.product(
        ("constant", "layered"), ((5.0, 1e-3), (15.0, 3.2e-3)), (15.0, 25.0, 40.0)
    ):
        velocity = torch.full((N_Z, N_X), C) if name == "constant" else layered()
        u = movie(velocity, hz=hz, h=h, dt=dt, n_time=120 if h == 5 else 70)
        for order in ORDERS:
            grid = grid_of(h, dt, order)
            floor = float(dispersion_floor(u[None], velocity[None], grid))
            print(
                f"{name:10s} {h:4.0f} {1000 * dt:6.1f} {hz:6.0f} {order:5d} {root(u, velocity, grid):9.2g} "
                f"{root(u, velocity, grid, off_jumps=True):9.2g} {floor:9.2g} {root(u, 1.1 * velocity, grid):7.3f}"
            )


def noise_and_units() -> None:
    """Print the root of the loss of noise, and how far it changes with amplitude and units."""
    print("\nroot of the loss of white noise (item, time, depth, x), by c dt / h and stencil")
    noise = torch.randn(60, 60, 60, generator=torch.Generator().manual_seed(0))
    velocity = torch.full((60, 60), C)
    for courant in (0.02, 0.05, 0.1, 0.2):
        row = [root(noise, velocity, grid_of(5.0, courant * 5 / C, order)) for order in ORDERS]
        print(
            f"  {courant:5.2f} " + " ".join(f"order {order}: {one:.3f}" for order, one in zip(ORDERS, row, strict=True))
        )
    u = movie(velocity, hz=25, h=5.0, dt=1e-3, n_time=100)
    given = root(u, 1.05 * velocity, grid_of(5.0, 1e-3, 8))
    print(f"  amplitude x 1e6: {root(1e6 * u, 1.05 * velocity, grid_of(5.0, 1e-3, 8)) / given - 1:.1e} relative change")
    print(f"  km and km/s:     {root(u, 1.05e-3 * velocity, grid_of(5e-3, 1e-3, 8)) / given - 1:.1e}")
    print(f"  km, ms, km/ms:   {root(u, 1.05e-6 * velocity, grid_of(5e-3, 1.0, 8)) / given - 1:.1e}")


def refusals() -> None:
    """Print what is refused, and why."""
    print("\nrefused:")
    u = movie(torch.full((N_Z, N_X), C), hz=25, h=5.0, dt=1e-3, n_time=100)[None]
    right = {"velocity_m_s": C, "dz_m": 5.0, "dx_m": 5.0, "dt_s": 1e-3}
    wrong = {
        "dt in ms": {"dt_s": 1.0},
        "dt twice": {"dt_s": 2e-3},
        "c in km/s": {"velocity_m_s": 2.0},
        "no c": {"velocity_m_s": None},
    }
    for name, change in wrong.items():
        try:
            WaveEquationLoss.model_validate(right | change)({"clean": u}, {"clean": u})
            print(f"  {name}: NOT REFUSED")
        except RecipeError as error:
            print(f"  {name}: {error}")


def gathers() -> None:
    """Print what a wave equation in (t, x) and plane waves make of reflections on the surface."""
    print("\na surface gather of three reflections, v 2000 m/s, 48 traces at 12.5 m")
    t, x = torch.arange(256) * 2e-3, torch.arange(48)[:, None] * 12.5
    gather = torch.zeros(48, 256)
    for t0 in (0.15, 0.27, 0.36):
        phase = (math.pi * 25 * (t - (t0**2 + (x / C) ** 2).sqrt())) ** 2
        gather += (1 - 2 * phase) * torch.exp(-phase)
    line = Grid(torch.tensor([2e-3]), (torch.tensor([12.5]),))
    as_movie = gather.T[None]
    for c in (C, 1.5 * C, 2 * C):
        residual = relative_residual(*wave_residual(as_movie, torch.full((1, 48), c), line))
        print(f"  u_tt - c^2 u_xx with c = {c:.0f}: {math.sqrt(float(residual)):.2f}")
    fields = {"clean": gather[None, None]}
    for n in (1, 2):
        term = PlaneWave.model_validate({"n_slopes": n})
        print(f"  local plane waves, {n} slope(s): {math.sqrt(float(term(fields, fields))):.3f}")


def pinn(n_seeds: int) -> None:
    """Print the relative error of the PINN on standing waves, and on a movie from its first snapshots."""
    print("\nPINN: relative L2 error on standing waves from five early snapshots and fixed ends")
    length, seconds = 1000.0, 0.5
    for k, seed in itertools.product((2, 4, 8), range(n_seeds)):
        hz = k * C / length / 2

        def truth(points: Tensor, k: int = k, hz: float = hz) -> Tensor:
            return torch.sin(k * math.pi * points[:, 0] / length) * torch.cos(2 * math.pi * hz * points[:, 1])

        early = torch.cartesian_prod(torch.linspace(0, length, 80), torch.linspace(0, 0.16 / hz, 5))
        ends = torch.cartesian_prod(torch.tensor([0.0, length]), torch.linspace(0, seconds, 100))
        everywhere = torch.cartesian_prod(torch.linspace(0, length, 101), torch.linspace(0, seconds, 101))
        began = time.perf_counter()
        network = PinnWavefield(
            Domain(((0.0, length),), (0.0, seconds)), max_hz=1.5 * hz, velocity_m_s=C, n_features=32 * k, seed=seed
        )
        measured = {"early": Measured(early, truth(early)), "ends": Measured(ends, 0 * ends[:, 0])}
        fit_pinn(network, measured, max_hz=hz, n_points=400 * k, n_rounds=1, n_steps=5, seed=seed)
        with torch.no_grad():
            error = (network(everywhere) - truth(everywhere)).norm() / truth(everywhere).norm()
        print(
            f"  {k / 2:.0f} wavelengths, {hz * seconds:.0f} periods, seed {seed}: {float(error):.1e} "
            f"in {time.perf_counter() - began:.1f} s"
        )


def pinn_of_a_movie(n_seeds: int) -> None:
    """Print the error of the PINN between snapshots and receivers of a movie in a constant medium."""
    print(
        "\nPINN: relative L2 error on a movie by deepwave (300 x 300 m, 0.1 s, 12 Hz) from 4 snapshots and 24 receivers"
    )
    h, dt, hz = 10.0, 2e-3, 12.0
    u = movie(torch.full((90, 90), C), hz=hz, h=h, dt=dt, n_time=50, finer=2)[:, 10:41, 10:41].double()
    z = torch.arange(31) * h
    domain = Domain(((0.0, 300.0), (0.0, 300.0)), (0.0, 49 * dt))
    everywhere = torch.cartesian_prod(torch.arange(50) * dt, z, z)[:, [1, 2, 0]]
    values = u.reshape(-1)
    early = everywhere[:, 2] < 3.5 * dt
    edge = ((everywhere[:, :2] == 0) | (everywhere[:, :2] == 300)).any(1)
    receivers = edge & (everywhere[:, :2].sum(1) % 50 == 0)
    for seed in range(n_seeds):
        began = time.perf_counter()
        network = PinnWavefield(domain, max_hz=2.5 * hz, velocity_m_s=C, n_features=300, width=8, seed=seed)
        measured = {
            "early": Measured(everywhere[early], values[early]),
            "receivers": Measured(everywhere[receivers], values[receivers]),
        }
        fit_pinn(network, measured, max_hz=2 * hz, n_points=1500, n_rounds=1, n_steps=1, seed=seed)
        with torch.no_grad():
            error = (network(everywhere) - values).norm() / values.norm()
        print(f"  seed {seed}: {float(error):.3f} in {time.perf_counter() - began:.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pinn-seeds", type=int, default=3)
    options = parser.parse_args()
    logging.getLogger("seisloom").setLevel(logging.ERROR)
    print(f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    movies()
    noise_and_units()
    refusals()
    gathers()
    torch.set_default_dtype(torch.float64)
    pinn(options.pinn_seeds)
    pinn_of_a_movie(options.pinn_seeds)


if __name__ == "__main__":
    main()
