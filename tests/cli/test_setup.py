"""`seisloom setup` on a pseudo-terminal: whole dialogues with the program itself, key by key."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from seisloom.recipe import read_recipe

pexpect = pytest.importorskip("pexpect", reason="no pseudo-terminals here")

ENTER, DOWN, STOP = "\r", "\x1b[B", "\x03"
RUN = "import sys; from seisloom.cli.main import main; sys.argv[0] = 'seisloom'; main()"
ENVIRONMENT = {
    # The screen's size is that of the pseudo-terminal, not of whoever runs the tests
    **{name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")},
    "TERM": "xterm-256color",
    "PROMPT_TOOLKIT_NO_CPR": "1",  # a pseudo-terminal does not answer where its cursor is
    "PYTHONWARNINGS": "ignore",
}
INTERPRETATION: list[tuple[str, str]] = [
    ("data.root:", ENTER), ("model.dims:", ENTER), ("model.preset:", ENTER), ("model.fault", "n"),
    ("model.rgt", "n"), ("model.dhr", "n"), ("a network needs a task", ""), ("model.dhr", "y"),
    ("data.synth.shape [1, 192, 192]:", "1, 32, 32" + ENTER), ("data.synth.n [4000]:", "zero" + ENTER),
    ("valid integer", ""), ("data.synth.n [4000]:", "24" + ENTER), ("train.epochs [10]:", "0" + ENTER),
    ("greater than or equal to 1", ""), ("train.epochs [10]:", "1" + ENTER), ("train.batch_size [8]:", "4" + ENTER),
    ("train.lr [0.002]:", ENTER), ("train.init_from:", "?" + ENTER), ("whose weights training starts from", ""),
    ("train.init_from:", "nosuch" + ENTER), ("nosuch: is not on this machine", ""),
    ("key=value:", "train.init_from=null" + ENTER), ("key=value:", "train.epoch=3" + ENTER),
    ("did you mean 'epochs'", ""), ("key=value:", "model.widths=[4, 8]" + ENTER),
    ("key=value:", "split.valid=0.2" + ENTER), ("key=value:", "split.calibrate=0.2" + ENTER),
    ("key=value:", "split.test=0.2" + ENTER), ("key=value:", "train.accelerator=cpu" + ENTER),
    ("key=value:", ENTER), ("folder [", ENTER), ("What differs from interpretation", ""),
    ("seisloom train interpretation.yaml --out runs/interpretation", ""),
]  # fmt: skip
Begin = Callable[..., Any]


def plain(said: str) -> str:
    """What was on the screen, without colours and movements."""
    return re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|[=>])", "", said).replace("\r", "")


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Begin]:
    """Starts `seisloom` on a pseudo-terminal in an empty folder."""
    started: list[Any] = []

    def begin(*words: str, width: int = 110, **environment: str) -> Any:
        child = pexpect.spawn(
            sys.executable, ["-c", RUN, *words], cwd=str(tmp_path), env={**ENVIRONMENT, **environment},
            dimensions=(50, width), encoding="utf-8", timeout=60,
        )  # fmt: skip
        child.delaybeforesend = 0.02
        started.append(child)
        return child

    yield begin
    for child in started:
        child.close(force=True)


def talk(child: Any, dialogue: list[tuple[str, str]]) -> str:
    """Wait for each text and send its answer; return all that was said."""
    said = ""
    for expected, answer in dialogue:
        child.expect_exact(expected)
        said += child.before + child.after
        if answer:
            child.send(answer)
    return plain(said)


def ended(child: Any) -> tuple[str, int]:
    """Return what was said until the end, and the exit code."""
    child.expect(pexpect.EOF)
    said = plain(child.before)
    child.close()
    return said, child.exitstatus


def test_a_whole_dialogue_of_interpretation_writes_its_recipe_and_says_how_to_run_it(
    begun: Begin, tmp_path: Path
) -> None:
    child = begun("setup")
    begin = [("room:", "3"), ("interpretation", ENTER), ("begin from", ENTER)]
    said = talk(child, [*begin, *INTERPRETATION, ("start this run now?", "n")])
    assert "____/|_____|___|____/" in said, "the banner"
    assert "Relative geological time (RGT) grows with depth" in " ".join(said.split())
    assert "doi 10.1093/gji/ggad424" in " ".join(said.split())
    left, code = ended(child)
    assert code == 0
    assert "run it later: seisloom train interpretation.yaml --out runs/interpretation" in left
    recipe: Any = read_recipe(tmp_path / "interpretation.yaml")
    assert recipe.model.tasks == ("dhr",)
    assert [one.name for one in recipe.loss] == ["ssim_l2"]
    assert [one.name for one in recipe.metrics] == ["dhr_ssim"]
    assert (recipe.data.synth.n, recipe.data.synth.shape, recipe.train.epochs) == (24, (1, 32, 32), 1)
    assert recipe.train.patience == read_recipe("interpretation").train.patience
    assert not (tmp_path / "runs").exists()


def test_a_yes_starts_the_run_in_the_same_process(begun: Begin, tmp_path: Path) -> None:
    child = begun("setup", "interpretation", "train.threads=1", "train.loggers=[csv]", "--out", "mine.yaml")
    talk(child, [*INTERPRETATION[:-1], ("seisloom train mine.yaml --out runs/mine", ""), ("start this run now?", "y")])
    left, code = ended(child)
    assert code == 0, left
    assert "wrote mine.yaml" in left
    assert "bundle: runs/mine" in left
    assert (tmp_path / "runs" / "mine" / "history.csv").is_file()
    assert read_recipe(tmp_path / "runs" / "mine" / "recipe.yaml") == read_recipe(tmp_path / "mine.yaml")


def test_a_whole_dialogue_of_picking(begun: Begin, tmp_path: Path) -> None:
    (tmp_path / "survey").mkdir()
    child = begun("setup", "picking", NO_COLOR="1", SEISLOOM_DATA="")
    said = talk(
        child,
        [
            ("data.root [${SEISLOOM_DATA}/picking/ML-feed]:", "nowhere" + ENTER), ("is not on this machine", ""),
            ("data.geometries:", "A B" + ENTER), ("split.by [shot]:", "station" + ENTER),
            ("shards.win_len_s [1.0]:", "-1" + ENTER), ("greater than 0", ""),
            ("shards.win_len_s [1.0]:", "0.5" + ENTER), ("shards.target_fs [2000.0]:", ENTER),
            ("model.name:", "1"), ("onset_transformer", ENTER), ("train.epochs [60]:", "5" + ENTER),
            ("train.batch_size [4]:", ENTER), ("train.lr [0.001]:", "1e-4" + ENTER), ("train.init_from:", ENTER),
            ("calibrate.level [0.9]:", "0.7" + ENTER), ("level must be 0.5, 0.8, 0.9 or 0.95", ""),
            ("calibrate.level [0.9]:", "0.8" + ENTER), ("calibrate.folds [4]:", "0" + ENTER),
            ("apply.false_alarm_rate [0.05]:", "null" + ENTER), ("key=value:", "augment.gain.spread=0.1" + ENTER),
            ("key=value:", ENTER), ("folder [runs/picking]:", "runs/line one" + ENTER),
            ("seisloom train picking.yaml --out 'runs/line one'", ""), ("start this run now?", "n"),
        ],
    )  # fmt: skip
    assert "Share of onsets that the intervals in tables are to cover" in said
    assert ended(child)[1] == 0
    recipe: Any = read_recipe(tmp_path / "picking.yaml")
    assert recipe.data.root == str(tmp_path / "nowhere")
    assert recipe.data.geometries == ("A", "B")
    assert recipe.split.by == ("station",)
    assert (recipe.model.name, recipe.model.fs_hz) == ("onset_transformer", 2000)
    assert (recipe.train.lr, recipe.calibrate.level, recipe.calibrate.folds) == (1e-4, 0.8, 0)
    assert recipe.apply.false_alarm_rate is None
    assert {one.name: one for one in recipe.augment}["gain"].spread == 0.1


def test_sizes_of_raw_cubes_are_offered(begun: Begin, tmp_path: Path) -> None:
    for name in ("data_train", "target_train"):
        (tmp_path / "cubes" / name).mkdir(parents=True)
    np.zeros((12, 16, 40), dtype="<f4").tofile(tmp_path / "cubes" / "data_train" / "0.bin")
    child = begun("setup", "interpretation", width=300)  # wide, so that no sentence is broken
    talk(
        child,
        [
            ("data.root:", "cubes" + ENTER), ("7680 samples, and nothing says its sizes", ""), ("data.n1:", ""),
            ("another value", "\x1b[A" + ENTER), ("data.n1:", "7" + ENTER), ("no cube of 7", ""),
            ("another value", "\x1b[A" + ENTER), ("data.n1:", "40" + ENTER), ("data.n2:", ""), ("1) 12", "2"),
            ("16", ENTER), ("data.n3:", ""), ("1) 12", ENTER), ("data.n_train:", STOP),
        ],
    )  # fmt: skip
    assert ended(child)[1] == 130


AHEAD = (
    "data.root=null", "model.dims=2", "model.preset=small", "model.fault=true", "model.rgt=false", "model.dhr=false",
    "data.synth.shape=[1, 32, 32]", "data.synth.n=12", "epochs=1", "batch_size=4", "train.lr=0.01",
    "train.init_from=null",
)  # fmt: skip
STOPS: dict[str, tuple[tuple[str, ...], list[tuple[str, str]]]] = {
    "the room": ((), [("room:", STOP)]),
    "a text": (("interpretation",), [("data.root:", STOP)]),
    "a choice": (("interpretation", *AHEAD[:1]), [("model.dims:", STOP)]),
    "yes or no": (("interpretation", *AHEAD[:3]), [("model.fault", STOP)]),
    "the confirmation": (
        ("interpretation", *AHEAD),
        [("key=value:", ENTER), ("folder [", ENTER), ("start this run now?", STOP)],
    ),
}


@pytest.mark.parametrize("where", STOPS)
def test_ctrl_c_at_any_question_leaves_one_line_and_nothing_written(where: str, begun: Begin, tmp_path: Path) -> None:
    words, dialogue = STOPS[where]
    child = begun("setup", *words)
    talk(child, dialogue)
    said, code = ended(child)
    assert code == 130
    assert said.strip().splitlines()[-1] == "stopped: nothing was written"
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_narrow_screen_has_a_plain_banner(begun: Begin) -> None:
    child = begun("setup", width=40)
    assert "seisloom: guided set-up" in talk(child, [("room:", STOP)])
    assert ended(child)[1] == 130


@pytest.mark.parametrize("words", [("setup",), ("setup", "picking")], ids=" ".join)
def test_without_a_terminal_it_says_what_to_use(words: tuple[str, ...], tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", RUN, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=tmp_path
    )
    assert said.returncode == 2
    assert said.stderr.startswith("error: setup asks questions")
    assert f"seisloom recipe new {words[1] if len(words) > 1 else 'ROOM'}" in said.stderr
    assert list(tmp_path.iterdir()) == []


def quiet(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command without a terminal."""
    return subprocess.run(
        [sys.executable, "-c", RUN, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=cwd,
        env={**ENVIRONMENT, **environment},
    )  # fmt: skip


def test_yes_takes_every_default_and_writes_without_running(tmp_path: Path) -> None:
    said = quiet("setup", "interpretation", "model.rgt=true", "data.synth.n=9", "--yes", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    assert "run it later: seisloom train interpretation.yaml --out runs/interpretation" in said.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["interpretation.yaml"]
    recipe = read_recipe(tmp_path / "interpretation.yaml")
    assert [one.name for one in recipe.loss][-1] == "relative_time"
    again = quiet("setup", "interpretation", "--yes", cwd=tmp_path)
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
    assert quiet("setup", "interpretation", "--yes", "--force", cwd=tmp_path).returncode == 0
    assert read_recipe(tmp_path / "interpretation.yaml") == read_recipe("interpretation")


def test_yes_does_not_assume_sizes(tmp_path: Path) -> None:
    for name in ("data_train", "target_train"):
        (tmp_path / "cubes" / name).mkdir(parents=True)
    np.zeros((16, 16, 16), dtype="<f4").tofile(tmp_path / "cubes" / "data_train" / "0.bin")
    said = quiet("setup", "interpretation", "data.root=cubes", "--yes", cwd=tmp_path)
    assert said.returncode == 2
    assert "Add one: data.n1=16" in said.stderr
    sizes = [f"data.n{k}=16" for k in (1, 2, 3)]
    assert quiet("setup", "interpretation", "data.root=cubes", *sizes, "--yes", cwd=tmp_path).returncode == 0
    assert yaml.safe_load((tmp_path / "interpretation.yaml").read_text())["data"]["crop"] == [1, 16, 16]


ACME = '''
from types import SimpleNamespace
from typing import Any, ClassVar
from seisloom.config import LossTerm, ModelConfig
from seisloom.recipe import Recipe
from seisloom.config import Config
class Net(ModelConfig):
    name: str = "acme_net"
class Loss(LossTerm):
    name: str = "acme_loss"
class Data(Config):
    waves: int = 3
    """Waves that are counted."""
class Acme(Recipe):
    questions: ClassVar[tuple[str, ...]] = ("data.waves", "train.epochs")
    data: Data = Data()
    model: Any = Net()
    loss: Any = (Loss(),)
ROOM = SimpleNamespace(name="acme_waves", summary="Counts waves.", recipe=Acme)
'''


def test_a_third_party_s_room_is_set_up_without_a_line_of_ours(begun: Begin, tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "acme-1.0.dist-info").mkdir(parents=True)
    (site / "acme.py").write_text(ACME)
    (site / "acme-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (site / "acme-1.0.dist-info" / "entry_points.txt").write_text("[seisloom.tasks]\nacme_waves = acme:ROOM\n")
    child = begun("setup", PYTHONPATH=str(site))
    said = talk(
        child,
        [
            ("room:", "1"), ("acme_waves", ENTER), ("data.waves [3]:", "5" + ENTER), ("train.epochs [30]:", ENTER),
            ("key=value:", ENTER), ("folder [", ENTER), ("start this run now?", "n"),
        ],
    )  # fmt: skip
    assert "acme_waves: Counts waves." in said
    assert "Waves that are counted." in said
    assert ended(child)[1] == 0
    assert yaml.safe_load((tmp_path / "acme_waves.yaml").read_text()) == {"task": "acme_waves", "data": {"waves": 5}}


def test_help_loads_no_questionary() -> None:
    code = (
        "import sys\nfrom seisloom.cli.main import app\ntry: app(['setup', '--help'])\nexcept SystemExit: pass\n"
        "print('|'.join({name.split('.')[0] for name in sys.modules}))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(said.stdout.strip().splitlines()[-1].split("|"))
    assert loaded & {"questionary", "prompt_toolkit", "torch", "pandas", "matplotlib"} == set()
