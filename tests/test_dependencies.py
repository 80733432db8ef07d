"""What the package imports is what its wheel asks for: each by name, none by way of another."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def imported() -> set[str]:
    """Return the distributions of which some module imports something, early or late."""
    found: set[str] = set()
    for file in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add((node.module or "").partition(".")[0])
    owners = packages_distributions()
    outside = found - set(sys.stdlib_module_names) - {"seisloom"}
    unknown = sorted(outside - set(owners))
    assert not unknown, f"imported, and of no package that is installed: {unknown}"
    return {plain(owners[name][0]) for name in outside}


def asked_for() -> set[str]:
    """Return the distributions that pyproject.toml asks for, with those of the extra `all`."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    listed = [*project["dependencies"], *extras["cluster"], *extras["mlflow"], *extras["physics"]]
    return {plain(re.split(r"[\[<>=!~; ]", one)[0]) for one in listed}


def plain(name: str) -> str:
    """Return a distribution's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_package_that_is_imported_is_asked_for() -> None:
    # Parts of others that are released with them: dask[distributed], and what pydantic and Numba pin to themselves.
    # The contract tests for plugins run under the pytest that their author has
    assert imported() - asked_for() <= {"distributed", "llvmlite", "pydantic-core", "pytest"}
