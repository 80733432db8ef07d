"""Faults as patches on synthetic cubes: how pure each patch is, how whole each fault, and what the sticks miss.

    python benchmarks/fault_patches.py
    python benchmarks/fault_patches.py --bundle interpretation-volumes --shape 96 96 96

Voxels are the thinned labels of a cube, or with a bundle what a network says of its image; each voxel's true fault is
found by making the cube with one fault after another, the youngest first, and taking the fault whose label came last.
Pure: share of voxels that are of their patch's most frequent fault. Whole: share that are in the largest patch of
their fault. Missed: share of voxels in patches that are more than 3 voxels from the nearest stick in their section.
Rows are means over cubes of a style, with 95 % intervals by drawing cubes anew.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
from scipy import spatial

from cross_generator import UNSEEN, interval
from methods import opened
from seisloom.convert import create_volume, open_volume
from seisloom.io.volumes.grid import Axis, Grid, whole
from seisloom.io.volumes.volume import Spec, Traces, Volume
from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.draw import draw_volume
from seisloom.physics.volumes.model import VolumeModel
from seisloom.physics.volumes.priors import Style, VolumePriors
from seisloom.sample import Array
from seisloom.signal.fault_patches import patch_numbers
from seisloom.signal.fault_sticks import draw_sticks
from seisloom.tasks.interpretation.exports.sticks import read_fault_voxels
from seisloom.tasks.interpretation.records import record_of

WITHIN = 4.0
"""Voxels from a true label up to which a voxel is of that fault."""
MISSED = 3.0


def fault_of_voxel(model: VolumeModel) -> Array:
    """Return the number of the fault of each voxel, 0 without one."""
    number = np.zeros(model.shape, np.int16)
    before = np.zeros(model.shape, bool)
    for k in range(1, len(model.faults) + 1):
        young = replace(model, faults=model.faults[:k], n_young=min(model.n_young, k))
        label = make_box(young, None, ("fault",))["fault"] > 0
        number[label & ~before] = k
        before |= label
    return number


def stored(path: Path, arrays: dict[str, Array]) -> Volume:
    """Return arrays as a volume on disk."""
    shape = arrays["fault"].shape
    axes = [Axis.regular(name, n) for name, n in zip(("inline", "crossline", "sample"), shape, strict=True)]
    spec = Spec(Grid(tuple(axes)), {name: np.dtype(np.float32) for name in arrays})
    writer = create_volume(path, spec)
    writer.write_traces(whole(shape[:-1]), Traces(np.ones(shape[:-1], bool)))
    for name, values in arrays.items():
        writer.write(whole(shape), values.astype(np.float32), name)
    writer.finish()
    return open_volume(path)


def missed(voxels: Array, normals: Array) -> int:
    """Return how many voxels of a patch, of all sections, the sticks of their section pass by."""
    across, sticks = draw_sticks(voxels, normals, every=1, tolerance=1.0)
    nodes = {int(voxels[one[0], across]): [] for one in sticks}
    for one in sticks:
        corners = voxels[one][:, [1 - across, 2]].astype(float)
        steps = np.linspace(0, 1, 50)[:, None]
        nodes[int(voxels[one[0], across])] += [a + steps * (b - a) for a, b in itertools.pairwise(corners)]
    n = 0
    for line in np.unique(voxels[:, across]):
        points = voxels[voxels[:, across] == line][:, [1 - across, 2]]
        near = nodes.get(int(line))
        n += len(points) if not near else int((spatial.cKDTree(np.concatenate(near)).query(points)[0] > MISSED).sum())
    return n


def scores(voxels: Array, normals: Array, true: Array) -> tuple[float, float, float, float, float]:
    """Return pure, whole, missed, the number of patches, and seconds to find them."""
    start = time.perf_counter()
    patch = patch_numbers(voxels, normals, max_angle_deg=10.0, min_size=100)[0]
    seconds = time.perf_counter() - start
    counts = np.zeros((patch.max() + 1, true.max() + 1), int)
    np.add.at(counts, (patch, true), 1)
    known = counts[1:, 1:]  # of a patch, and of a fault
    n_missed = sum(missed(voxels[patch == k], normals[:, patch == k]) for k in range(1, patch.max() + 1))
    n = known.sum()
    return known.max(axis=1).sum() / n, known.max(axis=0).sum() / n, n_missed / (patch > 0).sum(), len(known), seconds


def cell(values: Array) -> str:
    mean, low, high = interval(values)
    return f"{mean:.3f} ({low:.3f} to {high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", help="what it says, in place of labels")
    parser.add_argument("--cubes", type=int, default=8, help="of each style")
    parser.add_argument("--shape", type=int, nargs=3, default=(96, 96, 96), help="inlines, crosslines, samples")
    options = parser.parse_args()
    method = opened(options.bundle) if options.bundle else None
    print(f"{'':10s}{'faults':>8s}{'patches':>9s}{'pure':>24s}{'whole':>24s}{'missed':>24s}{'s':>8s}")
    for style in get_args(Style):
        priors = VolumePriors(styles=(style,), n_faults=(4, 8))
        rows: list[Sequence[float]] = []
        n_faults = 0
        for k in range(options.cubes):
            model = draw_volume(tuple(options.shape), UNSEEN + k, priors)
            arrays = make_box(model, None, ("fault", "dip", "strike", "seismic"))
            number = fault_of_voxel(model)
            n_faults += len(np.unique(number)) - 1
            if method:
                record = record_of(str(k), arrays["seismic"])
                said = method.task.apply(method.recipe, method.predictor, method.calibration, [record])[0].attributes
                arrays = {name: np.asarray(said[name]) for name in ("fault", "dip", "strike")}
            with tempfile.TemporaryDirectory() as folder:
                arrays.pop("seismic", None)
                found = read_fault_voxels(stored(Path(folder) / "it.zarr", arrays))
            tree = spatial.cKDTree(np.argwhere(number > 0))
            away, at = tree.query(found.place)
            true = np.where(away <= WITHIN, number[number > 0][at], 0)
            rows.append(scores(found.place, found.normals, true))
        pure, whole_, lost, n, seconds = np.array(rows).T
        cells = "".join(f"{cell(one):>24s}" for one in (pure, whole_, lost))
        print(f"{style:10s}{n_faults / len(rows):8.1f}{n.mean():9.1f}{cells}{seconds.mean():8.2f}", flush=True)


if __name__ == "__main__":
    main()
