"""SEG-Y files that are packed word by word, without any code of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from seisloom.sample import Array

TYPES = {1: "u4", 2: "i4", 3: "i2", 5: "f4", 6: "f8", 8: "i1", 9: "i8", 10: "u4", 11: "u2", 12: "u8", 16: "u1"}
TWO_BYTES = (29, 71, 89, 109, 115, 117, 215)

PackSegy = Callable[..., Path]


@pytest.fixture
def pack_segy(tmp_path: Path) -> PackSegy:
    """Packs a SEG-Y file."""

    def pack(
        words: Mapping[int, Array | int] | None = None,
        samples: Array | None = None,
        *,
        n_samples: int = 4,
        code: int = 5,
        order: str = ">",
        binary: Mapping[int, int] | None = None,
        interval_us: int = 4000,
        behind: bytes = b"",
        name: str = "survey.sgy",
    ) -> Path:
        """Write a file.

        Args:
            words: by first byte, a value a trace or one for all; two bytes for those of the standard that have two.
            samples: as they are stored, shape (trace, time); numbers counted up if None.
            binary: two-byte words of the file header by first byte.
        """
        words = dict(words or {})
        n_traces = max([1, *(np.size(one) for one in words.values())]) if samples is None else len(samples)
        if samples is None:
            samples = np.arange(n_traces * n_samples).reshape(n_traces, n_samples) % 100
        said = {115: samples.shape[1], 117: interval_us, **words}
        kind = np.dtype(
            {
                "names": [*map(str, said), "x"],
                "formats": [*(order + ("i2" if byte in TWO_BYTES else "i4") for byte in said),
                            (order + TYPES[code], (samples.shape[1],))],
                "offsets": [*(byte - 1 for byte in said), 240],
                "itemsize": 240 + samples.shape[1] * np.dtype(TYPES[code]).itemsize,
            }
        )  # fmt: skip
        body = np.zeros(n_traces, dtype=kind)
        for byte, values in said.items():
            body[str(byte)] = values
        body["x"] = samples
        head = bytearray(b"\x40" * 3200 + bytes(400))
        for byte, value in {3217: interval_us, 3221: samples.shape[1], 3225: code, **(binary or {})}.items():
            head[byte - 1 : byte + 1] = np.array(value, dtype=order + "i2").tobytes()
        path = tmp_path / name
        path.write_bytes((b"" if name.endswith(".su") else bytes(head)) + body.tobytes() + behind)
        return path

    return pack
