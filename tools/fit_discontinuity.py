"""The two numbers that make a probability of how far a line of breaks stands out, for the method `discontinuity`.

    python tools/fit_discontinuity.py [--sections 40] [--volumes 8]

Platt's fit on synthetic sections and volumes of the default priors, each with one vote. What is learnt is whether a
fault lies within two voxels, the tolerance of its scores: lines of breaks are wider than labels.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from seisloom.calibration.probability import calibrate_probability
from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.draw import draw_volume
from seisloom.sample import Array
from seisloom.tasks.interpretation.methods import Discontinuity

SECTION, VOLUME = (1, 192, 192), (96, 96, 96)
FIRST_SEED = 100
WITHIN = 2.0


def examples(shape: tuple[int, int, int], n: int) -> Iterator[tuple[Array, Array]]:
    """Yield how far lines stand out, and 1 where a fault is near, of `n` drawn volumes."""
    for seed in range(FIRST_SEED, FIRST_SEED + n):
        made = make_box(draw_volume(shape, seed))
        seismic, fault = made["seismic"], made["fault"] > 0
        far = ndimage.distance_transform_edt(~fault) if fault.any() else np.full(shape, np.inf)
        found, _ = Discontinuity().lines(seismic[0] if shape[0] == 1 else seismic)
        yield found.reshape(shape), (far <= WITHIN).astype(np.int8)


def main() -> None:
    """Print scale and offset, and how well they are calibrated."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sections", type=int, default=40)
    parser.add_argument("--volumes", type=int, default=8)
    given = parser.parse_args()
    found, near = zip(*examples(SECTION, given.sections), *examples(VOLUME, given.volumes), strict=True)
    fitted = calibrate_probability(found, near)
    print(f"LOGIT_SCALE, LOGIT_OFFSET = {fitted.scale:.2f}, {fitted.shift:.2f}")
    print(fitted.note)


if __name__ == "__main__":
    main()
