"""Is a pick any surer than one on noise? Noise is made of the records themselves, and shown to the same predictor.

A trace whose phases are drawn anew has the spectrum of the record and no onset. If the record is noise, both are alike
and the share of it that is picked is the one that was asked for, whatever the predictor makes of such noise: a test
against surrogates, Theiler et al. (1992), Testing for nonlinearity in time series, Physica D 58. It says nothing of
noise in bursts, which phases drawn anew spread out.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from seisloom.sample import Array
from seisloom.tasks.picking.recipe import PickingRecipe
from seisloom.tasks.picking.records import PickRecord

ENOUGH = 240
"""Traces of noise for one file or line, after which no more are made."""
N_SIGNS = 3
"""Signs that a pick is sure: its probability, a narrow spread, its SNR. Lines differ in which of them tells."""


class NoiseCheck:
    """Collects, file by file or line by line, how sure a predictor is of noise made of the records themselves."""

    def __init__(self, recipe: PickingRecipe, signs_of: Callable[[PickRecord], Array]) -> None:
        """Begin without noise.

        Args:
            recipe: its `apply.false_alarm_rate` counts; None asks for no check.
            signs_of: signs of each pick of a record, shape (trace, N_SIGNS), larger where it is surer.
        """
        self._recipe, self._signs_of = recipe, signs_of
        self._found: dict[str, list[Array]] = {}

    def see(self, record: PickRecord) -> None:
        """Show the predictor noise of this record, if its file has not given enough yet; features are left alone."""
        rate = self._recipe.apply.false_alarm_rate
        found = self._found.setdefault(line_of(record), [])
        live = np.any(record.x[:, 0] != 0, axis=-1)
        if rate in (None, 1) or record.x.shape[1] > 1 or sum(map(len, found)) >= ENOUGH or not live.any():
            return
        # As many as the quantile of one sign needs to be a finite one, even where a gather is a single trace
        for copy in range(math.ceil(math.ceil(N_SIGNS / rate) / np.count_nonzero(live))):
            seed = (self._recipe.seed, zlib.crc32(record.key.encode()), copy)
            found.append(self._signs_of(replace(record, x=surrogate(record.x, seed=seed)))[live])

    def limits(self, line: str) -> Array:
        """Return for each sign what all but a share of a line's noise stays below, shape (N_SIGNS,); NaN if not known.

        A pick is surer than noise where one of its signs is above its limit. The accepted rate is shared by the signs
        (Bonferroni), and of n values of noise the k-th smallest is taken, k = ceil((n + 1) (1 - share)).
        """
        found, rate = self._found.get(line), self._recipe.apply.false_alarm_rate
        if rate is None or not found:
            return np.full(N_SIGNS, math.nan)
        values = np.sort(np.concatenate(found), axis=0)
        k = min(math.ceil((len(values) + 1) * (1 - rate / N_SIGNS)), len(values))
        return np.asarray(values[k - 1])


def line_of(record: PickRecord) -> str:
    """Return what the records of one kind of noise have in common: the line, or the file."""
    return str(record.geometry[0]) or str(record.path[0])


def surrogate(x: Array, *, seed: tuple[int, ...]) -> Array:
    """Return traces with their spectrum, phases drawn anew, and the median |amplitude| that they had.

    Args:
        x: traces, shape (trace, channel, time).
        seed: of the phases; each trace has its own.
    """
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(x, axis=-1)
    phase = rng.uniform(0, 2 * np.pi, (len(x), 1, spectrum.shape[-1]))
    phase[..., 0] = 0  # the mean, and below what swings with every sample, have a sign and no phase
    if x.shape[-1] % 2 == 0:
        phase[..., -1] = 0
    made = np.fft.irfft(np.abs(spectrum) * np.exp(1j * phase), n=x.shape[-1], axis=-1)
    was, now = (np.median(np.abs(one), axis=-1, keepdims=True) for one in (x, made))
    factor = np.divide(was, now, out=np.ones_like(now), where=(now > 0) & (was > 0))
    return (made * factor).astype(x.dtype)
