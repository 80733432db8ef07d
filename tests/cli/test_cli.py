"""The command: help that loads nothing, errors of one line with exit code 2, and the whole flow from the shell."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from seisloom.bundle import Bundle
from seisloom.calibration.intervals import calibrate_intervals
from seisloom.cli.data import open_recipe
from seisloom.cli.main import app
from seisloom.cli.values import quantile_lines, writing
from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.recipe import Recipe, read_recipe
from seisloom.run.train import Trained
from seisloom.run.write import write_shards

Tiny = Callable[..., Recipe]
NETWORK = (
    "data.crop_s=0.08", "data.gather_size=5", "model.widths=[4,8]", "model.n_blocks=[1,1]", "model.dilations=[1,1]",
    "train.threads=1", "train.loggers=[csv]", "train.accelerator=cpu", "train.ema=0", "train.finish=null",
    "calibrate.folds=0",
)  # fmt: skip
RUN = "import sys; from seisloom.cli.main import main; sys.argv[0] = 'seisloom'; main()"


def commands(group: typer.core.TyperGroup, way: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield way
    for name, one in sorted(group.commands.items()):
        if hasattr(one, "commands"):
            yield from commands(one, (*way, name))
        else:
            yield (*way, name)


def read_table(survey: Path) -> pd.DataFrame:
    """All manifests of a survey."""
    return pd.concat([pd.read_csv(file) for file in sorted(survey.rglob("picks_manifest.csv"))], ignore_index=True)


EVERY = list(commands(get_command(app)))  # type: ignore[arg-type]


def seisloom(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", RUN, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd)


@pytest.mark.parametrize("way", EVERY, ids=" ".join)
def test_every_command_explains_itself(way: tuple[str, ...]) -> None:
    said = CliRunner().invoke(app, [*way, "--help"])
    assert said.exit_code == 0
    assert "Usage:" in said.output
    short = CliRunner().invoke(app, [*way, "-h"])
    assert short.output == said.output


def test_the_commands_are_all_there() -> None:
    wanted = {
        "demo", "train", "calibrate", "evaluate", "apply", "manifest build", "manifest check", "shards write",
        "shards check", "shards show", "recipe new", "recipe check", "recipe show", "recipe schema", "synth survey",
        "models list", "models show",
    }  # fmt: skip
    assert wanted <= {" ".join(way) for way in EVERY}


@pytest.mark.parametrize(
    "words", [["--help"], ["train", "--help"], ["recipe", "new", "--help"], ["--version"]], ids=str
)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\nfrom seisloom.cli.main import app\n"
        f"try: app({words!r})\nexcept SystemExit: pass\n"
        "print('|'.join(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(said.stdout.strip().splitlines()[-1].split("|"))
    assert loaded & {"torch", "pandas", "matplotlib", "xarray", "pytorch_lightning", "obspy", "scipy"} == set()


WRONG = {
    "a recipe that is not there": (["recipe", "check", "none.yaml"], "none.yaml: no such recipe"),
    "a mistyped key": (["recipe", "show", "picking", "train.epoch=3"], "did you mean 'epochs'"),
    "no key=value": (["train", "picking", "epochs"], "'epochs' is not key=value"),
    "an option without a value": (["train", "--epochs"], "--epochs: needs a value"),
    "a room that is not there": (["recipe", "schema", "pikcing"], "did you mean 'picking'"),
    "a survey that is not there": (["manifest", "build", "none"], "none"),
    "shards that are not there": (["shards", "check", "none"], "none"),
    "a method that is not there": (["apply", "sta_lat", "x.segy", "--out", "p.csv"], "did you mean 'sta_lta'"),
    "a record that is not there": (["apply", "sta_lta", "x.segy", "--out", "p.csv"], "x.segy: no such file"),
    "a record that is text": (["apply", "sta_lta", "text.segy", "--out", "p.csv"], "text.segy"),
    "an empty record": (["apply", "sta_lta", "empty.segy", "--out", "p.csv"], "empty.segy"),
    "a bundle that is none": (["apply", ".", "text.segy", "--out", "p.csv"], "not a bundle"),
    "an output that is there": (["apply", "sta_lta", "text.segy", "--out", "text.segy"], "is there already"),
    "too few methods": (["evaluate", "sta_lta"], "evaluate METHOD... DATA"),
    "no worker": (["synth", "survey", "--out", "s", "--workers", "0"], "at least 1 is needed"),
    "a survey over another folder": (["synth", "survey", "--out", "."], "is there already"),
    "a wrong key of a survey": (["synth", "survey", "--out", "s", "n_shot=3"], "did you mean 'n_shots'"),
    "a demo of nothing": (["demo", "cooking"], "no demo of 'cooking'"),
    "a model that is not there": (["models", "show", "onset_unett"], "did you mean 'onset_unet'"),
    "a data folder that is not there": (["shards", "write", "--data", "none", "--out", "s"], "none"),
    "shots that are no numbers": (
        ["evaluate", "sta_lta", ".", "--shots", "3001,abc"],
        "--shots: 'abc' is not a number; give numbers such as 3001,3004",
    ),
    "shots to calibrate on that are none": (
        ["calibrate", "onset-refraction", ".", "--out", "b", "--shots", ""],
        "--shots: '' is not a number",
    ),
    "scores into a file": (["evaluate", "sta_lta", ".", "--out", "text.segy"], "text.segy: is a file"),
    "scores below a file": (["evaluate", "sta_lta", ".", "--out", "text.segy/x"], "text.segy: is a file"),
    "a picture of no kind": (
        ["apply", "sta_lta", "text.segy", "--out", "p.csv", "--figure", "a.xyz"],
        ".pdf, .pgf, .png",
    ),
    "a picture without a kind": (["apply", "sta_lta", "text.segy", "--out", "p.csv", "--figure", "a"], "the suffix"),
    "a picture below a file": (
        ["apply", "sta_lta", "text.segy", "--out", "p.csv", "--figure", "text.segy/a.png"],
        "text.segy: is a file. Choose another --figure",
    ),
    "a device that is not there": (
        ["apply", "onset-refraction", "x.segy", "--out", "p.csv", "--device", "tpu"],
        "'tpu'",
    ),
    "a checkpoint of a method": (
        ["apply", "aic", "x.segy", "--out", "p.csv", "--checkpoint", "last"],
        "without weights",
    ),
    "a checkpoint that is text": (
        ["apply", "onset-refraction", "x.segy", "--out", "p.csv", "--checkpoint", "text.segy"],
        "damaged, or more than weights",
    ),
    "a key of another model": (
        ["train", "--window-size", "256"],
        "it is one of onset_transformer, so give model.name=onset_transformer",
    ),
    "a mistyped option": (["train", "--epoch", "2"], "did you mean 'epochs'"),
    "one name where a list is meant": (["train", "split.by=station"], "write 'split.by=[station]'"),
    "a folder for a recipe": (
        ["recipe", "check", "."],
        ".: is a folder, and no recipe. If it is the survey, write --data .",
    ),
    "a folder that is no survey": (["train", "."], "no geometries/*/picks_manifest.csv"),
    "records to import that are not there": (
        ["manifest", "import", "none", "--picks", "p.sgt", "--geom", "L", "--out", "q"],
        "none: no such file",
    ),
    "a recipe below a file": (
        ["recipe", "new", "picking", "--out", "text.segy/p.yaml"],
        "text.segy: is a file. Choose another --out",
    ),
    "a gather below a file": (["view", "gather", "text.segy", "--out", "text.segy/a.png"], "text.segy: is a file"),
    "a gather of no kind": (["view", "gather", "text.segy", "--out", "a.xyz"], "--out a.xyz: the suffix chooses"),
    "samples below a file": (["shards", "show", "none", "--out", "text.segy/a.png"], "text.segy: is a file"),
    "a survey below a file": (["synth", "survey", "--out", "text.segy/s"], "text.segy: is a file"),
    "an unset variable": (["shards", "write", "data.root=$NO_SUCH/x", "--out", "s"], "export NO_SUCH="),
}


@pytest.mark.parametrize("case", sorted(WRONG))
def test_an_expected_error_is_one_line_and_exit_code_2(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from seisloom.cli.main import main

    words, says = WRONG[case]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.segy").write_text("this is no SEG-Y file " * 300)
    (tmp_path / "empty.segy").write_bytes(b"")
    monkeypatch.setattr(sys, "argv", ["seisloom", *words])
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr().err
    assert left.value.code == 2
    assert says in said
    lines = [line for line in said.splitlines() if not line.startswith("  ")]  # mistakes of a recipe, one a line
    assert len(lines) == 1, said
    assert lines[0].startswith("error: ")
    assert "Traceback" not in said


def test_debug_shows_where_an_error_came_from(tmp_path: Path) -> None:
    said = seisloom("--debug", "recipe", "check", "none.yaml", cwd=tmp_path)
    assert said.returncode != 0
    assert "Traceback" in said.stderr
    quiet = seisloom("recipe", "check", "none.yaml", cwd=tmp_path)
    assert quiet.returncode == 2
    assert quiet.stderr.startswith("error: ")
    assert quiet.stdout == ""


def test_the_package_runs_as_a_module(tmp_path: Path) -> None:
    def said(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "seisloom", *words], capture_output=True, text=True, cwd=tmp_path)

    assert said("--version").stdout.strip() == version("seisloom")
    wrong = said("recipe", "check", "none.yaml")
    assert (wrong.returncode, wrong.stderr[:7]) == (2, "error: ")


def test_a_recipe_may_be_begun_checked_shown_and_described(tmp_path: Path) -> None:
    runner, file = CliRunner(), tmp_path / "mine.yaml"
    assert runner.invoke(app, ["recipe", "new", "picking", "--out", str(file)]).exit_code == 0
    assert runner.invoke(app, ["recipe", "check", str(file)]).exit_code == 0
    shown = runner.invoke(app, ["recipe", "show", str(file), "train.epochs=7"])
    assert "epochs: 7" in shown.output
    described = runner.invoke(app, ["recipe", "schema", "picking"])
    assert described.exit_code == 0, described.output
    schema = json.loads(described.stdout)
    assert "train" in schema["properties"]
    again = runner.invoke(app, ["recipe", "new", "picking", "--out", str(file)])
    assert again.exit_code != 0


def test_from_physics_to_picks_by_commands_alone(tmp_path: Path, tiny_bundle: Bundle) -> None:
    def done(*words: object) -> str:
        said = seisloom(*words, cwd=tmp_path)
        assert said.returncode == 0, said.stderr
        return said.stdout

    done(
        "synth",
        "survey",
        "--out",
        "survey",
        "n_geometries=1",
        "n_stations=3",
        "n_shots=4",
        "record_s=0.1",
        "fs_hz=[2000]",
        "--workers",
        1,
    )
    said = json.loads(done("manifest", "build", "survey", "--workers", 1, "--json"))
    assert said["geometries"][0]["n_files"] == 3
    assert "as the manifest says" in done("manifest", "check", "survey")
    written = done("shards", "write", "shards.win_len_s=0.1", "--data", "survey", "--out", "shards", "--workers", 1)
    assert "LAND001" in written
    assert "shards kept" in written
    assert "are whole" in done("shards", "check", "shards")
    assert "picks.csv" in done("apply", tiny_bundle.path, "survey", "--out", "picks.csv")
    table = pd.read_csv(tmp_path / "picks.csv")
    assert len(table) == said["geometries"][0]["n_traces"]
    tar = next((tmp_path / "shards").rglob("*.tar"))
    content = bytearray(tar.read_bytes())
    content[1500] ^= 255
    tar.write_bytes(bytes(content))
    damaged = seisloom("shards", "check", "shards", cwd=tmp_path)
    assert damaged.returncode == 2
    assert tar.name in damaged.stdout


def evaluated(*words: object) -> dict[str, Any]:
    """Run `seisloom evaluate` into the last word, and return its report."""
    said = CliRunner().invoke(app, ["evaluate", *map(str, words)], catch_exceptions=False)
    assert said.exit_code == 0, said.output
    return dict(json.loads((Path(str(words[-1])) / "metrics.json").read_text()))


def test_every_evaluation_has_classical_methods_and_baselines(
    tiny_bundle: Bundle, tiny_survey: Path, tmp_path: Path
) -> None:
    shots = sorted(set(read_table(tiny_survey)["shot_id"]))
    report = evaluated(tiny_bundle.path, tiny_survey, "--shots", f"{shots[0]},{shots[-1]}", "--out", tmp_path)
    assert len(report["tables"]) == 3
    for table in report["tables"].values():
        assert list(table) == ["tiny", "aic", "sta_lta", "constant", "offset alone"]
        assert 0 <= table["aic"]["in 90%"] <= 1, "the other shots calibrate the classical methods"


def test_the_baselines_learn_from_the_other_shots(tiny_bundle: Bundle, tiny_survey: Path, tmp_path: Path) -> None:
    picks = read_table(tiny_survey).dropna(subset="pick_time_s")
    line, shot = picks["geometry"].iloc[0], picks["shot_id"].iloc[0]
    report = evaluated("sta_lta", tiny_survey, "--alone", "--shots", shot, "--out", tmp_path)
    assert list(report["tables"][line]) == ["sta_lta", "constant", "offset alone"]
    here = picks[picks["geometry"] == line]
    constant = here.loc[here["shot_id"] != shot, "pick_time_s"].median()
    error_ms = 1e3 * (here.loc[here["shot_id"] == shot, "pick_time_s"] - constant).abs()
    assert report["tables"][line]["constant"]["median"] == pytest.approx(error_ms.median() / 0.25)


def test_without_other_shots_it_is_said_that_baselines_are_missing(tiny_survey: Path, tmp_path: Path) -> None:
    report = evaluated("sta_lta", tiny_survey, "--alone", "--out", tmp_path)
    assert all(list(table) == ["sta_lta"] for table in report["tables"].values())
    assert any("there are no other shots to learn a constant from" in note for note in report["notes"])


def assert_factors(said: str, bundle: Bundle) -> None:
    """What the command said of q is what the calibration holds, to the three digits that are shown."""
    assert bundle.calibration is not None
    levels = ", ".join(rf"{level} % (\S+)" for level in (50, 80, 90, 95))
    found = re.search(rf"^q = (\S+) \(90 %\), by level: {levels}$", said, re.MULTILINE)
    assert found is not None, said
    assert float(found[1]) == pytest.approx(float(bundle.calibration.q()), rel=5e-3)
    assert [float(one) for one in found.groups()[1:]] == pytest.approx(list(bundle.calibration.pooled), rel=5e-3)


def test_calibrating_says_the_factors_that_it_found(tiny_bundle: Bundle, tiny_survey: Path, tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["calibrate", str(tiny_bundle.path), str(tiny_survey), "--out", str(tmp_path / "b")])
    assert said.exit_code == 0, said.output
    assert_factors(said.output, Bundle.open(tmp_path / "b"))


def test_a_level_and_bins_may_be_asked_for(tiny_bundle: Bundle, tiny_survey: Path, tmp_path: Path) -> None:
    words = ["--snr-bins", "2", "--level", "0.8", "--checkpoint", "last", "--out", str(tmp_path / "b")]
    said = CliRunner().invoke(
        app, ["calibrate", str(tiny_bundle.path), str(tiny_survey), "calibrate.min_bin=5", *words]
    )
    assert said.exit_code == 0, said.output
    assert re.search(r"^SNR below \S+ dB: q = \S+ \(80 %\), by level: 50 %", said.output, re.MULTILINE)


def test_training_says_the_factors_that_it_found(
    tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seisloom.run.train.train", lambda *_, **__: Trained(tiny_bundle, {}, ()))
    said = CliRunner().invoke(app, ["train", "picking", "data.root=.", "--out", str(tmp_path / "b")])
    assert said.exit_code == 0, said.output
    assert_factors(said.output, tiny_bundle)


def test_factors_are_said_bin_by_bin() -> None:
    rng = np.random.default_rng(0)
    error, snr_db = rng.normal(size=900), rng.uniform(0, 30, 900)
    made = calibrate_intervals(error, np.ones(900), groups=np.arange(900) % 30, snr_db=snr_db, n_bins=3, min_n=10)
    lines = quantile_lines(made, 0.9)
    assert [line.split(":")[0].rstrip("0123456789. dBto") for line in lines] == [
        "SNR below", "SNR", "SNR from", "SNR not known",
    ]  # fmt: skip
    for line, centre_db in zip(lines, (5.0, 15.0, 25.0, np.nan), strict=True):
        found = re.search(r": q = (\S+) \(90 %\)", line)
        assert found is not None
        assert float(found[1]) == pytest.approx(float(made.q(centre_db)), rel=5e-3)


def test_the_folder_of_a_picture_is_made(tiny_survey: Path, tmp_path: Path) -> None:
    figure = tmp_path / "new" / "folder" / "a.png"
    words = ["apply", "sta_lta", str(tiny_survey), "--out", str(tmp_path / "p.csv"), "--figure", str(figure)]
    said = CliRunner().invoke(app, words, catch_exceptions=False)
    assert said.exit_code == 0, said.output
    assert figure.stat().st_size > 0


def test_shards_alone_say_what_to_train_by(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = tiny("shards.win_len_s=0.09")
    write_shards(recipe, tmp_path / "shards")
    asked: list[Recipe] = []

    def note(found: Recipe, *_: object, **__: object) -> Trained:
        asked.append(found)
        raise MissingDataError("enough")

    monkeypatch.setattr("seisloom.run.train.train", note)
    for words in (["--epochs", "3"], ["train.epochs=3"], ["--data", str(tmp_path)]):
        CliRunner().invoke(app, ["train", "--shards", str(tmp_path / "shards"), *words, "--out", str(tmp_path / "b")])
    same = recipe.model_copy(update={"train": recipe.train.model_copy(update={"epochs": 3})})
    assert asked[:2] == [same, same]
    assert asked[2].data.root == str(tmp_path.resolve())
    assert asked[2].shards == recipe.shards


FULL = {
    "recipe new": (["recipe", "new", "picking", "--out", "OUT/p.yaml"], "pathlib.Path.write_text"),
    "view gather": (["view", "gather", "FILE", "--out", "OUT/p.png"], "matplotlib.figure.Figure.savefig"),
    "shards show": (["shards", "show", "SHARDS", "--out", "OUT/p.png"], "matplotlib.figure.Figure.savefig"),
    "apply --figure": (
        ["apply", "sta_lta", "FILE", "--out", "p.csv", "--figure", "OUT/p.png"],
        "matplotlib.figure.Figure.savefig",
    ),
    "apply": (["apply", "sta_lta", "FILE", "--out", "OUT/p.csv"], "pandas.DataFrame.to_csv"),
    "evaluate": (["evaluate", "sta_lta", "SURVEY", "--out", "OUT/p"], "seisloom.run.evaluate.write_json"),
    "calibrate": (["calibrate", "BUNDLE", "SURVEY", "--out", "OUT/p"], "shutil.copytree"),
    "train": (["train", "--data", "SURVEY", "--out", "OUT/p"], "seisloom.run.train.train"),
    "synth survey": (
        ["synth", "survey", "--out", "OUT/p", "n_shots=2", "n_stations=2", "--workers", "1"],
        "seisloom.tasks.picking.survey.synth.write_tl_arrival",
    ),
    "shards write": (
        ["shards", "write", "--data", "SURVEY", "--out", "OUT/p", "--workers", "1", "win_len_s=0.1"],
        "seisloom.io.shards._write_members",
    ),
    "demo": (["demo", "--out", "OUT/p"], "seisloom.demos.picking.run_demo"),
}  # fmt: skip
"""Commands, and what of theirs writes: there the disk is full."""


@pytest.mark.parametrize("command", FULL)
def test_a_full_disk_is_one_line_that_names_the_output(
    command: str, tiny_bundle: Bundle, tiny_survey: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    from seisloom.cli.main import main

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.chdir(tmp_path)
    words, writer = FULL[command]
    if "SHARDS" in words:
        seisloom("shards", "write", "--data", tiny_survey, "--out", "SHARDS", "--workers", 1, "win_len_s=0.1")
    station = tiny_survey / "geometries" / "LAND001" / "R01.segy"
    places = {"FILE": station, "SURVEY": tiny_survey, "BUNDLE": tiny_bundle.path}
    monkeypatch.setattr(sys, "argv", ["seisloom", *(str(places.get(word, word)) for word in words)])
    monkeypatch.setattr(writer, full)
    with pytest.raises(SystemExit) as left:
        main()
    said = [line for line in capsys.readouterr().err.splitlines() if "error" in line or "Traceback" in line]
    assert left.value.code == 2
    assert len(said) == 1, said
    assert re.match(r"error: OUT/p\S*: cannot be written\b.*Choose another ", said[0]), said


def test_an_output_is_written_into_a_folder_that_is_made_for_it(tiny_survey: Path, tmp_path: Path) -> None:
    station = tiny_survey / "geometries" / "LAND001" / "R01.segy"
    for words in (["recipe", "new", "picking"], ["view", "gather", str(station)]):
        out = tmp_path / words[0] / "new" / ("a.png" if words[0] == "view" else "a.yaml")
        said = CliRunner().invoke(app, [*words, "--out", str(out)], catch_exceptions=False)
        assert said.exit_code == 0, said.output
        assert out.stat().st_size > 0


def test_an_error_of_a_file_that_is_read_is_not_called_one_of_the_output(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), writing(tmp_path / "new" / "out.csv"):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(tmp_path / "record.segy"))
    out = tmp_path / "out.csv"
    with pytest.raises(OutputError, match=r"out\.csv: cannot be written: Permission denied"), writing(out):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(out))


def test_shards_alone_suffice_to_train(tiny: Tiny, tiny_survey: Path, tmp_path: Path) -> None:
    survey, shards = tmp_path / "survey", tmp_path / "shards"
    shutil.copytree(tiny_survey, survey)
    options = ["--out", str(shards), "--workers", "1", "win_len_s=0.1"]
    for line in ("LAND001", "LAND002"):
        CliRunner().invoke(app, ["shards", "write", "--data", str(survey), *options, "--geom", line])
    words = ["train", "--shards", str(shards), "--out", str(tmp_path / "b"), "train.epochs=1"]
    words += NETWORK
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    made = Bundle.open(tmp_path / "b")
    assert made.recipe.shards == tiny().shards, "the windows are those of the shards"
    assert {group.split("/")[0] for group in made.read_json("split.json")["groups"]["train"]} == {"LAND001", "LAND002"}
    survey.rename(tmp_path / "elsewhere")
    with pytest.raises(MissingDataError, match=r"the survey that these shards were cut from is not .*--data ROOT"):
        CliRunner().invoke(app, words, catch_exceptions=False)
    moved = CliRunner().invoke(app, [*words, "--data", str(tmp_path / "elsewhere"), "--force"], catch_exceptions=False)
    assert moved.exit_code == 0, moved.output


def test_where_a_survey_lies_does_not_change_its_shards(tiny_survey: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(tiny_survey, moved)
    tars = []
    for k, survey in enumerate((tiny_survey, moved)):
        out = tmp_path / f"shards{k}"
        options = ["--workers", "1", "--geom", "LAND001", "win_len_s=0.1"]
        done = CliRunner().invoke(app, ["shards", "write", "--data", str(survey), "--out", str(out), *options])
        assert done.exit_code == 0, done.output
        tars.append({file.relative_to(out): file.read_bytes() for file in out.glob("*/*") if file.is_file()})
    assert tars[0] == tars[1]


def test_a_recipe_that_is_named_beats_that_of_the_shards(tmp_path: Path) -> None:
    written_by = tmp_path / "recipe.yaml"
    written_by.write_text(read_recipe("picking", ["train.epochs=7"]).to_yaml())
    assert open_recipe("picking", [], data=".", written_by=written_by).train.epochs != 7
    assert open_recipe(None, [], data=".", written_by=written_by).train.epochs == 7
    assert open_recipe("batch_size=3", [], data=".", written_by=written_by).train.epochs == 7


def test_picks_of_a_file_score_a_single_record(tiny_survey: Path, tmp_path: Path) -> None:
    station = tiny_survey / "geometries" / "LAND001" / "R01.segy"
    words = ["evaluate", "sta_lta", str(station), "--alone", "--out", str(tmp_path / "e")]
    with pytest.raises(DataError, match="give --picks FILE"):
        CliRunner().invoke(app, words, catch_exceptions=False)
    report = evaluated(*words[1:4], "--picks", tiny_survey / "arrivals.csv", "--out", tmp_path / "e")
    picked = read_table(tiny_survey).query("geometry == 'LAND001' and station == 'R01'")["pick_time_s"].notna().sum()
    assert report["scores"]["sta_lta"][""]["n"]["with_truth"] == picked


def test_a_drawn_gather_numbers_its_traces_as_the_table_of_picks(
    tiny_survey: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []  # Any: figures
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, *_, **__: drawn.append(figure))
    row = read_table(tiny_survey).query("geometry == 'LAND001' and station == 'R01'").iloc[-1]
    station = tiny_survey / "geometries" / "LAND001" / "R01.segy"
    for shot in ([], ["--shot", str(row["shot_id"])]):
        words = ["view", "gather", str(station), "--out", str(tmp_path / "a.png"), *shot]
        assert CliRunner().invoke(app, words, catch_exceptions=False).exit_code == 0
    whole, one = (figure.axes[0] for figure in drawn)
    assert whole.get_xlim()[0] == -1, "the first trace stands at 0"
    assert sum(one.get_xlim()) / 2 == row["trace_index"]
    assert whole.get_xlabel() == "trace (from 0)"


def test_a_folder_of_the_name_of_a_packaged_recipe_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "picking").mkdir()
    assert open_recipe("picking", [], data=".").task == "picking"
