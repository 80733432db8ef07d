"""Faults, relative time and a clean image of sections and a cube, by the network that ships: no training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.bundle import Opened, open_predictor
from seisloom.convert import open_volume
from seisloom.demos.folder import clear
from seisloom.io.fault_sticks import write_fault_sticks
from seisloom.run.evaluate import evaluate
from seisloom.sample import Ref
from seisloom.tasks.interpretation.data import arrays_of
from seisloom.tasks.interpretation.exports.sticks import fault_sticks
from seisloom.tasks.interpretation.recipe import InterpretationRecipe
from seisloom.tasks.interpretation.records import VolumeRecord, record_of
from seisloom.tasks.interpretation.write import write

SHIPPED = "interpretation-sections"
CLASSICAL = "discontinuity"
SECTIONS = ("crl_2700", "crl_2800", "crl_2900")
"""Of the Great South Basin, New Zealand, with picks by people: code release of Cunha et al. (2020), Computers &
Geosciences 135 (MIT); survey by New Zealand Petroleum & Minerals."""
SECTION_SHAPE, CUBE_SHAPE = (1, 384, 192), (96, 96, 128)
SEED = 2_000_000
"""Of what is made here: far from the seeds that train."""


@dataclass(frozen=True, slots=True)
class VolumeDemo:
    """What the demo made."""

    report: dict[str, Any]  # Any: JSON values
    files: tuple[Path, ...]
    notes: tuple[str, ...]


def run_volume_demo(out: Path, *, data: Path, synthetic: bool = False, bundle: str = SHIPPED) -> VolumeDemo:
    """Take real sections with picks, or synthetic ones, and a synthetic cube through a network, and score it.

    Args:
        out: folder for products, scores and pictures; what a former demo left there is replaced.
        data: folder with `interpretation/gsb_*.npy`; where they are not there, sections are made.
        synthetic: make them also where they are there.
        bundle: of a network that sees sections.
    Raises:
        OutputError: if the folder holds something that no demo has made, or cannot be written.
        DataError: if a bundle sees volumes, and not sections.
    """
    clear(out)
    opened = open_predictor(bundle)
    notes = []
    real = [] if synthetic else real_sections(data / "interpretation")
    if real:
        notes.append(f"{len(real)} sections of the Great South Basin, with picks by people that no training has seen")
    else:
        notes.append("the sections are synthetic: faults, relative time and the clean image are known exactly")
    report, files = evaluate([opened, open_predictor(CLASSICAL)], real or made_sections(opened, 3), out)
    notes.append(f"{CUBE_SHAPE} samples of a synthetic cube, seen along inlines and along crosslines, and averaged")
    written = _cube(opened, out / "cube.zarr")
    return VolumeDemo(report, (*files, *written), tuple(notes))


def real_sections(folder: Path) -> list[VolumeRecord]:
    """Return the sections of the folder with their picks; none where it has none."""
    found = []
    for name in SECTIONS:
        files = [folder / f"gsb_{name}_{kind}.npy" for kind in ("seis", "fault")]
        if all(file.is_file() for file in files):
            # Stored as (time, trace), picks one pixel wide
            seismic, picks = (np.ascontiguousarray(np.load(file).T, dtype=np.float32) for file in files)
            found.append(replace(record_of(name, seismic), truth={"fault": (picks > 0).astype(np.float32)}))
    return found


def made_sections(opened: Opened, n: int) -> list[VolumeRecord]:
    """Return synthetic sections with all that is known of them."""
    return [_made(opened, SECTION_SHAPE, SEED + k) for k in range(n)]


def _made(opened: Opened, shape: tuple[int, int, int], seed: int) -> VolumeRecord:
    recipe = opened.recipe
    assert isinstance(recipe, InterpretationRecipe)
    synth = recipe.data.synth.model_copy(update={"shape": shape})
    recipe = recipe.model_copy(update={"data": recipe.data.model_copy(update={"synth": synth})})
    arrays = arrays_of(recipe, Ref(f"synthetic/{seed}", {}, seed=seed))
    return replace(record_of(f"synthetic {seed}", arrays.pop("seismic")), truth=arrays)


def _cube(opened: Opened, out: Path) -> list[Path]:
    """Write what is found in a cube, and its faults as sticks."""
    record = _made(opened, CUBE_SHAPE, SEED)
    both = opened.with_changes("along=both")
    write(both.apply(record), out)
    sticks = fault_sticks(open_volume(out))
    file = out.with_name("cube_sticks.csv")
    write_fault_sticks(file, sticks.nodes, sticks.patches)
    return [out, file]
