"""Classical methods behind the face of a network: what it is measured against, and what needs no weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, TypeAlias

import numpy as np
from pydantic import Field

from seisloom.config import Method
from seisloom.sample import Array, Arrays, Predictor
from seisloom.signal.filters import bandpass
from seisloom.signal.restoration.along_traces import cubic, linear
from seisloom.signal.restoration.dct import dct_denoise
from seisloom.signal.restoration.fx import fx_denoise, fx_fill
from seisloom.signal.restoration.hidden import hidings
from seisloom.signal.restoration.median import median_denoise
from seisloom.signal.restoration.mssa import mssa_denoise, mssa_fill
from seisloom.signal.restoration.panel import Restore
from seisloom.signal.restoration.plane_wave import plane_wave_fill
from seisloom.signal.restoration.pocs import pocs_fill
from seisloom.signal.restoration.radon import radon_fill
from seisloom.signal.restoration.search import Candidate, grid, search
from seisloom.signal.restoration.soft_impute import soft_impute
from seisloom.signal.restoration.wavelet import wavelet_denoise

Clean: TypeAlias = Callable[[Array], Array]
"""Takes noise off a panel (trace, time) of live traces."""
SLOPES = [(-5.0, 5.0), (-5.0, 1.0), (-1.0, 5.0), (-2.0, 2.0)]
"""Samples a trace: any, events of either end of a spread, and nearly level ones."""
FEWEST_TO_HIDE = 6
"""Live traces below which nothing is hidden to find parameters, and the first ones are taken."""


def on_panels(work: Callable[[Array, Array], Array]) -> Predictor:
    """Return a function of one panel (trace, time) and its live traces as a predictor of items, line by line.

    A line without a live trace, of which nothing is known, comes back as zeros.
    """

    def predict(arrays: Arrays) -> Arrays:
        x, live = np.asarray(arrays["x"]), np.asarray(arrays["live"]) > 0
        out = np.zeros_like(x, dtype=np.float32)
        for place in np.ndindex(*x.shape[:2]):
            if live[place].any():
                out[place] = work(x[place].astype(np.float64), live[place])
        return {"clean": out}

    return predict


class FillMethod(Method):
    """What fillers share: each finds its parameters on the panel itself, by hiding live traces and filling them."""

    is_calibrated = True  # its intervals come from hidden traces of the panel itself
    task: str = "restoration"
    tune: bool = True
    """Whether parameters are searched for on each panel; else those are taken that come first."""
    hidings: int = Field(3, ge=1)
    """How often live traces are hidden for the search."""

    choices: ClassVar[tuple[Candidate, ...]] = ()
    """Parameters that are tried; the first are the usual ones."""

    def stands_beside(self, recipe: Any) -> bool:  # Any: a recipe of the room
        """Return whether the recipe's goal is to fill."""
        return bool(recipe.apply.goal == "fill")

    def adapt(self, recipe: Any) -> Any:  # Any: a recipe of the room
        """Return the recipe with the goal that the method has."""
        return recipe.model_copy(update={"apply": recipe.apply.model_copy(update={"goal": "fill"})})

    def chosen(self, x: Array, live: Array) -> Restore:
        """Return the method with the parameters that fill hidden traces of a panel (trace, time) best."""
        if not self.tune or len(self.choices) == 1 or live.sum() < FEWEST_TO_HIDE:
            return self.choices[0].restore
        hidden = hidings(live, self.hidings, np.random.default_rng(0))
        return search(x, live, self.choices, hidden).best.restore

    def predictor(self, recipe: Any) -> Predictor:  # Any: a recipe of the room
        """Return the method on items of panels; live traces come back as they are."""
        return on_panels(lambda x, live: x if live.all() else self.chosen(x, live)(x, live))


class Linear(FillMethod):
    """Each sample on the straight line between those of the live traces beside it, at equal time."""

    name: str = "linear"
    choices = tuple(grid(linear))


class Cubic(FillMethod):
    """Each sample on a cubic through those of the live traces beside it, at equal time: a spline, or local ones."""

    name: str = "cubic"
    choices = tuple(grid(cubic, local=[False, True]))


class POCS(FillMethod):
    """Projection onto convex sets: what is weak in frequency and wavenumber is taken off, live traces put back."""

    name: str = "pocs"
    choices = tuple(grid(pocs_fill, weakest=[0.005, 0.03], n_traces=[24], slopes=[None, *SLOPES[1:3]]))


class FXPrediction(FillMethod):
    """Prediction from trace to trace at each frequency; at a regular step by filters of lower frequencies (Spitz)."""

    name: str = "fx"
    choices = tuple(grid(fx_fill, n_filter=[3, 5], n_traces=[16, 24]))


class MSSA(FillMethod):
    """Cadzow's filter with damping: Hankel matrices of each frequency are made to have a low rank."""

    name: str = "mssa"
    choices = tuple(grid(mssa_fill, rank=[3, 2, 4], n_traces=[20], damping=[2], n_iterations=[40]))


class SoftImpute(FillMethod):
    """Hankel matrices of each frequency completed by singular values that are shrunk."""

    name: str = "soft_impute"
    choices = tuple(grid(soft_impute, weakest=[0.01, 0.05], rank=[6], n_traces=[20], n_iterations=[12]))


class PlaneWave(FillMethod):
    """Samples carried along the slope of events from the live traces on both sides."""

    name: str = "plane_wave"
    choices = tuple(grid(plane_wave_fill, slopes=SLOPES, n_beside=[2, 3]))


class Radon(FillMethod):
    """Local sums of plane waves, few of them, whose slopes are known from frequencies that are not aliased."""

    name: str = "radon"
    choices = tuple(grid(radon_fill, slopes=SLOPES, n_traces=[12, 20]))


FILLERS: tuple[type[FillMethod], ...] = (Linear, Cubic, POCS, FXPrediction, MSSA, SoftImpute, PlaneWave, Radon)
"""The simplest first."""


class DenoiseMethod(Method):
    """What denoisers share: dead traces are filled first, by linear interpolation."""

    is_calibrated = True  # its intervals come from hidden traces of the panel itself
    task: str = "restoration"

    def stands_beside(self, recipe: Any) -> bool:  # Any: a recipe of the room
        """Return whether the recipe's goal is to denoise."""
        return bool(recipe.apply.goal == "denoise")

    def adapt(self, recipe: Any) -> Any:  # Any: a recipe of the room
        """Return the recipe with the goal that the method has."""
        return recipe.model_copy(update={"apply": recipe.apply.model_copy(update={"goal": "denoise"})})

    def cleaner(self) -> Clean:
        """Return what takes noise off a panel (trace, time)."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it cleans a panel")

    def predictor(self, recipe: Any) -> Predictor:  # Any: a recipe of the room
        """Return the method on items of panels."""
        clean = self.cleaner()
        return on_panels(lambda x, live: clean(x if live.all() else linear(x, live)))


class Median(DenoiseMethod):
    """The median of each sample and its neighbours along the event through it."""

    name: str = "median"
    n_traces: int = Field(5, ge=1)
    """Neighbours; odd."""

    def cleaner(self) -> Clean:
        """Return `median_denoise` with its parameters."""
        return partial(median_denoise, n_traces=self.n_traces)


class DCT(DenoiseMethod):
    """Local cosine coefficients that noise may have made are set to 0."""

    name: str = "dct"
    threshold: float = Field(3.0, ge=0)
    """In standard deviations of the noise, which is measured."""

    by_band: bool = True
    """Whether noise is measured at each frequency; else it is taken for white."""

    def cleaner(self) -> Clean:
        """Return `dct_denoise` with its parameters."""
        return partial(dct_denoise, threshold=self.threshold, by_band=self.by_band)


class Wavelet(DenoiseMethod):
    """Wavelet coefficients over all shifts, those that are weaker than noise would be set to 0."""

    name: str = "wavelet"
    threshold: float = Field(3.0, ge=0)
    """In standard deviations of the noise, which is measured."""
    by_band: bool = True
    """Whether noise is measured in each octave; else it is taken for white."""
    n_levels: int = Field(4, ge=1)
    """Octaves along either axis."""

    def cleaner(self) -> Clean:
        """Return `wavelet_denoise` with its parameters."""
        return partial(wavelet_denoise, threshold=self.threshold, by_band=self.by_band, n_levels=self.n_levels)


class FXDeconvolution(DenoiseMethod):
    """What neighbouring traces predict at each frequency."""

    name: str = "fx_denoise"
    n_filter: int = Field(4, ge=1)
    """Traces that predict the next one."""

    def cleaner(self) -> Clean:
        """Return `fx_denoise` with its parameters."""
        return partial(fx_denoise, n_filter=self.n_filter)


class MSSADenoise(DenoiseMethod):
    """Cadzow's filter with damping on all traces."""

    name: str = "mssa_denoise"
    rank: int = Field(4, ge=1)
    """Events that cross at most in a window."""

    def cleaner(self) -> Clean:
        """Return `mssa_denoise` with its parameters."""
        return partial(mssa_denoise, rank=self.rank)


class BandPass(DenoiseMethod):
    """A Butterworth band-pass of zero phase; corners are shares of the sampling rate, so that no rate is needed."""

    name: str = "band_pass"
    low: float = Field(0.01, gt=0, lt=0.5)
    """Lower corner in cycles a sample: 2.5 Hz at 4 ms."""
    high: float = Field(0.24, gt=0, lt=0.5)
    """Upper corner: 60 Hz at 4 ms."""

    def cleaner(self) -> Clean:
        """Return the band-pass along time."""
        return lambda x: bandpass(x, fs_hz=1.0, low_hz=self.low, high_hz=self.high)
