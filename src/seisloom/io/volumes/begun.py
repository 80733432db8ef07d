"""What a partial output was begun with: a small JSON file beside it, so that a run that was killed can go on with it.

It is there from when the output has all its room until it is in its place or removed: what it describes can be taken
up. It says nothing of which boxes were written; the caller remembers that, or writes them again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seisloom.errors import OutputError
from seisloom.io.volumes.grid import Axis
from seisloom.io.volumes.volume import SegyFrame, Spec, partial_of

LAYOUT = 1
"""Of what stands in partial outputs beside samples; another number when one release cannot go on with another's."""
SHOWN = 80
"""Characters of a value in a message."""


@dataclass(frozen=True, slots=True)
class Begun:
    """All that decides what stands in a partial output but the samples themselves."""

    path: Path
    """Of the output."""
    said: Mapping[str, Any]  # Any: JSON values

    @property
    def file(self) -> Path:
        """Where it is remembered."""
        partial = partial_of(self.path)
        return partial.with_name(partial.name + ".json")

    def note(self) -> None:
        """Remember it; when the partial output has all its room."""
        part = self.file.with_name(self.file.name + ".part")
        part.write_text(_json(self.said) + "\n", encoding="utf-8")
        os.replace(part, self.file)

    def forget(self) -> None:
        """Remember it no more; before the partial output is removed, or when it is in its place."""
        try:
            self.file.unlink(missing_ok=True)
        except OSError:
            if os.path.exists(self.file):  # else it cannot be there: the name is too long, the folder is a file
                raise

    def is_noted(self) -> bool:
        """Return whether an output was begun here, with whatever it was."""
        return self.file.is_file()

    def check(self, sizes: Mapping[Path, int] | None = None) -> None:
        """Look whether what is here was begun with the same, and is whole.

        Args:
            sizes: bytes of the files that make up the partial output.
        Raises:
            OutputError: with what differs, or which file is missing or of another size.
        """
        try:
            found = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise OutputError(f"{self.file}: does not read ({error}). {_ANEW}") from error
        if different := list(_differences(found, json.loads(_json(self.said)))):
            raise OutputError(
                f"{partial_of(self.path)}: was begun by another run: {'; '.join(different)}. "
                f"Run it again as it was to go on with it. {_ANEW}"
            )
        for part, size in (sizes or {}).items():
            if not part.is_file():
                raise OutputError(f"{part}: is missing, and the run that began it cannot go on. {_ANEW}")
            if (there := part.stat().st_size) != size:
                raise OutputError(
                    f"{part}: has {there} bytes instead of {size}, and the run that began it cannot go on. {_ANEW}"
                )


_ANEW = "To begin anew, give --force"


def begun_with(
    path: Path, kind: str, spec: Spec, *, chunk: tuple[int, ...] | None = None, shard: tuple[int, ...] | None = None
) -> Begun:
    """Return what an output is begun with.

    Args:
        path: of the output.
        kind: name of its format.
        spec: what it is.
        chunk, shard: how it is stored, where the format has such.
    """
    said: dict[str, Any] = {  # Any: JSON values
        "layout": LAYOUT, "format": kind, "grid": spec.grid.lengths,
        **{f"coordinates of {axis.name}": _axis(axis) for axis in spec.grid.axes},
        "variables": [f"{name} ({dtype.name})" for name, dtype in spec.variables.items()],
        "SEG-Y frame": None if spec.frame is None else _frame(spec.frame),
        "trace headers": spec.has_headers, "CDP coordinates": spec.has_xy,
        "chunk": chunk, "shard": shard, "attributes": dict(spec.attributes),
    }  # fmt: skip
    return Begun(path, said)


def _axis(axis: Axis) -> str:
    ends = f"{axis.first:g} to {float(axis.values[-1]):g} {axis.unit}"
    return f"{ends}, sha256 {hashlib.sha256(axis.values.tobytes()).hexdigest()[:16]}"


def _frame(frame: SegyFrame) -> str:
    digest = hashlib.sha256(frame.head + frame.tail).hexdigest()[:16]
    order = "little" if frame.little_endian else "big"
    return f"{frame.n_traces} traces, format {frame.format_code}, {order}-endian, sha256 {digest}"


def _json(said: Mapping[str, Any]) -> str:  # Any: JSON values
    return json.dumps(said, indent=1, default=_plain)


def _plain(value: Any) -> Any:  # Any: what attributes hold, NumPy's numbers and arrays among it
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _differences(found: Any, now: Any, name: str = "") -> Iterator[str]:  # Any: JSON values
    """Yield what differs between two JSON values, entry by entry where both are objects."""
    if isinstance(found, dict) and isinstance(now, dict):
        for key in {**found, **now}:
            yield from _differences(found.get(key), now.get(key), f"{name}.{key}" if name else key)
    elif json.dumps(found) != json.dumps(now):  # as text: NaN is then the same as NaN
        yield f"{name} was {_shown(found)} and is now {_shown(now)}"


def _shown(value: Any) -> str:  # Any: a JSON value
    text = json.dumps(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
