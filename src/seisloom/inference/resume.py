"""What is remembered of a run beside its output, so that one that was killed goes on where it stopped.

A folder: `plan.json` says what decides the bytes of the result, `written/` has a file for each owner that is written,
with its counts, `homed/` one for each whose tiles were run before it could be summed, and `kept/` has outputs of tiles
(see `spill`).
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from seisloom.errors import OutputError
from seisloom.inference.lattice import Index

logger = logging.getLogger("seisloom")

Marker: TypeAlias = Literal["written", "homed"]


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted while an owner, or a whole volume, was computed."""

    voxels: int = 0
    """Voxels written."""
    forwards_made: int = 0
    """Tiles that went through the model."""
    forwards_filled: int = 0
    """Places of batches that repeated a tile, because every batch has the same size."""
    bytes_kept: int = 0
    """Outputs of tiles that waited on disk for their owner."""
    input_not_finite: int = 0
    """Voxels of the input that were NaN or infinite; the model saw 0 there."""
    output_not_finite: Mapping[str, int] = field(default_factory=dict)
    """Voxels of each variable that are NaN or infinite."""

    def __add__(self, other: Counts) -> Counts:
        names = {**self.output_not_finite, **other.output_not_finite}
        return Counts(
            self.voxels + other.voxels,
            self.forwards_made + other.forwards_made,
            self.forwards_filled + other.forwards_filled,
            self.bytes_kept + other.bytes_kept,
            self.input_not_finite + other.input_not_finite,
            {name: self.output_not_finite.get(name, 0) + other.output_not_finite.get(name, 0) for name in names},
        )


def kept_folder(scratch: Path) -> Path:
    """Return the folder of the outputs that wait for their owner."""
    return scratch / "kept"


def open_scratch(
    scratch: Path, decides: Mapping[str, Any], size: tuple[int, ...], *, force: bool = False
) -> tuple[int, ...]:
    """Begin a run, or take up the one that left this folder.

    Args:
        scratch: the folder; made if it is not there.
        decides: all that decides the bytes of the result, JSON values.
        size: of the owners of a new run; one that is taken up keeps its own, since what it wrote has their edges.
        force: forget what an earlier run left.
    Returns:
        Size of owners.
    Raises:
        OutputError: if the folder belongs to a run with other inputs, model or tiles, or to something else.
    """
    plan = scratch / "plan.json"
    if force:
        shutil.rmtree(scratch, ignore_errors=True)
    if not plan.is_file():
        if scratch.is_dir() and any(scratch.iterdir()):
            raise OutputError(
                f"{scratch}: is not empty and not a run's scratch folder; give another place, or remove it"
            )
        _begin(scratch, decides, size)
        return size
    found = _read(plan)
    if found.get("decides") != json.loads(json.dumps(decides)):
        raise OutputError(
            f"{scratch}: a run with {_differences(found.get('decides', {}), decides)} was not finished here; "
            "start it again as it was to go on with it, or remove its output and this folder (--force)"
        )
    for orphan in kept_folder(scratch).glob("*.part"):
        orphan.unlink(missing_ok=True)
    return tuple(found["size"])


def decided(scratch: Path) -> dict[str, Any]:
    """Return what decides the result of the run that left this folder; {} where there is none."""
    plan = scratch / "plan.json"
    found: dict[str, Any] = _read(plan).get("decides", {}) if plan.is_file() else {}
    return found


def marked(scratch: Path, what: Marker) -> dict[Index, Counts]:
    """Return the owners that are written, or whose tiles have been run, and what was counted then."""
    return {
        tuple(int(part) for part in path.stem.split("-")): Counts(**_read(path))
        for path in (scratch / what).glob("*.json")
    }


def mark(scratch: Path, what: Marker, owner: Index, counts: Counts) -> None:
    """Remember that an owner is written, or that its tiles have been run and are kept."""
    _write(scratch / what / f"{'-'.join(map(str, owner))}.json", asdict(counts))


def forget_run(scratch: Path) -> None:
    """Remove the folder; for when the output is in its place and there is nothing left to take up."""
    shutil.rmtree(scratch, ignore_errors=True)


def _begin(scratch: Path, decides: Mapping[str, Any], size: tuple[int, ...]) -> None:
    for folder in (scratch / "written", scratch / "homed", kept_folder(scratch)):
        folder.mkdir(parents=True)
    _write(scratch / "plan.json", {"decides": decides, "size": size})


def _write(path: Path, values: Mapping[str, Any]) -> None:
    """Write JSON beside its place and rename it: a file that has its name is whole."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(values, indent=1))
    part.replace(path)


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except ValueError as error:
        raise OutputError(f"{path}: is damaged ({error}); remove the folder and the output, and start again") from error
    return found


def _differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    names = [name for name in {**found, **wanted} if found.get(name) != json.loads(json.dumps(wanted.get(name)))]
    return ", ".join(f"{name} {found.get(name)} (now {wanted.get(name)})" for name in names)


@contextmanager
def held(out: Path, *, refuse: Callable[[OSError], OutputError] | None = None) -> Iterator[None]:
    """Hold an output, so that no second run works on it; where a file system knows no locks, do nothing.

    Args:
        out: the output.
        refuse: what is raised where nothing can be written beside it; None leaves that to whoever writes the output.
    """
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    path = out.with_name(out.name + ".lock")
    try:
        file = path.open("w")
    except OSError as error:
        if refuse is not None:
            raise refuse(error) from error
        yield
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(f"{out}: another run is writing it. Wait for it, or choose another --out") from None
        except OSError:
            logger.debug("%s: cannot be locked here", path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
