"""A pickle as notes of what it would make: nothing of it is made, so nothing that it asks for can run.

A pickle is a program: it names functions and has them called. Here each name of an allow-list gives a class of our own
that only notes what it was called with; every other name ends the reading. So neither pandas nor NumPy runs a line, and
pickles of any version of pandas are read, whichever is installed.
"""

from __future__ import annotations

import pickle
import pickletools
from pathlib import Path
from typing import Any, cast

from seisloom.errors import DataError, MissingDataError

_FRAMES = ("DataFrame", "Series")
_INDEXES = ("Index", "RangeIndex", "Int64Index", "UInt64Index", "Float64Index", "NumericIndex", "DatetimeIndex")
_STRINGS = (
    "StringDtype", "StringArray", "StringArrayNumpySemantics", "ArrowStringArray", "ArrowStringArrayNumpySemantics",
)  # fmt: skip
_MANAGERS = ("BlockManager", "SingleBlockManager")
_OFFSETS = ("Nano", "Micro", "Milli", "Second", "Minute", "Hour", "Day")

ALLOWED: frozenset[tuple[str, str]] = frozenset(
    (module, name)
    for modules, names in (
        # pandas 3 pickles under the public names, 1 and 2 under the modules that define
        (("pandas", "pandas.core.frame", "pandas.core.series"), _FRAMES),
        (("pandas", "pandas.core.indexes.base", "pandas.core.indexes.range", "pandas.core.indexes.numeric",
          "pandas.core.indexes.datetimes", "pandas.core.indexes.api"), _INDEXES),
        (("pandas.core.indexes.base",), ("_new_Index",)),
        (("pandas.core.indexes.datetimes",), ("_new_DatetimeIndex",)),
        (("pandas.core.internals.managers", "pandas.core.internals"), _MANAGERS),
        (("pandas._libs.internals",), ("_unpickle_block",)),
        (("pandas._libs.arrays",), ("__pyx_unpickle_NDArrayBacked",)),
        (("pandas.arrays", "pandas.core.arrays.datetimes"), ("DatetimeArray",)),
        (("pandas", "pandas.arrays", "pandas.core.arrays.string_", "pandas.core.arrays.string_arrow"), _STRINGS),
        (("pandas._libs.tslibs.offsets", "pandas.tseries.offsets"), _OFFSETS),
        # names of columns are Arrow's strings from pandas 3 on
        (("pyarrow.lib",), ("_restore_array", "py_buffer", "type_for_alias", "chunked_array")),
        # NumPy 2 moved core to _core
        (("numpy.core.multiarray", "numpy._core.multiarray"), ("_reconstruct", "scalar")),
        (("numpy.core.numeric", "numpy._core.numeric"), ("_frombuffer",)),
        (("numpy",), ("ndarray", "dtype", "str_")),
        # protocols 0 to 2 write bytes as text, and objects in two steps
        (("_codecs",), ("encode",)),
        (("builtins", "__builtin__"), ("slice", "bytearray", "bytes", "object")),
        (("copyreg", "copy_reg"), ("_reconstructor",)),
    )
    for module in modules
    for name in names
)  # fmt: skip
"""Module and name of all that a pickle of events may ask for; none of them is imported or called."""


class _Sealed(type):
    """A class that a pickle cannot change: BUILD sets attributes of whatever it is told to."""

    def __setattr__(cls, name: str, value: Any) -> None:  # Any: a pickle's
        raise pickle.UnpicklingError(f"it sets {name} of a class")


class Note(metaclass=_Sealed):
    """What was asked for: the name, the arguments, and the state that was set. Made afresh for each name."""

    __slots__ = ("arguments", "state")
    arguments: tuple[Any, ...]  # Any: a pickle's
    state: Any  # Any: a pickle's
    wanted: str = ""
    """Name that the pickle gave."""

    def __new__(cls, *arguments: Any, **_named: Any) -> Note:  # Any: a pickle's
        if cls.wanted == "_reconstructor" and arguments and isinstance(arguments[0], _Sealed):
            cls, arguments = cast("type[Note]", arguments[0]), ()
        note = object.__new__(cls)
        note.arguments, note.state = arguments, None
        return note

    def __init__(self, *_arguments: Any, **_named: Any) -> None:  # Any: a pickle's
        pass

    def __setstate__(self, state: Any) -> None:  # Any: a pickle's
        self.state = state


class _Reader(pickle.Unpickler):
    """Gives a class of notes for each name that is allowed."""

    def __init__(self, file: Any, path: Path) -> None:  # Any: an open file
        super().__init__(file)
        self._path, self._known = path, dict[str, type[Note]]()

    def find_class(self, module: str, name: str) -> type[Note]:
        if (module, name) not in ALLOWED:
            raise DataError(
                f"{self._path}: asks for {module}.{name}, which pickled events do not need; nothing of it was run. If "
                "you trust its source, save the amplitudes there as miniSEED"
            )
        if name not in self._known:
            self._known[name] = cast("type[Note]", _Sealed("Note", (Note,), {"__slots__": (), "wanted": name}))
        return self._known[name]

    def persistent_load(self, pid: Any) -> Any:  # Any: a pickle's
        raise DataError(f"{self._path}: asks for something outside of itself ({pid!r}); pickled events do not")


def _check_places(opened: Any, path: Path) -> None:  # Any: an open file
    """Refuse a pickle that keeps a value at a place beyond its own length: room is made for all places before it."""
    most = path.stat().st_size
    for operation, argument, _ in pickletools.genops(opened):
        if operation.name in ("PUT", "LONG_BINPUT") and not 0 <= int(argument or 0) <= most:
            raise DataError(f"{path}: not a pickle of events: it keeps a value at place {argument} of {most}")


def read_notes(path: str | Path) -> Any:  # Any: lists, tuples, mappings, texts, numbers and notes
    """Return what a pickle holds: plain containers, texts and numbers as they are, a `Note` for all else.

    Raises:
        MissingDataError: if there is no such file.
        DataError: if it asks for a name that is not allowed, or is no pickle.
    """
    file = Path(path)
    if not file.is_file():
        raise MissingDataError(f"{file}: no such file of pickled events")
    try:
        with file.open("rb") as opened:
            _check_places(opened, file)
            opened.seek(0)
            return _Reader(opened, file).load()
    except DataError:
        raise
    except (
        pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, ImportError,
        MemoryError, OverflowError, RecursionError, NotImplementedError,
    ) as error:  # fmt: skip  # what a damaged pickle, or one that is made to do harm, ends with
        said = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{file}: not a pickle of events: {said}") from error
