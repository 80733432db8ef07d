"""From numbered cubes or seeds to samples, and from samples to items of a batch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from seisloom.errors import DataError, LeftOut, MissingDataError
from seisloom.io.volumes.grid import whole
from seisloom.io.volumes.raw.cube import Cube
from seisloom.io.volumes.raw.sidecar import read_sidecar
from seisloom.io.volumes.raw.volume import open_raw
from seisloom.io.volumes.raw.writer import ENDING
from seisloom.io.volumes.volume import Given
from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.draw import draw_volume
from seisloom.recipe import expand
from seisloom.sample import Array, Arrays, Ref, Sample
from seisloom.split import PART
from seisloom.tasks.interpretation.recipe import SAMPLE, InterpretationData, InterpretationRecipe

UNKNOWN = {"fault": -1.0, "dip": 0.0, "strike": 0.0, "rgt": np.nan, "dhr": np.nan}
"""What stands in the place of a target that is not there."""
RADIANS, SHARES = np.pi + 1e-3, 1.0 + 1e-3
"""Largest angle in radians, and as a share of 180 degrees."""


def plan(recipe: InterpretationRecipe) -> list[Ref]:
    """Return a ref for each numbered cube of the folders, or for each seed where there are none."""
    data = recipe.data
    folders = _folders(data)
    if not folders:
        seeds = range(data.synth.first, data.synth.first + data.synth.n)
        return [Ref(f"synthetic/{n:06d}", {"cube": f"synthetic/{n:06d}"}, seed=n) for n in seeds]
    refs = []
    for part, (images, targets, limit) in folders.items():
        numbers = sorted(int(one.stem) for one in images.glob("*.bin") if re.fullmatch(r"\d+", one.stem))
        if not numbers:
            raise MissingDataError(f"{images}: holds no numbered cubes 0.bin, 1.bin, ...")
        for n in numbers[:limit]:
            source = {"image": str(images / f"{n}.bin"), "targets": str(targets)}
            key = f"{part}/{n:06d}"
            given = {PART: part} if part == "valid" else {}
            refs.append(Ref(key, {"cube": key, **given}, source=source))
    return refs


def _folders(data: InterpretationData) -> dict[str, tuple[Path, Path, int | None]]:
    """Return by part the folders of images and targets, and how many are to be used; none for synthetic volumes."""
    root = None if data.root is None else expand(data.root)
    found = {}
    for part, images, targets, limit in (
        ("train", data.data, data.target, data.n_train), ("valid", data.data_valid, data.target_valid, data.n_valid),
    ):  # fmt: skip
        image = expand(images) if images else root and root / f"data_{part}"
        target = expand(targets) if targets else root and root / f"target_{part}"
        if image is None or (part == "valid" and not images and not image.is_dir()):
            continue
        for one in (image, target or image):
            if not one.is_dir():
                raise MissingDataError(
                    f"{one}: no such folder. data.root has data_train/ and target_train/, or give data.data and "
                    "data.target"
                )
        found[part] = (image, target or image, limit)
    return found


def arrays_of(recipe: InterpretationRecipe, ref: Ref) -> dict[str, Array]:
    """Return the amplitudes of a numbered cube and its targets as they are, or make the volume of a seed.

    Raises:
        DataError: if targets are of another size than their image, or angles are in radians.
    """
    if "image" in ref.source:
        found = _read_cube(recipe.data, Path(ref.source["image"]), Path(ref.source["targets"]))
    else:
        synth = recipe.data.synth
        found = make_box(draw_volume(synth.shape, ref.seed, synth.priors), whole(synth.shape))
    return {field.name: np.ascontiguousarray(found[field.name], dtype=field.dtype) for field in SAMPLE.fields}


def read(recipe: InterpretationRecipe, ref: Ref) -> Sample:
    """Return a sample on the scale that the network sees.

    Raises:
        DataError: as `arrays_of`.
        LeftOut: if the image is constant.
    """
    arrays = arrays_of(recipe, ref)
    try:
        scaling = recipe.scale.of_values(arrays["seismic"])
    except DataError as error:
        raise LeftOut(f"{ref.key}: {error}") from error
    scaled = {"seismic": scaling(arrays["seismic"]), "dhr": arrays["dhr"] * np.float32(scaling.gain)}
    return Sample(ref.key, ref.groups, {**arrays, **scaled})


def read_many(recipe: InterpretationRecipe, refs: Sequence[Ref]) -> Iterator[Sample | LeftOut]:
    """Yield the samples of some refs, one by one."""
    for ref in refs:
        try:
            yield read(recipe, ref)
        except LeftOut as reason:
            yield reason


def _read_cube(data: InterpretationData, image: Path, targets: Path) -> dict[str, Array]:
    given = Given(n1=data.n1, n2=data.n2, n3=data.n3)
    volume = open_raw(image, given)
    seismic = _in_three(volume.read(whole(volume.spec.grid.shape), next(iter(volume.spec.variables))))
    arrays = {"seismic": seismic}
    for name, missing in UNKNOWN.items():
        file = targets / f"{image.stem}_{ENDING[name].removeprefix('.')}.bin"
        if not file.is_file():
            arrays[name] = np.full(seismic.shape, missing, dtype=np.float32)
            continue
        n = file.stat().st_size // 4
        if n != seismic.size:
            raise DataError(f"{file}: {n} samples, and its image {image} has {seismic.size}. Cut both alike")
        cube = Cube(file, seismic.shape)
        arrays[name] = cube.read(whole(seismic.shape))
    sidecar = read_sidecar(targets / f"{image.stem}.json")
    unit = data.angles or (None if sidecar is None else sidecar.attributes.get("angles"))
    for name in ("dip", "strike"):
        arrays[name] = _in_degrees(arrays[name], unit, image, name)
    return arrays


def _in_three(values: Array) -> Array:
    """Return a section as a volume of one inline."""
    return values[None] if values.ndim == 2 else values


def _in_degrees(values: Array, unit: str | None, image: Path, name: str) -> Array:
    """Return angles in degrees; LANL's cubes, which the folders' names come from, hold shares of 180 degrees."""
    largest = float(np.nanmax(values, initial=0.0))
    if unit is None and SHARES < largest <= RADIANS:
        raise DataError(
            f"{image.stem}_{ENDING[name].removeprefix('.')}.bin: the largest angle is {largest:.3g}, which looks like "
            "radians. Write degrees (0 to 180) or shares of 180 degrees, or say data.angles=degree if it is right"
        )
    shares = unit == "share" or (unit is None and largest <= SHARES)
    return values * np.float32(180) if shares else values


def shard(ref: Ref) -> str:
    """Return the name of the shard that a sample belongs to: its part."""
    return ref.key.split("/")[0]


def group(recipe: InterpretationRecipe, refs: Sequence[Ref], training: bool) -> list[list[Ref]]:
    """Return each sample alone: a volume is seen by itself."""
    return [[ref] for ref in refs]


def join(recipe: InterpretationRecipe, samples: Sequence[Sample], rng: np.random.Generator | None) -> Arrays:
    """Return a crop of a sample as the arrays of an item; its place is drawn, or in the middle without a generator.

    Raises:
        DataError: if the crop is larger than the sample.
    """
    (sample,) = samples
    arrays = dict(sample.arrays)
    shape = arrays["seismic"].shape
    # A 2-D network sees one inline of a volume at a time
    size = recipe.data.crop or ((1, *shape[1:]) if getattr(recipe.model, "dims", 3) == 2 else shape)
    if any(want > have for want, have in zip(size, shape, strict=True)):
        raise DataError(
            f"data.crop {list(size)} (inline, crossline, time) is larger than {sample.key}, which has {list(shape)}"
        )
    firsts = [
        (have - want) // 2 if rng is None else int(rng.integers(0, have - want + 1))
        for want, have in zip(size, shape, strict=True)
    ]
    box = tuple(slice(first, first + want) for first, want in zip(firsts, size, strict=True))
    cropped = {name: one[box] for name, one in arrays.items()}
    return {"x": cropped.pop("seismic")[None], **cropped}
