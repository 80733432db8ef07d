"""Small files of gathers, with events that every method can follow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seisloom.io.segy import write_segy
from seisloom.recipe import Recipe, read_recipe
from seisloom.sample import Array

N_SHOTS, N_TRACES, N_TIME = 3, 24, 96


def gathers(n_shots: int = N_SHOTS, *, seed: int = 0) -> Array:
    """Return shots (shot, trace, time) of two dipping Ricker events, each shot with slopes of its own."""
    rng = np.random.default_rng(seed)
    trace, t = np.arange(N_TRACES)[:, None], np.arange(N_TIME)
    shots = []
    for _ in range(n_shots):
        shot = np.zeros((N_TRACES, N_TIME))
        for first, slope in ((rng.uniform(15, 30), rng.uniform(0.3, 0.8)), (rng.uniform(50, 60), -rng.uniform(0, 0.5))):
            squared = (np.pi * 0.08 * (t - first - slope * trace)) ** 2
            shot += (1 - 2 * squared) * np.exp(-squared)
        shots.append(shot)
    return np.asarray(100 * np.array(shots), dtype=np.float32)


@pytest.fixture
def shots(tmp_path: Path) -> tuple[Path, Array, Array]:
    """A SEG-Y file of three shots, every third trace of which is dead, the whole shots, and is_live."""
    whole = gathers()
    live = np.arange(N_TRACES) % 3 != 1
    number = np.repeat([101, 102, 103], N_TRACES)
    headers = {
        "energy_source_point": number, "field_record": number, "trace_number": np.tile(np.arange(1, N_TRACES + 1), 3),
        "offset": np.tile(np.arange(N_TRACES) * 25.0, 3), "group_x": np.tile(np.arange(N_TRACES) * 25.0, 3),
    }  # fmt: skip
    file = tmp_path / "shots.sgy"
    given = (whole * live[:, None]).reshape(-1, N_TIME)
    write_segy(file, given, interval_s=0.004, headers=headers, text="C 1 MADE FOR A TEST")
    return file, whole, live


@pytest.fixture
def recipe() -> Recipe:
    """The packaged recipe, small."""
    return read_recipe(
        "restoration_prestack",
        ["data.synth.n=24", "data.synth.shape=[1,24,96]", "split.valid=.2", "split.calibrate=.25", "split.test=.2",
         "train.epochs=1", "train.loggers=[csv]", "model.widths=[4,8]", "calibrate.min_n=2"],
    )  # fmt: skip
