"""Losses of an onset against closed forms: where they are least, what they are there, and whom they teach."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from seisloom.config import LossTerm
from seisloom.losses.onset import BeforeAfter, OnsetDistribution, OnsetError, OnsetNLL, Presence, mean_where

FS_HZ = 1000.0


def batch(y: list[float], has: list[int] | None = None) -> dict[str, Tensor]:
    return {
        "y_idx": torch.tensor([y]), "fs": torch.tensor([FS_HZ]),
        "has_pick": torch.tensor([has if has is not None else [1] * len(y)], dtype=torch.int8),
    }  # fmt: skip


def outputs(mean: list[float], sigma: float = 2.0, presence: float = 0.0, n_time: int = 64) -> dict[str, Tensor]:
    n = len(mean)
    return {
        "mean": torch.tensor([mean], requires_grad=True),
        "log_sigma": torch.full((1, n), math.log(sigma), requires_grad=True),
        "presence": torch.full((1, n), presence, requires_grad=True),
        "logit": torch.zeros(1, n, n_time, requires_grad=True),
        "after": torch.zeros(1, n, n_time, requires_grad=True),
    }


def test_the_error_is_counted_in_units_and_flat_beyond_its_limit() -> None:
    term = OnsetError(unit_s=0.002, limit_s=0.01)
    # Errors of 4 ms and of 50 ms, the latter held at 10 ms: (2 + 5) / 2
    assert float(term(outputs([24.0, 90.0]), batch([20.0, 40.0]))) == pytest.approx(3.5)
    far = outputs([24.0, 90.0])
    term(far, batch([20.0, 40.0])).backward()  # type: ignore[no-untyped-call]
    assert far["mean"].grad is not None
    assert far["mean"].grad[0].tolist() == [pytest.approx(0.25), 0.0]


@pytest.mark.parametrize(("density", "name"), [("gaussian", "Normal"), ("laplace", "Laplace")])
def test_the_likelihood_is_that_of_torch_s_own_distributions(density: str, name: str) -> None:
    sigma, y, mean = 2.5, torch.tensor([20.0, 31.0]), torch.tensor([22.0, 30.5])
    scale = sigma if density == "gaussian" else sigma / math.sqrt(2)
    expected = -getattr(torch.distributions, name)(mean, scale).log_prob(y).mean()
    term = OnsetNLL.model_validate({"density": density, "beta": 0, "detach_mean": True})
    assert float(term(outputs(mean.tolist(), sigma), batch(y.tolist()))) == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize("density", ["gaussian", "laplace"])
def test_the_best_spread_is_that_of_the_errors(density: str) -> None:
    errors = [1.0, -3.0, 2.0, 5.0, -1.0]
    y = [30 + e for e in errors]
    term = OnsetNLL.model_validate({"density": density, "beta": 0})
    sigmas = [0.05 * k for k in range(10, 200)]
    best = min(sigmas, key=lambda sigma: float(term(outputs([30.0] * 5, sigma), batch(y))))
    # Least at the root mean square error; for the Laplace density at sqrt(2) times the mean absolute one
    rms = math.sqrt(sum(e * e for e in errors) / 5)
    mae = math.sqrt(2) * sum(map(abs, errors)) / 5
    assert best == pytest.approx(rms if density == "gaussian" else mae, abs=0.05)


def test_with_a_detached_mean_the_likelihood_teaches_the_spread_alone() -> None:
    for detach in (True, False):
        found = outputs([24.0])
        OnsetNLL(detach_mean=detach)(found, batch([20.0])).backward()  # type: ignore[no-untyped-call]
        assert (found["mean"].grad is None) == detach
        assert found["log_sigma"].grad is not None


def test_beta_scales_the_gradient_of_the_mean_as_its_paper_says() -> None:
    def gradient(beta: float, sigma: float) -> float:
        found = outputs([24.0], sigma)
        term = OnsetNLL(density="gaussian", beta=beta, detach_mean=False)
        term(found, batch([20.0])).backward()  # type: ignore[no-untyped-call]
        assert found["mean"].grad is not None
        return float(found["mean"].grad)

    # Seitzer et al. (2022), eq. 5: (mean - y) / sigma^2 * sigma^(2 beta); with beta = 1 the spread starves nobody
    for sigma in (0.5, 3.0):
        for beta in (0.0, 0.5, 1.0):
            assert gradient(beta, sigma) == pytest.approx(4 * sigma ** (2 * beta - 2), rel=1e-5)


def test_the_distribution_costs_least_where_the_network_says_the_same() -> None:
    term, y = OnsetDistribution(width_s=0.003), 30.4
    places = torch.arange(64)
    wanted = -0.5 * ((places - y) / 3.0) ** 2
    entropy = -(torch.softmax(wanted, -1) * torch.log_softmax(wanted, -1)).sum()

    def cost(logit: Tensor) -> float:
        return float(term({"logit": logit[None, None]}, batch([y])))

    assert cost(wanted) == pytest.approx(float(entropy), rel=1e-5)
    assert cost(torch.zeros(64)) == pytest.approx(math.log(64), rel=1e-5)
    for other in (-0.5 * ((places - y - 1) / 3.0) ** 2, 0.5 * wanted, 2 * wanted):
        assert cost(other) > cost(wanted)


def test_before_and_after_change_over_at_the_pick() -> None:
    term, y = BeforeAfter(width_s=0.004), 30.0
    places = torch.arange(64)
    wanted = 2 * (places - y) / 4.0

    def cost(logit: Tensor) -> float:
        return float(term({"after": logit[None, None]}, batch([y])))

    assert cost(torch.zeros(64)) == pytest.approx(math.log(2), rel=1e-5)
    assert cost(wanted) < min(cost(-wanted), cost(wanted + 0.5), cost(2 * (places - y - 2) / 4.0))


def test_presence_is_asked_where_it_is_known_alone() -> None:
    term = Presence()
    found = outputs([0.0] * 3, presence=1.2)
    y, has = [-1.0, 20.0, -1.0], [0, 1, -1]
    sigmoid = 1 / (1 + math.exp(-1.2))
    assert float(term(found, batch(y, has))) == pytest.approx(-(math.log(1 - sigmoid) + math.log(sigmoid)) / 2)
    term(found, batch(y, has)).backward()  # type: ignore[no-untyped-call]
    assert found["presence"].grad is not None
    assert (found["presence"].grad[0] != 0).tolist() == [True, True, False]


TERMS: list[LossTerm] = [OnsetDistribution(), BeforeAfter(), OnsetError(), OnsetNLL(detach_mean=False), Presence()]


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_traces_without_a_label_neither_count_nor_learn(term: LossTerm) -> None:
    alone = float(term(outputs([24.0]), batch([20.0], [1])))
    found = outputs([24.0, 50.0])
    value = term(found, batch([20.0, -1.0], [1, -1]))
    assert float(value) == pytest.approx(alone, rel=1e-6)
    value.backward()  # type: ignore[no-untyped-call]
    for one in found.values():
        assert one.grad is None or not bool(one.grad[0, 1].any())


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_a_batch_without_any_label_costs_nothing_and_still_has_a_gradient(term: LossTerm) -> None:
    found = outputs([24.0])
    value = term(found, batch([-1.0], [-1]))
    assert float(value) == 0
    value.backward()  # type: ignore[no-untyped-call]
    assert all(one.grad is None or bool(torch.isfinite(one.grad).all()) for one in found.values())


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_gradients_are_those_of_finite_differences(term: LossTerm) -> None:
    torch.manual_seed(0)
    labels = {
        key: one.double() if one.is_floating_point() else one for key, one in batch([5.2, 9.7, -1.0], [1, 1, 0]).items()
    }
    shapes = {"mean": (1, 3), "log_sigma": (1, 3), "presence": (1, 3), "logit": (1, 3, 16), "after": (1, 3, 16)}
    values = [torch.randn(shape, dtype=torch.double, requires_grad=True) for shape in shapes.values()]
    if isinstance(term, OnsetNLL):
        term = OnsetNLL(detach_mean=False, beta=0)  # the factor sigma^(2 beta) has no gradient, by design

    def value(*given: Tensor) -> Tensor:
        return term(dict(zip(shapes, given, strict=True)), labels)

    assert torch.autograd.gradcheck(value, values)


def test_a_mean_over_nothing_is_zero() -> None:
    assert float(mean_where(torch.tensor([5.0, float("nan")]), torch.tensor([False, False]))) == 0.0
    assert float(mean_where(torch.tensor([5.0, float("nan")]), torch.tensor([True, False]))) == 5.0
