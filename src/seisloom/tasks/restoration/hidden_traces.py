"""Missing traces filled by a network that was fitted to the panel itself, on live traces that were hidden from it."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pydantic import Field

from seisloom import plugins
from seisloom.errors import RecipeError
from seisloom.sample import Array, Predictor
from seisloom.signal.restoration.gate import least_on_simplex
from seisloom.signal.restoration.hidden import hidings
from seisloom.signal.restoration.masks import regular_step
from seisloom.signal.restoration.panel import Restore, put_back
from seisloom.signal.restoration.search import Candidate, search
from seisloom.tasks.restoration.methods import FEWEST_TO_HIDE, FillMethod, Linear
from seisloom.tasks.restoration.model import GuessUNet, RestorerConfig

if TYPE_CHECKING:
    from torch import nn

    from seisloom.tasks.restoration.fitting import Question

logger = logging.getLogger("seisloom")
SHARE = 0.2
"""Of the live traces that is hidden in a question."""
SPARED = 6
"""At a regular step, where hidings leave no trace out, each of so many traces is kept for the choice."""


class Network(NamedTuple):
    """What is fitted, and what it begins from."""

    module: nn.Module
    guess: Restore | None
    """Makes the guess that it corrects; None for a network that needs none."""
    is_trained: bool


class HiddenTraces(FillMethod):
    """A network fitted to the panel: live traces are hidden as the missing ones are, and it learns to fill these.

    It corrects the classical method that fills hidden traces best. Traces that it is never asked for in fitting say
    what comes out: the sum of the classical answer, of the network it began from and of the fitted one with the
    least error there, each with a weight of 0 to 1. On those traces it is no worse than any of them.

    At a regular step the network is fitted to live traces alone, every n-th of which is left: so it sees the pattern
    that it will fill, at slopes n times as steep. Hidden in the whole panel, gaps would be wider than any it fills.
    """

    name: str = "hidden_traces"
    start: str | None = None
    """Bundle whose network is fitted further, by folder or shipped name; None takes a small untrained one."""
    guesses: tuple[str, ...] = Field(("linear", "plane_wave"), min_length=1)
    """Classical methods, the best of which on hidden traces is corrected, and answers where the network is worse."""
    steps: int = Field(300, ge=0)
    """Of Adam: at 120 traces of 600 samples a hundred take 3 s of a core."""
    lr: float = Field(1e-3, gt=0)
    """Largest step size; for a trained network take less."""
    batch: int = Field(4, ge=1)
    """Crops of a step."""
    crop: tuple[int, int] = (64, 128)
    """Traces and samples of a crop."""
    n_questions: int = Field(20, ge=1)
    """How often live traces are hidden to fit the network."""

    def stands_beside(self, recipe: Any) -> bool:  # Any: a recipe of the room
        """Return False: it is fitted to each panel, and scored where somebody names it."""
        return False

    def chosen(self, x: Array, live: Array) -> Restore:
        """Return what fills a panel (trace, time): the network fitted to it, blended with what it began from.

        Traces of the first `hidings` of the seed 0 are not asked for in fitting, unless the step is regular: these
        are hidden by `gate`, too, which then asks for what the network has not been fitted to.
        """
        if live.sum() < FEWEST_TO_HIDE:
            return Linear().choices[0].restore
        hidden = hidings(live, self.hidings, np.random.default_rng(0))
        classical = search(x, live, self._candidates(), hidden).best.restore
        network = self._network(classical)
        scale = float(np.sqrt(np.mean(x[live] ** 2)))
        if not scale > 0:
            return classical
        return self._fitted(x / scale, live, hidden, classical, network)

    def _fitted(self, x: Array, live: Array, hidden: list[Array], classical: Restore, network: Network) -> Restore:
        from seisloom.tasks.restoration.fitting import answers, fitted

        spared = _spared(live, hidden)
        ask = partial(_question, x, live, network.guess)
        drawn = hidings(live, self.n_questions, np.random.default_rng(1), share=SHARE)
        questions = [one for one in (ask(hide, hide & ~spared) for hide in drawn) if one.asked.any()]
        kept = [hide for hide in hidden if (hide & spared).any()]
        checks = [ask(hide, hide & spared) for hide in kept]
        if not questions or not checks:
            return classical
        fit = partial(fitted, network.module, questions, checks, lr=self.lr, batch=self.batch, crop=self.crop)
        networks = [fit(steps=0), fit(steps=self.steps)] if network.is_trained else [fit(steps=self.steps)]
        rows = _rows(live)
        filled = [[classical(x, live & ~hide)[rows] for hide in kept], *(answers(one, checks) for one in networks)]
        weights = _weights(filled, checks)
        logger.info("hidden_traces: %s of the classical answer, of the network before (if trained) and after fitting",
                    ", ".join(f"{one:.0%}" for one in weights))  # fmt: skip
        return partial(_blended, [classical, *(partial(_by_network, one, network.guess) for one in networks)], weights)

    def _candidates(self) -> list[Candidate]:
        found: list[Candidate] = []
        for name in self.guesses:
            kind = plugins.load("methods", name)
            choices = kind.choices if isinstance(kind, type) and issubclass(kind, FillMethod) else ()
            if not choices:
                raise RecipeError(f"hidden_traces.guesses: {name} is no classical method that fills panels")
            found += choices if self.tune else choices[:1]
        return found

    def _network(self, classical: Restore) -> Network:
        from seisloom.bundle import Bundle
        from seisloom.tasks.restoration.fitting import untrained

        if self.start is None:
            # Few weights: five levels learnt single panels by heart, and filled them no better
            return Network(untrained(GuessUNet(widths=(16, 32))), classical, False)
        bundle = Bundle.open(self.start)
        config = bundle.recipe.model
        if not isinstance(config, RestorerConfig) or config.dims == 3:
            raise RecipeError(f"hidden_traces.start: {self.start} has no network of this room for single panels")
        return Network(bundle.network(), None if config.needs_guess is None else classical, True)


def _spared(live: Array, hidden: list[Array]) -> Array:
    """Return the live traces that are kept for the choice, bool (trace,)."""
    if regular_step(live) <= 1:
        return np.asarray(np.any(hidden, axis=0))
    spared, known = np.zeros_like(live), np.flatnonzero(live)
    n = max(len(known) // SPARED, 1)
    spared[np.random.default_rng(2).permutation(known)[:n]] = True
    return spared


def _rows(live: Array) -> Array:
    """Return the traces that the network is fitted to, bool (trace,): at a regular step the live ones."""
    return live if regular_step(live) > 1 else np.ones_like(live)


def _question(x: Array, live: Array, guess: Restore | None, hide: Array, asked: Array) -> Question:
    from seisloom.tasks.restoration.fitting import Question

    rows = _rows(live)
    seen = _seen(x, live & ~hide, guess)
    return Question({name: one[rows] for name, one in seen.items()}, np.where(live[:, None], x, 0)[rows], asked[rows])


def _seen(x: Array, live: Array, guess: Restore | None) -> dict[str, Array]:
    seen = {"x": np.where(live[:, None], x, 0).astype(np.float32), "live": live.astype(np.float32)}
    if guess is not None:
        seen["guess"] = guess(x, live).astype(np.float32)
    return seen


def _by_network(predictor: Predictor, guess: Restore | None, values: Array, is_live: Array) -> Array:
    """Return a panel (trace, time) filled by a network."""
    scale = float(np.sqrt(np.mean(values[is_live] ** 2)))
    if not scale > 0:
        return put_back(np.zeros_like(values), values, is_live)
    seen = _seen(values / scale, is_live, guess)
    found = predictor({name: one[None, None] for name, one in seen.items()})["clean"][0, 0]
    return put_back(found * scale, values, is_live)


def _weights(filled: list[list[Array]], checks: list[Question]) -> Array:
    """Return the weight of each method, 1 in sum, that give the least error on traces kept for the choice.

    Args:
        filled: of each method, what it makes of each question, (trace, time).
        checks: the questions.
    """
    errors = [
        np.concatenate([(one - q.true)[q.asked].ravel() for one, q in zip(each, checks, strict=True)])
        for each in filled
    ]
    found = np.stack(errors).astype(np.float64)
    return least_on_simplex(found @ found.T)


def _blended(methods: list[Restore], weights: Array, values: Array, is_live: Array) -> Array:
    filled = [weight * one(values, is_live) for weight, one in zip(weights, methods, strict=True) if weight > 0]
    return put_back(np.sum(filled, axis=0), values, is_live)
