"""Whether a recipe names a catalogue that can be there, or events are to be made."""

from __future__ import annotations

import os
from collections.abc import Sequence

VARIABLE = "SEISLOOM_DATA"
"""Where packaged recipes look for records."""


def names_no_catalogue(paths: Sequence[str]) -> bool:
    """Return whether no catalogue is named, or all lie in SEISLOOM_DATA, which is not set here.

    Any other variable that is not set is a mistake of whoever wrote it, and refused where paths are read.

    >>> names_no_catalogue([]), names_no_catalogue(["events"])
    (True, False)
    """
    return not paths or (not os.environ.get(VARIABLE) and all(VARIABLE in path for path in paths))
