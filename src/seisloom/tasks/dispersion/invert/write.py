"""A profile as files: a table of Vs over depth, and JSON with all of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import DataError
from seisloom.io.beside import beside
from seisloom.tasks.dispersion.invert.summary import VsProfile

COLUMNS = ("depth_top_m", "depth_bottom_m", "vs_median", "vs_low", "vs_high")


def write_profile(profile: VsProfile, path: str | Path) -> tuple[Path, Path]:
    """Write Vs over depth as CSV and, beside it, everything as JSON, each beside and renamed; return both paths.

    Columns are `COLUMNS`, in m and m/s; low and high hold 90 % of the models. JSON has Vs30, each layering's misfit,
    observations and how they are explained, and notes.

    Raises:
        DataError: if the suffix is not .csv.
        OutputError: if a file cannot be written.
    """
    table = Path(path)
    if table.suffix.lower() != ".csv":
        raise DataError(f"{table}: a profile is written as .csv, with a .json of the same name beside it")
    columns = (
        profile.depth_top_m, profile.depth_bottom_m, profile.vs_median_m_s, profile.vs_low_m_s, profile.vs_high_m_s,
    )  # fmt: skip
    lines = [",".join(COLUMNS)]
    lines += [",".join(f"{one:.6g}" for one in row) for row in zip(*columns, strict=True)]
    said = {table: "\n".join(lines), table.with_suffix(".json"): json.dumps(as_json(profile), indent=1)}
    for file, text in said.items():
        with beside(file) as partial:
            partial.write_text(text + "\n", encoding="utf-8")
    return table, table.with_suffix(".json")


def as_json(profile: VsProfile) -> dict[str, Any]:  # Any: JSON values
    """Return a profile as JSON values."""
    seen = profile.observed
    low, median, high = profile.vs30_m_s
    observations = {
        "mode": seen.mode, "frequency_hz": seen.frequency_hz[seen.at], "velocity_m_s": np.exp(seen.ln_c),
        "relative_error": seen.error,
        **dict(zip(("explained_low_m_s", "explained_m_s", "explained_high_m_s"), profile.explained_m_s, strict=True)),
    }  # fmt: skip
    return {
        "share_inside": 0.9,
        "depth_top_m": profile.depth_top_m.tolist(),
        "depth_bottom_m": profile.depth_bottom_m.tolist(),
        "vs_median_m_s": profile.vs_median_m_s.tolist(),
        "vs_low_m_s": profile.vs_low_m_s.tolist(),
        "vs_high_m_s": profile.vs_high_m_s.tolist(),
        "vs30_m_s": {"low": low, "median": median, "high": high},
        "layerings": [asdict(one) for one in profile.layerings],
        "observations": {name: values.tolist() for name, values in observations.items()},
        "notes": list(profile.notes),
    }
