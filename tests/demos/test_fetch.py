"""Fetching data as a package: whole or not at all, from the index or from the cache, and a reason where neither is."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import time
import zipfile
from pathlib import Path

import pytest

from seisloom.demos import fetch
from seisloom.demos.fetch import fetch_package, is_whole
from seisloom.errors import MissingDataError

PACKAGE = "fieldlines==1.0"
FILES = {
    "fieldlines/__init__.py": "raise AssertionError('the package is data and is never run')\n",
    "fieldlines/data/one.dat": "1 2 3\n",
    "fieldlines/data/two.dat": "4 5 6\n",
    "fieldlines-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: fieldlines\nVersion: 1.0\n",
    "fieldlines-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}


def stated(content: str) -> str:
    """Return checksum and size, as a RECORD states them."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).decode().rstrip("=")
    return f"sha256={digest},{len(content)}"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one wheel, and a pip that looks there and nowhere else."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / "fieldlines-1.0-py3-none-any.whl", "w") as wheel:
        for name, content in FILES.items():
            wheel.writestr(name, content)
        wheel.writestr("fieldlines-1.0.dist-info/RECORD", "".join(f"{name},{stated(FILES[name])}\n" for name in FILES))
    for name in [one for one in os.environ if one.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_package_is_fetched_once_and_then_taken_from_the_cache(index: Path, tmp_path: Path) -> None:
    folder = fetch_package(PACKAGE, tmp_path / "deep" / "cache")
    assert (folder / "fieldlines" / "data" / "two.dat").read_text() == FILES["fieldlines/data/two.dat"]
    assert [path.name for path in folder.parent.iterdir()] == ["fieldlines-1.0"]
    shutil.rmtree(index)
    assert fetch_package(PACKAGE, tmp_path / "deep" / "cache") == folder


@pytest.mark.parametrize("damage", ["missing", "cut", "no record", "empty"])
def test_half_of_a_package_in_the_cache_is_fetched_anew(index: Path, tmp_path: Path, damage: str) -> None:
    folder = fetch_package(PACKAGE, tmp_path)
    file, record = folder / "fieldlines/data/one.dat", folder / "fieldlines-1.0.dist-info/RECORD"
    if damage == "missing":
        file.unlink()
    elif damage == "cut":
        file.write_text("1 2")
    elif damage == "no record":
        record.unlink()
    else:
        shutil.rmtree(folder)
        folder.mkdir()
    assert not is_whole(folder)
    assert is_whole(fetch_package(PACKAGE, tmp_path))


@pytest.mark.usefixtures("index")
def test_a_download_that_breaks_off_leaves_nothing_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(package: str, target: Path) -> None:
        (target / "fieldlines").mkdir(parents=True)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fetch, "_install", broken)
        with pytest.raises(KeyboardInterrupt):
            fetch_package(PACKAGE, tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.usefixtures("index")
def test_an_index_that_does_not_answer_is_told_within_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # the discard port: nobody listens
    start = time.monotonic()
    with pytest.raises(MissingDataError, match=r"could not be fetched from a package index: .*fieldlines==1\.0"):
        fetch_package(PACKAGE, tmp_path / "cache")
    # pip starts in 1 s here and tries twice; its default of five more tries takes half a minute
    assert time.monotonic() - start < 20
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.usefixtures("index")
def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(MissingDataError, match=r"could not be fetched to .*cache"):
        fetch_package(PACKAGE, tmp_path / "cache")
