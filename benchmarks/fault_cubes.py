"""Methods side by side on synthetic cubes that none trained on: a 3-D network, a 2-D one both ways, a classical one.

    python benchmarks/fault_cubes.py interpretation-volumes interpretation-sections:along=both discontinuity

A method may have keys of `apply` behind a colon. All see the same cubes, as many of each style of faulting, from the
generator's own priors. Scores are those of `cross_generator.py`, with 95 % intervals by drawing cubes anew; the last
column is the time of a cube.
"""

from __future__ import annotations

import argparse
import time

from cross_generator import STYLES, heading, row, scores_of, unseen
from methods import opened
from seisloom.physics.volumes.priors import VolumePriors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="+")
    parser.add_argument("--cubes", type=int, default=6, help="of each style")
    parser.add_argument("--shape", type=int, nargs=3, default=(64, 96, 96), help="inlines, crosslines, samples")
    options = parser.parse_args()
    priors = VolumePriors(label_thickness=2)
    cubes = [cube for style in STYLES for cube in unseen(style, priors, options.cubes, tuple(options.shape))]
    print(heading("", 40) + f"{'s a cube':>10s}")
    for text in options.methods:
        method, start = opened(text), time.perf_counter()
        scores = scores_of(method, cubes)
        seconds = (time.perf_counter() - start) / len(cubes)
        print(f"{text[-40:]:40s}{row(scores)}{seconds:10.1f}", flush=True)
    print(f"* below target. Means of {len(cubes)} cubes; 95 % intervals")


if __name__ == "__main__":
    main()
