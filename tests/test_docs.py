"""The documentation builds, and what it says of commands, files and keys is so."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

from seisloom import plugins
from seisloom.cli.data import as_changes
from seisloom.cli.main import app
from seisloom.errors import SeisloomError
from seisloom.recipe import packaged_recipe, packaged_recipes, read_recipe
from seisloom.tasks.dispersion.field import curves_file
from seisloom.tasks.dispersion.picker.apply import COLUMNS as CURVES
from seisloom.tasks.dispersion.picker.apply import TRUTH
from seisloom.tasks.picking.apply import COLUMNS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "src/seisloom/tasks/picking/README.md"]
PAGES += sorted(DOCS.rglob("*.md"))
MOST_BYTES = 150_000
"""Of a figure: the site is to be read from a repository."""


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "fonts.googleapis" not in page
    assert not re.search(r'<(?:script|link)[^>]+(?:src|href)="https?://', page), "the site fetches from elsewhere"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("http", "#", "mailto:")):
            assert (page.parent / target.split("#")[0]).exists(), f"{page}: {target}"


def test_figures_are_small() -> None:
    large = [path.name for path in (DOCS / "figures").iterdir() if path.stat().st_size > MOST_BYTES]
    assert not large


def test_no_page_has_a_path_of_this_machine() -> None:
    for page in PAGES:
        assert not re.search(r"(?<![\w.])/(?:work|tmp|home|root)/", page.read_text(encoding="utf-8")), page


def test_reference_pages_are_those_that_the_code_makes() -> None:
    made = _reference()
    for name, make in made.PAGES.items():
        text = (DOCS / "reference" / name).read_text(encoding="utf-8")
        assert text == make(), f"docs/reference/{name} is out of date: python docs/make_reference.py"


def test_every_column_of_picks_is_explained() -> None:
    text = (DOCS / "reference" / "picks-table.md").read_text(encoding="utf-8")
    missing = [name for name in COLUMNS if f"`{name}`" not in text]
    assert not missing


def test_every_column_of_curves_is_explained() -> None:
    text = (DOCS / "reference" / "curves-table.md").read_text(encoding="utf-8")
    missing = [name for name in (*curves_file.COLUMNS, *CURVES, *TRUTH) if f"`{name}`" not in text]
    assert not missing


def test_every_group_of_entry_points_is_explained() -> None:
    text = (DOCS / "how-to" / "extend.md").read_text(encoding="utf-8")
    missing = [group for group in plugins.GROUPS if f"`seisloom.{group}`" not in text]
    assert not missing


def test_augmentations_of_the_page_keep_the_contract() -> None:
    from seisloom.testing import check_augmentation

    text = (DOCS / "how-to" / "extend.md").read_text(encoding="utf-8")
    section = text[text.index("## An augmentation") : text.index("## A metric")]
    there: dict[str, Any] = {}  # Any: what the page defines
    for block in re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL):
        exec(compile(block, "extend.md", "exec", dont_inherit=True), there)  # annotations as the page has them
    check_augmentation(there["Offset"]())
    check_augmentation(there["Zoom"]())
    check_augmentation(there["Either"](first={"name": "gain"}, second="time_shift"))


def test_the_tutorial_of_classes_says_what_the_demo_trains_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from seisloom.demos.classification import MODELS, N_EVENTS, SYNTHETIC, _notes, described
    from seisloom.split import split
    from seisloom.tasks.classification.task import CLASSIFICATION

    monkeypatch.delenv("SEISLOOM_DATA", raising=False)
    changes = [*SYNTHETIC, f"data.synth.n_events={N_EVENTS}", *MODELS["bundle"]]
    recipe: Any = CLASSIFICATION.complete(read_recipe("classification", changes))  # Any: a recipe of the room
    page = (DOCS / "tutorials" / "classification.md").read_text(encoding="utf-8")
    assert "\n".join(described(CLASSIFICATION, recipe)) in page
    parts = split(CLASSIFICATION.plan(recipe), seed=recipe.seed, config=recipe.split)
    said = " ".join(_notes(parts, is_real=False))
    text = " ".join(page.split())
    n = {part: len({ref.groups["event"] for ref in refs}) for part, refs in parts.items()}
    assert f"of {n['train']} events, the epoch chosen on {n['valid']} events" in said
    assert (
        f"trains on {n['train']} events, the epoch is chosen on {n['valid']}, calibrated on {n['calibrate']}, and "
        f"scored on {n['test']}."
    ) in text
    # Scores hang on a training of minutes: a page that names one is not checked
    assert not re.findall(r"\b0\.\d{3}\b", page)


def test_recipes_at_the_root_are_the_packaged_ones() -> None:
    assert sorted(path.stem for path in (ROOT / "recipes").glob("*.yaml")) == packaged_recipes()


def _reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", DOCS / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _command_lines() -> Iterator[tuple[Path, str]]:
    """Yield each `seisloom ...` of the pages: lines of code blocks, and code in the text that has an argument."""
    for page in [*PAGES, ROOT / "examples" / "picking.sbatch"]:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        blocks = re.findall(r"```.*?```", text, flags=re.DOTALL) if page.suffix == ".md" else [text]
        inline = re.findall(r"`(seisloom [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
        lines = [line for block in blocks for line in block.splitlines()]
        lines = [re.sub(r"^\s*srun (?:--\S+ )*", "", line) for line in lines]
        for line in [line for line in lines if line.startswith("seisloom ")] + inline:
            yield page, line.split("  #")[0].strip()


def _keys_of_apply() -> set[str]:
    """Return the keys of `apply` of all rooms, and other spellings of them."""
    recipes = [plugins.load("tasks", room).recipe for room in plugins.names("tasks")]
    keys = {key for recipe in recipes for key in type(recipe.model_fields["apply"].default).model_fields}
    return keys | {key.removeprefix("apply.") for recipe in recipes for key in recipe.aliases}


@pytest.mark.parametrize(
    ("page", "line"), list(_command_lines()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_command_in_the_pages_exists_with_its_options(page: Path, line: str) -> None:
    words = [word for word in shlex.split(line)[1:] if word not in ("...", "COMMAND", "--quiet", "--debug")]
    command: Any = typer.main.get_command(app)  # Any: typer's own click, which has no types
    if all(word.startswith("-") for word in words):
        return
    while hasattr(command, "commands") and words:
        assert words[0] in command.commands, f"{page}: {line}: there is no command {words[0]}"
        command = command.commands[words.pop(0)]
    known = {name: one for one in command.params for name in one.opts if name.startswith("-")} | {"--help": None}
    rest, changes, free = list(words), [], []
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            (changes if re.match(r"^[\w.]+=", word) else free).append(word)
            continue
        name = word.split("=")[0]
        if name not in known and command.name == "train":
            changes += as_changes([word, rest.pop(0)])
            continue
        if name not in known and command.name == "apply":
            assert name.removeprefix("--").replace("-", "_") in _keys_of_apply(), f"{page}: {line}: no key {name}"
            rest.pop(0)
            continue
        assert name in known, f"{page}: {line}: {command.name} has no option {name}"
        option = known[name]
        if option is not None and not option.is_flag and "=" not in word:
            assert rest, f"{page}: {line}: {name} needs a value"
            rest.pop(0)
    if command.name in ("train", "write", "check", "show") and changes and "shards.png" not in line:
        _refuse_unknown_keys(changes, free, f"{page}: {line}")


def _refuse_unknown_keys(changes: list[str], free: list[str], where: str) -> None:
    """Fail if a change names a key that no recipe has; a value that stands for another (a variable) is let be."""
    recipe = free[0] if free and packaged_recipe(free[0]).is_file() else "picking"
    try:
        read_recipe(recipe, [one for one in changes if "$" not in one])
    except SeisloomError as error:
        pytest.fail(f"{where}: {error}")


def test_an_example_without_its_arguments_says_how_it_is_used() -> None:
    example = ROOT / "examples" / "pick_a_record.py"
    said = subprocess.run([sys.executable, str(example)], capture_output=True, text=True)
    assert said.returncode != 0
    assert said.stderr.splitlines() == ["usage: python examples/pick_a_record.py BUNDLE RECORD"]
