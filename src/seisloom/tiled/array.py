"""An array in memory through a predictor that sees tiles."""

from __future__ import annotations

from collections.abc import Mapping

from seisloom.inference.memory import predict_array
from seisloom.sample import Array, Predictor
from seisloom.tiled.plan import Tiled


def apply_to_array(made: Tiled, predictor: Predictor, values: Array) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
    """Return the products of an array that is a survey of its own, and the blended outputs that they were made from.

    Args:
        made: what the room makes of it.
        predictor: of the room.
        values: amplitudes, (inline, crossline, time) or (trace, time).
    Returns:
        Both by name, float32 of the array's shape.
    """
    scaling = made.scale.of_values(values)
    blended = predict_array(made.tiling, made.blended, scaling(values), made.wrap(predictor))
    return made.derive(blended, scaling=scaling), blended
