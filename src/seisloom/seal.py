"""Hashes of a bundle's weights, in a file beside them: weights that were changed or damaged are not opened."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from seisloom.errors import BundleError

SEAL = "weights.sha256"
"""File of a bundle; `sha256sum --check weights.sha256` reads it, too."""


def seal(folder: Path, names: Sequence[str]) -> None:
    """Write the hashes of some files of a folder, in the format of sha256sum."""
    lines = [f"{_sha256(folder / name)}  {name}\n" for name in names]
    (folder / SEAL).write_text("".join(lines), encoding="utf-8")


def check_seal(file: Path) -> None:
    """Look whether a file is the one whose hash is in the seal beside it; one that no seal names is taken as it is.

    Raises:
        BundleError: if it is another, or the seal is damaged.
    """
    said = file.with_name(SEAL)
    if not said.is_file():
        return
    try:
        lines = [line.split("  ", 1) for line in said.read_text(encoding="utf-8").splitlines()]
        known = {name: digest for digest, name in lines}
    except ValueError as error:
        raise BundleError(f"{said}: damaged, a line is a hash, two spaces and a name of a file") from error
    if file.name in known and _sha256(file) != known[file.name]:
        raise BundleError(
            f"{file}: damaged or replaced, its hash is not the one in {SEAL}. Copy the bundle again; if you changed "
            f"the weights yourself, remove {SEAL}"
        )


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
