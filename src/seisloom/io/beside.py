"""Files that are whole or not there: written beside their place, and renamed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from seisloom.errors import OutputError, SeisloomError


@contextlib.contextmanager
def beside(file: Path) -> Iterator[Path]:
    """Give a path beside a file to write to; it takes the file's place if nothing fails, and goes if something does.

    Raises:
        OutputError: if the file cannot be written.
    """
    partial = file.with_name(file.name + ".partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        os.replace(partial, file)
    except OSError as error:
        if isinstance(error, SeisloomError):
            raise
        raise OutputError(f"{file}: cannot be written: {error.strerror or error}. Choose another folder") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()
