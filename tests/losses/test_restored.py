from __future__ import annotations

import torch

from seisloom.losses.restored import RelativeError, local_strength


def batch(loud: float = 1.0) -> dict[str, torch.Tensor]:
    """Two halves of a panel, the first `loud` times the second, with every second trace dead."""
    torch.manual_seed(0)
    clean = torch.randn(2, 1, 12, 200)
    clean[..., :100] *= loud
    live = (torch.arange(12) % 2 == 0).float().expand(2, 1, 12)
    return {"clean": clean, "live": live, "known": torch.ones(2, 1, 12)}


def test_it_is_the_mean_error_over_the_strength_around_it() -> None:
    given = batch()
    term = RelativeError(power=1.0, missing=1.0, kept=1.0, traces=1, samples=1)
    # Each sample is its own strength then, but for those below the floor
    error = term({"clean": 1.1 * given["clean"]}, given)
    assert 0.09 < float(error) <= 0.1 + 1e-6


def test_loud_halves_count_as_the_power_says() -> None:
    given = batch(loud=100.0)
    wrong_late = given["clean"].clone()
    wrong_late[..., 100:] = 0
    wrong_early = given["clean"].clone()
    wrong_early[..., :100] = 0
    ratios = []
    for power in (0.0, 0.5, 1.0):
        term = RelativeError(power=power, floor=1e-3, samples=31)
        late, early = (float(term({"clean": one}, given)) for one in (wrong_late, wrong_early))
        ratios.append(early / late)
    assert ratios[0] > 50
    assert 5 < ratios[1] < 20
    assert 0.8 < ratios[2] < 1.25


def test_only_known_traces_count_and_dead_ones_as_is_said() -> None:
    given = batch()
    dead = given["live"] == 0
    outputs = {"clean": torch.where(dead[..., None], torch.zeros(()), given["clean"])}
    assert float(RelativeError(missing=0.0)(outputs, given)) == 0
    assert float(RelativeError(missing=1.0)(outputs, given)) > 0
    unknown = {**given, "known": given["live"]}
    assert float(RelativeError(missing=1.0)(outputs, unknown)) == 0
    nothing = {**given, "known": torch.zeros(2, 1, 12)}
    out = outputs["clean"].clone().requires_grad_()
    loss = RelativeError()({"clean": out}, nothing)
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss) == 0
    assert out.grad is not None


def test_it_does_not_depend_on_the_unit_at_full_power() -> None:
    given = batch(loud=10.0)
    term = RelativeError(power=1.0)
    outputs = {"clean": given["clean"] * 0.7}
    scaled = {**given, "clean": given["clean"] * 1e4}
    assert torch.isclose(term(outputs, given), term({"clean": outputs["clean"] * 1e4}, scaled), rtol=1e-4)


def test_strength_of_silence_is_one_and_edges_are_not_weaker() -> None:
    silent = torch.zeros(1, 1, 5, 50)
    assert torch.equal(local_strength(silent, torch.ones(1, 1, 5), 3, 9, 0.1), torch.ones(1, 1, 5, 50))
    ones = torch.ones(1, 1, 5, 50)
    assert torch.allclose(local_strength(ones, torch.ones(1, 1, 5), 3, 9, 0.1), ones)


def test_gradients_are_those_of_differences() -> None:
    given = {
        name: one[:1, :, :4, :20].double() if one.ndim == 4 else one[:1, :, :4].double()
        for name, one in batch().items()
    }
    out = (given["clean"] * 0.5 + 0.05).requires_grad_()
    term = RelativeError(traces=3, samples=5)
    assert torch.autograd.gradcheck(lambda one: term({"clean": one}, given), (out,))
