"""From files or numbers to samples and items: plan which panels there are, read or make one, cut and corrupt it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from seisloom.errors import DataError, LeftOut
from seisloom.io.gather import Gather, read_gather
from seisloom.recipe import expand
from seisloom.sample import Array, Arrays, Ref, Sample, content_hash
from seisloom.task import read_each
from seisloom.tasks.restoration.boxes import Stamp, box_refs, filled, read_box, stamp_of
from seisloom.tasks.restoration.corrupt import corrupted
from seisloom.tasks.restoration.guess import guess_of
from seisloom.tasks.restoration.recipe import RestorationData, RestorationRecipe
from seisloom.tasks.restoration.sources import as_volume, cut, find_files, read_array
from seisloom.tasks.restoration.synth import make_panel


def plan(recipe: RestorationRecipe) -> list[Ref]:
    """Return a ref for each panel of the files in `data.root`, or for each number of a panel that is to be made."""
    data = recipe.data
    if data.root is not None:
        root = expand(data.root)
        labels = {file: str(file.relative_to(root)) if root != file else file.name for file in find_files(root)}
        return [ref for file, label in labels.items() for ref in _of_file(label, file, recipe)]
    made = _settings(data)
    numbers = range(data.synth.first, data.synth.first + data.synth.n)
    return [Ref(f"made/{k:08d}", {"panel": f"made/{k:08d}"}, recipe.seed, {"index": k, "made": made}) for k in numbers]


@lru_cache(maxsize=4)
def _settings(data: RestorationData) -> str:
    """Return digits that tell what panels are made of."""
    said = json.dumps(data.synth.model_dump(mode="json", exclude={"n", "first"}), sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _of_file(label: str, file: Path, recipe: RestorationRecipe) -> Iterator[Ref]:
    """Yield a ref for each panel of a file; the label, its path within the root, is the beginning of their keys."""
    volume = as_volume(file)
    if volume is not None:
        yield from box_refs(label, file, volume, recipe.data)
        return
    for k, (name, source) in enumerate(cut(file, recipe.apply.panels)):
        span = None if source.traces is None else [int(source.traces[0]), int(source.traces[-1]) + 1]
        groups = {"panel": f"{label}/{k // recipe.data.block:06d}"}
        yield Ref(label + name.removeprefix(file.name), groups, 0, {"path": str(file), "traces": span})


def contents(recipe: RestorationRecipe, refs: Sequence[Ref]) -> Array:
    """Return a hash of each panel, uint64: of its amplitudes, or of all that makes it."""
    return np.concatenate([np.zeros(0, np.uint64), *(content_of(recipe, ref) for ref in refs)])


def content_of(recipe: RestorationRecipe, ref: Ref) -> Array:
    """Return the hash of one panel, uint64 (1,)."""
    if "made" not in ref.source:
        return content_hash(_read(ref)[0].reshape(1, -1))
    said = f"{ref.source['made']} {ref.seed} {ref.source['index']}"
    return np.array([int(hashlib.sha256(said.encode()).hexdigest()[:16], 16)], dtype=np.uint64)


def read(recipe: RestorationRecipe, ref: Ref) -> Sample:
    """Read a panel, or make it.

    Raises:
        LeftOut: if all its traces are dead.
    """
    if "made" in ref.source:
        values, offset_m, fs_hz = make_panel(recipe.data.synth, int(ref.source["index"]), seed=ref.seed)
    else:
        values, offset_m, fs_hz = _read(ref)
    finite = np.isfinite(values).all(axis=-1)
    known = finite & (values != values[..., :1]).any(axis=-1)
    if not known.any():
        raise LeftOut(f"{ref.key}: all of its traces are dead")
    arrays = {
        "clean": np.where(known[..., None], values, 0).astype(np.float32), "known": known.astype(np.float32),
        "offset_m": np.asarray(offset_m, np.float32), "fs_hz": np.asarray(fs_hz, np.float64),
    }  # fmt: skip
    return Sample(ref.key, ref.groups, arrays)


def _read(ref: Ref) -> tuple[Array, Array, float]:
    """Return amplitudes (line, trace, time), offsets in m and the sampling rate of a panel in a file."""
    path = Path(ref.source["path"])
    if "box" in ref.source:
        values = filled(ref, read_box(ref))
        return values, np.full(values.shape[:2], np.nan), np.nan
    if ref.source["traces"] is None:
        values = read_array(path)
        return values, np.full(values.shape[:2], np.nan), np.nan
    gather, some = _gather(str(path), stamp_of(str(path))), np.arange(*ref.source["traces"])
    return gather.take(some)[None], gather.offset_m[some][None], gather.fs_hz


@lru_cache(maxsize=8)
def _gather(path: str, stamp: Stamp) -> Gather:
    """Return the headers of a file, which stay in this process, and a way to its amplitudes."""
    return read_gather(path)


read_many = partial(read_each, read)


def shard(ref: Ref) -> str:
    """Return the name of the shard: of a file its name, of what is made one for all."""
    return ref.key.split("/")[0]


def group(recipe: RestorationRecipe, refs: Sequence[Ref], training: bool) -> list[list[Ref]]:
    """Return each panel alone."""
    return [[ref] for ref in refs]


def join(recipe: RestorationRecipe, samples: Sequence[Sample], rng: np.random.Generator | None) -> Arrays:
    """Return a crop of a panel, what `corrupt` makes of it, and both on one scale.

    The crop's place and the corruption are drawn; without a generator the crop is in the middle, and the corruption
    follows from the panel's key.
    """
    (sample,) = samples
    found = cropped(sample.arrays, recipe.data.crop, rng)
    x, live, _ = corrupted(recipe, sample.key, found, epoch=0 if rng is None else int(rng.integers(1, 2**31)))
    known, clean = found["known"], np.asarray(found["clean"])
    try:
        scaling = recipe.scale.of_values(x)
        shift, gain = np.float32(scaling.shift), np.float32(scaling.gain)
    except DataError:  # what is given is silence, which has no scale: there is nothing to learn from it
        shift, gain, known = np.float32(0), np.float32(0), np.zeros_like(known)
    x = np.where(live[..., None] > 0, (x - shift) * gain, 0)
    clean = np.where(known[..., None] > 0, (clean - shift) * gain, 0)
    item: dict[str, Array] = {
        "x": x.astype(np.float32), "live": live.astype(np.float32), "clean": clean.astype(np.float32),
        "known": known.astype(np.float32), "offset_m": np.asarray(found["offset_m"], np.float32),
        "fs_hz": np.asarray(found["fs_hz"], np.float64),
    }  # fmt: skip
    guess = guess_of(recipe, item["x"], item["live"])
    return item if guess is None else {**item, "guess": guess}


def cropped(arrays: Arrays, size: tuple[int, int, int] | None, rng: np.random.Generator | None) -> dict[str, Array]:
    """Return a panel cut to a size, and padded with what nobody knows where it is smaller."""
    if size is None:
        return dict(arrays)
    shape = arrays["clean"].shape
    box = []
    for have, want in zip(shape, size, strict=True):
        room = max(have - want, 0)
        first = room // 2 if rng is None else int(rng.integers(0, room + 1))
        box.append(slice(first, first + min(want, have)))
    short = [(0, max(want - have, 0)) for have, want in zip(shape, size, strict=True)]
    found = {"fs_hz": np.asarray(arrays["fs_hz"]), "clean": np.pad(arrays["clean"][tuple(box)], short)}
    found["known"] = np.pad(arrays["known"][tuple(box[:2])], short[:2])
    found["offset_m"] = np.pad(arrays["offset_m"][tuple(box[:2])], short[:2], constant_values=np.nan)
    return found
