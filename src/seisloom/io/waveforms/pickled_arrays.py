"""Arrays, indexes and tables from the notes of a pickle; see `seisloom.io.waveforms.pickle_notes`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np

from seisloom.errors import DataError
from seisloom.io.waveforms.pickle_notes import Note
from seisloom.sample import Array

NUMBERS = "biuf"
MOST_COLUMNS = 1000
"""More than an event has; a range of columns is a few bytes in a pickle whatever its length."""
UNITS = ("s", "ms", "us", "ns")
"""Of the times that pandas keeps."""


@dataclass(frozen=True, slots=True)
class PickledFrame:
    """A table: columns of numbers, and the times of its rows where they have some."""

    columns: dict[str, Array]
    texts: dict[str, list[Any]]  # Any: texts, or whatever else is no number
    """Columns that hold no numbers."""
    times_ns: Array | None
    """UTC nanoseconds after 1970, int64 (time,)."""


def is_note(value: Any, *names: str) -> TypeGuard[Note]:  # Any: what a pickle holds
    """Return whether a value is a note of one of these names."""
    return isinstance(value, Note) and value.wanted in names


def frame_of(note: Note, *, where: str) -> PickledFrame:
    """Return the table of a note of a DataFrame.

    Raises:
        DataError: if it is not laid out as pandas does, or a column holds no numbers.
    """
    columns, rows, blocks = _parts(note, where)
    names = [str(one) for one in texts_of(columns, where=where)]
    if len(set(names)) != len(names):
        raise DataError(f"{where}: columns {', '.join(names)}; each may be there once")
    found: dict[str, Array] = {}
    texts: dict[str, list[Any]] = {}  # Any: see PickledFrame
    for block, places in blocks:
        if is_note(block, "_reconstruct", "_frombuffer"):
            rows_of = np.atleast_2d(array_of(block, where=where))
        else:  # texts of pandas 3: one column a block
            rows_of = np.array([texts_of(block, where=where)], dtype=object)
        for row, place in zip(rows_of, _places(places, len(names), where), strict=True):
            if rows_of.dtype.kind in NUMBERS:
                found[names[place]] = row
            else:
                texts[names[place]] = row.tolist()
    ordered = {name: found[name] for name in names if name in found}
    return PickledFrame(ordered, texts, _times(rows, where))


def series_of(note: Note, *, where: str) -> list[Any]:  # Any: what a pickle holds
    """Return the values of a note of a Series."""
    _, _, blocks = _parts(note, where)
    ((block, _),) = blocks
    return list(texts_of(block, where=where))


def _parts(note: Note, where: str) -> tuple[Any, Any, list[tuple[Any, Any]]]:  # Any: notes and what they hold
    """Return the columns, the rows, and the blocks with their places, of a DataFrame or a Series."""
    state = note.state
    # DataFrame and Series keep a manager of blocks, `_data` until pandas 1.0
    manager = state.get("_mgr", state.get("_data")) if isinstance(state, dict) else None
    if not is_note(manager, "BlockManager", "SingleBlockManager"):
        raise DataError(f"{where}: a {note.wanted} that is not laid out as pandas does it")
    if len(manager.arguments) == 2:  # from pandas 1.3 on: blocks and axes
        blocks, axes = manager.arguments
        found = [_block(one, where) for one in (blocks if isinstance(blocks, tuple | list) else [blocks])]
    else:  # before: the fourth of the state says all that the first three do
        try:
            inner = manager.state[3]["0.14.1"]
            axes = inner["axes"]
            found = [(one["values"], one["mgr_locs"]) for one in inner["blocks"]]
        except (TypeError, KeyError, IndexError) as error:
            raise DataError(f"{where}: a {note.wanted} of a version of pandas that is not known") from error
    axes = list(axes) if isinstance(axes, tuple | list) else [axes]
    return axes[0], axes[-1], found


def _block(note: Any, where: str) -> tuple[Any, Any]:  # Any: notes
    if not is_note(note, "_unpickle_block") or len(note.arguments) < 2:
        raise DataError(f"{where}: columns that are not laid out as pandas does it")
    return note.arguments[0], note.arguments[1]


def _places(note: Any, n: int, where: str) -> Sequence[int]:  # Any: a note of a slice or an array
    """Return which columns the rows of a block are."""
    if is_note(note, "slice"):
        return range(*slice(*note.arguments).indices(n))
    places = [int(one) for one in array_of(note, where=where)]
    if any(not 0 <= place < n for place in places):
        raise DataError(f"{where}: a block of columns that are not there")
    return places


def _times(index: Any, where: str) -> Array | None:  # Any: a note of an index
    """Return the times of rows; None where they are numbered or named."""
    if not is_note(index, "_new_DatetimeIndex"):
        return None
    data = index.arguments[1].get("data")
    state = getattr(data, "state", None)
    inside = list(state.values()) if isinstance(state, dict) else list(state or ())  # a mapping until pandas 1.1
    for one in [data, *inside]:
        if is_note(one, "_reconstruct", "_frombuffer") and (times := array_of(one, where=where)).dtype.kind == "M":
            return times.astype("M8[ns]").astype(np.int64)
    return None


def texts_of(value: Any, *, where: str) -> list[Any]:  # Any: texts, or what stands in their place
    """Return the values of an index, an array, a Series or a plain list: texts, numbers or notes."""
    if isinstance(value, list | tuple):
        return [_text(one, where) for one in value]
    if is_note(value, "Series"):
        return series_of(value, where=where)
    if is_note(value, "_new_Index"):
        content = value.arguments[1]
        if "data" in content:
            return texts_of(content["data"], where=where)
        numbers = range(content["start"], content["stop"], content["step"])
        if len(numbers) > MOST_COLUMNS:
            raise DataError(f"{where}: {len(numbers)} columns, and an event has a few components")
        return list(numbers)
    if is_note(value, "_unpickle_block"):
        return texts_of(value.arguments[0], where=where)
    if isinstance(value, Note) and "StringArray" in value.wanted:
        return _string_array(value, where)
    if is_note(value, "_restore_array"):
        return _arrow_texts(value, where)
    return [_text(one, where) for one in array_of(value, where=where).ravel().tolist()]


def _text(value: Any, where: str) -> Any:  # Any: a text, or a note that stands for one
    if is_note(value, "scalar"):
        dtype, raw = value.arguments
        return np.frombuffer(bytes_of(raw, where), _dtype(dtype, where)).tolist()[0]
    if is_note(value, "str_"):
        return str(value.arguments[0]) if value.arguments else ""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _string_array(note: Note, where: str) -> list[Any]:  # Any: texts
    state = note.state if isinstance(note.state, dict) else {}
    inner = state.get("_pa_array", state.get("_ndarray"))
    if inner is None and isinstance(note.state, tuple | list):
        inner = next((one for one in note.state if is_note(one, "_reconstruct")), None)
    if inner is None:
        raise DataError(f"{where}: names of columns that are not laid out as pandas does it")
    if is_note(inner, "chunked_array"):
        return [text for chunk in inner.arguments[0] for text in texts_of(chunk, where=where)]
    return texts_of(inner, where=where)


def _arrow_texts(note: Note, where: str) -> list[str]:
    """Return the texts of an Arrow array: type, length, nulls, first, buffers (validity, offsets, text), children."""
    kind, length, _, first, buffers, *_ = note.arguments[0]
    wide = is_note(kind, "type_for_alias") and kind.arguments[0] == "large_string"
    _, offsets_note, text_note = buffers
    offsets = np.frombuffer(bytes_of(offsets_note, where), "<i8" if wide else "<i4")[first : first + length + 1]
    raw = bytes_of(text_note, where)
    return [raw[a:b].decode() for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)]


def array_of(note: Any, *, where: str) -> Array:  # Any: a note
    """Return the array of a note: numbers as they were pickled, bit for bit; objects stay notes.

    Raises:
        DataError: if it is none, or its bytes do not fit its shape.
    """
    try:
        if is_note(note, "_reconstruct") and note.state is not None:
            shape, kind, by_column, raw = note.state[-4:]
            dtype = _dtype(kind, where)
            if dtype.kind == "O":
                values = np.empty(len(raw), dtype=object)
                values[:] = raw
            else:
                values = np.frombuffer(bytes_of(raw, where), dtype)
            return values.reshape(shape, order="F" if by_column else "C")
        if is_note(note, "_frombuffer"):
            raw, kind, shape, order = note.arguments
            return np.frombuffer(bytes_of(raw, where), _dtype(kind, where)).reshape(shape, order=order)
    except DataError:
        raise
    except (ValueError, TypeError) as error:
        raise DataError(f"{where}: an array that is damaged: {error}") from error
    raise DataError(f"{where}: {said(note)} where an array is expected")


def _dtype(note: Any, where: str) -> np.dtype[Any]:  # Any: a note; the element type is data
    """Return the type of a note of numpy.dtype: numbers, texts, times, or objects, which stay notes."""
    if not is_note(note, "dtype") or not note.arguments:
        raise DataError(f"{where}: an array without a type")
    code, state = str(note.arguments[0]), note.state or (3, "|")
    kind = code[:1]
    if kind == "M":
        raw = state[-1][1][0] if state[0] == 4 else "ns"
        unit = raw if isinstance(raw, str) else bytes_of(raw, where).decode()
        if unit not in UNITS:
            raise DataError(f"{where}: times in {unit!r}, and {', '.join(UNITS)} are known")
        return np.dtype(f"<M8[{unit}]")
    if kind == "O":
        return np.dtype(object)
    if kind not in NUMBERS + "US":
        raise DataError(f"{where}: an array of type {code!r}, and numbers or texts are expected")
    order = state[1] if state[1] in ("<", ">") else ""
    return np.dtype(f"{order}{code}")


def bytes_of(value: Any, where: str) -> bytes | bytearray:  # Any: bytes, or a note that stands for them
    """Return bytes, also where older protocols write them as text."""
    if isinstance(value, bytes | bytearray):
        return value
    if is_note(value, "encode") and len(value.arguments) == 2 and value.arguments[1] == "latin1":
        return str(value.arguments[0]).encode("latin1")
    if is_note(value, "bytearray", "bytes", "py_buffer"):
        return bytes_of(value.arguments[0], where) if value.arguments else b""
    raise DataError(f"{where}: {said(value)} where bytes are expected")


def said(value: Any) -> str:  # Any: what a pickle holds
    """Return in words what something is."""
    if isinstance(value, Note):
        return f"a {value.wanted.lstrip('_')}"
    return f"a {type(value).__name__}" + (f" of {len(value)}" if isinstance(value, list | tuple | dict | str) else "")
