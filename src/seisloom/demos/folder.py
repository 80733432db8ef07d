"""The folder that a demo makes anew each time, and that no other content is lost in."""

from __future__ import annotations

import shutil
from pathlib import Path

from seisloom.errors import OutputError

MARK = "demo.txt"
"""Says that a folder is a demo's, so that the next one may replace it."""


def clear(out: Path) -> None:
    """Make the folder anew; one that is not empty and no former demo's is left as it is.

    Raises:
        OutputError: if the folder holds something that no demo has made, or cannot be written.
    """
    try:
        if out.exists():
            if any(out.iterdir()) and not (out / MARK).is_file():
                raise OutputError(f"{out}: is not empty and not a former demo's. Choose another folder: --out DEMO")
            shutil.rmtree(out)
        out.mkdir(parents=True)
        (out / MARK).write_text("Made by seisloom demo. The next demo in this folder replaces all of it.\n")
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{out}: cannot be written: {error.strerror}. Choose another folder: --out DEMO") from error
