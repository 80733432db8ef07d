"""The demo of curves, on few records: what it promises is there, and a former demo is replaced."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seisloom.demos import dispersion
from seisloom.demos.dispersion import run_curve_demo
from seisloom.errors import OutputError


def test_known_spectra_are_picked_scored_and_one_becomes_a_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispersion, "N_RECORDS", 6)
    monkeypatch.setattr(dispersion, "STEPS", 100)
    monkeypatch.setattr(dispersion, "LAYERINGS", (3.0,))
    made = run_curve_demo(tmp_path / "demo", data=None)
    assert all(file.stat().st_size for file in made.files)
    names = {str(file.relative_to(tmp_path / "demo")) for file in made.files}
    assert {"metrics.json", "report.html", "profile_curves.csv", "profile_vs.csv", "profile_vs.png"} <= names
    assert not any(name.startswith("field") for name in names)
    table = json.loads((tmp_path / "demo" / "metrics.json").read_text())["tables"]["mode 0"]
    assert set(table) == {"dispersion-picker", "argmax", "ridge"}
    # six spectra of unseen kinds: a network that picked at random would be near 0
    assert table["dispersion-picker"]["recall"] > 0.5
    (tmp_path / "demo" / "curves.csv").write_text("mine")
    (tmp_path / "demo" / "demo.txt").unlink()
    with pytest.raises(OutputError, match="is not empty and not a former demo's"):
        run_curve_demo(tmp_path / "demo", data=None)
