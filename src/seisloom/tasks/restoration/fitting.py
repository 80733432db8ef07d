"""A network fitted to one panel: traces that are known are hidden from it, and it is asked for these."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from seisloom.bundle import as_predictor
from seisloom.config import ModelConfig
from seisloom.losses.restored import RelativeError, local_strength
from seisloom.sample import Array, Predictor, Schema

CHECKS = 6
"""How often a network is checked while it is fitted; the best of these states is kept."""
RISING = 0.1
"""Share of the steps in which the step size rises, before it falls to nothing."""
LARGEST_NORM = 1.0
"""Of the gradient."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A panel of which known traces are hidden."""

    seen: Mapping[str, Array]
    """What the network sees: `x` (trace, time), 0 in hidden and dead traces; `live` (trace,), 1 or 0; and, for a
    network that begins from one, `guess` (trace, time)."""
    true: Array
    """Amplitudes that hidden traces have, (trace, time)."""
    asked: Array
    """bool (trace,): hidden traces whose errors count."""

    def tensors(self) -> dict[str, Tensor]:
        """Return its arrays by name, (line, trace, time) and (line, trace)."""
        arrays = {**self.seen, "clean": self.true, "asked": self.asked}
        return {name: torch.as_tensor(np.asarray(one)[None], dtype=torch.float32) for name, one in arrays.items()}


def untrained(config: ModelConfig, *, seed: int = 0) -> nn.Module:
    """Return a network whose weights are drawn from a seed; torch's own generator stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return config.build(Schema(()))


def fitted(
    network: nn.Module,
    questions: Sequence[Question],
    checks: Sequence[Question],
    *,
    steps: int,
    lr: float,
    batch: int,
    crop: tuple[int, int],
) -> Predictor:
    """Return a copy of a network, fitted to questions on one panel, as a predictor on the CPU.

    Random crops, at random mirrored along traces and along time and with signs changed, are shown to it; the loss is
    that of `losses.restored.RelativeError`, of hidden traces alone. Equal arguments give equal weights, on one machine
    with one number of threads.

    Args:
        network: of the room; it is not changed.
        questions: at least one, each with a trace that is asked for.
        checks: the state with the least energy of errors on these is kept, that of the beginning included; their
            asked traces should not be asked for in `questions`. Without any, the last state.
        steps: of Adam; 0 leaves the network as it is.
        lr: largest step size.
        batch: crops of a step.
        crop: traces and samples of one; of a smaller panel, all of them.
    Source: loss on hidden samples alone after Batson & Royer (2019), Noise2Self, arXiv 1901.11365.
    """
    # A caller may have gradients switched off
    with torch.inference_mode(False), torch.enable_grad():
        model = copy.deepcopy(network).train()
        _fit(model, questions, checks, steps=steps, lr=lr, batch=batch, crop=crop)
    return as_predictor(model, "cpu")


def answers(predictor: Predictor, questions: Sequence[Question]) -> list[Array]:
    """Return what a predictor makes of each question, (trace, time)."""
    found = []
    for one in questions:
        arrays = {name: np.asarray(values, dtype=np.float32)[None, None] for name, values in one.seen.items()}
        found.append(np.asarray(predictor(arrays)["clean"][0, 0]))
    return found


def _fit(
    model: nn.Module,
    questions: Sequence[Question],
    checks: Sequence[Question],
    *,
    steps: int,
    lr: float,
    batch: int,
    crop: tuple[int, int],
) -> None:
    whole, asked = [_with_strength(one) for one in questions], [np.flatnonzero(one.asked) for one in questions]
    # Not torch's own: a caller's draws stay what they were
    rng = np.random.default_rng(0)
    adam = torch.optim.Adam(model.parameters(), lr=lr)
    rate = torch.optim.lr_scheduler.LambdaLR(adam, lambda step: _rise_and_fall((step + 1) / max(steps, 1)))
    best, least = copy.deepcopy(model.state_dict()), _error(model, checks)
    for step in range(1, steps + 1):
        drawn = [int(rng.integers(len(whole))) for _ in range(batch)]
        crops = [_crop(whole[k], asked[k], crop, rng) for k in drawn]
        shown = _mirrored({name: torch.stack([one[name] for one in crops]) for name in crops[0]}, rng)
        adam.zero_grad()
        _loss(model(shown)["clean"], shown).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), LARGEST_NORM)
        adam.step()
        rate.step()
        if step % max(steps // CHECKS, 1) == 0 or step == steps:
            error = _error(model, checks)
            if error < least or not checks:
                best, least = copy.deepcopy(model.state_dict()), error
    model.load_state_dict(best)


def _with_strength(question: Question) -> dict[str, Tensor]:
    """Return a question with what its errors are divided by; once for the panel, which is dear for each crop."""
    said, found = RelativeError(), question.tensors()
    known = torch.maximum(found["live"], found["asked"])[None]
    strength = local_strength(found["clean"][None], known, said.traces, said.samples, said.floor)[0]
    return {**found, "strength": strength**said.power}


def _loss(clean: Tensor, shown: Mapping[str, Tensor]) -> Tensor:
    error = (clean - shown["clean"]).abs() / shown["strength"]
    return (error * shown["asked"][..., None]).sum() / (shown["asked"].sum() * clean.shape[-1])


def _rise_and_fall(share: float) -> float:
    return share / RISING if share < RISING else float(0.5 + 0.5 * np.cos(np.pi * (share - RISING) / (1 - RISING)))


def _error(model: nn.Module, checks: Sequence[Question]) -> float:
    """Return the energy of errors on asked traces."""
    with torch.no_grad():
        total = 0.0
        for one in checks:
            batch = {name: value[None] for name, value in one.tensors().items()}
            error = (model(batch)["clean"] - batch["clean"])[0, 0].numpy()[one.asked]
            total += float(np.sum(error.astype(np.float64) ** 2))
        return total


def _crop(
    whole: Mapping[str, Tensor], asked: Array, size: tuple[int, int], rng: np.random.Generator
) -> dict[str, Tensor]:
    """Return a part of a question, with one at least of the traces that are asked for."""
    n_trace, n_time = whole["clean"].shape[-2:]
    width, length = min(size[0], n_trace), min(size[1], n_time)
    trace = int(rng.choice(asked)) - int(rng.integers(width))
    trace, sample = min(max(trace, 0), n_trace - width), int(rng.integers(n_time - length + 1))
    traces, samples = slice(trace, trace + width), slice(sample, sample + length)
    return {name: one[:, traces, samples] if one.ndim == 3 else one[:, traces] for name, one in whole.items()}


def _mirrored(batch: Mapping[str, Tensor], rng: np.random.Generator) -> dict[str, Tensor]:
    """Return a batch (item, line, trace[, time]) at random with traces or samples in reverse, and other signs."""
    by_trace, by_time, sign = rng.random() < 0.5, rng.random() < 0.5, rng.random() < 0.5
    found = {}
    for name, one in batch.items():
        has_time = one.ndim == 4
        turned = one.flip(2) if by_trace else one
        turned = turned.flip(3) if by_time and has_time else turned
        found[name] = -turned if sign and has_time and name != "strength" else turned
    return found
