"""Pickled events of many versions of pandas, read without running a line of what they ask for."""

from __future__ import annotations

import builtins
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from seisloom.errors import DataError, MissingDataError
from seisloom.io.waveforms.event_pickle import rate_of_times, read_event_pickle
from seisloom.io.waveforms.pickle_notes import ALLOWED, read_notes

FOLDER = Path(__file__).parents[2] / "data" / "event_pickles"
STORED = sorted(FOLDER.glob("pandas-*-p*.pkl"))


def table(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({name: np.asarray(values) for name, values in columns.items()})


def written(tmp_path: Path, value: object, protocol: int = 4) -> Path:
    file = tmp_path / "events.pkl"
    file.write_bytes(pickle.dumps(value, protocol))
    return file


@pytest.mark.parametrize("file", STORED, ids=lambda file: file.stem)
def test_every_version_of_pandas_is_read_bit_for_bit(file: Path) -> None:
    found = read_event_pickle(file)
    expected, _ = pickle.loads((FOLDER / "pandas-3.1.1-p5.pkl").read_bytes())
    assert [one.label for one in found] == ["earthquake", "noise", "earthquake", "noise", "noise"]
    for one, frame in zip(found, expected, strict=True):
        assert list(one.components) == list(frame.columns)
        for name, values in one.components.items():
            assert values.dtype == frame[name].dtype
            assert values.tobytes() == frame[name].to_numpy().tobytes()
    assert [one.times_ns is not None for one in found] == [False, False, False, True, False]
    times = found[3].times_ns
    assert times is not None
    assert times[0] == pd.Timestamp("2020-01-01").as_unit("ns").value
    assert rate_of_times(times, where="a test") == 100.0


def test_there_are_pickles_of_four_major_layouts_of_pandas() -> None:
    assert {file.stem.split("-")[1][:3] for file in STORED} >= {"1.0", "1.1", "1.5", "2.2", "3.1"}


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*series.pkl")), ids=lambda file: file.stem)
def test_events_and_labels_may_be_series(file: Path) -> None:
    found = read_event_pickle(file)
    assert [(one.label, len(one.components["Z"])) for one in found] == [("earthquake", 5), ("noise", 4)]


@pytest.mark.parametrize("protocol", range(6))
def test_the_installed_pandas_is_read_in_every_protocol(tmp_path: Path, protocol: int) -> None:
    frames = [table(Z=[1.5, np.nan], N=[3.0, 4.0], E=[5.0, 6.0]), table(HHZ=np.arange(3, dtype=np.int16))]
    found = read_event_pickle(written(tmp_path, (frames, ["a", "b"]), protocol))
    assert found[0].components["Z"].tobytes() == np.array([1.5, np.nan]).tobytes()
    assert found[1].components["HHZ"].dtype == np.int16


def test_other_columns_are_kept_apart(tmp_path: Path) -> None:
    frame = pd.DataFrame({"Z": [1.0, 2.0], "event": ["a", "a"], "depth": [3.0, 3.0]})
    (found,) = read_event_pickle(written(tmp_path, ([frame], np.array(["x"]))))
    assert list(found.components) == ["Z"]
    assert {name: list(values) for name, values in found.others.items()} == {"event": ["a", "a"], "depth": [3.0, 3.0]}


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.function, self.arguments


class Named:
    """Pickles as a name that is looked up, whether it can be imported here or not."""

    def __init__(self, module: str, name: str, *arguments: Any) -> None:
        self.text = f"c{module}\n{name}\n".encode()
        self.arguments = arguments

    def pickled(self) -> bytes:
        return b"\x80\x02" + self.text + pickle.dumps(self.arguments, 2)[2:-1] + b"R."


def bad_pickles(mark: Path) -> dict[str, tuple[bytes, str]]:
    touch = f"touch {mark}"
    code = f"open({str(mark)!r}, 'w').close()"
    good = table(Z=[1.0, 2.0])
    return {
        "os.system": (pickle.dumps(Calls(os.system, touch)), f"{os.name}.system"),
        "eval": (pickle.dumps(Calls(eval, code)), "builtins.eval"),
        "exec": (pickle.dumps(Calls(exec, code)), "builtins.exec"),
        "old eval": (Named("__builtin__", "eval", code).pickled(), "__builtin__.eval"),
        "getattr": (pickle.dumps(Calls(getattr, "x", "upper")), "builtins.getattr"),
        "getattr chain": (  # getattr(getattr(DataFrame, "query"), "__globals__")
            b"\x80\x02cbuiltins\ngetattr\n(cbuiltins\ngetattr\n(cpandas.core.frame\nDataFrame\nX\x05\x00\x00\x00query"
            b"tRX\x0b\x00\x00\x00__globals__tR.", "builtins.getattr",
        ),
        "attrgetter": (Named("operator", "attrgetter", "system").pickled(), "operator.attrgetter"),
        "import": (pickle.dumps(Calls(builtins.__import__, "os")), "builtins.__import__"),
        "subprocess": (pickle.dumps(Calls(subprocess.check_output, ["touch", str(mark)])), "subprocess.check_output"),
        "read_pickle": (pickle.dumps(Calls(pd.read_pickle, str(mark))), "read_pickle"),
        "pandas.eval": (pickle.dumps(Calls(pd.eval, f"@{code}")), "eval"),
        "query": (Named("pandas.core.frame", "DataFrame.query", good, code).pickled(), "DataFrame.query"),
        "method of a frame": (pickle.dumps(Calls(good.to_pickle, str(mark))), "getattr"),
        "numpy.load": (pickle.dumps(Calls(np.load, str(mark))), "numpy.load"),
        "numpy's exec": (Named("numpy.testing", "rundocs", str(mark)).pickled(), "numpy.testing.rundocs"),
        "nested": (pickle.dumps(([good, Calls(os.system, touch)], np.array(["a", "b"]))), f"{os.name}.system"),
        "in a label": (
            pickle.dumps(([good], np.array([Calls(os.system, touch)], dtype=object))), f"{os.name}.system",
        ),
        "in an index": (
            pickle.dumps(([pd.DataFrame({"Z": [1.0]}, index=[Calls(eval, code)])], ["a"])), "builtins.eval",
        ),
        "a pickle in a pickle": (pickle.dumps(Calls(pickle.loads, pickle.dumps(Calls(os.system, touch)))), "loads"),
        "stack global": (b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.", "os.system"),
        "dotted": (b"\x80\x04\x8c\x06pandas\x8c\x13io.common.os.system\x93.", "pandas.io.common.os.system"),
        "instance": (b"(S'true'\nios\nsystem\n.", "os.system"),
        "extension": (b"\x82\x01.", "extension"),
        "persistent": (b"Pwhatever\n.", "outside of itself"),
        "persistent on the stack": (b"\x80\x04\x8c\x01aQ.", "outside of itself"),
    }  # fmt: skip


@pytest.mark.parametrize("name", bad_pickles(Path("mark")))
def test_what_a_pickle_asks_for_is_not_run_and_named_in_one_line(tmp_path: Path, name: str) -> None:
    mark = tmp_path / "ran"
    payload, said = bad_pickles(mark)[name]
    file = tmp_path / "bad.pkl"
    file.write_bytes(payload)
    with pytest.raises(DataError) as found:
        read_event_pickle(file)
    assert not mark.exists()
    message = str(found.value)
    assert "\n" not in message
    assert str(file) in message
    assert said in message


@pytest.mark.parametrize(
    "payload",
    [
        # sets attributes of the class that a name gave, of a note, and of a list
        b"\x80\x02cpandas.core.frame\nDataFrame\n}X\x08\x00\x00\x00__init__K\x01sb.",
        b"\x80\x02cpandas.core.frame\nDataFrame\nN}X\x06\x00\x00\x00wantedK\x01s\x86b.",
        b"\x80\x02cpandas.core.frame\nDataFrame\n)\x81N}X\x04\x00\x00\x00spamK\x01s\x86b.",
        b"\x80\x02]}X\x04\x00\x00\x00spamK\x01sb.",
        b"\x80\x02cpandas.core.frame\nDataFrame\n)\x81K\x01a.",
        b"\x80\x02K\x01)R.",
        b"\x80\x02cpandas.core.frame\nDataFrame\n)\x81)R.",
        b"\x80\x02]q\x00h\x00a.",  # a list in itself
        b"\x80\x05\x97.",
        b"\x80\x02]r\xff\xff\xff\x7f.",  # kept at place 2**31 - 1
        b"\x80\x04\x8c\x06pandas\x8c\x08a\n\x1b[2J\r\x93.",  # a name that clears the screen
        b"", b"not a pickle at all", b"\x80\x63.", b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
    ],
)  # fmt: skip
def test_what_is_no_pickle_of_events_is_refused_in_one_line(tmp_path: Path, payload: bytes) -> None:
    file = tmp_path / "bad.pkl"
    file.write_bytes(payload)
    with pytest.raises(DataError) as found:
        read_event_pickle(file)
    assert str(found.value).isprintable()
    # and later pickles are read as ever
    assert len(read_event_pickle(STORED[0])) == 5


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([1, 2, 3], "holds a list of 3"), ({"a": 1}, "holds a dict of 1"), ("text", "holds a str"),
        (table(Z=[1.0]), "holds a DataFrame"), (([1.0], ["a"]), "event 0 is a float"),
        (([table(Z=[1.0])], ["a", "b"]), "1 events and 2 labels"), (([], []), "no events"),
        (([table(time=[1.0])], ["a"]), "columns time"), (([table(Z=[1.0])], [" "]), "empty label"),
        (([pd.DataFrame({"Z": ["x"]})], ["a"]), "columns Z"),
        ((np.zeros((2, 3)), ["a", "b"]), "event 0 is a float"), (({"a": 1}, ["a"]), "first part is a dict"),
    ],
)  # fmt: skip
def test_a_pickle_that_is_not_events_says_what_it_is(tmp_path: Path, value: object, says: str) -> None:
    file = written(tmp_path, value)
    with pytest.raises(DataError, match=says) as found:
        read_event_pickle(file)
    assert "\n" not in str(found.value)


def test_a_range_of_columns_without_end_takes_no_memory(tmp_path: Path) -> None:
    endless = pickle.dumps(([pd.DataFrame(np.ones((1, 1)))], ["a"]), 2)
    at = endless.index(b"K\x01", endless.index(b"stop"))  # of the columns: 1 becomes 2**31 - 1
    file = tmp_path / "endless.pkl"
    file.write_bytes(endless[:at] + b"J\xff\xff\xff\x7f" + endless[at + 2 :])
    with pytest.raises(DataError, match="2147483647 columns"):
        read_event_pickle(file)


def test_nothing_of_pandas_or_numpy_is_called_while_reading(tmp_path: Path) -> None:
    file = written(tmp_path, ([table(Z=[1.0])], np.array(["a"])))
    code = (
        "import sys\nsys.modules['pandas'] = None\n"
        "from seisloom.io.waveforms.event_pickle import read_event_pickle\n"
        f"print(read_event_pickle({str(file)!r})[0].components['Z'].tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[1.0]", done.stderr


def test_the_allowed_names_are_containers_and_arrays_alone() -> None:
    modules = {module.split(".")[0] for module, _ in ALLOWED}
    assert modules == {"pandas", "numpy", "pyarrow", "builtins", "__builtin__", "_codecs", "copyreg", "copy_reg"}
    assert {name for module, name in ALLOWED if module == "builtins"} == {"slice", "bytearray", "bytes", "object"}


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="no such file"):
        read_notes(tmp_path / "none.pkl")


def test_times_that_jump_are_refused() -> None:
    with pytest.raises(DataError, match="not evenly spaced"):
        rate_of_times(np.array([0, 10_000_000, 30_000_000]), where="a test")
