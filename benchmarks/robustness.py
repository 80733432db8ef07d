"""How much a fault map changes when the input is changed in ways that leave the faults where they are.

    python benchmarks/robustness.py runs/faults
    python benchmarks/robustness.py discontinuity --sections 8

F1 within 2 px between the thinned map of the changed input and that of the unchanged one, both at the method's own
threshold, pooled over sections: held-out synthetic ones from the bundle's own priors, and the recorded ones of
`gsb_faults.py` where they are. `truth` is F1 against labels or picks, of the unchanged and of the changed input: where
it stays the same, maps differ in what was uncertain anyway. A method may have keys of `apply` behind a colon.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline

from gsb_faults import FAULT, TOLERANCE, read_sections
from methods import opened
from seisloom.bundle import Opened
from seisloom.metrics.overlap import Matches, match_all, thin
from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.draw import draw_volume
from seisloom.sample import Array

Change = Callable[[Array, np.random.Generator], Array]
SAME, MUCH = 0.98, 0.90
"""Targets: for what changes nothing that a survey says, and for what takes or interpolates samples."""
DEAD_SHARE = 0.02
UNSEEN = 10_000_000
"""Number of the first held-out volume; trainings count from 0."""


@dataclass(frozen=True)
class Test:
    """A change of sections (trace, time), and how its map comes back to their grid."""

    change: Change
    target: float
    back: Callable[[Array], Array] = lambda found: found
    coarser: tuple[int, int] = (1, 1)
    """With which a user would apply the method to it."""


def finer(*axes: int) -> Change:
    """Return the change that puts a sample between any two along axes, by cubic splines."""

    def change(section: Array, _: np.random.Generator) -> Array:
        for axis in axes:
            n = section.shape[axis]
            section = CubicSpline(np.arange(n), section, axis=axis)(np.arange(2 * n - 1) / 2)
        return section

    return change


def dead(section: Array, rng: np.random.Generator) -> Array:
    section = section.copy()
    section[rng.choice(len(section), max(1, round(DEAD_SHARE * len(section))), replace=False)] = 0
    return section


def offset(section: Array, _: np.random.Generator) -> Array:
    return section + np.std(section)


TESTS: Mapping[str, Test] = {
    "amplitude x 1000": Test(lambda section, _: 1000 * section, SAME),
    "amplitude / 1000": Test(lambda section, _: section / 1000, SAME),
    "polarity flipped": Test(lambda section, _: -section, SAME),
    "offset of one RMS": Test(offset, SAME),
    "2 % dead traces": Test(dead, MUCH),
    "time 2x finer": Test(finer(1), MUCH, lambda found: found[:, ::2]),
    "traces 2x finer": Test(finer(0), MUCH, lambda found: found[::2]),
    "both 2x finer": Test(finer(0, 1), MUCH, lambda found: found[::2, ::2]),
    "time, coarser=1,2": Test(finer(1), MUCH, lambda found: found[:, ::2], (1, 2)),
    "traces, coarser=2,1": Test(finer(0), MUCH, lambda found: found[::2], (2, 1)),
    "both, coarser=2,2": Test(finer(0, 1), MUCH, lambda found: found[::2, ::2], (2, 2)),
}


def held_out(method: Opened, n: int, shape: tuple[int, int, int]) -> list[tuple[Array, Array]]:
    """Return synthetic sections and their labels, (trace, time), from the method's priors; no training saw them."""
    priors = method.recipe.data.synth.priors
    made = [make_box(draw_volume(shape, UNSEEN + k, priors), None, ("seismic", "fault")) for k in range(n)]
    return [(one["seismic"][0], one["fault"][0]) for one in made]


def lines(method: Opened, sections: Sequence[Array], back: Callable[[Array], Array]) -> list[Array]:
    """Return thinned faults of sections on the grid that they came from."""
    threshold = method.recipe.apply.threshold
    found = [method.apply(one.astype(np.float32))[0].attributes["fault"] for one in sections]
    return [thin(back(one) >= threshold) for one in found]


def f1(found: Sequence[Array], truth: Sequence[Array]) -> float:
    known = np.ones(truth[0].shape, bool)
    each = [match_all(a, b, known if b.shape == known.shape else np.ones(b.shape, bool), [TOLERANCE])[0]
            for a, b in zip(found, truth, strict=True)]  # fmt: skip
    return sum(each, Matches()).f1


def report(method: Opened, sections: Sequence[tuple[Array, Array]], name: str) -> None:
    """Print a line for each change."""
    images = [image for image, _ in sections]
    labels = [thin(label > 0) for _, label in sections]
    usual = lines(method, images, lambda found: found)
    print(f"\n{name}: {len(sections)} sections, {sum(one.sum() for one in usual)} pixels of faults found")
    print(f"{'change':20s} {'F1':>6s} {'target':>7s}      {'truth, unchanged':>17s} {'changed':>8s}")
    before = f1(usual, labels)
    for what, test in TESTS.items():
        rng = np.random.default_rng(0)
        by = method if test.coarser == (1, 1) else method.with_changes(coarser=list(test.coarser))
        changed = lines(by, [test.change(one, rng) for one in images], test.back)
        value = f1(changed, usual)
        verdict = "ok" if value >= test.target else "below"
        print(f"{what:20s} {value:6.3f} {test.target:7.2f} {verdict:5s} {before:16.3f} {f1(changed, labels):8.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("method", help="bundle or classical method, with keys of apply behind a colon")
    parser.add_argument("--sections", type=int, default=24, help="held-out synthetic sections")
    parser.add_argument("--shape", type=int, nargs=2, default=(192, 192), help="their traces and samples")
    data = Path(os.environ.get("SEISLOOM_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=data / "interpretation", help="folder of the recorded sections")
    options = parser.parse_args()
    method = opened(options.method, FAULT)
    report(method, held_out(method, options.sections, (1, *options.shape)), "synthetic, held out")
    if options.data.is_dir():
        report(method, list(read_sections(options.data).values()), "Great South Basin")
    else:
        print(f"\nno recorded sections: {options.data} is not there")


if __name__ == "__main__":
    main()
