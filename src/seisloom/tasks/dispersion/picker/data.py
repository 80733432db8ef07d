"""From records to samples and items: plan which there are, read or make one, and cut a window of its spectrum."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import DataError, MissingDataError
from seisloom.recipe import expand
from seisloom.sample import Array, Arrays, Ref, Sample
from seisloom.signal.velocity_spectra.limits import ArrayLimits, array_limits
from seisloom.task import read_each
from seisloom.tasks.dispersion.blocks import DispersionData
from seisloom.tasks.dispersion.make import ID_DIGITS, make_record
from seisloom.tasks.dispersion.picker.grid import array_numbers, interpolate, nearest, on_grid, ratios_of
from seisloom.tasks.dispersion.picker.recipe import DispersionRecipe
from seisloom.tasks.dispersion.store.manifest import find_npz, read_rows
from seisloom.tasks.dispersion.store.record_file import read_record
from seisloom.tasks.dispersion.store.write import MANIFEST

MAKES = ("frequency", "phase_velocity", "simulation", "physics", "augmentation")
"""Keys of `data` that decide a record: they stand in each ref, so that shards of others are not taken."""


def plan(recipe: DispersionRecipe) -> list[Ref]:
    """Return a ref for each record: the rows of the manifest in `data.root`, or numbers of records to be made.

    Raises:
        MissingDataError: if there is no such manifest.
        DataError: if a row lacks its id or its file.
    """
    if recipe.data.root is not None:
        manifest = manifest_in(expand(recipe.data.root))
        return list(_listed(str(manifest), os.stat(manifest).st_mtime_ns))
    made = _settings(recipe.data)
    first, seed = recipe.data.first, recipe.seed
    return [
        Ref(f"record-{k:08d}", {"model": f"{seed}-{k}"}, seed, {"index": k, "made": made})
        for k in range(first, first + recipe.data.n)
    ]


def manifest_in(path: Path) -> Path:
    """Return the manifest of a data set, which is a folder or the manifest itself.

    Raises:
        MissingDataError: if it is not there.
    """
    manifest = path / MANIFEST if path.is_dir() else path
    if not manifest.is_file():
        raise MissingDataError(
            f"{manifest}: no such manifest. Write one: seisloom synth dispersion --out DIR; of a shot give its file"
        )
    return manifest


@lru_cache(maxsize=4)
def _listed(manifest: str, _mtime_ns: int) -> tuple[Ref, ...]:
    return tuple(refs_of(Path(manifest)))


def refs_of(manifest: Path) -> Iterator[Ref]:
    """Yield a ref for each row; records of one medium have one group `model`, in whatever part they are."""
    for number, row in read_rows(manifest):
        where = f"{manifest}:{number}"
        try:
            key, npz = str(row["id"]), str(row["npz"])
        except KeyError as error:
            raise DataError(f"{where}: has no {error}. See: seisloom manifest check {manifest}") from error
        groups = {"model": str(row.get("model_hash") or row.get("param_hash") or key)[:ID_DIGITS]}
        groups |= {name: str(row[name]) for name in ("part", "split") if row.get(name)}
        content = str(row.get("content_sha256") or hashlib.sha256(key.encode()).hexdigest())
        yield Ref(key, groups, 0, {"manifest": str(manifest), "npz": npz, "content": content[:16], "where": where})


@lru_cache(maxsize=4)
def _settings(data: DispersionData) -> str:
    """Return digits that tell what records are made of."""
    said = json.dumps(data.model_dump(mode="json", include=dict.fromkeys(MAKES, True)), sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def contents(recipe: DispersionRecipe, refs: Sequence[Ref]) -> Array:
    """Return a hash of each record, uint64: of what is stored, or of all that makes it."""
    return np.array([int(_content(ref), 16) for ref in as_planned(recipe, refs)], dtype=np.uint64)


def as_planned(recipe: DispersionRecipe, refs: Sequence[Ref]) -> list[Ref]:
    """Return refs as the plan has them: those of shards say where arrays lie and not what made them.

    Raises:
        DataError: if the plan lacks one.
    """
    if not any("shard" in ref.source for ref in refs):
        return list(refs)
    planned = {ref.key: ref for ref in plan(recipe)}
    if missing := [ref.key for ref in refs if ref.key not in planned]:
        raise DataError(
            f"{len(missing)} records of the shards are not of this recipe, {missing[0]} among them. Give data.root, "
            "the folder with their manifest, or the recipe that wrote them"
        )
    return [planned[ref.key] for ref in refs]


def _content(ref: Ref) -> str:
    if "content" in ref.source:
        return str(ref.source["content"])
    return hashlib.sha256(f"{ref.source['made']} {ref.seed} {ref.source['index']}".encode()).hexdigest()[:16]


def read(recipe: DispersionRecipe, ref: Ref) -> Sample:
    """Read a record, or make it.

    Raises:
        MissingDataError, DataError: if its file is not there or damaged; or no medium fits the recipe.
    """
    arrays = arrays_of(recipe, ref)
    return Sample(ref.key, ref.groups, sample_arrays(arrays), {"content": _content(ref)})


read_many = partial(read_each, read)


def arrays_of(recipe: DispersionRecipe, ref: Ref) -> Arrays:
    """Return all arrays of a record by name."""
    if "npz" in ref.source:
        return read_record(find_npz(Path(ref.source["manifest"]), ref.source["npz"], ref.source["where"]))
    return make_record(recipe.data, int(ref.source["index"]), seed=ref.seed).arrays


def sample_arrays(arrays: Arrays) -> dict[str, Array]:
    """Return the arrays of `SAMPLE` of those of a record; one of another maker may lack flags and offsets."""
    curves, velocity = np.asarray(arrays["curves"], dtype=np.float32), arrays["phase_velocity"]
    with np.errstate(invalid="ignore"):
        inside = (curves >= velocity[0]) & (curves <= velocity[-1])
    everywhere = np.ones(curves.shape)
    limits, n_receivers = limits_in(arrays)
    return {
        "spectrum": np.asarray(arrays["spectrum"], dtype=np.float16),
        "freq": np.asarray(arrays["freq"], dtype=np.float64),
        "phase_velocity": np.asarray(velocity, dtype=np.float64),
        "curves": curves,
        "visible": (inside & (arrays.get("excited", everywhere) > 0) & (arrays.get("heard", everywhere) > 0)).astype(
            np.int8
        ),
        "resolved": (np.isfinite(curves) & (arrays.get("resolved", everywhere) > 0)).astype(np.int8),
        "array": array_numbers(limits, n_receivers),
    }


def limits_in(arrays: Arrays) -> tuple[ArrayLimits | None, int]:
    """Return the limits of a record's array and its number of receivers; None and 0 where offsets are not known."""
    offsets = arrays.get("offsets")
    return (None, 0) if offsets is None else (array_limits(offsets), len(offsets))


def shard(ref: Ref) -> str:
    """Return the name of the shard: one row of tar files for all."""
    return "records"


def group(recipe: DispersionRecipe, refs: Sequence[Ref], training: bool) -> list[list[Ref]]:
    """Return each record alone."""
    return [[ref] for ref in refs]


def join(recipe: DispersionRecipe, samples: Sequence[Sample], rng: np.random.Generator | None) -> Arrays:
    """Return the item of a record: its spectrum on axes of equal ratios, in training a window of it."""
    arrays = samples[0].arrays
    if "array" not in arrays:  # a record as `synth dispersion` stores it, from its shard
        arrays = sample_arrays(arrays)
    grid = on_grid(arrays["spectrum"], arrays["phase_velocity"], arrays["freq"], ratios_of(recipe.data))
    c, f = grid.velocity_m_s, grid.frequency_hz
    curves = interpolate(arrays["curves"], arrays["freq"], f)
    visible = nearest(arrays["visible"], arrays["freq"], f)
    array = arrays["array"]
    rows, columns = slice(None), slice(None)
    if rng is not None:
        if recipe.data.crop is not None:
            rows, columns = (_window(rng, len(axis), n) for axis, n in zip((c, f), recipe.data.crop, strict=True))
        if rng.random() < recipe.data.p_unknown_array:
            array = np.full_like(array, np.nan)
    c, f, curves = c[rows], f[columns], curves[:, columns]
    with np.errstate(invalid="ignore"):
        inside = (curves >= c[0]) & (curves <= c[-1])
    return {
        "x": np.ascontiguousarray(grid.panel[None, rows, columns]),
        "curves": np.ascontiguousarray(curves, dtype=np.float32),
        "visible": (visible[:, columns] * inside).astype(np.int8),
        "velocity_m_s": c.astype(np.float32),
        "frequency_hz": f.astype(np.float32),
        "array": np.asarray(array, dtype=np.float32),
    }


def _window(rng: np.random.Generator, length: int, n: int) -> slice:
    first = int(rng.integers(0, max(length - n, 0) + 1))
    return slice(first, first + n)


def item_arrays(panel: Array, velocity_m_s: Array, frequency_hz: Array, array: Array) -> Mapping[str, Any]:
    """Return what a predictor is given of a spectrum on the grid, without a leading axis."""
    return {
        "x": np.asarray(panel, dtype=np.float32)[None],
        "velocity_m_s": np.asarray(velocity_m_s, dtype=np.float32),
        "frequency_hz": np.asarray(frequency_hz, dtype=np.float32),
        "array": np.asarray(array, dtype=np.float32),
    }
