"""Priors of synthetic volumes that look like a survey, told from its images alone: no pick, no label is looked at."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seisloom.errors import DataError
from seisloom.io.volumes.grid import Box
from seisloom.io.volumes.volume import AMPLITUDE, Volume
from seisloom.metrics.orientation import time_sample_m
from seisloom.physics.volumes.priors import LIMITS, Range, VolumePriors
from seisloom.sample import Array
from seisloom.signal.axes import axis_verdict, look_along
from seisloom.signal.section_look import FEWEST_SAMPLES, FEWEST_TRACES, SectionLook, look_at_section
from seisloom.tasks.interpretation.exports.earth import steps_of

EDGE, PLACES = 256, 3
"""Samples of a section that is looked at along both of its axes, and how many places along each axis of the survey."""
QUIET = 0.05
"""Sections of less than this share of the usual RMS (water, padding) are left out."""
VELOCITY_M_S: Range = (2000.0, 3000.0)
"""Of sediments where faults are interpreted: a sample of time in m, where nobody knows the velocity."""
TRACE_M: Range = (12.5, 25.0)
"""Usual distances of traces after stack, where the file has none."""
POSSIBLE_TRACE_M: Range = (1.0, 200.0)
"""Coordinates that say anything else are not in m, or not those of the traces."""
DOMINANT_HZ: Range = (20.0, 50.0)
"""Usual dominant frequencies after stack: with f0 in cycles a sample they give the interval where nobody knows it."""
EARTH_DIP_DEGREES: Range = (45.0, 80.0)
"""Most faults, normal ones near 60; sections oblique to a fault show less than its dip."""
STEEPEST = 89.5
NOISIEST = 1.0
"""RMS of noise over that of signal beyond which a training volume has little to teach."""


@dataclass(frozen=True, slots=True)
class Spacing:
    """Lengths in m on the grid of a survey, smallest and largest; None where nobody knows."""

    trace_m: Range | None = None
    sample_m: Range | None = None


def survey_priors(volume: Volume, base: VolumePriors | None = None, *, name: str | None = None) -> VolumePriors:
    """Return priors of volumes that look like a survey.

    Sections at up to 54 places are read, at most 256 by 256 samples each: it takes seconds for any size.

    Args:
        volume: amplitudes; the last axis is time or depth.
        base: what is kept where images tell nothing, such as the kinds and the number of faults.
        name: variable of the volume; its amplitudes by default, or the only one it has.
    Raises:
        DataError: if no section has enough to see, or the last axis looks like a lateral one.
    """
    looks, spacing = look_at_survey(volume, name), spacing_of(volume)
    return with_ranges(base or VolumePriors(), ranges_of(looks, spacing))


def with_ranges(base: VolumePriors, ranges: Mapping[str, Range]) -> VolumePriors:
    """Return priors with some ranges replaced, validated."""
    return VolumePriors.model_validate({**base.model_dump(), **ranges})


def look_at_survey(volume: Volume, name: str | None = None) -> list[SectionLook]:
    """Return the looks of sections spread evenly over a survey, along every lateral axis that is long enough.

    Raises:
        DataError: see `survey_priors`.
    """
    variables = volume.spec.variables
    name = name or (AMPLITUDE if AMPLITUDE in variables else next(iter(variables)))
    parts = [np.asarray(volume.read(box, name), dtype=np.float32) for box in section_boxes(volume.spec.grid.shape)]
    sections = [part.reshape(-1, part.shape[-1]) for part in parts]  # all lateral axes but one have length 1
    found = look_at_sections(sections)
    if not found:
        raise DataError(
            f"{volume.path}: no section of {FEWEST_TRACES} live traces and {FEWEST_SAMPLES} samples with reflectors "
            "that go on from trace to trace. Give a larger part of the survey"
        )
    verdicts = [axis_verdict(look_along([one], 2)) for one in sections]
    if verdicts.count("does not fit") > verdicts.count("fits"):
        raise DataError(
            f"{volume.path}: its last axis looks like a lateral one, not like time or depth. Turn it: "
            "time is the axis that varies fastest in the file"
        )
    return found


def look_at_sections(sections: Iterable[Array]) -> list[SectionLook]:
    """Return the looks of sections (trace, time); those with nothing to see, or almost silent ones, are left out."""
    cut = [part for section in sections for part in _parts(section)]
    levels = np.array([np.sqrt(np.mean(np.nan_to_num(part, posinf=0, neginf=0) ** 2)) for part in cut])
    usual = np.median(levels[levels > 0]) if (levels > 0).any() else 0.0
    looks = [look_at_section(part) for part, level in zip(cut, levels, strict=True) if level > QUIET * usual]
    return [one for one in looks if one is not None]


def _parts(section: Array) -> Iterator[Array]:
    """Yield parts of a section at up to `PLACES` places along each axis."""
    for box in itertools.product(*(_slices(n) for n in section.shape)):
        yield np.asarray(section[box], dtype=np.float64)


def section_boxes(shape: Sequence[int]) -> Iterator[Box]:
    """Yield boxes of sections, one sample thick on all lateral axes but one.

    >>> list(section_boxes((1, 300, 100)))[0]
    (slice(0, 1, None), slice(0, 256, None), slice(0, 100, None))
    """
    for along in range(len(shape) - 1):
        if shape[along] < FEWEST_TRACES:
            continue
        cuts = []
        for axis, n in enumerate(shape):
            if axis in (along, len(shape) - 1):
                cuts.append(_slices(n))
            else:
                middles = np.unique(np.linspace(0, n - 1, PLACES + 2)[1:-1].round().astype(int)).tolist()
                cuts.append([slice(k, k + 1) for k in middles])
        yield from itertools.product(*cuts)


def _slices(n: int) -> list[slice]:
    """Return slices of `EDGE` samples spread evenly over an axis."""
    edge = min(EDGE, n)
    starts = np.unique(np.linspace(0, n - edge, min(PLACES, math.ceil(n / edge))).round().astype(int)).tolist()
    return [slice(start, start + edge) for start in starts]


def spacing_of(volume: Volume) -> Spacing:
    """Return what a file says of lengths: distances of traces from its coordinates, a sample from its axis."""
    steps, down = steps_of(volume), volume.spec.grid.axes[-1]
    laterals = [
        length
        for length, n in zip((steps.inline, steps.crossline), (1, *volume.spec.grid.shape[:-1])[-2:], strict=True)
        if n > 1 and POSSIBLE_TRACE_M[0] <= length <= POSSIBLE_TRACE_M[1]
    ]
    sample: Range | None = None
    if down.unit == "m" and down.step:
        sample = (abs(down.step), abs(down.step))
    elif down.unit == "s" and down.step:
        slow, fast = (float(time_sample_m(velocity, abs(down.step))) for velocity in VELOCITY_M_S)
        sample = (slow, fast)
    return Spacing((min(laterals), max(laterals)) if laterals else None, sample)


def ranges_of(looks: Sequence[SectionLook], spacing: Spacing | None = None) -> dict[str, Range]:
    """Return ranges of priors from looks; between the 10 and 90 % of them, each with its margin.

    Args:
        looks: of sections of one survey.
        spacing: lengths on its grid; usual ones where they are not known.
    Returns:
        f0_cycles_per_sample: 0.7 to 1.4 times the measured one, which is right within 20 %.
        layer_samples: 0.15 to 1 period. Layers below a quarter of a period are not told apart by any image.
        throw_samples: 0.1 to 3 periods: from what can just be seen to about 100 ms at 30 Hz.
        relief_width: 0.6 to 1.6 times the measured one, at least 10 to 20 traces.
        relief_samples: 0.3 to 1.5 times the measured height, at least 1 to 4 samples. Faults and noise add to slopes.
        tilt: 0 to 1.5 times the measured slope and 0.05.
        noise_ratio: half the measured one less 0.05, to 1.5 times and 0.1: a part of the noise goes on from trace to
            trace and is not measured, and a clean section has about 0.08. At most 1.
        blur_voxels: 0 to 1 and the width of the noise: what smoothed the noise smoothed the faults too.
        dip_degrees: 45 to 80 degrees of the earth on the grid, tan(dip) times the distance of traces over that of
            samples, for the smallest and the largest of either.
    """
    periods = _range([1 / one.f0 for one in looks], 1, 1)
    f0 = _range([one.f0 for one in looks], 0.7, 1.4)
    width = _range([one.fold_width for one in looks], 0.6, 1.6)
    relief = _range([one.relief for one in looks], 0.3, 1.5)
    noise = _range([one.noise_ratio for one in looks], 0.5, 1.5)
    tilt = _range([abs(one.tilt) for one in looks], 0, 1.5)
    blur = _range([one.noise_width for one in looks], 0, 1)
    found = {
        "f0_cycles_per_sample": f0,
        "layer_samples": (max(1.0, 0.15 * periods[0]), max(2.0, periods[1])),
        "throw_samples": (max(0.5, 0.1 * periods[0]), 3 * periods[1]),
        "relief_width": (max(10.0, width[0]), max(20.0, width[1])),
        "relief_samples": (max(1.0, relief[0]), max(4.0, relief[1])),
        "tilt": (0.0, tilt[1] + 0.05),
        "noise_ratio": (min(max(0.0, noise[0] - 0.05), NOISIEST / 2), min(noise[1] + 0.1, NOISIEST)),
        "blur_voxels": (0.0, 1.0 + blur[1]),
        "dip_degrees": _dips(spacing or Spacing(), periods),
    }
    return {name: _within(one, LIMITS[name]) for name, one in found.items()}


def _range(values: Sequence[float], below: float, above: float) -> Range:
    low, high = np.quantile(values, [0.1, 0.9])
    return float(low) * below, float(high) * above


def _within(one: Range, limits: Range) -> Range:
    """Return a range inside the limits of the priors, to three digits: more would pretend to know more."""
    low, high = (float(f"{min(max(value, limits[0]), limits[1]):.3g}") for value in one)
    return low, high


def _dips(spacing: Spacing, periods: Range) -> Range:
    """Return dips on the grid in degrees."""
    traces, samples = spacing.trace_m or TRACE_M, spacing.sample_m
    if samples is None:
        # Of time, since a depth axis says its step: a sample lasts 1 / (period in samples x frequency)
        shortest, longest = 1 / (periods[1] * DOMINANT_HZ[1]), 1 / (periods[0] * DOMINANT_HZ[0])
        samples = float(time_sample_m(VELOCITY_M_S[0], shortest)), float(time_sample_m(VELOCITY_M_S[1], longest))
    flat, steep = (math.tan(math.radians(dip)) for dip in EARTH_DIP_DEGREES)
    low = math.degrees(math.atan(flat * traces[0] / samples[1]))
    high = math.degrees(math.atan(steep * traces[1] / samples[0]))
    return min(low, 85.0), min(high, STEEPEST)  # thin samples make all faults look upright: some spread stays
