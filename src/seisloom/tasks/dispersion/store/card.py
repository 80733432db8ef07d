"""The card of a data set, `dataset.json`, as Croissant describes data sets (docs.mlcommons.org/croissant)."""

from __future__ import annotations

import hashlib
import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

from seisloom.errors import OutputError
from seisloom.tasks.dispersion.blocks import Folders
from seisloom.tasks.dispersion.make import GENERATOR
from seisloom.tasks.dispersion.store.manifest import read_rows
from seisloom.tasks.dispersion.store.place import tar_of
from seisloom.tasks.dispersion.store.record import put

CARD = "dataset.json"
KIND = "seisloom dispersion records"
SAID = {
    "id": ("Text", "name of the record: the first 20 digits of param_hash"),
    "index": ("Integer", "number of the record; with seed and recipe it makes it again"),
    "seed": ("Integer", "of the data set"),
    "param_hash": ("Text", "SHA-256 of all that decides the record, as it took effect"),
    "model_hash": ("Text", "SHA-256 of the medium; records that share it belong in one part of a split"),
    "content_sha256": ("Text", "SHA-256 of the stored arrays: names, types, shapes and values"),
    "mode_count": ("Integer", "labelled modes that exist at some frequency"),
    "layer_count": ("Integer", "layers, the half-space included"),
    "prior": ("Text", "kind of layering"),
    "npz": ("Text", "file of the record, or its member SHARD.tar/ID.npz, relative to the manifest's folder"),
    "aug_noise_snr_db": ("Float", "drawn signal-to-noise ratio of noise on the spectrum; null without"),
    "aug_occlusion_patches": ("Integer", "drawn number of weakened patches; null without"),
    "aug_warp_freq": ("Float", "drawn largest shift along frequency in Hz; null without"),
    "aug_warp_vel": ("Float", "drawn largest shift along velocity in m/s; null without"),
}
ARRAYS = (
    "spectrum float16 (velocity, frequency) 0 to 1; curves (mode, frequency) phase velocity in m/s, NaN where a mode "
    "does not exist; freq in Hz; phase_velocity in m/s; group_velocity in m/s, energy_share, mode_gap in m/s, nacd "
    "(mode, frequency); in_window, resolved, excited, heard, aliased (mode, frequency) 0 or 1; snr_db (frequency); "
    "apparent (frequency) in m/s; "
    "media (layer, 4) thickness in m, vp and vs in m/s, density in kg/m3; offsets in m; trace_spectra float16 (2, "
    "channel, frequency) real and imaginary parts, at each frequency the largest size 1, none with augmentation; meta, "
    "bytes of JSON"
)
_TERMS = (
    "citeAs", "column", "conformsTo", "equivalentProperty", "extract", "field", "fileProperty", "fileObject",
    "fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path",
    "recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator", "source",
    "subField", "transform",
)  # fmt: skip


def write_card(out: Path, manifest: Path, folders: Folders) -> Path:
    """Write `dataset.json` of a data set whose manifest is complete; it depends on the manifest alone.

    Raises:
        OutputError: if a `dataset.json` there is another's, or the disk is full or not to be written.
    """
    check_card(out)
    digest, n, parts, shapes = hashlib.sha256(), 0, set(), set()
    with manifest.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    for _, row in read_rows(manifest):
        n += 1
        parts.add(row.get("part"))
        shapes.add("npz" if tar_of(Path(str(row.get("npz")))) is None else "tar")
    named = sorted(one for one in parts if one)
    card = {
        "@context": _context(),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "dispersion-records",
        "alternateName": KIND,
        "version": f"{GENERATOR}.0.0",
        "description": f"{n} phase-velocity spectra of surface waves with the curves of their modes"
        + (f"; parts {', '.join(named)}" if named else "") + f". Made by seisloom {version('seisloom')}.",
        "distribution": [
            {
                "@type": "cr:FileObject", "@id": "manifest", "name": "manifest", "encodingFormat":
                "application/jsonlines", "contentUrl": Path(os.path.relpath(manifest, out)).as_posix(),
                "contentSize": f"{manifest.stat().st_size} B", "sha256": digest.hexdigest(),
                "description": "A row a record.",
            },
            *(_file_set(folders, shape) for shape in sorted(shapes)),
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet", "@id": "rows", "name": "rows", "key": {"@id": "rows/id"},
                "field": [_field(name, *said) for name, said in SAID.items()],
            },
        ],
    }  # fmt: skip
    put(out / CARD, (json.dumps(card, indent=1) + "\n").encode())
    return out / CARD


def _file_set(folders: Folders, shape: str) -> dict[str, str]:
    """Return where the records are: files of their own (npz), or shards (tar)."""
    kind, how = ("zip", "") if shape == "npz" else ("x-tar", " In a shard each is ID.npz, with meta as ID.json beside.")
    return {
        "@type": "cr:FileSet", "@id": "records" if shape == "npz" else "shards", "name": "records",
        "encodingFormat": f"application/{kind}", "includes": f"{folders.curves_subdir}/*.{shape}",
        "description": f"{ARRAYS}.{how}",
    }  # fmt: skip


def _field(name: str, kind: str, what: str) -> dict[str, Any]:  # Any: JSON values
    return {
        "@type": "cr:Field", "@id": f"rows/{name}", "name": name, "description": what, "dataType": f"sc:{kind}",
        "source": {"fileObject": {"@id": "manifest"}, "extract": {"column": name}},
    }  # fmt: skip


def _context() -> dict[str, Any]:  # Any: JSON values
    """Return the terms of Croissant 1.0, as its specification lists them."""
    return {
        "@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/",
        "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/", "dct": "http://purl.org/dc/terms/",
        "data": {"@id": "cr:data", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "examples": {"@id": "cr:examples", "@type": "@json"},
        **{term: f"cr:{term}" for term in _TERMS}, "conformsTo": "dct:conformsTo",
    }  # fmt: skip


def check_card(out: Path) -> None:
    """Refuse a folder that is another data set's, before any work.

    Raises:
        OutputError: if it is a file, or holds a `dataset.json` of something else.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is a file. Choose another --out")
    file = out / CARD
    if not file.is_file():
        return
    try:
        found = json.loads(file.read_bytes())
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("alternateName") != KIND:
        raise OutputError(f"{file}: is the card of another data set. Choose another --out")
