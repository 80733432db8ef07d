"""The demo of restored gathers: what it promises is there, a network fills what it has not seen, a former demo goes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seisloom.demos import restoration
from seisloom.demos.restoration import run_restoration_demo
from seisloom.errors import OutputError


def test_half_of_a_made_gather_is_filled_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restoration, "SHAPE", (48, 192))
    made = run_restoration_demo(tmp_path / "demo", data=None)
    assert all(file.stat().st_size for file in made.files)
    names = {file.name for file in made.files}
    assert {"gather.png", "metrics.json", "report.html"} <= names
    metrics = json.loads((tmp_path / "demo" / "metrics.json").read_text())
    assert set(metrics["scores"]) >= {"restoration-prestack", "gate", "linear", "pocs", "mssa", "plane_wave"}
    (tmp_path / "demo" / "demo.txt").unlink()
    with pytest.raises(OutputError, match="is not empty and not a former demo's"):
        run_restoration_demo(tmp_path / "demo", data=None)
