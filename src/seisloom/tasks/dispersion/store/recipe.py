"""The recipe of a data set: a recipe of this room, one with `data` alone, one of parts, or a file of the first label
generator as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from seisloom import plugins
from seisloom.config import Config
from seisloom.errors import RecipeError
from seisloom.recipe import Recipe, config_from
from seisloom.tasks.dispersion.blocks import DispersionData
from seisloom.tasks.dispersion.store.text import Tree, read_tree
from seisloom.tasks.dispersion.store.write import MANIFEST

TASK = "dispersion"
APART = 1_000_000
"""Numbers between the first records of two parts, so that they share no medium."""


class Part(Config):
    """Some of the records of a mixed set, with changes of its own."""

    name: str = Field(min_length=1)
    """Said in each row of the manifest."""
    n: int = Field(ge=1)
    """Number of records; with --samples their share in it."""
    split: str | None = None
    """Part of a split that these records are for, such as train or test; said in each row."""
    first: int | None = Field(None, ge=0)
    """Number of the first record; None keeps a million free for each part before. Parts with the same `first` are
    twins: they have the same media."""
    changes: Mapping[str, Any] = {}
    """Changes of `data` for this part, by the path of the key, such as augmentation.noise.enabled: true."""


class PartsOnly(Config):
    """The part of a file that says which parts there are."""

    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """Records that are to be written together."""

    data: DispersionData
    n: int
    about: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Planned:
    """A data set that is to be written."""

    parts: tuple[PlannedPart, ...]
    seed: int
    out: Path
    manifest: Path


def plan(
    recipe: str | None,
    changes: Sequence[str] = (),
    *,
    out: Path | None = None,
    samples: int | None = None,
    seed: int | None = None,
) -> Planned:
    """Return what a recipe with changes and options says to write.

    Args:
        recipe: a file, the name of a packaged recipe, or None for the defaults. A file is a recipe with `task`, `seed`,
            `data` and `parts`, whose other keys are for training; or the blocks of `data` alone, also in the words of
            the first label generator.
        changes: key=value, the keys with `data.` before them or without.
        out: folder of the data set; beats `paths.output_root`, which is relative to the recipe's folder.
        samples: number of records; beats `n` of the parts, in proportion, and `cli.dry_run_samples`.
        seed: beats a change such as seed=3, which beats `cli.seed`, which beats the recipe's `seed`, which is 0.
    Raises:
        MissingDataError: if there is no such recipe.
        RecipeError: with every mistake, its path and the nearest valid name; of YAML with line and column.
    """
    where, (tree, folder) = recipe or "dispersion", ({}, None) if recipe is None else read_tree(recipe)
    blocks, parts, recipe_seed = _parted(tree, where)
    own = [change for change in changes if change.partition("=")[0].strip() == "seed"]
    given = [*_as_changes(blocks), *(one.removeprefix("data.") for one in changes if one not in own)]
    data = config_from(DispersionData, given, where=where)
    said = _seed(own[-1].partition("=")[2], where) if own else None
    chosen = next((one for one in (seed, said, data.cli.seed) if one is not None), None)
    chosen = _seed(recipe_seed if chosen is None else chosen, where)
    root, manifest = _places(data, blocks, out, folder, where)
    planned = _planned_parts(data, given, parts, samples, where)
    return Planned(planned, chosen, root, manifest)


def _planned_parts(
    data: DispersionData, given: Sequence[str], parts: Sequence[Part], samples: int | None, where: str
) -> tuple[PlannedPart, ...]:
    if samples is not None and samples < 1:
        raise RecipeError(f"--samples {samples}: at least 1 is needed")
    if not parts:
        return (PlannedPart(data, samples or data.cli.dry_run_samples, {}),)
    found = []
    for place, (part, n) in enumerate(zip(parts, shared([part.n for part in parts], samples), strict=True)):
        first = data.first + place * APART if part.first is None else part.first
        changes = [*given, *_as_changes(part.changes), f"first={first}"]
        one = config_from(DispersionData, changes, where=f"{where}: parts.{part.name}")
        about = {"part": part.name, **({"split": part.split} if part.split else {})}
        if n:
            found.append(PlannedPart(one, n, about))
    return tuple(found)


def shared(counts: Sequence[int], total: int | None) -> list[int]:
    """Return counts in the same proportion with this sum, the largest remainders rounded up; None keeps them.

    >>> shared([800, 200], 4)
    [3, 1]
    """
    if total is None:
        return list(counts)
    exact = [total * one / sum(counts) for one in counts]
    found = [int(one) for one in exact]
    order = sorted(range(len(counts)), key=lambda k: (found[k] - exact[k], k))
    for k in order[: total - sum(found)]:
        found[k] += 1
    return found


def _places(data: DispersionData, blocks: Tree, out: Path | None, folder: Path | None, where: str) -> tuple[Path, Path]:
    """Return the folder of the data set and its manifest.

    As the recipe's file has them, both are relative to its folder. A folder that the command says is relative to the
    working folder, and then the manifest is relative to it.
    """
    said = blocks.get("paths") if isinstance(blocks.get("paths"), dict) else {}
    is_said = folder is not None and out is None and data.paths.output_root == (said or {}).get("output_root")
    root = out if out is not None else data.paths.output_root
    if root is None:
        raise RecipeError(f"{where}: paths.output_root is not given, and nothing says where to write. Give --out DIR")
    base = folder if is_said and folder is not None else Path()
    full = base / Path(root).expanduser()
    if data.paths.manifest_path is None:
        return full, full / MANIFEST
    return full, (base if is_said else full) / Path(data.paths.manifest_path).expanduser()


def _parted(tree: Tree, where: str) -> tuple[Tree, tuple[Part, ...], Any]:  # Any: a seed, not yet validated
    """Return the blocks of `data`, the parts and the seed of a file."""
    parts = config_from(PartsOnly, _as_changes({"parts": tree["parts"]}), where=where).parts if "parts" in tree else ()
    if len({part.name for part in parts}) < len(parts):
        raise RecipeError(f"{where}: parts: two parts have one name. Name each of them")
    seed = tree.get("seed", 0)
    if "task" not in tree and "data" not in tree:
        return {key: one for key, one in tree.items() if key not in ("seed", "parts")}, parts, seed
    if (task := tree.get("task", TASK)) != TASK:
        raise RecipeError(f"{where}: is a recipe of the task {task!r}; records are of {TASK!r}")
    known = [*Recipe.model_fields, "parts"]
    if wrong := [key for key in tree if key not in known]:
        raise RecipeError(f"{where}: {wrong[0]}: unknown key{plugins.nearest(wrong[0], known)}")
    data = tree.get("data") or {}
    if not isinstance(data, dict):
        raise RecipeError(f"{where}: data: must be a mapping of blocks, such as frequency and physics")
    return data, parts, seed


def _seed(value: Any, where: str) -> int:  # Any: not yet validated
    try:
        seed = int(value)
    except (TypeError, ValueError):
        seed = -1
    if seed < 0:
        raise RecipeError(f"{where}: seed {value!r}: write a whole number from 0")
    return seed


def _as_changes(values: Mapping[str, Any]) -> list[str]:  # Any: values of YAML
    """Return values as key=value."""
    dumped = (
        (key, yaml.safe_dump(one, default_flow_style=True, width=2**31).removesuffix("...\n").strip())
        for key, one in values.items()
    )
    return [f"{key}={text}" for key, text in dumped]
