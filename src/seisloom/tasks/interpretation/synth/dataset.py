"""Write a set of synthetic volumes with known truth: numbered raw cubes in four folders, as the training reads them."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np

from seisloom.compute import InThisProcess, run_jobs
from seisloom.config import flat
from seisloom.errors import OutputError
from seisloom.io.volumes.raw.cube import SAMPLE, cannot_write
from seisloom.io.volumes.raw.sidecar import Sidecar, read_json, read_sidecar, write_json
from seisloom.io.volumes.raw.writer import ENDING
from seisloom.io.volumes.volume import AMPLITUDE, partial_of
from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.corruption import corrupt_attributes
from seisloom.physics.volumes.draw import draw_volume
from seisloom.progress import track
from seisloom.tasks.interpretation.recipe import UNITS
from seisloom.tasks.interpretation.synth.config import SynthVolumes, grid_of_config, in_unit, units_of

CARD, MANIFEST = "dataset.json", "manifest.jsonl"
KIND = "synthetic volumes"
OURS = re.compile(r"\d+(_\w+)?\.(bin|json)(\.partial)?")
"""Files in the folders of a set; others that lie there stay."""
Part = Literal["train", "valid"]
PARTS: tuple[Part, ...] = ("train", "valid")


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

    @property
    def n_bytes(self) -> int:
        """Bytes of a cube."""
        return SAMPLE * math.prod(self.config.shape)

    def cubes(self) -> dict[str, dict[str, str]]:
        """Return by folder the file of each variable; the image stands last."""
        attributes = {name: f"{self.number}_{ENDING[name].removeprefix('.')}.bin" for name in UNITS}
        guesses = attributes if self.config.refinement else {}
        return {f"target_{self.part}": attributes, f"data_{self.part}": {**guesses, AMPLITUDE: self.image.name}}

    def line(self) -> dict[str, Any] | None:  # Any: JSON values
        """Return its line of the manifest where all files are there in full, else None."""
        files = [self.out / folder / name for folder, names in self.cubes().items() for name in names.values()]
        if not self.image.is_file() or any(not one.is_file() or one.stat().st_size != self.n_bytes for one in files):
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
    found = _claimed(out, config, force=force)
    counts = {"train": config.n_train, "valid": config.n_valid}
    jobs = [VolumeFiles(out, config, part, number) for part in PARTS for number in range(counts[part])]
    n_there = sum(job.line() is not None for job in jobs)
    each = jobs[0].n_bytes * sum(map(len, jobs[0].cubes().values()))
    _check_room(out, (len(jobs) - n_there) * each)
    if force:
        _clear(out)
        n_there = 0
    _make_folders(out, config, found)
    lines = run_jobs(pool or InThisProcess(), _write_volume, jobs)
    text = [json.dumps(line) + "\n" for line in track(lines, total=len(jobs), what="writing volumes", unit="volumes")]
    _put(out / MANIFEST, "".join(text).encode())
    return {"out": str(out), **counts, "kept": n_there, "bytes_a_volume": each}


def _claimed(out: Path, config: SynthVolumes, *, force: bool) -> dict[str, Any] | None:  # Any: JSON values
    """Return what the card of a folder says, None if it is new; refuse one that is not this set's to go on with."""
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is a file, and a set is a folder. Choose another place")
    found = read_json(out / CARD)
    there = list(out.iterdir()) if out.is_dir() else []
    if any(one != partial_of(out / CARD) for one in there) and (found is None or found.get("kind") != KIND):
        raise OutputError(f"{out}: is there already and is no set of synthetic volumes. Choose another folder")
    if found is not None and (differs := list(_differences(found, _card(config)))) and not force:
        raise OutputError(
            f"{out}: holds another set: {'; '.join(differs)}. Run it again as it was, choose another folder, or "
            "replace it with --force"
        )
    return found


def _check_room(out: Path, n_bytes: int) -> None:
    disk = next(one for one in (out, *out.absolute().parents) if one.is_dir())
    if n_bytes > (free := shutil.disk_usage(disk).free):
        raise OutputError(
            f"{out}: {n_bytes / 1e9:,.1f} GB are needed, and {free / 1e9:,.1f} GB are free. Choose a smaller n_train "
            "or shape, or another folder; a name such as big.zarr makes one volume alone"
        )


def _make_folders(out: Path, config: SynthVolumes, found: Mapping[str, Any] | None) -> None:  # Any: JSON values
    card = _card(config)
    try:
        out.mkdir(parents=True, exist_ok=True)
        if found != card:
            (out / MANIFEST).unlink(missing_ok=True)  # it names all volumes, or is not there
            write_json(out / CARD, card)  # before the folders: they are ours from here on
        for part in PARTS[: 1 if config.n_valid == 0 else 2]:
            for kind in ("data", "target"):
                (out / f"{kind}_{part}").mkdir(exist_ok=True)
    except OSError as error:
        raise cannot_write(out, error) from error


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
    was, now = (dict(flat({**(one.get("config") or {}), "made by": one.get("made_by")})) for one in (found, card))
    for key in {**was, **now}:
        is_more = key in ("n_train", "n_valid") and isinstance(was.get(key), int) and was[key] <= now[key]
        if was.get(key) != now.get(key) and not is_more:
            yield f"{key} was {was.get(key)} and is now {now.get(key)}"


def _clear(out: Path) -> None:
    """Remove what sets consist of but the card: the folder stays ours, whenever this is killed."""
    for folder in (f"{kind}_{part}" for kind in ("data", "target") for part in PARTS):
        for file in (out / folder).glob("*"):
            if OURS.fullmatch(file.name):
                file.unlink()
        if (out / folder).is_dir() and not any((out / folder).iterdir()):
            (out / folder).rmdir()
    (out / MANIFEST).unlink(missing_ok=True)


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
        for name, file_name in names.items():
            stored = np.ascontiguousarray(in_unit(name, made[folder][name], config), dtype="<f4").tobytes()
            sha256[f"{folder}/{file_name}"] = hashlib.sha256(stored).hexdigest()
            waiting.append(job.out / folder / file_name)
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
