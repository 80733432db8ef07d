"""Calibrations as JSON: tuples as lists, and infinity, which JSON has not, as a word."""

from __future__ import annotations

import math
from typing import Any


def plain(value: Any) -> Any:  # Any: JSON values
    """JSON values: lists for tuples, "inf" for infinity."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return "inf" if isinstance(value, float) and math.isinf(value) else value


def tuples(value: Any) -> Any:  # Any: JSON values
    """The reverse of `plain`."""
    if isinstance(value, list):
        return tuple(tuples(one) for one in value)
    return math.inf if value == "inf" else value
