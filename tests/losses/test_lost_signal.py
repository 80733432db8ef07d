"""Signal that was lost counts, and noise that was left does not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seisloom.losses.lost_signal import LostSignal


def batch(n: int = 2, *, seed: int = 0) -> dict[str, Tensor]:
    clean = torch.randn(n, 1, 40, 120, generator=torch.Generator().manual_seed(seed))
    return {"clean": clean, "known": torch.ones(n, 1, 40), "live": torch.ones(n, 1, 40)}


@pytest.mark.parametrize("share", [0.5, 0.9, 1.2])
def test_it_is_the_share_that_is_missing(share: float) -> None:
    given = batch()
    found = LostSignal(floor=1e-3)({"clean": share * given["clean"]}, given)
    assert float(found) == pytest.approx(abs(1 - share), rel=1e-3)


def test_noise_that_was_left_counts_by_chance_alone() -> None:
    given, other = batch(), batch(seed=1)
    left = LostSignal()({"clean": given["clean"] + 0.1 * other["clean"]}, given)
    # Of 9 x 33 samples: 0.1 / sqrt(297) of deviation, more at the edges
    assert float(left) < 0.01
    assert float(LostSignal()({"clean": given["clean"]}, given)) == 0.0


def test_strength_is_that_of_the_surroundings() -> None:
    given = batch(1)
    given["clean"][..., 60:] *= 0.01
    late = given["clean"].clone()
    late[..., 60:] = 0
    term = LostSignal(samples=5, floor=1e-4)
    lost = float(term({"clean": late}, given))
    # Half of the samples are lost; those beside a strong sample are judged by it
    assert lost == pytest.approx(0.5, abs=0.03)
    assert float(LostSignal(samples=5, floor=1.0)({"clean": late}, given)) < 0.01


def test_unknown_traces_have_no_say_and_silence_has_a_gradient() -> None:
    given = batch(1)
    given["known"][..., 20:] = 0
    out = given["clean"].clone()
    out[:, :, 20:] = 7.0
    assert float(LostSignal()({"clean": out}, given)) == 0.0
    given["known"] = torch.zeros_like(given["known"])
    out = torch.zeros_like(out, requires_grad=True)
    LostSignal()({"clean": out}, given).backward()
    assert out.grad is not None
    assert not out.grad.any()


def test_gradients_are_those_of_differences() -> None:
    given = {
        name: one.double()[..., :6, :8] if one.ndim == 4 else one.double()[..., :6] for name, one in batch(1).items()
    }
    out = (0.8 * given["clean"]).requires_grad_()
    assert torch.autograd.gradcheck(lambda one: LostSignal(traces=3, samples=5)({"clean": one}, given), (out,))
