"""Recipes that come with the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def packaged_recipes() -> list[str]:
    """Return the names of the recipes that come with the package."""
    folder = resources.files("seisloom") / "recipes"
    return sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml"))


def usual_recipe(room: str) -> str:
    """Return the name of the packaged recipe that a room begins from: called as the room, or as it begins.

    >>> usual_recipe("picking"), usual_recipe("dispersion")
    ('picking', 'dispersion_picker')
    """
    names = packaged_recipes()
    return room if room in names else next((one for one in names if one.startswith(f"{room}_")), room)


def packaged_recipe(name: str) -> Path:
    """Return the path of a packaged recipe; it may not exist."""
    return Path(str(resources.files("seisloom") / "recipes" / f"{name}.yaml"))
