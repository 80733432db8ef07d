"""One record on disk: a stored `.npz` with its remarks inside, beside it a mask if asked, and its row of the manifest.

A record takes 80 kB: the spectra as float16, all else as it is. Float16 has 11 bits, and a spectrum from 0 to 1 is
known to no more than its noise. To deflate it would save 3 bytes in 10 and cost 2 ms of the 35 that a record takes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from seisloom.errors import OutputError
from seisloom.io.npz import encode_arrays
from seisloom.sample import Array, Arrays, Sample
from seisloom.tasks.dispersion.blocks import DispersionData
from seisloom.tasks.dispersion.make import make_record
from seisloom.tasks.dispersion.store.place import META, remarks

Row: TypeAlias = dict[str, Any]  # Any: JSON values
AUGMENTED = ("aug_noise_snr_db", "aug_occlusion_patches", "aug_warp_freq", "aug_warp_vel")
LIKE_SPECTRUM = np.dtype(np.float16)


@dataclass(frozen=True, slots=True)
class RecordFiles:
    """One record that is to be written: what it is drawn from, and where its files go."""

    data: DispersionData
    index: int
    seed: int
    recipe: str
    """Digits that tell the settings of a record, so that a row says what would make it again."""
    out: Path
    """Folder of the data set."""
    manifest: Path
    """Paths of a row are relative to its folder."""
    about: Mapping[str, str]
    """Part and split, where they are said."""

    def path(self, key: str) -> Path:
        """Return the file of the record."""
        return self.out / self.data.paths.curves_subdir / f"{key}.npz"

    def mask_path(self, key: str) -> Path:
        """Return the file of its masks."""
        return self.out / self.data.paths.mask_subdir / f"{key}.npy"


def write_record(job: RecordFiles) -> Row:
    """Make a record, write its files, and return its row; a file is whole or not there.

    Raises:
        DataError: if no medium fits; it says what rejected how many.
        OutputError: if the disk is full or not to be written.
    """
    sample, row = made_record(job)
    arrays = sample.arrays
    files = {"npz": job.path(sample.key)}
    if job.data.mask.write:
        files["mask"] = job.mask_path(sample.key)
        put(files["mask"], _mask_bytes(job.data, arrays))
    put(files["npz"], encode_arrays({**arrays, META: remarks(sample.key, sample.meta)}))
    where = {name: relative(file, job) for name, file in files.items()}
    return {**row, **job.about, "recipe": job.recipe, **where}


def made_record(job: RecordFiles) -> tuple[Sample, Row]:
    """Make a record; return it as it is stored, and its row without where it lies.

    Raises:
        DataError: if no medium fits; it says what rejected how many.
    """
    made = make_record(job.data, job.index, seed=job.seed)
    sample = replace(made, arrays=stored_arrays(made.arrays))
    return sample, row_of(job.data, sample, sample.arrays)


def relative(file: Path, job: RecordFiles) -> str:
    """Return the path of a file as a row says it."""
    return Path(os.path.relpath(file, job.manifest.parent)).as_posix()


def stored_arrays(arrays: Arrays) -> dict[str, Array]:
    """Return the arrays of a record as they are stored: the spectrum in half precision."""
    return {name: one.astype(LIKE_SPECTRUM) if name == "spectrum" else one for name, one in arrays.items()}


def content_sha256(arrays: Arrays) -> str:
    """Return 64 hexadecimal digits of names, types, shapes and values of stored arrays, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        one = np.asarray(arrays[name], order="C")
        digest.update(f"{name} {one.dtype.str} {one.shape}\n".encode())
        digest.update(one.tobytes())
    return digest.hexdigest()


def row_of(data: DispersionData, sample: Sample, arrays: Arrays) -> Row:
    """Return what the manifest says of a record, but for where it lies."""
    meta = sample.meta
    drawn = meta["augmentation"]
    return {
        "id": sample.key, "index": meta["index"], "seed": meta["seed"], "param_hash": meta["param_hash"],
        "model_hash": meta["model_hash"], "content_sha256": content_sha256(arrays), **said_of(arrays),
        "prior": meta["prior"], "rejected": dict(meta["rejected"]),
        **{name: drawn.get(name) for name in AUGMENTED},
    }  # fmt: skip


def said_of(arrays: Arrays) -> Row:
    """Return what a row says that its arrays say too."""
    f, c = arrays["freq"], arrays["phase_velocity"]
    return {
        "mode_count": int(np.isfinite(arrays["curves"]).any(axis=1).sum()), "layer_count": len(arrays["media"]),
        "freq_min_hz": float(f[0]), "freq_max_hz": float(f[-1]),
        "phase_velocity_min_m_s": float(c[0]), "phase_velocity_max_m_s": float(c[-1]),
    }  # fmt: skip


def _mask_bytes(data: DispersionData, arrays: Arrays) -> bytes:
    """Return the masks as the bytes of an `.npy`, float16 (mode, velocity, frequency)."""
    import io

    from seisloom.tasks.dispersion.masks import mask_arrays  # torch

    masks = mask_arrays(
        arrays["curves"], arrays["freq"], arrays["phase_velocity"], length_m=float(np.ptp(arrays["offsets"])),
        blur_sigma_px=data.mask.blur_sigma_px, antialiased=data.mask.antialiased,
    )  # fmt: skip
    buffer = io.BytesIO()
    np.save(buffer, masks.astype(np.float16), allow_pickle=False)
    return buffer.getvalue()


def put(file: Path, stored: bytes) -> None:
    """Write a file, which is whole or not there, and make its folder.

    Raises:
        OutputError: if the system does not let us.
    """
    partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(stored)
        os.replace(partial, file)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise cannot_write(file, error) from error


def cannot_write(file: Path, error: OSError) -> OutputError:
    """Return what is raised where the system does not let us write."""
    return OutputError(
        f"{file}: cannot be written: {error.strerror or error}. What is written is kept: make room and run the same "
        "command again, or choose another --out"
    )
