"""The recipe: changes by path, all mistakes at once, and the same object from YAML, command line and request."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from seisloom.augment.amplitude import Gain
from seisloom.config import Config, Paths
from seisloom.errors import LeftOut, MissingDataError, RecipeError
from seisloom.recipe import Recipe, expand, kind_of, packaged_recipes, read_recipe, read_values, recipe_from
from seisloom.recipe.paths import anchor
from seisloom.run.write import write_shards
from seisloom.tasks.dispersion.picker.recipe import DispersionRecipe
from seisloom.tasks.interpretation.recipe import InterpretationRecipe
from seisloom.tasks.picking.data import plan, read
from seisloom.tasks.picking.recipe import PickingRecipe
from seisloom.tasks.picking.task import PICKING

Tiny = Callable[..., Recipe]


def mistakes_of(path: str, *changes: str) -> list[str]:
    """Return the lines of the error, without its head."""
    with pytest.raises(RecipeError) as caught:
        read_recipe(path, changes)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


# --- changes by path


def test_a_change_reaches_a_key_a_list_entry_by_number_and_one_by_name() -> None:
    changed = read_recipe("picking", ["train.epochs=3", "augment.2.spread=0.7", "loss.presence.weight=9"])
    assert changed.train.epochs == 3
    assert isinstance(changed.augment[2], Gain)
    assert changed.augment[2].spread == 0.7
    assert {entry.name: entry.weight for entry in changed.loss}["presence"] == 9
    untouched = read_recipe("picking")
    assert untouched.augment[0] == changed.augment[0]
    assert untouched.loss[0] == changed.loss[0]


def test_a_change_may_replace_a_whole_entry_or_a_whole_list() -> None:
    changed = read_recipe("picking", ["augment=[{name: gain, spread: 0.1}, polarity_flip]", "augment.1=gain"])
    assert [entry.name for entry in changed.augment] == ["gain", "gain"]
    assert changed.augment[0] != changed.augment[1]


def test_a_bare_name_becomes_an_entry_when_a_key_of_it_is_set() -> None:
    changed = read_recipe("picking", ["model=onset_transformer", "model.num_heads=4", "model.fs_hz=2000"])
    assert (changed.model.name, changed.model.num_heads) == ("onset_transformer", 4)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("text", "value"), [("1e-4", 1e-4), ("1.5E-3", 1.5e-3), ("0.01", 0.01), ("1", 1.0)])
def test_numbers_of_the_command_line_are_numbers(text: str, value: float) -> None:
    assert read_recipe("picking", [f"train.lr={text}"]).train.lr == value


def test_the_last_of_two_changes_wins() -> None:
    assert read_recipe("picking", ["train.epochs=3", "epochs=5"]).train.epochs == 5


# --- mistakes


def test_every_mistake_is_reported_with_its_path_and_the_nearest_name() -> None:
    found = mistakes_of(
        "picking", "train.epoch=3", "train.lr=-1", "augment.0.lo=0.5", "model.strid=2", "loss.9.weight=1", "shards.x=1",
        "nonsense",
    )  # fmt: skip
    text = "\n".join(found)
    assert len(found) == 7
    assert "train.epoch: unknown key; did you mean 'epochs'?" in found
    assert "augment.0.lo: unknown key; did you mean 'low'?" in found
    assert "model.strid: unknown key; did you mean 'stride'?" in found
    assert any(line.startswith("train.lr: ") and "greater than 0" in line and "-1" in line for line in found)
    assert any(line.startswith("loss.9.weight=1: there is no entry '9'") and "presence" in line for line in found)
    assert any(line.startswith("shards.x: unknown key") for line in found)
    assert "'nonsense' is not key=value" in text


def test_other_spellings_are_suggested_and_not_listed() -> None:
    assert mistakes_of("interpretation", "ntran=3") == ["ntran: unknown key; did you mean 'ntrain'?"]
    (said,) = mistakes_of("interpretation", "nosuch.key=3")
    assert said.startswith("nosuch: unknown key; there are apply, augment, ")
    assert "ntrain" not in said


def test_an_unknown_entry_is_named_with_its_nearest() -> None:
    assert mistakes_of("picking", "model=onset_unnet") == [
        "model: no model is named 'onset_unnet'; did you mean 'onset_unet'? (it is 'onset_unnet')"
    ]
    assert "did you mean 'gain'" in mistakes_of("picking", "augment=[{name: gian}]")[0]
    assert "needs a name" in mistakes_of("picking", "augment=[{spread: 1}]")[0]


def test_no_import_path_ever_comes_from_data() -> None:
    for name in ("os.system", "seisloom.tasks.picking.model:OnsetUNet", "torch.nn.Linear"):
        assert "no model is named" in mistakes_of("picking", f"model={{name: '{name}'}}")[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a recipe is a mapping"), ("- 1", "a recipe is a mapping"),
        ("task: pickin\n", "no task is named 'pickin'"),
        ("task: [picking\n", "is not YAML"), ("model: onset_unet\n", "task: no task is named None"),
        ("task: picking\n", "loss: field required"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_recipe_says_why(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(text)
    with pytest.raises(RecipeError, match=r"r\.yaml") as caught:
        read_recipe(file)
    assert says in str(caught.value)


def test_yaml_tags_that_make_objects_are_refused(tmp_path: Path) -> None:
    file, mark = tmp_path / "r.yaml", tmp_path / "ran"
    file.write_text(f"task: !!python/object/apply:os.mkdir ['{mark}']\n")
    with pytest.raises(RecipeError, match="is not YAML"):
        read_recipe(file)
    assert not mark.exists()


def test_a_recipe_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(MissingDataError, match=r"Packaged ones: .*picking"):
        read_recipe("nowhere")


def test_a_recipe_is_frozen() -> None:
    recipe = read_recipe("picking")
    with pytest.raises(ValueError, match="frozen"):
        recipe.seed = 3


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
PLACES = (
    "task",
    "seed",
    "data",
    "split",
    "shards",
    "prepare",
    "augment",
    "model",
    "loss",
    "train",
    "loss.0",
    "model.x",
)


@given(place=st.sampled_from(PLACES), value=JSON_VALUES)
@settings(max_examples=150, deadline=None)
def test_whatever_stands_in_a_recipe_it_is_right_or_a_recipe_error(place: str, value: Any) -> None:
    try:
        assert isinstance(read_recipe("picking", [f"{place}={json.dumps(value)}"]), PickingRecipe)
    except RecipeError as error:
        assert re.search("mistake|no task is named", str(error))  # noqa: PT017  most values are right or wrong by chance


# --- one object


@pytest.mark.parametrize("name", packaged_recipes())
def test_yaml_and_back_is_the_same_recipe(name: str) -> None:
    recipe = read_recipe(name)
    assert recipe_from(yaml.safe_load(recipe.to_yaml())) == recipe


def test_a_request_in_json_equals_the_yaml() -> None:
    recipe = read_recipe("picking", ["seed=4"])
    request = json.loads(recipe.model_dump_json())
    assert recipe_from(request) == recipe
    assert recipe_from(request, ["seed=5"]) != recipe


def fits(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Return whether a value fits a JSON schema: the parts of the standard that ours use, and no others."""
    kinds = {
        "object": dict, "array": list, "string": str, "integer": int, "number": int | float, "boolean": bool,
        "null": type(None),
    }  # fmt: skip
    known = {
        "$defs", "$ref", "title", "description", "default", "type", "properties", "required", "additionalProperties",
        "items", "prefixItems", "minItems", "maxItems", "oneOf", "anyOf", "enum", "const", "minimum", "maximum",
        "exclusiveMinimum", "exclusiveMaximum",
        "discriminator",  # OpenAPI's hint which one of oneOf is meant: it forbids nothing
    }  # fmt: skip
    assert set(schema) <= known, set(schema) - known
    if "$ref" in schema:
        return fits(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root)
    if "oneOf" in schema:
        return sum(fits(value, one, root) for one in schema["oneOf"]) == 1
    if "anyOf" in schema:
        return any(fits(value, one, root) for one in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return value in schema.get("enum", [schema.get("const")])
    if "type" in schema and not isinstance(value, kinds[schema["type"]]):
        return False
    if isinstance(value, dict):
        keys, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        extra = {key: one for key, one in value.items() if key not in keys}
        return (
            all(key in value for key in schema.get("required", []))
            and all(fits(value[key], keys[key], root) for key in keys if key in value)
            and (not extra or (more is True or (more and all(fits(one, more, root) for one in extra.values()))))
        )
    if isinstance(value, list):
        enough = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        return enough and all(fits(one, schema.get("items", {}), root) for one in value)
    if isinstance(value, int | float):
        return bool(
            schema.get("minimum", value) <= value <= schema.get("maximum", value)
            and ("exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"])
            and ("exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"])
        )
    return True


@pytest.mark.parametrize("name", packaged_recipes())
def test_the_json_schema_accepts_right_recipes_and_refuses_wrong_ones(name: str) -> None:
    recipe = read_recipe(name)
    schema = type(recipe).model_json_schema()
    right = json.loads(recipe.model_dump_json())
    assert fits(right, schema, schema)
    assert fits({**right, "augment": ["trace_flip", {"name": "gain"}]}, schema, schema)
    for wrong in (
        {"trian": {}}, {"model": {"name": "nope"}}, {"train": {"epochs": 0}},
        {"augment": [{"name": "gain", "high": 1}]},
        {"augment": ["nope"]}, {"seed": "x"}, {"loss": [{"weight": 1}]},
    ):  # fmt: skip
        assert not fits({**right, **wrong}, schema, schema), wrong


@pytest.mark.parametrize("room", [PickingRecipe, InterpretationRecipe, DispersionRecipe])
def test_every_key_of_the_schema_is_described(room: type[Recipe]) -> None:
    missing = []

    def walk(node: Any, path: str) -> None:
        if isinstance(node, dict):
            for key, value in node.get("properties", {}).items():
                if key != "name" and "description" not in value and "$ref" not in value:
                    missing.append(f"{path}.{key}")
            for key, value in node.items():
                walk(value, f"{path}.{key}")
        elif isinstance(node, list):
            for value in node:
                walk(value, path)

    walk(room.model_json_schema(), "")
    assert not missing


def test_relative_paths_are_relative_to_the_recipe(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "r.yaml"
    file.parent.mkdir()
    text = read_recipe("picking").to_yaml()
    file.write_text(text.replace("${SEISLOOM_DATA}/picking/ML-feed", "survey"))
    assert read_recipe(file).data.root == str(tmp_path / "deep" / "survey")  # type: ignore[attr-defined]
    assert read_recipe(file, ["data.root=/abs"]).data.root == "/abs"  # type: ignore[attr-defined]


def test_variables_in_paths_are_filled_in_when_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEISLOOM_DATA", "/somewhere")
    assert expand("${SEISLOOM_DATA}/a") == Path("/somewhere/a")
    monkeypatch.delenv("SEISLOOM_DATA")
    with pytest.raises(MissingDataError, match="export SEISLOOM_DATA="):
        expand("${SEISLOOM_DATA}/a")


# --- the seed's spellings

SHARD_KEYS = (
    "target_len", "shard_size", "pos_win_s", "win_mode", "pre_s", "post_s", "win_start_s", "win_len_s", "neg_mode",
    "neg_k", "neg_stalta_thresh", "neg_sta_s", "neg_lta_s", "neg_stalta_max_tries", "neg_to_pos_max", "plots_pos",
    "plots_neg", "target_fs",
)  # fmt: skip
ALIASES = {
    **{name: f"shards.{name}" for name in SHARD_KEYS},
    "window_size": "model.window_size", "num_heads": "model.num_heads", "abstain_width_s": "apply.abstain_width_s",
    "batch_size": "train.batch_size", "num_workers": "train.num_workers", "epochs": "train.epochs",
    "geom": "data.geometries",
}  # fmt: skip
VALUES = {"win_mode": "none", "neg_mode": "leading", "geom": "[A, B]", "window_size": "32", "batch_size": "7"}


@pytest.mark.parametrize("spelling", ["{}", "--{}", "dashed"])
@pytest.mark.parametrize("key", sorted(ALIASES))
def test_the_spellings_of_the_seed_mean_our_keys(key: str, spelling: str) -> None:
    value = VALUES.get(key, "4")
    changes = ["model=onset_transformer"]
    given_as = "--" + key.replace("_", "-") if spelling == "dashed" else spelling.format(key)
    ours = read_recipe("picking", [*changes, f"{ALIASES[key]}={value}"])
    assert read_recipe("picking", [*changes, f"{given_as}={value}"]) == ours
    assert ours != read_recipe("picking", changes)


def test_the_spellings_of_the_seed_also_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(read_recipe("picking").to_yaml() + "batch_size: 7\npos_win_s: 0.5\n")
    recipe = read_recipe(file)
    assert (recipe.train.batch_size, recipe.shards.pos_win_s) == (7, 0.5)  # type: ignore[union-attr]


# --- every key of the seed changes what comes out

PICK = ("win_mode=pick", "pre_s=0.02", "post_s=0.02", "neg_k=2")
CENTER = ("win_mode=center", "pre_s=0.02", "post_s=0.02")
# Noise windows before the pick are short here, so the windows of the STA/LTA must be, too
NOISE = (
    "win_mode=center", "pre_s=0.003", "post_s=0.005", "neg_k=1", "neg_to_pos_max=1", "neg_stalta_thresh=1.7",
    "neg_sta_s=0.001", "neg_lta_s=0.004", "pos_win_s=0.001",
)  # fmt: skip
CHANGES_OF_SAMPLES: dict[str, tuple[tuple[str, ...], str]] = {
    "target_len": ((), "target_len=64"),
    "pos_win_s": ((), "pos_win_s=0.001"),
    "win_mode": ((), "win_mode=center"),
    "pre_s": (PICK, "pre_s=0.01"),
    "post_s": (CENTER, "post_s=0.01"),
    "win_start_s": ((), "win_start_s=0.01"),
    "win_len_s": ((), "win_len_s=0.05"),
    "neg_mode": (NOISE, "neg_mode=trailing"),
    "neg_k": (NOISE, "neg_k=0"),
    "neg_stalta_thresh": (NOISE, "neg_stalta_thresh=1.2"),
    "neg_sta_s": (NOISE, "neg_sta_s=0.0005"),
    "neg_lta_s": (NOISE, "neg_lta_s=0.002"),
    "neg_stalta_max_tries": (NOISE, "neg_stalta_max_tries=30"),
    "neg_to_pos_max": (NOISE, "neg_to_pos_max=0.1"),
    "target_fs": (("win_mode=none",), "target_fs=1000"),
    "seed": (PICK, "seed=1"),
}


def contents(recipe: Recipe) -> dict[str, Any]:
    """Return what one line gives: a sample by its key, or why it is left out."""
    found: dict[str, Any] = {}
    for ref in plan(recipe):  # type: ignore[arg-type]
        if ref.groups["geometry"] != "LAND001":
            continue
        try:
            arrays = read(recipe, ref).arrays  # type: ignore[arg-type]
            found[ref.key] = {name: (one.shape, np.asarray(one).tobytes()) for name, one in arrays.items()}
        except LeftOut as reason:
            found[ref.key] = str(reason)
    return found


@pytest.mark.parametrize("key", sorted(CHANGES_OF_SAMPLES))
def test_a_key_of_the_seed_changes_the_samples(tiny: Tiny, key: str) -> None:
    base, change = CHANGES_OF_SAMPLES[key]
    before, after = contents(tiny(*base)), contents(tiny(*base, change))
    assert any(isinstance(one, dict) for one in before.values()), "nothing qualified: the test would prove nothing"
    assert before != after
    assert contents(tiny(*base)) == before


def test_shard_size_changes_the_number_of_shards(tiny: Tiny, tmp_path: Path) -> None:
    few = write_shards(tiny("shard_size=100"), tmp_path / "few")
    many = write_shards(tiny("shard_size=3"), tmp_path / "many")
    assert len(many) > len(few)
    assert sum(one.n_samples for one in many) == sum(one.n_samples for one in few)
    assert max(one.n_samples for one in many) == 3


@pytest.mark.parametrize("change", ["window_size=32", "num_heads=4"])
def test_a_key_of_the_seed_changes_what_the_transformer_answers(tiny: Tiny, change: str) -> None:
    import torch

    def answer(*changes: str) -> Any:
        recipe = tiny("model.name=onset_transformer", "model.window_size=64", *changes)
        torch.manual_seed(0)
        network = recipe.model.build(PICKING.item).eval()
        generator = torch.Generator().manual_seed(0)
        batch = {
            "x": torch.randn(1, 3, 1, 200, generator=generator), "fs": torch.tensor([2000.0]),
            "t0_s": torch.zeros(1, 3), "offset_m": torch.ones(1, 3),
        }  # fmt: skip
        # A fresh bias is 0 everywhere and would hide how heads and windows are laid out
        for parameter in network.parameters():
            parameter.data.add_(0.1 * torch.randn(parameter.shape, generator=generator))
        return network(batch)["logit"].detach().numpy()

    assert np.array_equal(answer(), answer())
    assert not np.allclose(answer(), answer(change), atol=1e-6)


def test_paths_of_every_room_are_meant_from_the_folder_of_the_recipe(tmp_path: Path) -> None:
    """Which keys hold paths, one or several, is said where they stand."""
    (tmp_path / "r.yaml").write_text("{task: interpretation, data: {data: here, target: $HOME/x}, apply: {refine: /r}}")
    values = read_values(tmp_path / "r.yaml")
    assert values["data"] == {"data": str(tmp_path / "here"), "target": "$HOME/x"}
    assert values["apply"] == {"refine": "/r"}

    class Several(Config):
        paths: Annotated[tuple[str, ...], Paths()] = ()

    class Room(Recipe):
        data: Several = Several()

    tree: dict[str, Any] = {"data": {"paths": ["a", "/b", "~/c"]}}
    anchor(Room, tree, Path("/survey"))
    assert tree["data"]["paths"] == ["/survey/a", "/b", "~/c"]


def test_names_of_shipped_bundles_stay_names_unless_there_is_such_a_folder(tmp_path: Path) -> None:
    names = ["interpretation-sections", "interpretation-section", "./p-wave-window", "a/p-wave-window"]

    def anchored(name: str) -> str:
        tree: dict[str, Any] = {"data": {"first_network": name}}
        anchor(InterpretationRecipe, tree, tmp_path)
        return str(tree["data"]["first_network"])

    assert [anchored(name) for name in names] == [names[0], *(str(tmp_path / name) for name in names[1:])]
    (tmp_path / names[0]).mkdir()
    assert anchored(names[0]) == str(tmp_path / names[0])


def test_paths_of_entries_are_meant_from_the_folder_of_the_recipe(tmp_path: Path) -> None:
    """A bank of noise lies beside its recipe, and is found from any working folder, in entries within entries too."""
    tree: dict[str, Any] = {
        "corrupt": [
            "polarity_flip",
            {"name": "add_noise", "bank": "banks/a.npz"},
            {"name": "one_of", "entries": [{"name": "blended", "bank": "b.npz"}, {"name": "no such", "bank": "c"}]},
        ],
        "augment": [{"name": "random_apply", "entry": {"name": "mix_up", "bank": "$BANKS/d.npz"}}],
    }
    anchor(kind_of({"task": "restoration"}), tree, tmp_path)
    _, noise, several = tree["corrupt"]
    assert noise["bank"] == str(tmp_path / "banks" / "a.npz")
    assert [one["bank"] for one in several["entries"]] == [str(tmp_path / "b.npz"), "c"]
    assert tree["augment"][0]["entry"]["bank"] == "$BANKS/d.npz"


@pytest.mark.parametrize(
    "on",
    [on for on in itertools.product([True, False], repeat=3) if any(on)],
    ids=lambda on: "".join("01"[k] for k in on),
)
def test_tasks_that_are_switched_bring_and_take_their_terms(on: tuple[bool, ...]) -> None:
    """One key for each task is enough, whatever the recipe says of losses."""
    tasks = ("fault", "rgt", "dhr")
    recipe = read_recipe("interpretation", [f"model.{task}={is_on}" for task, is_on in zip(tasks, on, strict=True)])
    of_task = {"balanced_cross_entropy": "fault", "dice": "fault", "relative_time": "rgt", "ssim_l2": "dhr"}
    found = {of_task[term.name] for term in recipe.loss if term.name in of_task}
    assert found == {task for task, is_on in zip(tasks, on, strict=True) if is_on}
    metrics = {metric.name for metric in recipe.metrics}
    assert ("dhr_ssim" in metrics) == on[2]
    assert ("fault_f1" in metrics) == on[0]


def test_what_is_said_with_a_switch_stands() -> None:
    recipe = read_recipe("interpretation", ["model.rgt=true", "apply.attributes=[dip]", "loss=[dice, relative_time]"])
    assert recipe.apply.attributes == ("dip",)
    assert [term.name for term in recipe.loss] == ["dice", "relative_time"]


def test_folders_may_be_said_by_the_names_of_older_scripts(tmp_path: Path) -> None:
    """`data` is a block of the recipe, and a folder where a plain value stands."""
    for name in ("data", "target"):
        (tmp_path / name).mkdir()
    (tmp_path / "r.yaml").write_text("{task: interpretation, model: interpretation_unet, loss: [dice], data: data}")
    both = read_recipe("interpretation", [f"target={tmp_path / 'target'}", f"data={tmp_path / 'data'}"])
    assert (both.data.data, both.data.target) == (str(tmp_path / "data"), str(tmp_path / "target"))
    assert read_recipe("interpretation", ["data={n1: 4}"]).data.n1 == 4
    assert Path(read_recipe(tmp_path / "r.yaml", ["ntrain=3"]).data.data).name == "data"


def test_a_split_takes_what_it_does_not_say_from_its_room() -> None:
    for name, by in (("interpretation", ("cube",)), ("picking", ("shot",))):
        recipe = read_recipe(name)
        values = {**recipe.model_dump(mode="json"), "split": {"valid": 0.1}}
        assert recipe_from(values).split.valid == 0.1
        assert recipe_from(values).split.by == by
