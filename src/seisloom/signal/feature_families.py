"""Families of features that a table may be made of: physical ones, bands, those of a detector, and bands against noise.

`physical` is `seisloom.signal.event_features`, `bands` and `snr` are `seisloom.signal.features_of_bands`, `detection`
is `seisloom.signal.features_of_detection`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from seisloom.sample import Array
from seisloom.signal.event_features import FEATURES, centred, event_features
from seisloom.signal.feature_list import Feature
from seisloom.signal.features_of_bands import BANDS, SNR, band_features, snr_features
from seisloom.signal.features_of_detection import DETECTION, detection_features

Family = Literal["physical", "bands", "snr", "detection"]
FAMILIES: dict[Family, tuple[Feature, ...]] = {
    "physical": FEATURES, "bands": BANDS, "snr": SNR, "detection": DETECTION,
}  # fmt: skip


def names_of(families: Sequence[Family]) -> tuple[str, ...]:
    """Return the names of the features of some families, in their order.

    >>> len(names_of(["physical"])), len(names_of(["physical", "bands", "snr"]))
    (63, 195)
    """
    return tuple(one.name for family in families for one in FAMILIES[family])


def features_in(
    values: Array,
    *,
    fs_hz: float,
    families: Sequence[Family] = ("physical",),
    mask: Array | None = None,
    noise_s: float = 0.0,
    onset_s: float | None = None,
) -> Array:
    """Return the features of a window, in the order of `names_of`.

    Args:
        values, fs_hz, mask: as `seisloom.signal.event_features.event_features`. No feature but `log10_rms` depends on
            their unit, so that a window may be scaled as a whole.
        families: which ones.
        noise_s: how much of the window's beginning is noise alone, in s: only `snr` looks at it.
        onset_s: where in the window the onset is expected, in s after its first sample; only `snr` asks for it.
    Returns:
        float64, shape (feature,), NaN where one is not defined.
    """
    values = np.asarray(values, float)
    first = round(noise_s * fs_hz)
    later, real = values[:, first:], None if mask is None else np.asarray(mask)[first:]
    rows = []
    for family in families:
        if family == "physical":
            rows.append(event_features(later, fs_hz=fs_hz, mask=real))
            continue
        found: dict[str, float] = {}
        if family == "snr":
            ready = centred(values, fs_hz=fs_hz, mask=mask)
            if ready is not None:
                found = snr_features(ready[0][0], ready[1], fs_hz=fs_hz, onset_s=onset_s)
        elif (ready := centred(later, fs_hz=fs_hz, mask=real)) is not None:
            of = detection_features if family == "detection" else band_features
            found = of(ready[0][0], ready[1], fs_hz=fs_hz)
        rows.append(np.array([found.get(one.name, np.nan) for one in FAMILIES[family]]))
    return np.concatenate(rows)
