"""`seisloom apply` and `evaluate` on gathers with gaps, as a user types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from seisloom.io.segy import write_segy

Run = Callable[..., tuple[int, str, str]]


def write_shot(path: Path, *, dead: tuple[int, ...] = (4, 9)) -> None:
    trace, t = np.arange(20)[:, None], np.arange(80)
    squared = (np.pi * 0.08 * (t - 30 - 0.5 * trace)) ** 2
    values = (1 - 2 * squared) * np.exp(-squared)
    values[list(dead)] = 0
    write_segy(path, values, interval_s=0.004, headers={"energy_source_point": np.full(20, 7)})


def test_dead_traces_are_filled_and_a_picture_drawn(seisloom: Run) -> None:
    write_shot(Path("shot.sgy"))
    code, out, err = seisloom("apply", "plane_wave", "shot.sgy", "--out", "full.sgy", "--figure", "full.png")
    assert code == 0, err
    assert "wrote full.sgy" in out
    assert "drew full.png" in out
    assert Path("full.png").stat().st_size > 10_000
    code, _, err = seisloom("apply", "plane_wave", "full.sgy", "--out", "again.sgy")
    assert code == 0
    assert Path("again.sgy").read_bytes() == Path("full.sgy").read_bytes()


def test_where_nothing_is_missing_the_file_is_copied_with_one_warning(seisloom: Run) -> None:
    write_shot(Path("shot.sgy"), dead=())
    code, _, err = seisloom("apply", "linear", "shot.sgy", "--out", "copy.sgy")
    assert code == 0
    assert err.count("warning") == 1
    assert "nothing is missing" in err
    assert Path("copy.sgy").read_bytes() == Path("shot.sgy").read_bytes()


def test_where_all_is_dead_it_says_so(seisloom: Run) -> None:
    write_shot(Path("shot.sgy"), dead=tuple(range(20)))
    code, _, err = seisloom("apply", "linear", "shot.sgy", "--out", "copy.sgy")
    assert code == 0
    assert "all traces are dead" in err
    assert Path("copy.sgy").read_bytes() == Path("shot.sgy").read_bytes()


def test_mistakes_are_one_line(seisloom: Run) -> None:
    write_shot(Path("shot.sgy"))
    np.save("five.npy", np.ones((2, 2, 2, 2, 2)))
    for words, said in (
        (("apply", "linear", "shot.sgy", "--out", "shot.sgy"), "is there already"),
        (("apply", "linear", "shot.sgy", "--out", "shot.sgy", "--force"), "is the source itself"),
        (("apply", "linear", "five.npy", "--out", "x.npy"), "a panel is (trace, time)"),
        (("apply", "linear", "nowhere.sgy", "--out", "x.sgy"), "no such file or folder"),
        (("apply", "linear", "shot.sgy", "dead=3", "live=3", "--out", "x.sgy"), "given as dead and as live"),
        (("apply", "linear", "shot.sgy", "panels=line", "--out", "x.sgy"), "panels are auto, file, shot, cdp"),
        (("apply", "linear", "shot.sgy", "hide=often", "--out", "x.sgy"), "is no pattern"),
    ):
        code, _, err = seisloom(*words)
        assert code == 2, words
        assert said in err, (words, err)
        assert "Traceback" not in err


def test_methods_are_scored_on_hidden_traces(seisloom: Run) -> None:
    write_shot(Path("shot.sgy"), dead=())
    code, out, err = seisloom(
        "evaluate", "plane_wave", "linear", "shot.sgy", "--alone", "hide=regular 2", "hide_seeds=1", "--out", "scores"
    )
    assert code == 0, err
    assert "as given" in out
    assert Path("scores/report.html").is_file()
    metrics = json.loads(Path("scores/metrics.json").read_text())
    assert set(metrics["scores"]) >= {"plane_wave", "linear"}


def test_a_raw_cube_is_filled_by_tiles_with_intervals(seisloom: Run) -> None:
    """Its sizes are said on the command line alone."""
    line, trace, t = np.mgrid[:6, :12, :60]
    values = np.sin(0.4 * (t - 0.5 * trace - 0.2 * line)).astype("<f4")
    values[2:4, 5] = 0
    values.tofile("cube.bin")
    sizes = ("--n1", "60", "--n2", "12", "--n3", "6")
    code, out, err = seisloom("apply", "plane_wave", "cube.bin", "uncertainty=true", *sizes, "--out", "full.zarr")
    assert code == 0, err
    assert "6 inline x 12 crossline x 60 sample; 6 tiles" in out
    code, _, err = seisloom("apply", "plane_wave", "cube.bin", "--out", "again.zarr")
    assert code != 0
    assert "--n1" in err
