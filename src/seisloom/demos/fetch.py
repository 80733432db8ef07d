"""Fetching a package as data only: from the package index that pip knows, whole or not at all."""

from __future__ import annotations

import base64
import csv
import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from seisloom.errors import MissingDataError

logger = logging.getLogger("seisloom")
PATIENCE_S = 300
"""Longest that pip may take, for 10 MB on a slow line. Without an index it gives up in seconds by itself."""


def fetch_package(package: str, cache: Path) -> Path:
    """Return the folder of a package's files; pip fetches them where the cache has none, or has not all.

    Nothing of the package is run: only a wheel is taken, without its dependencies.

    Args:
        package: name and version, NAME==VERSION.
        cache: folder of fetched packages; made if it is not there.
    Raises:
        MissingDataError: if pip finds no such package, or the cache cannot be written.
    """
    folder = cache / package.replace("==", "-")
    if is_whole(folder):
        return folder
    logger.info("fetching %s", package)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".fetching-") as fresh:
            _install(package, Path(fresh) / "package")
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(Path(fresh) / "package", folder)
    except (OSError, subprocess.TimeoutExpired) as error:
        if isinstance(error, MissingDataError):
            raise
        raise MissingDataError(f"{package} could not be fetched to {cache}: {error}") from error
    return folder


def is_whole(folder: Path) -> bool:
    """Return whether a folder has every file of its package, byte by byte, as the package's own RECORD lists them."""
    records = list(folder.glob("*.dist-info/RECORD"))
    if len(records) != 1:
        return False
    with records[0].open(encoding="utf-8", newline="") as file:
        listed = [(name, stated) for name, stated, _ in csv.reader(file) if stated and not name.startswith("..")]
    return all(_digest(folder / name) == stated for name, stated in listed)


def _digest(file: Path) -> str:
    """Return the checksum of a file as a RECORD writes it (PEP 376, PEP 427); "" where it is not there."""
    if not file.is_file():
        return ""
    digest = base64.urlsafe_b64encode(hashlib.sha256(file.read_bytes()).digest())
    return "sha256=" + digest.rstrip(b"=").decode()


def _install(package: str, target: Path) -> None:
    """Let pip unpack a wheel into an empty folder."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--retries", "1", "install"]
    pip += ["--quiet", "--no-deps", "--only-binary", ":all:", "--no-compile", "--target", str(target), package]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["pip said nothing"]
        reason = next((line for line in reversed(lines) if line.startswith("ERROR:")), lines[-1])
        raise MissingDataError(
            f"{package} could not be fetched from a package index: {reason.removeprefix('ERROR:').strip()}"
        )
