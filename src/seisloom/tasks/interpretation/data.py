"""From numbered cubes or seeds to samples, and from samples to items of a batch."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Sequence
from functools import cache, partial
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
from seisloom.task import read_each
from seisloom.tasks.interpretation.horizon_targets import check_horizons, horizons_file, read_horizon_voxels
from seisloom.tasks.interpretation.labels import check_faults, finite
from seisloom.tasks.interpretation.recipe import SAMPLE, UNITS, InterpretationData, InterpretationRecipe
from seisloom.tasks.interpretation.refining.guess import GUESS, Sureness, as_outputs, guessed, parted
from seisloom.tasks.interpretation.refining.refine import guess_of

logger = logging.getLogger("seisloom")
UNKNOWN = {"fault": -1.0, "dip": 0.0, "strike": 0.0, "rgt": np.nan, "dhr": np.nan}
"""What stands in the place of a target that is not there."""
RADIANS, SHARES = np.pi + 1e-3, 1.0 + 1e-3
"""Largest angle in radians, and as a share of 180 degrees."""


def plan(recipe: InterpretationRecipe) -> list[Ref]:
    """Return a ref for each numbered cube of the folders, or for each seed where there are none."""
    data = recipe.data
    folders = _folders(data)
    if _wants_horizons(recipe):
        check_horizons([(images, targets) for images, targets, _ in folders.values()])
    if not folders:
        seeds = range(data.synth.first, data.synth.first + data.synth.n)
        return [Ref(f"synthetic/{n:06d}", {"cube": f"synthetic/{n:06d}"}, seed=n) for n in seeds]
    refs = []
    for part, (images, targets, limit) in folders.items():
        _look_for_faults(targets)
        numbers = cubes_of(images)
        if not numbers:
            raise MissingDataError(f"{images}: holds no numbered cubes 0.bin, 1.bin, ...")
        for n in numbers[:limit]:
            source = {"image": str(images / f"{n}.bin"), "targets": str(targets)}
            key = f"{part}/{n:06d}"
            given = {PART: part} if part == "valid" else {}
            refs.append(Ref(key, {"cube": key, **given}, source=source))
    return refs


@cache
def _look_for_faults(targets: Path) -> None:
    """Warn, once, of labels in which no cube has a fault: they teach that there are none, and score whatever does."""
    masks = sorted(targets.glob(f"*_{ENDING['fault'].removeprefix('.')}.bin"))
    if masks and not any(np.any(np.fromfile(mask, dtype="<u4")) for mask in masks):
        logger.warning(
            "%s: no fault in any of %d label cubes. Nothing is to be learnt of faults from them, and F1 is 1 where "
            "nothing is drawn. Is it the right folder?", targets, len(masks),
        )  # fmt: skip


def cubes_of(folder: Path) -> list[int]:
    """Return the numbers of the cubes of a folder."""
    return sorted(int(one.stem) for one in folder.glob("*.bin") if re.fullmatch(r"\d+", one.stem))


def targets_beside(folder: Path) -> Path:
    """Return where the targets of a folder of images lie by its name: target_valid beside data_valid."""
    return folder.absolute().with_name(folder.absolute().name.replace("data", "target", 1))


def targets_of(folder: Path) -> Path:
    """Return the folder of targets of a folder of images: that beside it, or the folder itself."""
    beside = targets_beside(folder)
    return beside if beside.is_dir() and beside != folder.absolute() else folder


def _folders(data: InterpretationData) -> dict[str, tuple[Path, Path, int | None]]:
    """Return by part the folders of images and targets, and how many are to be used; none for synthetic volumes."""
    root = None if data.root is None else expand(data.root)
    own = data.data, data.target
    if root is not None and not data.data and not (root / "data_train").is_dir() and cubes_of(root):
        own, root = (str(root), data.target or str(targets_of(root))), None  # a folder of images itself
    found = {}
    for part, images, targets, limit in (
        ("train", *own, data.n_train), ("valid", data.data_valid, data.target_valid, data.n_valid),
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

    For a network that refines attributes there is a first guess of each that it needs, too, unless it is another
    network that gives it.

    Raises:
        DataError: if targets are of another size than their image, faults are marked by other numbers than 1, 0 and
            -1, or angles are in radians.
        MissingDataError: if a first guess is not there.
    """
    needs: tuple[str, ...] = () if recipe.data.first_network else getattr(recipe.model, "needs", ())
    if "image" in ref.source:
        image, targets = Path(ref.source["image"]), Path(ref.source["targets"])
        found = _read_cube(recipe.data, image, targets, needs, horizons=_wants_horizons(recipe))
    else:
        synth = recipe.data.synth
        model = draw_volume(synth.shape, ref.seed, synth.priors)
        found = make_box(model, whole(synth.shape))
        if needs:
            found |= guessed(model, found, synth.corruption, needs)
    names = [field.name for field in SAMPLE.fields if field.name in found]
    return {name: np.ascontiguousarray(found[name], dtype=np.float32) for name in names}


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
    images = {name: arrays[name] * np.float32(scaling.gain) for name in ("dhr", GUESS + "dhr") if name in arrays}
    return Sample(ref.key, ref.groups, {**arrays, "seismic": scaling(arrays["seismic"]), **images})


read_many = partial(read_each, read)


def _wants_horizons(recipe: InterpretationRecipe) -> bool:
    return any(term.name == "equal_time" for term in recipe.loss)


def _read_cube(
    data: InterpretationData, image: Path, targets: Path, needs: tuple[str, ...], *, horizons: bool
) -> dict[str, Array]:
    given = Given(n1=data.n1, n2=data.n2, n3=data.n3)
    volume = open_raw(image, given)
    seismic = _in_three(volume.read(whole(volume.spec.grid.shape), next(iter(volume.spec.variables))))
    seismic = finite(seismic, str(image))
    there = _attributes(targets, image, seismic.shape, data.angles)
    if "fault" in there:
        check_faults(there["fault"], str(_file_of(targets, image, "fault")))
    unknown = {name: np.full(seismic.shape, value, np.float32) for name, value in UNKNOWN.items()}
    guess = _attributes(image.parent, image, seismic.shape, data.angles) if needs else {}
    if missing := [name for name in needs if name not in guess]:
        raise MissingDataError(
            f"{_file_of(image.parent, image, missing[0])}: no such file, and the network refines a first guess. "
            "Put those of a first network beside the images, or write a set with them: seisloom synth volumes "
            "refinement=true"
        )
    found = {"seismic": seismic, **unknown, **there, **{GUESS + name: guess[name] for name in needs}}
    if horizons:
        file = horizons_file(targets, image)
        numbers = np.zeros(seismic.shape, np.float32) if file is None else read_horizon_voxels(file, volume)
        found["horizon"] = numbers.reshape(seismic.shape)
    return found


def _file_of(folder: Path, image: Path, name: str) -> Path:
    """Return the cube of an attribute of an image."""
    return folder / f"{image.stem}_{ENDING[name].removeprefix('.')}.bin"


def _attributes(folder: Path, image: Path, shape: tuple[int, ...], angles: str | None) -> dict[str, Array]:
    """Return the attributes of an image that lie in a folder, angles in degrees.

    Raises:
        DataError: if one is of another size than the image, or angles are in radians.
    """
    arrays = {}
    sidecar = read_sidecar(folder / f"{image.stem}.json")
    unit = angles or (None if sidecar is None else sidecar.attributes.get("angles"))
    for name in UNITS:
        file = _file_of(folder, image, name)
        if not file.is_file():
            continue
        n = file.stat().st_size // 4
        if n != math.prod(shape):
            raise DataError(f"{file}: {n} samples, and its image {image} has {math.prod(shape)}. Cut both alike")
        values = Cube(file, shape).read(whole(shape))
        is_angle = name in ("dip", "strike")
        arrays[name] = _in_degrees(values, unit, image, name, is_told=angles is not None) if is_angle else values
    return arrays


def _in_three(values: Array) -> Array:
    """Return a section as a volume of one inline."""
    return values[None] if values.ndim == 2 else values


def _in_degrees(values: Array, unit: str | None, image: Path, name: str, *, is_told: bool) -> Array:
    """Return angles in degrees; LANL's cubes, which the folders' names come from, hold shares of 180 degrees.

    A side-car may be wrong, a user who says the unit is believed. No fault dips 3 degrees, but all may strike so.
    """
    largest = float(np.nanmax(values, initial=0.0))
    is_doubtful = unit is None or (unit == "degree" and name == "dip" and not is_told)
    if is_doubtful and SHARES < largest <= RADIANS:
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

    A first guess comes in the form in which a network gives it; how sure it is of faults is drawn too.

    Raises:
        DataError: if the crop is larger than the sample, or a first guess that the network needs is not there.
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
    cropped, guess = parted({name: one[box] for name, one in arrays.items()})
    x, needs = cropped.pop("seismic")[None], getattr(recipe.model, "needs", ())
    if needs and recipe.data.first_network:
        cropped |= {name: one[0] for name, one in guess_of(recipe, x[None]).items()}
    elif needs:
        sureness = Sureness() if rng is None else Sureness.drawn(rng)
        cropped |= as_outputs(guess, sample.key, needs, sureness)
    return {"x": x, **cropped}
