"""The transforms by name, all called alike, so that a recipe can name one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import TypeAlias

from seisloom.errors import PluginError
from seisloom.signal.velocity_spectra.beamformer import fdbf, mvdr
from seisloom.signal.velocity_spectra.correlations import fj
from seisloom.signal.velocity_spectra.panel import VelocitySpectrum
from seisloom.signal.velocity_spectra.phase_shift import phase_shift
from seisloom.signal.velocity_spectra.radon import radon
from seisloom.signal.velocity_spectra.wavenumber import fk, slant_stack

Transform: TypeAlias = Callable[..., VelocitySpectrum]
"""(gather, interval_s, offsets_m, frequency_hz, velocity_m_s, *, normalise, ...), as `phase_shift`; and own options."""

TRANSFORMS: Mapping[str, Transform] = {
    "phase_shift": phase_shift,
    "fk": fk,
    "slant_stack": slant_stack,
    "fdbf": fdbf,
    "mvdr": mvdr,
    "radon": radon,
    "fj": fj,
}
"""All but `fj`, which takes correlations of noise, are for shots."""


def find_transform(name: str) -> Transform:
    """Return the transform of a name.

    Raises:
        PluginError: if there is none; it lists those that are.
    """
    if name not in TRANSFORMS:
        near = get_close_matches(name, TRANSFORMS, n=1)
        hint = f", perhaps {near[0]!r}" if near else ""
        raise PluginError(f"no transform is called {name!r}{hint}. There are: {', '.join(TRANSFORMS)}")
    return TRANSFORMS[name]
