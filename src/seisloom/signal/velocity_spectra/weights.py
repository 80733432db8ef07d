"""Weights of traces: how much each counts in a sum along the spread."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from seisloom.signal.velocity_spectra.axes import check_choice
from seisloom.signal.velocity_spectra.recorded import Recorded

Weights = Literal["none", "sqrt", "inverse_amplitude"]
WEIGHTS: tuple[Weights, ...] = ("none", "sqrt", "inverse_amplitude")


def weigh(recorded: Recorded, weights: Weights) -> Recorded:
    """Return a gather with weighted spectra; dead traces have the weight 0.

    Args:
        recorded: the gather.
        weights: "none" for equal ones, "sqrt" for the root of the distance, which undoes what a wave loses by spreading
            along the surface; both have the sum 1, so that a beam is a mean amplitude. "inverse_amplitude" for one over
            the root mean square over shots at each frequency, which keeps phases only; a beam of one shot then is a
            coherence, from 0 to 1.
    Raises:
        DataError: if the weights are not known.
    """
    check_choice("weights", weights, WEIGHTS)
    spectra, live = recorded.spectra, recorded.live
    if weights == "inverse_amplitude":
        amplitude = np.sqrt(np.mean(spectra.real**2 + spectra.imag**2, axis=0))
        weight = np.divide(1.0, amplitude, out=np.zeros_like(amplitude), where=amplitude > 0) / live.sum()
    else:
        weight = (live * (np.sqrt(recorded.distances_m) if weights == "sqrt" else 1.0))[:, None]
        weight = weight / weight.sum()
    return replace(recorded, spectra=spectra * weight)
