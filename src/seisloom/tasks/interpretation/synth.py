"""Write a set of synthetic volumes with known truth: numbered raw cubes in four folders, as the training reads them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator

from seisloom.compute import InThisProcess, run_jobs
from seisloom.config import Config
from seisloom.errors import OutputError
from seisloom.io.volumes.grid import Axis, Grid
from seisloom.io.volumes.raw.cube import SAMPLE, cannot_write
from seisloom.io.volumes.raw.sidecar import Sidecar, read_json, read_sidecar, write_json
from seisloom.io.volumes.raw.writer import ENDING
from seisloom.io.volumes.volume import AMPLITUDE, partial_of
from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.corruption import Corruption, corrupt_attributes
from seisloom.physics.volumes.draw import LEAST_TIME, draw_volume
from seisloom.physics.volumes.model import Shape
from seisloom.physics.volumes.priors import VolumePriors
from seisloom.progress import track
from seisloom.sample import Array
from seisloom.tasks.interpretation.recipe import PLACE, UNITS

CARD, MANIFEST = "dataset.json", "manifest.jsonl"
KIND = "synthetic volumes"
OURS = re.compile(r"\d+(_\w+)?\.(bin|json)(\.partial)?")
"""Files in the folders of a set; others that lie there stay."""
Part = Literal["train", "valid"]
PARTS: tuple[Part, ...] = ("train", "valid")
ANGLES = {"degree": (1.0, "degree"), "share": (180.0, "180 degrees")}
"""What an angle in degrees is divided by, and the unit it then has."""


class SynthVolumes(Config):
    """Synthetic volumes with known truth, all of them drawn from one seed."""

    n_train: int = Field(100, ge=1)
    """Number of volumes that train; they do not depend on how many there are."""
    n_valid: int = Field(10, ge=0)
    """Number of volumes that validate; none of them is among those that train."""
    shape: Shape = (128, 128, 128)
    """Samples along inline, crossline and time; an inline axis of 1 is a section, and time has at least 16."""
    seed: int = Field(0, ge=0)
    """The same seed gives the same volumes."""
    priors: VolumePriors = VolumePriors()
    """What volumes are drawn from: styles of faults, layers, wavelets, noise, things that mislead."""
    refinement: bool = False
    """Also write attributes with the errors of a first guess, beside the images: the input of a network that refines
    its own output."""
    corruption: Corruption = Corruption()
    """Ranges of those errors."""
    angles: Literal["degree", "share"] = "degree"
    """Unit of dip and strike: degrees, or shares of 180 degrees as in the cubes of LANL's network."""
    interval_s: float = Field(0.004, gt=0)
    """Sampling interval in s that the files say; the samples do not depend on it."""

    @field_validator("shape")
    @classmethod
    def _can_be_drawn(cls, shape: Shape) -> Shape:
        if min(shape) < 1 or shape[2] < LEAST_TIME:
            raise ValueError(
                f"{list(shape)} is too small; write [inline, crossline, time] with at least {LEAST_TIME} samples along "
                "time, and 1 inline for a section"
            )
        return shape


@dataclass(frozen=True, slots=True)
class VolumeFiles:
    """One volume of a set: where its files lie, and what it is drawn from."""

    out: Path
    config: SynthVolumes
    part: Part
    number: int

    @property
    def image(self) -> Path:
        """The image; it is put in its place last, so where it is the volume is whole."""
        return self.out / f"data_{self.part}" / f"{self.number}.bin"

    @property
    def seed(self) -> int:
        """Seed of `draw_volume`, below 2**53 so that any reader of JSON keeps it."""
        key = np.random.SeedSequence((self.config.seed, PARTS.index(self.part), self.number))
        return int(key.generate_state(1, np.uint64)[0]) >> 11

    def cubes(self) -> dict[str, dict[str, str]]:
        """Return by folder the file of each variable; the image stands last."""
        attributes = {name: f"{self.number}_{ENDING[name].removeprefix('.')}.bin" for name in UNITS}
        guesses = attributes if self.config.refinement else {}
        return {f"target_{self.part}": attributes, f"data_{self.part}": {**guesses, AMPLITUDE: self.image.name}}

    def line(self) -> dict[str, Any] | None:  # Any: JSON values
        """Return its line of the manifest where all files are there in full, else None."""
        n_bytes = SAMPLE * int(np.prod(self.config.shape))
        files = [self.out / folder / name for folder, names in self.cubes().items() for name in names.values()]
        if not self.image.is_file() or any(not one.is_file() or one.stat().st_size != n_bytes for one in files):
            return None
        said = read_sidecar(self.image.with_suffix(".json"))
        found = None if said is None else said.attributes.get("volume")
        return found if isinstance(found, dict) else None


def write_dataset(
    config: SynthVolumes, out: str | Path, *, pool: Executor | None = None, force: bool = False
) -> dict[str, Any]:  # Any: JSON values
    """Write a set of volumes and return counts; a run that was killed goes on, and more volumes may be asked for.

    Makes `data_train/`, `target_train/`, `data_valid/` and `target_valid/` with cubes `0.bin`, `0_fsem.bin`, ... and a
    side-car `0.json` each; `dataset.json`, which says what it is; and last `manifest.jsonl`, a line a volume. The bytes
    depend on the config alone. Each worker holds one volume in memory.

    Args:
        config: the set.
        out: its folder.
        pool: where volumes are made; this process by default.
        force: replace another set; files that no set has stay.
    Raises:
        OutputError: if the folder holds another set or something else, the disk has no room, or is not to be written.
    """
    out = Path(out)
    _claim(out, config, force=force)
    counts = {"train": config.n_train, "valid": config.n_valid}
    jobs = [VolumeFiles(out, config, part, number) for part in PARTS for number in range(counts[part])]
    n_there = sum(job.line() is not None for job in jobs)
    n_cubes = sum(map(len, jobs[0].cubes().values()))
    needed = (len(jobs) - n_there) * n_cubes * SAMPLE * int(np.prod(config.shape, dtype=object))
    if needed > (free := shutil.disk_usage(out).free):
        raise OutputError(
            f"{out}: {needed / 1e9:,.1f} GB are needed, and {free / 1e9:,.1f} GB are free. Choose a smaller n_train or "
            "shape, or another folder; a name such as big.zarr makes one volume alone"
        )
    lines = run_jobs(pool or InThisProcess(), _write_volume, jobs)
    text = [json.dumps(line) + "\n" for line in track(lines, total=len(jobs), what="writing volumes", unit="volumes")]
    _put(out / MANIFEST, "".join(text).encode())
    return {"out": str(out), **counts, "kept": n_there, "bytes_a_volume": n_cubes * SAMPLE * int(np.prod(config.shape))}


def in_unit(name: str, values: Array, config: SynthVolumes) -> Array:
    """Return an attribute as files are to have it: angles in the unit that the config says."""
    divisor = ANGLES[config.angles][0] if name in ("dip", "strike") else 1.0
    return values if divisor == 1 else values / np.float32(divisor)


def units_of(config: SynthVolumes) -> dict[str, str]:
    """Return the unit of each attribute in files."""
    return {name: ANGLES[config.angles][1] if unit == "degree" else unit for name, unit in UNITS.items()}


def grid_of_config(config: SynthVolumes) -> Grid:
    """Return the axes of a volume: lines counted from 0, time in s."""
    steps = (1.0, 1.0, config.interval_s)
    axes = zip(PLACE, config.shape, steps, ("1", "1", "s"), strict=True)
    return Grid(tuple(Axis.regular(name, n, step=step, unit=unit) for name, n, step, unit in axes))


def _claim(out: Path, config: SynthVolumes, *, force: bool) -> None:
    """Make the folders, or take up what the same run, or one for fewer volumes, has left."""
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is a file, and a set is a folder. Choose another place")
    card = _card(config)
    found = read_json(out / CARD) if out.is_dir() else None
    if out.is_dir() and any(out.iterdir()) and (found is None or found.get("kind") != KIND):
        raise OutputError(f"{out}: is there already and is no set of synthetic volumes. Choose another folder")
    if found is not None and (differs := list(_differences(found, card))):
        if not force:
            raise OutputError(
                f"{out}: holds another set: {'; '.join(differs)}. Run it again as it was, choose another folder, or "
                "replace it with --force"
            )
        _clear(out)
    try:
        for part in PARTS:
            for kind in ("data", "target"):
                (out / f"{kind}_{part}").mkdir(parents=True, exist_ok=True)
            if part == "train" and config.n_valid == 0:
                break
    except OSError as error:
        raise cannot_write(out, error) from error
    if found != card:
        (out / MANIFEST).unlink(missing_ok=True)  # it names all volumes, or is not there
        write_json(out / CARD, card)


def _card(config: SynthVolumes) -> dict[str, Any]:  # Any: JSON values
    """Return what `dataset.json` says."""
    said: dict[str, Any] = json.loads(config.model_dump_json())  # Any: JSON values
    return {
        "kind": KIND, "made_by": f"seisloom {version('seisloom')}", "config": said,
        "cubes": "float32, little-endian, n1 (time) fastest, then n2 (crossline) and n3 (inline); sizes in N.json",
        "n": list(config.shape[::-1]),
        "images": "data_*/N.bin, nominal RMS of the signal 1",
        "targets": {f"target_*/N_{ENDING[name].removeprefix('.')}.bin": name for name in UNITS},
        "guesses": "data_*/N_*.bin, the targets with the errors of a first guess" if config.refinement else None,
        "units": units_of(config),
        "angles": "on the sample grid; unit normal (depth, crossline, inline) = (-cos d, sin d cos s, -sin d sin s)",
    }  # fmt: skip


def _differences(found: Mapping[str, Any], card: Mapping[str, Any]) -> Iterator[str]:  # Any: JSON values
    """Yield what tells two sets apart; more volumes are the same set."""
    was, now = dict(found.get("config") or {}), card["config"]
    was["made by"], now = found.get("made_by"), {**now, "made by": card["made_by"]}
    for key in {**was, **now}:
        is_more = key in ("n_train", "n_valid") and isinstance(was.get(key), int) and was[key] <= now[key]
        if was.get(key) != now.get(key) and not is_more:
            yield f"{key} was {was.get(key)} and is now {now.get(key)}"


def _clear(out: Path) -> None:
    for file in (*(one for part in PARTS for one in out.glob(f"*_{part}/*")), out / MANIFEST, out / CARD):
        if file.parent == out or OURS.fullmatch(file.name):
            file.unlink(missing_ok=True)


def _write_volume(job: VolumeFiles) -> dict[str, Any]:  # Any: JSON values
    """Write the files of one volume unless they are there, and return its line of the manifest."""
    if (there := job.line()) is not None:
        return there
    config = job.config
    model = draw_volume(config.shape, job.seed, config.priors)
    arrays = make_box(model, threads=1)  # there is a process for each core
    made = {f"target_{job.part}": arrays, f"data_{job.part}": {AMPLITUDE: arrays["seismic"]}}
    if config.refinement:
        guessed = corrupt_attributes(model, corruption=config.corruption, truth=arrays, threads=1)
        found = {name: guessed[f"i_{ENDING[name].removeprefix('.')}"] for name in UNITS}
        made[f"data_{job.part}"].update(found)
    job.image.unlink(missing_ok=True)  # a volume that is not whole has no image
    sha256: dict[str, str] = {}
    waiting: list[Path] = []
    for folder, names in job.cubes().items():
        for name, file in names.items():
            stored = np.ascontiguousarray(in_unit(name, made[folder][name], config), dtype="<f4").tobytes()
            sha256[f"{folder}/{file}"] = hashlib.sha256(stored).hexdigest()
            waiting.append(job.out / folder / file)
            _write(partial_of(waiting[-1]), stored)
    line = {"number": job.number, "part": job.part, **model.provenance(), "sha256": sha256}
    for folder, names in job.cubes().items():
        remarks = {"units": {AMPLITUDE: "1", **units_of(config)}, "angles": config.angles}
        said = Sidecar(grid_of_config(config), variables=names, attributes={**remarks, "volume": line})
        write_json(job.out / folder / f"{job.number}.json", said.to_json())
    for file in waiting:
        os.replace(partial_of(file), file)
    return line


def _put(file: Path, stored: bytes) -> None:
    _write(partial_of(file), stored)
    os.replace(partial_of(file), file)


def _write(file: Path, stored: bytes) -> None:
    try:
        file.write_bytes(stored)
    except OSError as error:
        raise cannot_write(file, error) from error
