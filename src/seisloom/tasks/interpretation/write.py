"""A product in memory to a file; for volumes of any size `seisloom apply` streams to the same formats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from seisloom.convert import create_volume
from seisloom.errors import OutputError
from seisloom.io.volumes.grid import Axis, Grid, whole
from seisloom.io.volumes.volume import Spec
from seisloom.tasks.interpretation.apply import VolumeProduct
from seisloom.tasks.interpretation.recipe import UNITS

NAMES = {2: ("trace", "sample"), 3: ("inline", "crossline", "sample")}


def write(product: Sequence[VolumeProduct], path: Path) -> None:
    """Write the attributes of one volume; the suffix chooses the format.

    Raises:
        OutputError: if there are several volumes, or the place is taken.
    """
    if len(product) != 1:
        raise OutputError(f"{path}: {len(product)} volumes, and a file holds one. Write them one by one")
    attributes = dict(product[0].attributes)
    shape = product[0].record.values.shape
    grid = Grid(tuple(Axis.regular(name, n) for name, n in zip(NAMES[len(shape)], shape, strict=True)))
    units = {name: UNITS[name] for name in attributes}
    kinds = dict.fromkeys(attributes, np.dtype(np.float32))
    writer = create_volume(path, Spec(grid, kinds, attributes={"seisloom": {"units": units}}))
    try:
        for name, values in attributes.items():
            writer.write(whole(shape), values, name)
        writer.finish()
    except BaseException:
        writer.abandon()
        raise
