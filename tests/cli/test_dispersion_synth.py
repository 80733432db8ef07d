"""`synth dispersion` and `manifest check` from the shell: the first generator's call, a mixed set, and mistakes."""

from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from seisloom.cli.main import app
from seisloom.errors import DataError, MissingDataError, OutputError, RecipeError
from seisloom.tasks.dispersion.store import manifest

SMALL = [
    "frequency.num_samples=21", "phase_velocity.num_samples=40", "simulation.nt=300", "simulation.nx=8",
    "simulation.dx=3", "physics.modes=2",
]  # fmt: skip
RECIPE = """frequency: {num_samples: 21}
phase_velocity: {min_ms: 100, max_ms: 900, num_samples: 40}
simulation: {nt: 300, dt: 0.008, nx: 8, dx: 6.0, nfft: 1024}
physics: {modes: 2, layer_count: 4, vs_bounds_kms: [0.1, 0.8], thickness_bounds_km: [0.003, 0.03]}
paths: {output_root: data, curves_subdir: npz, manifest_path: lists/labels.jsonl}
cli: {dry_run_samples: 2, seed: 42}
"""


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [*map(str, words)])


def rows_of(manifest: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in manifest.read_text().splitlines()]


def test_the_call_of_the_first_generator_writes_checks_and_says_what_is_next(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(RECIPE)
    said = run("synth", "dispersion", tmp_path / "config.yaml", "--samples", 3, "--seed", 123, "--workers", 1,
               "--validate-manifest")  # fmt: skip
    assert said.exit_code == 0, said.output
    manifest = tmp_path / "lists" / "labels.jsonl"
    rows = rows_of(manifest)
    assert [(row["index"], row["seed"], row["prior"]) for row in rows] == [(k, 123, "seed") for k in range(3)]
    assert {str(row["npz"]) for row in rows} == {f"../data/npz/{row['id']}.npz" for row in rows}
    assert re.search(r"3 records, 0\.0 MB, [\d.]+ records/s", said.output)
    assert "all whole, none twice" in said.output
    assert "next: seisloom view dispersion" in said.output
    assert (tmp_path / "data" / "dataset.json").is_file()

    again = run("synth", "dispersion", tmp_path / "config.yaml", "--samples", 4, "--seed", 123, "--workers", 1)
    assert "1 records, 3 there already" in again.output
    assert len(rows_of(manifest)) == 4


def test_two_recipes_on_one_folder_append_to_one_manifest(tmp_path: Path) -> None:
    for name in ("normal", "interference"):
        said = run("synth", "dispersion", f"dispersion_test_{name}", *SMALL, "--samples", 2, "--out", tmp_path,
                   "--workers", 1)  # fmt: skip
        assert said.exit_code == 0, said.output
    rows = rows_of(tmp_path / "manifests" / "labels_test.jsonl")
    assert [row["seed"] for row in rows] == [4242, 4242, 4343, 4343]
    assert [row["aug_noise_snr_db"] is None for row in rows] == [True, True, False, False]
    checked = run("manifest", "check", tmp_path / "manifests" / "labels_test.jsonl")
    assert checked.exit_code == 0, checked.output
    assert "4 records" in checked.output


def test_a_mixed_set_tables_and_force(tmp_path: Path) -> None:
    call = ["synth", "dispersion", "dispersion_test", *SMALL, "--samples", 5, "--out", tmp_path, "--workers", 1]
    said = run(*call, "--also", "parquet,csv", "--validate-manifest")
    assert said.exit_code == 0, said.output
    assert "(normal 4, interference 1)" in said.output
    assert {one.name for one in (tmp_path / "manifests").iterdir()} == {
        "labels_test.jsonl", "labels_test.parquet", "labels_test.csv"
    }  # fmt: skip
    mine = tmp_path / "curves" / "mine.npz"
    mine.write_bytes(b"stays")
    replaced = run(*call, "--force", "seed=7")
    assert "removed 5 records" in replaced.output
    rows = rows_of(tmp_path / "manifests" / "labels_test.jsonl")
    assert [row["seed"] for row in rows] == [7] * 5
    assert {one.stem for one in (tmp_path / "curves").iterdir()} == {"mine", *(str(row["id"]) for row in rows)}


def test_records_in_shards_are_listed_checked_and_drawn(tmp_path: Path) -> None:
    call = ["synth", "dispersion", "dispersion_test", *SMALL, "--out", tmp_path, "--workers", 1, "--shards"]
    said = run(*call, "--samples", 5, "paths.shard_size=3", "--validate-manifest")
    assert said.exit_code == 0, said.output
    assert "(normal 4, interference 1)" in said.output
    manifest = tmp_path / "manifests" / "labels_test.jsonl"
    names = [one.name for one in sorted((tmp_path / "curves").glob("*.tar"))]
    assert len(names) == 3
    assert not list(tmp_path.rglob("*.npz"))
    rows = rows_of(manifest)
    assert {str(row["npz"]).split("/")[2] for row in rows} == set(names)
    again = run(*call, "--samples", 5, "paths.shard_size=3")
    assert "0 records, 5 there already" in again.output
    drawn = run(
        "view", "dispersion", tmp_path / "curves" / names[0] / f"{rows[0]['id']}.npz", "--out", tmp_path / "r.png"
    )
    assert drawn.exit_code == 0, drawn.output
    assert (tmp_path / "r.png").stat().st_size > 1000
    assert run("shards", "check", tmp_path).exit_code == 0
    (tmp_path / "curves" / names[1]).write_bytes(b"damaged")
    found = run("manifest", "check", manifest)
    assert isinstance(found.exception, DataError)
    assert f"shards other than their SHA-256; delete them and run the same command: {names[1]}" in found.output


def test_changes_alone_need_no_recipe(tmp_path: Path) -> None:
    said = run("synth", "dispersion", *SMALL, "simulation.method=plane_waves", "--samples", 1, "--out", tmp_path,
               "--workers", 1)  # fmt: skip
    assert said.exit_code == 0, said.output
    assert len(rows_of(tmp_path / "manifests" / "labels.jsonl")) == 1


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        (["nothing"], MissingDataError, "no such recipe"),
        (["dispersion"], RecipeError, "--out DIR"),
        (["dispersion", "--out", "o", "frequency.max_hz=1"], RecipeError, "min_hz 3 must be below max_hz 1"),
        (["dispersion", "--out", "o", "--also", "xlsx"], RecipeError, "--also xlsx"),
        (["dispersion", "--out", "o", "--samples", "0"], RecipeError, "--samples 0"),
        (["dispersion", "--out", "taken"], OutputError, "card of another data set"),
        (["dispersion", "--out", "file"], OutputError, "is a file"),
        (["q.yaml", "--out", "o"], RecipeError, "line 7, column 1: is not YAML"),
    ],
)
def test_mistakes_are_said_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], kind: type[Exception], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken").mkdir()
    Path("taken/dataset.json").write_text("{}")
    Path("file").write_text("")
    Path("q.yaml").write_text(RECIPE + "q\n")
    result = run("synth", "dispersion", *words)
    assert isinstance(result.exception, kind), result.output
    assert said in str(result.exception)
    assert not Path("o").exists()


def test_a_manifest_that_was_edited_by_hand_does_not_pass(tmp_path: Path) -> None:
    run("synth", "dispersion", *SMALL, "--samples", 2, "--out", tmp_path, "--workers", 1)
    manifest = tmp_path / "manifests" / "labels.jsonl"
    rows = rows_of(manifest)
    manifest.write_text("".join(json.dumps(row) + "\n" for row in (*rows, {**rows[0], "layer_count": 99})))
    for call in (
        ["manifest", "check", manifest],
        ["synth", "dispersion", *SMALL, "--samples", 2, "--out", tmp_path, "--workers", 1, "--validate-manifest"],
    ):
        result = run(*call)
        assert isinstance(result.exception, DataError)
        assert "1 x id there already: labels.jsonl:3, as labels.jsonl:1" in result.output
        assert "layer_count 99" in result.output


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(manifest.os, "fsync", full)
    result = run("synth", "dispersion", *SMALL, "--samples", 1, "--out", tmp_path / "set", "--workers", 1)
    assert isinstance(result.exception, OutputError)
    assert "No space left on device" in str(result.exception)
    assert not list((tmp_path / "set").rglob("*.lock"))
