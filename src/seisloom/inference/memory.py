"""An array through a model that sees tiles, in memory: the same bytes as `sweep` writes to a file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seisloom.inference.feed import batches, run_model, tile_inputs
from seisloom.inference.lattice import lattice
from seisloom.inference.sweep import Tiling
from seisloom.sample import Array, Predictor


def predict_array(tiling: Tiling, names: Sequence[str], values: Array, predictor: Predictor) -> dict[str, Array]:
    """Return the blended outputs of a model, float32, each of the volume's shape.

    Args:
        tiling: patch, overlap, window and batch size.
        names: outputs of the model that are wanted.
        values: the whole input, (*volume); it is all read at once.
        predictor: takes {"x": (batch, channel, *patch)} and returns each output as (batch, *patch).
    Raises:
        DataError: if patch, overlap and volume do not fit.
        SchemaError: if the model does not give what is asked.
    """
    tiles = lattice(values.shape, tiling.patch, overlap=tiling.overlap, window=tiling.window)
    inside = tuple(slice(axis.padding[0], axis.padding[0] + axis.length) for axis in tiles.axes)
    sums = {name: np.zeros(values.shape) for name in names}
    places = tiles.tiles()
    inputs = tile_inputs(tiles, tiles.tiles(), lambda box: values[box], None, max_voxels=values.size)
    for x, counts in batches(inputs, tiling.batch_size):
        found = run_model(predictor, x, names, squeeze=tiling.squeeze)
        for k, tile in zip(range(len(counts)), places, strict=False):
            box = tiles.box(tile)
            weight = tiles.weight(tile, tuple(slice(0, side.stop - side.start) for side in box))
            for name in names:
                sums[name][box] += weight * found[name][k][inside]
    return {name: one.astype(np.float32) for name, one in sums.items()}
