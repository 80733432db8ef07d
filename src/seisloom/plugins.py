"""Named parts from entry points: our own and a third party's come by the same door.

A package adds a part with one line in its `pyproject.toml`, for instance

    [project.entry-points."seisloom.models"]
    my_net = "my_package.net:MyNet"

and from then on a recipe may say `model: {name: my_net}`.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from seisloom.errors import PluginError

GROUPS = {
    "tasks": "a seisloom.task.Task",
    "formats": "a seisloom.io.volumes.volume.Format",
    "preparations": "a subclass of seisloom.config.Preparation",
    "models": "a subclass of seisloom.config.ModelConfig",
    "augmentations": "a subclass of seisloom.augment.augmentation.Augmentation",
    "representations": "a subclass of seisloom.config.Representation",
    "losses": "a subclass of seisloom.config.LossTerm",
    "metrics": "a subclass of seisloom.config.MetricConfig",
    "methods": "a subclass of seisloom.config.Method",
}


@lru_cache(maxsize=1)
def _found() -> dict[str, dict[str, list[EntryPoint]]]:
    found: dict[str, dict[str, list[EntryPoint]]] = {group: {} for group in GROUPS}
    for group, by_name in found.items():
        # An editable and a built install of one package name the same target: that is no clash.
        for point in set(entry_points(group=f"seisloom.{group}")):
            known = by_name.setdefault(point.name, [])
            if point.value not in {other.value for other in known}:
                known.append(point)
    return found


def names(group: str) -> list[str]:
    """Return the names known in a group, sorted, without loading anything."""
    return sorted(_found()[group])


def load(group: str, name: str) -> Any:  # Any: what it is depends on the group, see GROUPS
    """Return the named part of a group.

    Raises:
        PluginError: if the name is not known, is claimed by two packages, or its package does not import.
    """
    points = _found()[group].get(name, [])
    one = "loss" if group == "losses" else group[:-1]
    if not points:
        raise PluginError(f"no {one} is named {name!r}{nearest(name, names(group))}")
    if len(points) > 1:
        claims = ", ".join(sorted(point.value for point in points))
        raise PluginError(f"{one} {name!r} is claimed by two packages: {claims}. Uninstall one of them")
    try:
        return points[0].load()
    except (ImportError, AttributeError) as error:
        raise PluginError(f"{one} {name!r} ({points[0].value}) does not load: {error}") from error


def nearest(name: str, known: list[str], also: Sequence[str] = ()) -> str:
    """Return a hint for a mistyped name: the nearest one, or all of them; of other spellings only the nearest.

    >>> nearest("epoch", ["epochs", "batch_size"])
    "; did you mean 'epochs'?"
    """
    near = difflib.get_close_matches(name, [*known, *also], n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are {', '.join(known)}" if known else "; there are none"
