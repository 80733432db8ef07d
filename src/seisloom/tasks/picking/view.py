"""The room's pictures and its page: gathers with picks, and how methods compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seisloom.tasks.picking.recipe import PickingRecipe
from seisloom.tasks.picking.records import PickRecord


def write_pages(
    recipe: PickingRecipe, products: Mapping[str, Any], report: Mapping[str, Any], records: Sequence[PickRecord], out: Path
) -> Sequence[Path]:
    return []
