"""Cross-entropy of classes against torch's own and by hand, and what nobody knows left out."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from torch.nn import functional

from seisloom.errors import RecipeError
from seisloom.losses.classes import CrossEntropy, class_weights

COUNTS = (60, 30, 10)
TERMS = [
    CrossEntropy(), CrossEntropy(label_smoothing=0.1), CrossEntropy(class_weight="balanced", class_counts=COUNTS),
    CrossEntropy(class_weight="sqrt", class_counts=COUNTS, label_smoothing=0.2),
]  # fmt: skip


def drawn(n: int = 40) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(0)
    return 2 * torch.randn(n, 3, dtype=torch.float64, generator=rng), torch.randint(-1, 3, (n,), generator=rng)


def value(term: CrossEntropy, logits: Tensor, label: Tensor) -> float:
    return float(term({"logits": logits}, {"label": label}).detach())


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_without_weights_it_is_torch_s_own(smoothing: float) -> None:
    logits, label = drawn()
    wanted = functional.cross_entropy(logits, label, ignore_index=-1, label_smoothing=smoothing)
    assert value(CrossEntropy(label_smoothing=smoothing), logits, label) == pytest.approx(float(wanted), rel=1e-12)


@pytest.mark.parametrize("kind", ["balanced", "sqrt", "none"])
def test_with_weights_it_is_torch_s_own_with_these(kind: str) -> None:
    logits, label = drawn()
    weight = torch.tensor(class_weights(COUNTS, kind), dtype=torch.float64)  # type: ignore[arg-type]
    wanted = functional.cross_entropy(logits, label, weight, ignore_index=-1)
    term = CrossEntropy(class_weight=kind, class_counts=COUNTS)  # type: ignore[arg-type]
    assert value(term, logits, label) == pytest.approx(float(wanted), rel=1e-6)


def test_weights_by_hand() -> None:
    assert class_weights(COUNTS, "balanced") == pytest.approx((100 / 180, 100 / 90, 100 / 30))
    root = class_weights(COUNTS, "sqrt")
    assert root[2] / root[0] == pytest.approx(6**0.5)
    for kind in ("balanced", "sqrt", "none"):
        weights = class_weights(COUNTS, kind)  # type: ignore[arg-type]
        assert sum(w * n for w, n in zip(weights, COUNTS, strict=True)) == pytest.approx(100)
    assert class_weights((5, 0, 5), "balanced") == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("term", TERMS, ids=str)
def test_shares_of_one_class_are_its_index_and_mixtures_lie_between(term: CrossEntropy) -> None:
    logits, label = drawn()
    share = functional.one_hot(label.clamp(min=0), 3).double()
    share[label < 0] = -1
    assert value(term, logits, share) == pytest.approx(value(term, logits, label), rel=1e-12)
    if term.class_weight == "none":
        a, b = torch.tensor([0, 1]), torch.tensor([2, 1])
        mixed = 0.3 * functional.one_hot(a, 3) + 0.7 * functional.one_hot(b, 3)
        wanted = 0.3 * value(term, logits[:2], a) + 0.7 * value(term, logits[:2], b)
        assert value(term, logits[:2], mixed.double()) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("term", TERMS, ids=str)
def test_items_that_nobody_knows_do_not_matter(term: CrossEntropy) -> None:
    logits, label = drawn()
    leaf = logits.clone().requires_grad_()
    (grad,) = torch.autograd.grad(term({"logits": leaf}, {"label": label}), leaf)
    assert not grad[label < 0].any()
    assert bool(grad[label >= 0].any())
    nothing = term({"logits": leaf}, {"label": torch.full_like(label, -1)})
    (grad,) = torch.autograd.grad(nothing, leaf)
    assert (float(nothing.detach()), float(grad.abs().max())) == (0.0, 0.0)


@pytest.mark.parametrize("term", TERMS, ids=str)
def test_gradients_are_those_of_finite_differences(term: CrossEntropy) -> None:
    logits, label = drawn(6)
    assert torch.autograd.gradcheck(lambda x: term({"logits": x}, {"label": label}), logits.requires_grad_())


def test_half_precision_is_taken() -> None:
    logits, label = drawn()
    assert value(CrossEntropy(), logits.bfloat16(), label) == pytest.approx(
        value(CrossEntropy(), logits, label), rel=0.02
    )


def test_what_is_missing_is_named() -> None:
    logits, label = drawn()
    with pytest.raises(RecipeError, match="weights need class_counts of 3 classes, there are 0"):
        value(CrossEntropy(class_weight="balanced"), logits, label)
    with pytest.raises(ValueError, match="give indices"):
        value(CrossEntropy(), logits, label[:, None])
    with pytest.raises(ValidationError, match="counts of items are 0 or more"):
        CrossEntropy(class_counts=(3, -1))
