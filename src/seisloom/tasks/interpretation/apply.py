"""Volumes through the room's predictors: how they are tiled, seen, and put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from seisloom.calibration.probability import ProbabilityCalibration
from seisloom.errors import RecipeError
from seisloom.inference.integrate import increment, integrate
from seisloom.inference.sweep import Tiling
from seisloom.inference.windows import predict_in_batches
from seisloom.io.volumes.grid import Grid
from seisloom.metrics.orientation import angles_of
from seisloom.sample import Array, Arrays, Predictor
from seisloom.signal.survey_scale import Scaling
from seisloom.tasks.interpretation.recipe import UNITS, InterpretationRecipe
from seisloom.tasks.interpretation.records import VolumeRecord
from seisloom.tiled import Tiled, apply_to_array

PATCH = {2: 256, 3: 128}
"""Samples of a tile along each axis that a network looks along, by their number; less where the volume has less."""
NORMALS = ("zz", "zx", "zy", "xx", "xy")
"""Products of the components of a fault's unit normal: z depth, x crossline, y inline. A normal has no sign, its
products do not either, so they can be averaged; yy is what is left of 1."""
STEPS = ("rgt_inline", "rgt_crossline", "rgt_time")
"""Steps of relative time from a sample to the next one, along each axis. A tile knows time up to a constant; its steps
are free of it, hold the throw where they cross a fault, and can be averaged. `integrate` makes time of them."""
SECTIONS = 16
"""Sections that go through a 2-D network at once where it sees a volume along both axes."""


@dataclass(frozen=True, slots=True)
class VolumeProduct:
    """What was found in a volume."""

    record: VolumeRecord
    attributes: Mapping[str, Array]
    """float32 of the volume's shape, by name."""
    blended: Mapping[str, Array] = field(default_factory=dict, repr=False)
    """Outputs of the predictor that they were made from, such as the logit of a fault before calibration."""


def apply(
    recipe: InterpretationRecipe,
    predictor: Predictor,
    calibration: ProbabilityCalibration | None,
    records: Iterable[VolumeRecord],
) -> list[VolumeProduct]:
    """Return what is found in volumes that fit the memory; for others see `seisloom.tiled`."""
    products = []
    for record in records:
        made = tiled(recipe, calibration, record.values.shape)
        found, blended = apply_to_array(made, predictor, record.values)
        found = {name: one for name, one in found.items() if name in made.products}
        if "rgt" in made.products:
            found["rgt"] = _integrated(made.integrated["rgt"], blended)
        products.append(VolumeProduct(record, found, blended))
    return products


def _integrated(names: tuple[str, ...], blended: Mapping[str, Array]) -> Array:
    """Return relative time from its steps, in the unit of `seisloom.tiled`: a share of the trace around a half."""
    shape = blended[names[-1]].shape
    steps = [blended[name] if name else np.zeros(shape, dtype=np.float32) for name in names]
    return np.asarray(integrate(steps) / shape[-1] + 0.5, dtype=np.float32)


def plan_tiles(recipe: InterpretationRecipe, calibration: ProbabilityCalibration | None, grid: Grid) -> Tiled:
    """Return how a volume with these axes is taken through the network."""
    return tiled(recipe, calibration, grid.shape)


def tiled(recipe: InterpretationRecipe, calibration: ProbabilityCalibration | None, shape: tuple[int, ...]) -> Tiled:
    """Return how a volume of this shape is taken through the network.

    Raises:
        RecipeError: if the network cannot see such a volume, or does not give a wanted attribute.
    """
    keys, dims, n_axes = recipe.apply, getattr(recipe.model, "dims", 2), len(shape)
    if n_axes not in (2, 3):
        raise RecipeError(f"a volume of {n_axes} axes: faults are looked for in sections (trace, time) and in volumes")
    attributes = _wanted(recipe)
    if "rgt" in attributes and n_axes == 3 and shape[0] > 1 and dims == 2 and keys.along != "both":
        raise RecipeError(
            "relative time of a volume by a 2-D network: sections along one axis know nothing of each other. Give "
            "apply.along=both, or leave rgt out: apply.attributes=[fault,dip,strike,dhr]"
        )
    see = See("line" if n_axes == 2 else keys.along or ("cube" if dims == 3 else "inline"), keys.views, attributes)
    return Tiled(
        tiling=Tiling(
            patch=_patch(keys.patch, see.along, shape), overlap=keys.overlap, window=keys.window,
            batch_size=keys.batch_size, squeeze=see.along in ("inline", "crossline"),
        ),
        scale=recipe.scale, blended=see.blended, products={name: UNITS[name] for name in attributes},
        derive=partial(
            derive, attributes=attributes, calibration=calibration or ProbabilityCalibration(),
            threshold=keys.threshold,
        ),
        wrap=see, integrated={"rgt": tuple(_step_names(see, shape))} if "rgt" in attributes else {},
    )  # fmt: skip


def _step_names(see: See, shape: tuple[int, ...]) -> Iterator[str]:
    """Yield the name of the steps along each axis of a volume; none along an axis that is not looked along."""
    for name in STEPS[-len(shape) :]:
        yield name if name in see.blended else ""


def _wanted(recipe: InterpretationRecipe) -> tuple[str, ...]:
    there = getattr(recipe.model, "attributes", ("fault", "dip", "strike"))
    wanted = recipe.apply.attributes or there
    if missing := [name for name in wanted if name not in there]:
        raise RecipeError(
            f"apply.attributes: {', '.join(missing)}: the network was trained for {', '.join(there)} alone"
        )
    return tuple(name for name in UNITS if name in wanted)


def _patch(given: tuple[int, ...] | None, along: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the samples of a tile on the axes of the volume."""
    looks = {"inline": (1, 2), "crossline": (0, 2)}.get(along, tuple(range(len(shape))))
    # The room's networks take any size, so by default nothing is padded; what is given is taken as it is
    sizes = given or [min(PATCH[len(looks)], shape[axis]) for axis in looks]
    if len(sizes) != len(looks):
        raise RecipeError(
            f"apply.patch {list(sizes)}: the network looks along {len(looks)} axes here; give as many numbers, time "
            "last"
        )
    patch = [1] * len(shape)
    for axis, size in zip(looks, sizes, strict=True):
        patch[axis] = size
    return tuple(patch)


@dataclass(frozen=True, slots=True)
class See:
    """The face of the room's predictors that tiles need; it can be pickled."""

    along: str
    """What a tile is to the predictor: inline or crossline sections of a volume, both, the cube, or a line."""
    views: int
    attributes: tuple[str, ...]

    @property
    def blended(self) -> tuple[str, ...]:
        """Outputs that tiles blend."""
        found = [one for one in self.attributes if one in ("fault", "dhr")]
        if "rgt" in self.attributes:
            found += [step for step in STEPS if step != "rgt_inline" or self.along in ("cube", "both", "crossline")]
            if self.along == "crossline":
                found.remove("rgt_crossline")
        if {"dip", "strike"} & set(self.attributes):
            found = list(dict.fromkeys(["fault", *found, *NORMALS]))
        return tuple(found)

    def __call__(self, predictor: Predictor) -> Predictor:
        """Return the predictor on tiles: {"x": (batch, channel, *patch)} to (batch, *patch) of each output."""
        seen = self._both(predictor) if self.along == "both" else partial(self._one_way, predictor)
        return lambda arrays: self._views(seen, arrays["x"])

    def _views(self, seen: Predictor, x: Array) -> dict[str, Array]:
        """Return the mean over views of a tile."""
        total: dict[str, Array] = {}
        for polarity in (1, -1)[: min(self.views, 2)]:
            for mirrored in (False, True)[: 1 if self.views < 4 else 2]:
                shown = np.float32(polarity) * (x[..., ::-1, :] if mirrored else x)
                for name, values in seen({"x": np.ascontiguousarray(shown)}).items():
                    back = values[..., ::-1, :] if mirrored else values
                    # What a view turns round is turned back: amplitudes, steps, products with the mirrored component
                    sign = polarity if name == "dhr" else -1 if mirrored and name in self._mirrored else 1
                    if mirrored and name in self._mirrored and name in STEPS:
                        # A step belongs to the first of its two samples, and the last one repeats the one before
                        back = np.concatenate([back[..., 1:, :], back[..., -1:, :]], axis=-2)
                    total[name] = total.get(name, np.float32(0)) + np.float32(sign / self.views) * back
        return total

    @property
    def _mirrored(self) -> tuple[str, ...]:
        inline = self.along == "crossline"
        return ("zy", "xy", "rgt_inline") if inline else ("zx", "xy", "rgt_crossline")

    def _one_way(self, predictor: Predictor, arrays: Arrays) -> dict[str, Array]:
        found = predictor(arrays)
        outputs: dict[str, Array] = {name: found[name] for name in ("fault", "dhr") if name in self.blended}
        if "rgt" in self.attributes:
            axes = {"line": (1, 2), "inline": (1, 2), "crossline": (0, 2)}.get(self.along, (0, 1, 2))
            for place, axis in enumerate(axes, start=1):
                outputs[STEPS[axis]] = increment(found["rgt"], place)
        if "zz" in self.blended:
            z, x, y = np.moveaxis(_unit(found["normal"]), 1, 0)
            if self.along == "crossline":  # the network's lateral axis is the inline one
                x, y = y, x
            outputs |= dict(zip(NORMALS, (z * z, z * x, z * y, x * x, x * y), strict=True))
        return outputs

    def _both(self, predictor: Predictor) -> Predictor:
        """Return the mean of a 2-D network's answers along inlines and along crosslines."""
        ways = {way: partial(See(way, 1, self.attributes)._one_way, predictor) for way in ("inline", "crossline")}

        def predict(arrays: Arrays) -> dict[str, Array]:
            x = arrays["x"]  # (batch, channel, inline, crossline, time)
            total: dict[str, Array] = {}
            for way, seen in ways.items():
                axis = 2 if way == "inline" else 3
                sections = np.moveaxis(x, axis, 1)  # (batch, section, channel, across, time)
                rows = [{"x": row} for row in sections.reshape(-1, *sections.shape[2:])]
                for name, every in predict_in_batches(seen, rows, batch_size=SECTIONS).items():
                    back = np.moveaxis(every.reshape(*sections.shape[:2], *every.shape[1:]), 1, axis - 1)
                    share = 1.0 if name in STEPS[:2] else 0.5  # lateral steps are seen one way alone
                    total[name] = total.get(name, np.float32(0)) + np.float32(share) * back
            return total

        return predict


def _unit(normal: Array) -> Array:
    """Return normals (item, 3, *place) of length 1; 0 where there is none."""
    length = np.sqrt((normal**2).sum(axis=1, keepdims=True))
    return np.asarray(np.divide(normal, length, out=np.zeros_like(normal), where=length > 0))


def derive(
    outputs: Mapping[str, Array],
    *,
    scaling: Scaling,
    attributes: tuple[str, ...],
    calibration: ProbabilityCalibration,
    threshold: float,
) -> dict[str, Array]:
    """Return the attributes from blended outputs, voxel by voxel, float32; angles are 0 where there is no fault."""
    made: dict[str, Array] = {}
    if "fault" in outputs:
        made["fault"] = calibration(outputs["fault"])
    if "zz" in outputs:
        where = made["fault"] >= threshold
        for name, values in zip(("dip", "strike"), angles_of(normals_at(outputs, where)), strict=True):
            made[name] = np.zeros(where.shape, dtype=np.float32)
            made[name][where] = values
    if "dhr" in outputs:
        made["dhr"] = outputs["dhr"] / np.float32(scaling.gain)
    steps = {name: outputs[name] for name in STEPS if name in outputs}
    return {**{name: made[name] for name in attributes if name != "rgt"}, **steps}


def normals_at(outputs: Mapping[str, Array], where: Array) -> Array:
    """Return normals (3, voxel) at chosen voxels: the direction in which the mean of their products is longest."""
    zz, zx, zy, xx, xy = (outputs[name][where].astype(np.float64) for name in NORMALS)
    tensor = np.stack([np.stack(row, -1) for row in ((zz, zx, zy), (zx, xx, xy), (zy, xy, 1 - zz - xx))], -2)
    _, vectors = np.linalg.eigh(tensor)
    return np.asarray(np.moveaxis(vectors[..., -1], -1, 0))
