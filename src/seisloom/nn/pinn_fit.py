"""Fitting a `PinnWavefield` to what was measured of a field, and to the wave equation everywhere else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from seisloom.errors import DataError, TrainingError
from seisloom.nn.pinn import PinnWavefield


@dataclass(frozen=True, slots=True)
class Measured:
    """Values of a field at points: early snapshots in place of a source, edges, receivers."""

    points: Tensor
    """(point, *space and time) in m and s."""
    values: Tensor
    """u at them, (point,), in any unit, which is the network's then."""
    weight: float = 1.0
    """Factor of their mean squared error."""


@dataclass(slots=True)
class PinnHistory:
    """How a fit went: terms after each round, without units."""

    data: list[float] = field(default_factory=list)
    """Mean squared error of the measured values over the energy of all of them, by their weights."""
    physics: list[float] = field(default_factory=list)
    """Mean squared residual, over that of a field of the highest frequency and of the same energy without Laplacian."""


def fit_pinn(
    network: PinnWavefield,
    measured: Mapping[str, Measured],
    *,
    max_hz: float,
    physics_weight: float = 1.0,
    n_points: int = 2000,
    n_rounds: int = 4,
    n_steps: int = 150,
    seed: int = 0,
) -> PinnHistory:
    """Fit the network in place, by L-BFGS, and its last layer by least squares before each round; and its velocity.

    A source is best left to early snapshots: a point source as right-hand side is learnt badly (Moseley et al. 2020,
    arXiv 2006.11894). The residual is divided by (2 pi max_hz T)^2 and the measured energy, so that one
    weight fits all surveys. Least squares for the last layer: see arXiv 2504.16553.

    Args:
        network: of the precision of all points and values; double is worth it, residuals are second derivatives.
        measured: sets of points and values by name; at least one value is not 0.
        max_hz: highest frequency of the field.
        physics_weight: of the mean squared residual.
        n_points: where the wave equation is asked for, a Sobol sequence over the domain, another one each round.
        n_rounds: of new points.
        n_steps: of L-BFGS in a round, at most.
        seed: of the points.
    Returns:
        The terms after each round.
    Raises:
        DataError: if points lie outside of the domain, shapes do not fit, or all values are 0: u = 0 solves that.
        TrainingError: if the loss is not finite.
    """
    scale = _checked(network, measured)
    places = {name: network.scaled(one.points) for name, one in measured.items()}
    steep = (2 * math.pi * max_hz * network.domain.duration_s) ** 2
    history = PinnHistory()

    def terms(inside: Tensor) -> tuple[Tensor, Tensor]:
        errors = [
            one.weight * (network.of_scaled(places[name]) - one.values / scale).square().mean()
            for name, one in measured.items()
        ]
        return torch.stack(errors).sum(), (network.residual(inside) / steep).square().mean()

    _in_units(network, 1 / scale)
    for number in range(n_rounds):
        inside = _sobol(network, n_points, seed + number)
        rows = [(network.hidden(places[name]), one.values / scale, one.weight) for name, one in measured.items()]
        bent = network.wave_operator(network.hidden, inside) / steep
        _solve_last_layer(network, [*rows, (bent, torch.zeros_like(bent[:, 0]), physics_weight)])
        optimizer = torch.optim.LBFGS(
            network.parameters(), max_iter=n_steps, history_size=50, tolerance_grad=1e-9, tolerance_change=1e-13,
            line_search_fn="strong_wolfe",
        )  # fmt: skip

        def closure(optimizer: torch.optim.Optimizer = optimizer, inside: Tensor = inside) -> float:
            optimizer.zero_grad()
            data, physics = terms(inside)
            loss = data + physics_weight * physics
            loss.backward()  # type: ignore[no-untyped-call]
            return float(loss.detach())

        optimizer.step(closure)  # type: ignore[no-untyped-call]
        data, physics = (float(one.detach()) for one in terms(inside))
        if not math.isfinite(data + physics):
            raise TrainingError(f"round {number + 1} of the PINN ends with a loss that is not finite. Fit fewer steps")
        history.data.append(data)
        history.physics.append(physics)
    _in_units(network, scale)
    return history


def _checked(network: PinnWavefield, measured: Mapping[str, Measured]) -> float:
    """The RMS of all values, after points and shapes were looked at."""
    n_axes = len(network.domain.space_m) + 1
    for name, one in measured.items():
        if one.points.ndim != 2 or one.points.shape[1] != n_axes or one.values.shape != one.points.shape[:1]:
            raise DataError(
                f"{name}: points {tuple(one.points.shape)} and values {tuple(one.values.shape)}; they are (point, "
                f"{n_axes}), places and time, and (point,)"
            )
        at = network.scaled(one.points)
        last = torch.tensor([b - a for a, b in (*network.domain.space_m, network.domain.time_s)]).to(at) / network.unit
        if bool(((at < -1e-6) | (at > last + 1e-6)).any()):
            raise DataError(f"{name}: points lie outside of the domain {network.domain}. Units are m and s")
    energies = [one.values.square().mean() for one in measured.values() if bool(one.values.any())]
    if not all(
        bool(torch.isfinite(one.values).all() and torch.isfinite(one.points).all()) for one in measured.values()
    ):
        raise DataError("measured points or values are not all finite. Leave those out that nobody knows")
    if not energies:
        raise DataError(
            "all measured values are 0, or there are none: a field of 0 solves that. Give an early snapshot"
        )
    return float(torch.stack(energies).max().sqrt())


@torch.no_grad()
def _solve_last_layer(network: PinnWavefield, rows: Sequence[tuple[Tensor, Tensor, float]]) -> None:
    """Set the last layer to what is best for the rest as it is: u and its wave equation are linear in it.

    Args:
        network: changed in place.
        rows: (point, width + 1) that times the layer is to give (point,), and the weight of the mean squared error.
    """
    factors = [(weight / len(wanted)) ** 0.5 for _, wanted, weight in rows]
    matrix = torch.cat([factor * one for factor, (one, _, _) in zip(factors, rows, strict=True)])
    wanted = torch.cat([factor * one for factor, (_, one, _) in zip(factors, rows, strict=True)])
    # A driver that bears features that are nearly alike
    solution = torch.linalg.lstsq(matrix.cpu(), wanted.cpu()[:, None], driver="gelsd").solution[:, 0].to(matrix)
    last = network.field[-1]
    assert isinstance(last, nn.Linear)
    last.weight.copy_(solution[None, :-1])
    last.bias.copy_(solution[-1:])


def _sobol(network: PinnWavefield, n: int, seed: int) -> Tensor:
    """Places and times without units, spread evenly over the domain."""
    sides = [last - first for first, last in (*network.domain.space_m, network.domain.time_s)]
    drawn = torch.quasirandom.SobolEngine(len(sides), scramble=True, seed=seed).draw(n)  # type: ignore[no-untyped-call]
    return drawn.to(network.unit) * torch.tensor(sides).to(network.unit) / network.unit


def _in_units(network: PinnWavefield, factor: float) -> None:
    """Multiply the field by a factor: its last layer is linear."""
    with torch.no_grad():
        for one in (network.field[-1].weight, network.field[-1].bias):
            assert isinstance(one, Tensor)
            one.mul_(factor)
