"""Pictures of records: found by id in a folder, read from a file, or made on the spot from a recipe."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seisloom.errors import DataError, MissingDataError, RecipeError
from seisloom.sample import Arrays
from seisloom.signal.velocity_spectra.limits import array_limits
from seisloom.tasks.dispersion.store.manifest import find_npz, read_lines
from seisloom.tasks.dispersion.store.record_file import read_record
from seisloom.tasks.dispersion.store.write import MANIFEST

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FLAGS = ("resolved", "excited", "aliased")
BLUR_PX = 1.5
"""Width of masks of a record that does not say how long its array is: that of the first label generator."""


def find_record(source: Path, *, sample_id: str | None = None, seed: int = 0) -> tuple[str, Arrays]:
    """Return a name and the arrays of one record.

    Args:
        source: a record (.npz); a folder of records with `manifests/labels.jsonl`, or without one any folder that
            holds .npz; or a recipe, as `synth dispersion` takes it: with an id the record is looked for in the folder
            that it names, without one record number `seed` of its first part is made.
        sample_id: id of a record, or how it begins.
        seed: chooses a record where there is no id.
    Raises:
        MissingDataError: if there is no such file, folder or id.
        RecipeError: if a recipe is wrong, or an id is given with a single record or a recipe that names no folder.
        DataError: if a manifest or a record is damaged.
    """
    if source.is_dir():
        return _of_folder(source, source / MANIFEST, sample_id, seed)
    if source.suffix.lower() == ".npz":
        if sample_id is not None:
            raise RecipeError(f"--sample-id {sample_id} is for a folder or a recipe, and {source} is one record")
        return source.stem, read_record(source)
    from seisloom.tasks.dispersion.make import make_record
    from seisloom.tasks.dispersion.store.recipe import plan

    if sample_id is not None:
        planned = plan(str(source))
        return _of_folder(planned.out, planned.manifest, sample_id, seed)
    planned = plan(str(source), out=Path())  # nothing is written there
    data = planned.parts[0].data
    made = make_record(data, data.first + seed, seed=planned.seed)
    return f"{made.key}, number {data.first + seed} of {source.name}", made.arrays


def record_figure(arrays: Arrays, *, title: str = "", masks: bool = False) -> Figure:
    """Return the figure of a record: spectrum, curves by their flags, limits of the array.

    Args:
        arrays: as `read_record` returns them; flags and offsets may be missing.
        title: its name; what is known of the array is added.
        masks: draw also the masks of the modes, as wide as the array resolves, or 1.5 bins where it is not known.
    """
    from seisloom.figures.dispersion import draw_dispersion

    offsets = arrays.get("offsets")
    limits = None if offsets is None else array_limits(offsets)
    if limits is not None and offsets is not None:
        title += f"\n{len(offsets)} receivers, {offsets.min():.3g} to {offsets.max():.3g} m from the source"
    drawn = None
    if masks:
        from seisloom.tasks.dispersion.masks import mask_arrays  # torch

        drawn = mask_arrays(
            arrays["curves"], arrays["freq"], arrays["phase_velocity"],
            length_m=None if limits is None else limits.length_m, blur_sigma_px=BLUR_PX if limits is None else None,
        )  # fmt: skip
    return draw_dispersion(
        arrays["spectrum"], frequency_hz=arrays["freq"], velocity_m_s=arrays["phase_velocity"],
        curves=arrays["curves"], flags={name: arrays[name] for name in FLAGS if name in arrays},
        limits=limits, masks=drawn, title=title,
    )  # fmt: skip


def _of_folder(folder: Path, manifest: Path, sample_id: str | None, seed: int) -> tuple[str, Arrays]:
    """Return the record with an id, or any."""
    if manifest.is_file():
        row, where = _listed(manifest, sample_id, seed)
        return str(row["id"]), read_record(find_npz(manifest, str(row["npz"]), where))
    records = sorted(path for path in folder.rglob("*.npz") if path.stem.startswith(sample_id or ""))
    if not records:
        of = "" if sample_id is None else f" {sample_id}"
        raise MissingDataError(f"{folder}: has neither {MANIFEST} nor a record{of} (.npz)")
    path = records[int(np.random.default_rng(seed).integers(len(records)))]
    return path.stem, read_record(path)


def _listed(manifest: Path, sample_id: str | None, seed: int) -> tuple[dict[str, Any], str]:  # Any: JSON values
    """Return a row of a manifest and where it stands; of a million rows only those that may be meant are parsed."""
    lines: Iterable[tuple[int, bytes]]
    if sample_id is None:
        n_rows = sum(1 for _ in read_lines(manifest))
        chosen = int(np.random.default_rng(seed).integers(n_rows)) if n_rows else 0
        lines = islice(read_lines(manifest), chosen, chosen + 1)
    else:
        lines = ((number, line) for number, line in read_lines(manifest) if f'"{sample_id}'.encode() in line)
    for number, line in lines:
        try:
            row = json.loads(line)
            if str(row["id"]).startswith(sample_id or "") and row["npz"]:
                return row, f"{manifest}:{number}"
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(
                f"{manifest}:{number}: is no row with id and npz. See what is wrong: seisloom manifest check {manifest}"
            ) from error
    of = "is empty" if sample_id is None else f"has no id that begins with {sample_id}"
    raise MissingDataError(f"{manifest}: {of}")
