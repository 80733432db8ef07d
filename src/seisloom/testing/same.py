"""Whether two values are the same, to the bit."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from seisloom.sample import Arrays


def as_numpy(arrays: Mapping[str, Any]) -> Arrays:  # Any: torch is imported late
    return {name: one.detach().cpu().numpy() for name, one in arrays.items()}


def assert_same(first: Arrays, second: Arrays, what: str) -> None:
    """Raise unless two mappings of arrays are bit-equal, NaN included."""
    assert first.keys() == second.keys(), f"{what}: {sorted(first)} against {sorted(second)}"
    for name, one in first.items():
        other = second[name]
        equal = one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
        assert equal, f"{what}: {name} differs"


def bytes_of(value: Any) -> bytes:  # Any: a table, an array, a mapping of them, or a plain value
    """Return bytes that are equal where the values are."""
    if hasattr(value, "to_csv"):
        return str(value.to_csv(index=False, float_format="%.9g")).encode()
    if isinstance(value, np.ndarray):
        buffer = io.BytesIO()
        np.save(buffer, value, allow_pickle=False)
        return buffer.getvalue()
    if isinstance(value, Mapping):
        return b"".join(str(key).encode() + bytes_of(one) for key, one in value.items())
    return repr(value).encode()
