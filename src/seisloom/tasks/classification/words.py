"""What a user may write in place of the recipe's own form: lists on the command line, words of older scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TRANSFORMS = {
    "DROP_NAN": ("data", "gaps", "drop"),
    "TRIMMING": ("data", "trim", "shortest"),
    "ZSCORE": ("prepare", "name", "zscore"),
}
"""Steps of older scripts, and the key and value that do the same here."""


def listed(names: Any) -> Any:  # Any: not yet validated
    """Return A,B or "A B" as a tuple; lists as they are."""
    return tuple(names.replace(",", " ").split()) if isinstance(names, str) else names


def class_map(classes: Any) -> Any:  # Any: not yet validated
    """Return classes by their labels from a list of labels, or a mapping whose values may be one label.

    >>> class_map(["earthquake", "explosion"])
    {'earthquake': ('earthquake',), 'explosion': ('explosion',)}
    """
    if isinstance(classes, str):
        classes = [one.strip() for one in classes.split(",")]
    if isinstance(classes, Mapping):
        return {str(name): (some,) if isinstance(some, str) else some for name, some in classes.items()}
    if isinstance(classes, list | tuple):
        return {str(one): (str(one),) for one in classes}
    return {} if classes is None else classes


def with_test_ratio(values: Any) -> Any:  # Any: not yet validated
    """Return a recipe's values in which `split: {test_ratio: 0.3}` became `split: {test: 0.3}`."""
    split = values.get("split") if isinstance(values, Mapping) else None
    if not isinstance(split, Mapping) or "test_ratio" not in split:
        return values
    if "test" in split:
        raise ValueError("split: test and test_ratio say the same; give one")
    return {**values, "split": {("test" if key == "test_ratio" else key): value for key, value in split.items()}}


def with_transforms(values: Any) -> Any:  # Any: not yet validated
    """Return a recipe's values in which `transforms: DROP_NAN | TRIMMING | ZSCORE` became the keys that do the same.

    Raises:
        ValueError: if a transform is not one of these.
    """
    if not isinstance(values, Mapping) or "transforms" not in values:
        return values
    said = values["transforms"]
    names = said.replace("|", " ").replace(",", " ").split() if isinstance(said, str) else list(said or ())
    changed = {name: value for name, value in values.items() if name != "transforms"}
    data, prepare = dict(changed.get("data") or {}), list(changed.get("prepare") or ())
    for name in names:
        short = str(name).removeprefix("TransformOP.")
        if short not in TRANSFORMS:
            raise ValueError(f"transforms: no transform {name!r}; there are {', '.join(TRANSFORMS)}")
        part, key, value = TRANSFORMS[short]
        if part == "data":
            data[key] = value
        elif not any((one.get("name") if isinstance(one, Mapping) else one) == value for one in prepare):
            prepare.append({key: value})
    return {**changed, "data": data, "prepare": prepare}
