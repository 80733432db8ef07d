"""Files that are whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from seisloom.errors import DataError, OutputError
from seisloom.io.beside import beside


def test_a_file_takes_its_place_at_the_end_and_folders_are_made(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b.txt"
    with beside(file) as partial:
        partial.write_text("all of it")
        assert not file.exists()
    assert file.read_text() == "all of it"
    assert [one.name for one in file.parent.iterdir()] == ["b.txt"]


def test_what_fails_leaves_what_was_there_and_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "b.txt"
    file.write_text("before")

    def fail(error: Exception) -> None:
        with beside(file) as partial:
            partial.write_text("half")
            raise error

    with pytest.raises(DataError, match="wrong"):
        fail(DataError("wrong"))
    with pytest.raises(OutputError, match=r"b\.txt: cannot be written: no room\. Choose another folder"):
        fail(OSError(28, "no room"))
    assert file.read_text() == "before"
    assert [one.name for one in tmp_path.iterdir()] == ["b.txt"]
