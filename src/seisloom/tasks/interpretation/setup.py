"""What the room adds to `seisloom setup`: what attributes mean, sizes of cubes, and parts that follow from answers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from seisloom import plugins
from seisloom.errors import DataError, MissingDataError
from seisloom.io.volumes.raw.cube import shapes_that_fit
from seisloom.io.volumes.raw.volume import open_raw
from seisloom.io.volumes.volume import Given
from seisloom.questions import loaded
from seisloom.recipe import Hint, Json, expand

SIZES = ("n1", "n2", "n3")
SOURCE = "Gao (2024), Geophysical Journal International 236(1), 565-592, doi 10.1093/gji/ggad424"
MEANINGS = {
    "model.fault": "A fault is where reflectors break: for each sample the probability that it lies on one, and of the "
    "fault plane there the dip and the strike, 0 to 180 degrees on the grid of samples. "
    f"After fsem, fdip and fstrike of {SOURCE}; learnt here as a normal, since a strike of 0 and of 180 are the same.",
    "model.rgt": "Relative geological time (RGT) grows with depth, and is equal where rock was laid down at one time: "
    f"its contours are horizons, and its jumps the throw of faults. After {SOURCE}.",
    "model.dhr": "Denoised high-resolution (DHR) image: the same layers without noise, with a shorter wavelet, so that "
    f"thin beds and breaks at faults are seen. After {SOURCE}.",
    "data.root": "With nothing given, volumes with known faults, times and images are made from seeds.",
}
"""Said with a key, beside its own description."""

TERMS: dict[str, list[dict[str, Json]]] = {
    "fault": [
        {"name": "balanced_cross_entropy", "weight": 1.0, "pos_weight": 3},
        {"name": "dice", "weight": 0.5},
        {"name": "fault_normal", "weight": 0.5},
    ],
    "rgt": [{"name": "relative_time", "weight": 0.5}],
    "dhr": [{"name": "ssim_l2", "weight": 0.5}],
}
"""Loss terms of a task that is switched on and has none."""
METRICS: dict[str, list[dict[str, Json]]] = {
    "fault": [{"name": "fault_f1"}, {"name": "fault_angle_deg"}],
    "rgt": [{"name": "rgt_horizon_error"}],
    "dhr": [{"name": "dhr_ssim"}],
}
"""Metrics of a task that is switched on and has none."""
TASK_OF = {
    "focal": "fault", "rgt_order": "rgt", "ssim_l1": "rgt", "equal_time": "rgt",
    **{entry["name"]: task for parts in (TERMS, METRICS) for task, entries in parts.items() for entry in entries},
}  # fmt: skip
"""Loss terms and metrics, by the task whose output they need."""
CUBE = [64, 64, 64]
"""Synthetic volumes where sections were, and a network now sees volumes: samples, inline, crossline, time."""


def hint_for(key: str, values: Mapping[str, Json]) -> Hint | None:
    """Return what is said with a question, or None where it has nothing to decide."""
    part, _, last = key.partition(".")
    data = _part(values, "data")
    if key == "model.name" and not _foreign_networks():
        return None  # the room's own two do different work, and each has a recipe of its own
    has_folder = bool(data.get("root") or data.get("data"))
    if key.startswith("data.synth.") or key in ("data.n_train", "data.crop"):
        return Hint(MEANINGS.get(key, "")) if has_folder != key.startswith("data.synth.") else None
    if key == "data.n_valid":
        return Hint() if _folder(data, "valid") is not None else None
    if part == "data" and last in SIZES:
        return _hint_of_size(last, data) if has_folder else None
    return Hint(MEANINGS.get(key, ""))


def _foreign_networks() -> list[str]:
    """Return the networks of other packages than ours."""
    return [name for name, kind in loaded("models").items() if not kind.__module__.startswith("seisloom.")]


def _hint_of_size(key: str, data: Mapping[str, Json]) -> Hint | None:
    """Return sizes that fit the first cube and the sizes that are known; None where files say their own."""
    cube = first_cube(data)
    if cube is None:
        return Hint("The cubes are not on this machine: leave it empty if a side-car says it.")
    if said_by_file(cube) is not None:
        return None
    n = cube.stat().st_size // 4
    known = [data.get(one) for one in SIZES[: SIZES.index(key)]]
    left = n // math.prod(int(one) for one in known if one)
    said = f"{cube} has {n} samples, and nothing says its sizes."
    if key == "n1":
        sides: Iterable[int] = (side for shape in shapes_that_fit(n, 8) for side in shape[::-1])
        return Hint(f"{said} These are sides of cubes that fit, those nearest to equal sides first.", _distinct(sides))
    if not all(known):
        return None
    so_far = " x ".join(map(str, known))
    if key == "n2":
        sides = (side for b in _divisors(left) for side in (b, left // b))
        return Hint(f"{said} With n1 = {so_far}, these fit.", _distinct(sides))
    return Hint(f"{said} With n1 x n2 = {so_far}, this fits.", (str(left),))


def _distinct(sides: Iterable[int], at_most: int = 8) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(str, sides)))[:at_most]


def _divisors(n: int) -> Iterable[int]:
    """Yield divisors of n up to its root, the largest first."""
    return (b for b in range(math.isqrt(n), 0, -1) if n % b == 0)


def _part(values: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    part = values.get(name)
    return part if isinstance(part, Mapping) else {"name": part} if isinstance(part, str) else {}


def _folder(data: Mapping[str, Json], part: str) -> Path | None:
    """Return the folder of images that train, or that choose the model (valid); None if it is not there."""
    own = data.get("data" if part == "train" else "data_valid")
    root = data.get("root")
    try:
        folder = expand(own) if own else expand(root) / f"data_{part}" if root else None
        if part == "train" and not own and root and folder and not folder.is_dir():
            folder = expand(root)  # a folder of images itself
    except MissingDataError:
        return None
    return folder if folder is not None and folder.is_dir() else None


def first_cube(data: Mapping[str, Json]) -> Path | None:
    """Return the numbered cube of the lowest number, or None where there is none on this machine."""
    folder = _folder(data, "train")
    numbered = [] if folder is None else [one for one in folder.glob("*.bin") if one.stem.isdecimal()]
    return min(numbered, key=lambda one: int(one.stem), default=None)


def said_by_file(cube: Path) -> tuple[int, ...] | None:
    """Return the sizes inline, crossline, time that a side-car or `patches.json` says of a cube; None if neither."""
    try:
        return open_raw(cube, Given()).spec.grid.shape
    except DataError:
        return None


def with_tasks(values: Mapping[str, Json], switches: Mapping[str, tuple[str, ...]]) -> dict[str, Json]:
    """Return values whose loss terms and metrics are those of the tasks that are on.

    What a task that is off would need is left out: its terms, metrics and attributes to write. A task that is on and
    has no term gets those of `TERMS`, and its metrics; entries that are of no task of ours stay as they are.

    Args:
        values: a recipe, as YAML has it.
        switches: tasks, and the attributes that each gives.
    """
    on = {task: is_on for task in switches if (is_on := _is_on(_part(values, "model"), task)) is not None}
    if not any(on.values()):
        return dict(values)  # a network of somebody else's, or one without a task, which the model itself refuses
    made = dict(values)
    for key, usual in (("loss", TERMS), ("metrics", METRICS)):
        entries = values.get(key) or []
        missing = [task for task, is_on in on.items() if is_on and task not in map(_task_of, values.get("loss") or [])]
        kept = [one for one in entries if on.get(_task_of(one) or "", True)]
        made[key] = kept + [one for task in missing for one in usual[task] if one not in kept]
    wanted = _part(values, "apply").get("attributes")
    if isinstance(wanted, list):
        off = {name for task, is_on in on.items() if not is_on for name in switches[task]}
        made["apply"] = {**values["apply"], "attributes": [name for name in wanted if name not in off]}
    watched = str(_part(values, "train").get("monitor", "")).removeprefix("valid/")
    if not on.get(TASK_OF.get(watched, ""), True):
        made["train"] = {key: one for key, one in values["train"].items() if key not in ("monitor", "monitor_mode")}
    return made


def _is_on(model: Mapping[str, Json], task: str) -> bool | None:
    """Return whether a network has a task; None of one that has no switch for it."""
    fields = plugins.load("models", str(model.get("name"))).model_fields
    if task not in fields:
        return None
    return str(model.get(task, fields[task].default)).lower() not in ("false", "no", "n", "off", "f", "0")


def _task_of(entry: Json) -> str | None:
    """Return the task that an entry of loss or metrics belongs to; l1, l2 and ssim are of the output they name."""
    entry = entry if isinstance(entry, Mapping) else {"name": entry}
    if entry.get("name") in ("l1", "l2", "ssim"):
        return str(entry.get("output", "dhr"))
    return TASK_OF.get(str(entry.get("name")))


def with_places(values: Mapping[str, Json]) -> dict[str, Json]:
    """Return values in which what is read has the dimensions that the network sees.

    A network of sections gets sections cropped from volumes; one of volumes gets synthetic volumes in place of
    synthetic sections, and no crop of one inline.
    """
    data, model = dict(_part(values, "data")), _part(values, "model")
    fields = plugins.load("models", str(model.get("name"))).model_fields
    dims = model.get("dims", fields["dims"].default if "dims" in fields else None)
    has_folder = bool(data.get("root") or data.get("data"))
    synth, crop = dict(data.get("synth") or {}), data.get("crop")
    shape = _shape_of_cubes(data) if has_folder else synth.get("shape")
    if dims == 3 and crop and crop[0] == 1:
        data["crop"] = None
    if dims == 3 and not has_folder and shape and shape[0] == 1:
        data["synth"] = {**synth, "shape": CUBE}
    if dims == 2 and not crop and shape and len(shape) == 3 and shape[0] > 1:
        data["crop"] = [1, *shape[1:]]
    return {**values, "data": data}


def _shape_of_cubes(data: Mapping[str, Json]) -> tuple[int, ...] | None:
    """Return the sizes inline, crossline, time of the cubes, as given or as files say it; None if not known yet."""
    given = [data.get(one) for one in SIZES]
    if all(given):
        return tuple(int(one) for one in given if one)[::-1]
    cube = first_cube(data)
    return said_by_file(cube) if cube is not None and not any(given) else None


def check_sizes(values: Mapping[str, Json]) -> None:
    """Check the sizes that are given so far against the first cube.

    Raises:
        DataError: if no cube of them has as many samples as the file.
    """
    data = _part(values, "data")
    cube = first_cube(data)
    given = [int(data[one]) for one in SIZES if data.get(one)]
    if cube is None or not given:
        return
    n, so_far = cube.stat().st_size // 4, math.prod(given)
    if n % so_far or (all(data.get(one) for one in SIZES) and n != so_far):
        said = " x ".join(map(str, given))
        raise DataError(
            f"{cube} has {n} samples: no cube of {said}{'' if len(given) == 3 else ' x something'} has so many"
        )
