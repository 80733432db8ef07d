"""A volume of any size through a predictor that sees tiles, to a file: streamed, resumed, the same bytes anyhow.

Here the three parts meet that do not know each other: volumes on disk, the survey's fingerprint, and tiles.
"""

from seisloom.tiled.array import apply_to_array
from seisloom.tiled.output import scratch_of
from seisloom.tiled.plan import Applied, Place, Tiled
from seisloom.tiled.volume import apply_to_volume

__all__ = ["Applied", "Place", "Tiled", "apply_to_array", "apply_to_volume", "scratch_of"]
