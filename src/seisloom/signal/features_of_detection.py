"""Whether something begins in a record: by band, how power jumps, how peaked it is, and in which part of it it lies.

A window of noise before an event and one of the event differ in this, where both have the same spectrum on the whole.
"""

from __future__ import annotations

import numpy as np

from seisloom.sample import Array
from seisloom.signal.feature_list import Feature
from seisloom.signal.features_of_bands import NAMES, in_bands, where
from seisloom.signal.moving import RunningSum

JUMPS_S = ((0.5, 5.0), (1.0, 10.0), (4.0, 12.0))
"""Windows in s behind and before a place, whose powers are compared."""
KURTOSIS_S = 5.0
"""Window in s of the moving kurtosis."""
PARTS = 6
"""Parts of equal length that a record is seen in."""
SILENT = 1e-12
"""Share of the mean power that stands for none."""

DETECTION = (
    *(
        Feature(
            f"detection_jump_{short:g}_{long:g}_s_{name}_log10", "1",
            f"log10 of the largest power in {short:g} s over that in the {long:g} s before, {where(name)}",
        )
        for name in NAMES
        for short, long in JUMPS_S
    ),
    *(Feature(f"detection_kurtosis_{name}_log10", "1", f"log10 of the kurtosis {where(name)}") for name in NAMES),
    *(
        Feature(f"detection_largest_kurtosis_{name}_log10", "1", f"log10 of the largest in 5 s, {where(name)}")
        for name in NAMES
    ),
    *(
        Feature(
            f"detection_part_{k + 1}_{name}_log10", "1",
            f"log10 of the power in part {k + 1} of {PARTS} over the median of all parts, {where(name)}",
        )
        for name in NAMES
        for k in range(PARTS)
    ),
    *(
        Feature(f"detection_later_{name}_log10", "1", f"log10 of the power from part 3 on over part 1, {where(name)}")
        for name in NAMES
    ),
)  # fmt: skip


def detection_features(x: Array, real: Array, *, fs_hz: float) -> dict[str, float]:
    """Return the features DETECTION of one channel, none of which takes an onset.

    Args:
        x, real, fs_hz: as `seisloom.signal.features_of_bands.band_features`.
    Returns:
        Numbers by name. What is not defined is not there: a band above 0.95 of Nyquist, a silent one, windows longer
        than the record.
    Source: jumps after Allen (1978), BSSA 68(5), 1521-1532; the kurtosis of an onset after Saragiotis, Hadjileontiadis
        & Panas (2002), IEEE TGRS 40(6), 1395-1404.
    """
    found: dict[str, float] = {}
    for name, values in {**in_bands(x, fs_hz), "all": x}.items():
        power = values[real] ** 2
        mean = float(power.mean())
        if not mean > 0:
            continue
        total = RunningSum.of(np.maximum(power, SILENT * mean))
        for short, long in JUMPS_S:
            jump = _largest_jump(total, round(short * fs_hz), round(long * fs_hz))
            if jump > 0:
                found[f"detection_jump_{short:g}_{long:g}_s_{name}_log10"] = float(np.log10(jump))
        found[f"detection_kurtosis_{name}_log10"] = float(np.log10((power**2).mean() / mean**2))
        n = round(KURTOSIS_S * fs_hz)
        if power.size >= n:
            peaked = n * RunningSum.of(power**2).inside(n) / total.inside(n) ** 2
            found[f"detection_largest_kurtosis_{name}_log10"] = float(np.log10(peaked.max()))
        parts = np.array([np.maximum(one.mean(), SILENT * mean) for one in np.array_split(power, PARTS)])
        for k, ratio in enumerate(np.log10(parts / np.median(parts))):
            found[f"detection_part_{k + 1}_{name}_log10"] = float(ratio)
        found[f"detection_later_{name}_log10"] = float(np.log10(parts[2:].mean() / parts[0]))
    return found


def _largest_jump(power: RunningSum, n_short: int, n_long: int) -> float:
    """Return the largest mean power behind a place over that before it, 0 where the record is too short for both."""
    if power.n_time < n_short + n_long:
        return 0.0
    before, behind = power.inside(n_long)[: power.n_time + 1 - n_long - n_short], power.inside(n_short)[n_long:]
    return float((behind / before).max()) * n_long / n_short
