"""Denoising by neighbours alone: a network fitted to the panel predicts each trace without having seen it."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from pydantic import Field, field_validator

from seisloom.sample import Array, Predictor
from seisloom.signal.noise_bank import energy_onset, noise_coherence, noise_windows
from seisloom.signal.restoration.along_traces import linear
from seisloom.signal.restoration.dct import dct_denoise
from seisloom.signal.restoration.plane_wave import plane_wave_fill
from seisloom.tasks.restoration.methods import FEWEST_TO_HIDE, DenoiseMethod, on_panels
from seisloom.tasks.restoration.model import GuessUNet

logger = logging.getLogger("seisloom")
BESIDE = 3
"""Traces between two blind bands."""
N_QUESTIONS = 24
"""How often other traces are blind, to fit the network."""
QUIET = (8, 48)
"""Traces and samples of the windows before the first arrivals in which noise is looked at."""
COHERENT = 0.4
"""Coherence of noise between neighbouring traces above which a warning says that it stays."""


class BlindTraces(DenoiseMethod):
    """Each trace predicted from its neighbours by a network fitted to the panel: what they do not tell is taken off.

    That is noise which is independent between traces, of any colour and of any strength on each. Noise that goes on
    over traces (ground roll, interference, cable noise wider than the blind band) is predicted as signal is, and stays;
    a warning says so where the record before the first arrivals is coherent between neighbours. Of made gathers at 0 dB
    it came on 13 of 16 with such noise, and on 4 of 64 with white, 1/f, swell or recorded streamer noise; where
    there is little noise, weak arrivals bring it on too. What neighbours do not tell of the signal is lost: amplitudes
    and statics of single traces, events that are too steep or too weak.

    The network corrects plane waves, carried over from the other traces after the DCT has taken noise off these.

    Source: Liu, Birnie & Alkhalifah (2022), Coherent noise suppression via a self-supervised blind-trace deep
        learning scheme, arXiv 2206.00301, after Krull et al. (2019), Noise2Void, arXiv 1811.10980. Differs in blind
        traces that the network is told of, where theirs hold other samples, so that every trace is predicted blind.
    """

    name: str = "blind_traces"
    steps: int = Field(500, ge=1)
    """Of Adam: at 120 traces of 600 samples a hundred take 3 s of a core."""
    width: int = Field(1, ge=1)
    """Traces of the blind band, of which the middle one is predicted; odd. More for noise that neighbours share."""
    lr: float = Field(2e-3, gt=0)
    """Largest step size."""
    batch: int = Field(4, ge=1)
    """Crops of a step."""
    crop: tuple[int, int] = (64, 128)
    """Traces and samples of a crop."""
    widths: tuple[int, ...] = Field((16, 32), min_length=1)
    """Channels of the network's levels, full resolution first."""

    @field_validator("width")
    @classmethod
    def _odd(cls, width: int) -> int:
        if width % 2 == 0:
            raise ValueError(f"a blind band has a middle trace, so its width is odd, not {width}")
        return width

    def stands_beside(self, recipe: Any) -> bool:  # Any: a recipe of the room
        """Return False: it is fitted to each panel, and scored where somebody names it."""
        return False

    def predictor(self, recipe: Any) -> Predictor:  # Any: a recipe of the room
        """Return the method on items of panels."""
        return on_panels(self.clean)

    def clean(self, x: Array, live: Array) -> Array:
        """Return a panel (trace, time) of which no trace's estimate has seen that trace.

        A panel that is silent, or has too few traces to learn from, comes back as it is, its dead traces by linear
        interpolation.
        """
        scale = float(np.sqrt(np.mean(x[live] ** 2)))
        if live.sum() < max(FEWEST_TO_HIDE, self.width + BESIDE) or not scale > 0:
            return linear(x, live)
        coherence = quiet_coherence(x[live])
        if coherence > COHERENT:
            logger.warning(
                "blind_traces: noise before the first arrivals is coherent between neighbouring traces (%.2f; 0 would "
                "be noise of each trace alone): it is predicted as signal is, and stays. Say a larger width=, or take "
                "fx_denoise or band_pass", coherence,
            )  # fmt: skip
        from seisloom.tasks.restoration.fitting import Question, answers, fitted, untrained

        period = self.width + BESIDE

        def question(middle: Array, asked: Array) -> Question:
            given = live & ~_band(middle, self.width)
            shown = np.where(given[:, None], x / scale, 0)
            seen = {"x": shown, "live": given.astype(np.float32), "guess": _carried(shown, given)}
            return Question(seen, np.where(live[:, None], x / scale, 0), asked)

        rng = np.random.default_rng(0)
        passes = [np.arange(len(live)) % period == first for first in range(period)]
        drawn = [_middles(len(live), period, rng) for _ in range(N_QUESTIONS)]
        questions = [one for one in (question(m, m & live) for m in drawn) if one.asked.any()]
        if not questions:
            return linear(x, live)
        # Nothing is spared to choose a state by: one trace full of noise would choose
        network = untrained(GuessUNet(guess="plane_wave", widths=self.widths))
        predict = fitted(network, questions, [], steps=self.steps, lr=self.lr, batch=self.batch, crop=self.crop)
        found = np.zeros_like(x)
        for middle, answer in zip(passes, answers(predict, [question(m, m) for m in passes]), strict=True):
            found[middle] = answer[middle] * scale
        return found


def quiet_coherence(traces: Array) -> float:
    """Return how coherent noise is between neighbours before the first arrivals, of live traces (trace, time).

    The least of all windows, since noise is in each of them and an arrival that was missed in some; NaN where
    nothing is quiet for long enough. Where there is next to no noise, weak arrivals before the strongest are all that
    is found. See `seisloom.signal.noise_bank.noise_coherence`.
    """
    n_samples = QUIET[1] // 2
    if len(traces) < QUIET[0] or traces.shape[1] <= 2 * n_samples:
        return float("nan")
    onset = energy_onset(traces, fs_hz=1.0, window_s=n_samples)
    found = [noise_coherence(one) for one in noise_windows(traces, onset, shape=QUIET)]
    return min(found, default=float("nan"))


def _carried(x: Array, given: Array) -> Array:
    """Return a panel (trace, time) whose other traces are plane waves through those that are given."""
    guess = plane_wave_fill(np.where(given[:, None], dct_denoise(linear(x, given)), 0), given)
    return np.where(given[:, None], x, guess)


def _middles(n_traces: int, period: int, rng: np.random.Generator) -> Array:
    """Return middles of blind bands at about the period, bool (trace,)."""
    steps = rng.integers(period, 2 * period, n_traces)
    places = np.cumsum(steps) - int(rng.integers(period, 2 * period))
    middles = np.zeros(n_traces, dtype=bool)
    middles[places[(places >= 0) & (places < n_traces)]] = True
    return middles


def _band(middles: Array, width: int) -> Array:
    """Return the traces that are within half of a width from a middle."""
    return np.convolve(middles, np.ones(width), mode="same") > 0
