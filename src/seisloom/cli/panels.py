"""Records that are restored and written one after the other."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seisloom.cli import screen
from seisloom.cli.values import picture_for, writing

if TYPE_CHECKING:
    from seisloom.bundle import Opened

logger = logging.getLogger("seisloom")


def write_one_by_one(opened: Opened, source: Path, out: Path, figure: Path | None) -> None:
    """Take records through a method to a file; what was met is counted and said at the end."""
    figure = None if figure is None else picture_for(figure, "--figure")
    task, notes = opened.task, Counter[str]()
    shown: list[tuple[Any, Any]] = []  # Any: the room's own record and product

    def products() -> Iterator[Any]:
        records = task.open(opened.recipe, source, None)
        for number, record in enumerate(records):
            (product,) = task.apply(opened.recipe, opened.predictor, opened.calibration, [record])
            notes["all"] += 1
            notes.update(product.notes)
            if number == 0 or (not product.notes and shown[0][1].notes):  # rather one that was changed
                shown[:] = [(record, product)]
            yield product

    with writing(out):
        task.write(products(), out)
    n = notes.pop("all")
    for note, count in notes.items():
        logger.warning("%s: %s of %d %s: %s", source, count if count < n else "all", n, task.noun, note)
    screen.say(f"read {n} {task.noun} of {source}")
    screen.say(f"wrote {out}")
    if figure is not None:
        record, product = shown[0]
        with writing(figure, "--figure"):
            task.view(opened.recipe, [record], [product]).savefig(figure, dpi=110)
        screen.say(f"drew {figure}")
