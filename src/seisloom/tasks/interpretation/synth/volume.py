"""Write one synthetic volume of any size, in any format, box by box: memory is that of a box for each worker."""

from __future__ import annotations

import json
import logging
import math
from concurrent.futures import Executor
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.compute import InThisProcess, run_jobs
from seisloom.convert import create_volume, resume_volume
from seisloom.errors import RecipeError
from seisloom.inference.lattice import Index
from seisloom.inference.resume import Counts, forget_run, mark, marked, open_scratch
from seisloom.io.volumes.grid import Box, box_shape, box_size, boxes
from seisloom.io.volumes.volume import AMPLITUDE, Spec, Traces, Wanted, Writer
from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.draw import draw_volume
from seisloom.physics.volumes.model import VolumeModel
from seisloom.progress import track
from seisloom.tasks.interpretation.recipe import UNITS
from seisloom.tasks.interpretation.synth.config import SynthVolumes, grid_of_config, in_unit, units_of
from seisloom.tasks.interpretation.synth.dataset import CARD

logger = logging.getLogger("seisloom")
BOX_VOXELS = 1 << 21
"""Of a box: about 100 MB with its margins. Smaller ones have more margin than inside."""
OF_SETS = ("n_train", "n_valid", "refinement", "corruption")


def is_one_volume(out: Path) -> bool:
    """Return whether a path is that of one volume, by its suffix; a set is a folder without one."""
    return bool(out.suffix) and not (out / CARD).is_file()


def write_volume(
    config: SynthVolumes,
    out: str | Path,
    *,
    wanted: Wanted | None = None,
    pool: Executor | None = None,
    force: bool = False,
) -> dict[str, Any]:  # Any: JSON values
    """Write the volume of a seed with its truth, and return what was written; a run that was killed goes on.

    Args:
        config: the volume; `draw_volume` gets its shape, seed and priors.
        out: Zarr, SEG-Y, raw cube, ...; the suffix chooses. Formats of one variable get a file for each.
        wanted: how it is to be stored.
        pool: where boxes are made; this process by default.
        force: replace what is there.
    Raises:
        RecipeError: if the config has something that only a set of volumes has.
        OutputError, DataError: see `create_volume`; and if another run was begun here.
    """
    out = Path(out)
    if given := [name for name in OF_SETS if name in config.model_fields_set]:
        raise RecipeError(
            f"{', '.join(given)}: {out} is one volume, and only a set has such. Leave it out, or name a folder: "
            f"--out {out.with_suffix('')}"
        )
    model = draw_volume(config.shape, config.seed, config.priors)
    remarks = {
        "made_by": f"seisloom {version('seisloom')}", "units": {AMPLITUDE: "1", **units_of(config)},
        "angles": config.angles, "config": json.loads(config.model_dump_json(exclude=set(OF_SETS))),
        "drawn": model.provenance(),
    }  # fmt: skip
    kinds = dict.fromkeys((AMPLITUDE, *UNITS), np.dtype(np.float32))
    spec = Spec(grid_of_config(config), kinds, attributes={"seisloom": remarks})
    scratch = out.with_name(out.name + ".boxes")
    writer = resume_volume(out, spec, wanted) if scratch.is_dir() and not force else None
    if writer is None:
        forget_run(scratch)  # before: marks of a run without its output would leave holes in another one
        writer = create_volume(out, spec, wanted, force=force)
    else:
        logger.info("%s: going on with a run that was not finished", out)
    size = open_scratch(scratch, {"remarks": remarks, "output": str(out.absolute())}, _size(config.shape, writer.grain))
    done = set(marked(scratch, "written"))
    todo = [box for box in boxes(config.shape, size) if _index(box) not in done]
    n_voxels = sum(map(box_size, todo))
    job = partial(_write_box, model=model, writer=writer, config=config, scratch=scratch)
    made = run_jobs(pool or InThisProcess(), job, todo, ahead=16)
    for _ in track(made, total=n_voxels, what="writing volume", unit="voxels", size=float):
        pass
    files = writer.finish()
    forget_run(scratch)
    n_all = math.prod(config.shape)
    return {"files": [str(file) for file in files], "voxels": n_all, "kept": n_all - n_voxels}


def _size(shape: tuple[int, ...], grain: tuple[int, ...]) -> tuple[int, ...]:
    """Return the size of boxes, multiples of the writer's grain: whole traces where it has none, and nearly square.

    >>> _size((2000, 2000, 1500), (1, 1, 1)), _size((2000, 2000, 1500), (128, 128, 128))
    ((37, 37, 1500), (128, 128, 128))
    """
    size = [*grain[:2], shape[2] if grain[2] == 1 else grain[2]]
    side = math.isqrt(BOX_VOXELS // size[2])
    size[0] *= max(1, min(-(-shape[0] // size[0]), side // size[0]))
    size[1] *= max(1, min(-(-shape[1] // size[1]), BOX_VOXELS // math.prod(size)))
    return tuple(size)


def _index(box: Box) -> Index:
    return tuple(one.start for one in box)


def _write_box(box: Box, *, model: VolumeModel, writer: Writer, config: SynthVolumes, scratch: Path) -> int:
    """Make a box, store it, remember that it is stored, and return its number of voxels."""
    if box[-1].start == 0:
        writer.write_traces(box[:-1], Traces(np.ones(box_shape(box[:-1]), dtype=bool)))
    for name, values in make_box(model, box, threads=1).items():
        variable = AMPLITUDE if name == "seismic" else name
        writer.write(box, in_unit(name, values, config), variable)
    mark(scratch, "written", _index(box), Counts(voxels=box_size(box)))
    return box_size(box)
