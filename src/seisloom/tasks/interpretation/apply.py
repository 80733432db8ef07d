"""Volumes through the room's predictors: how they are tiled, seen, and put together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from seisloom.calibration.probability import ProbabilityCalibration
from seisloom.errors import RecipeError
from seisloom.fingerprint import Fingerprint
from seisloom.inference.integrate import integrate, rising
from seisloom.inference.sweep import Tiling
from seisloom.inference.windows import predict_in_batches
from seisloom.io.volumes.grid import Grid
from seisloom.metrics.orientation import angles_of
from seisloom.sample import Array, Arrays, Predictor
from seisloom.signal.survey_scale import Scaling
from seisloom.tasks.interpretation.coarser import Coarser
from seisloom.tasks.interpretation.recipe import UNITS, InterpretationRecipe
from seisloom.tasks.interpretation.records import VolumeRecord
from seisloom.tasks.interpretation.refining.guess import Sureness, as_outputs
from seisloom.tasks.interpretation.refining.refine import chain_of, guess_of, open_refiner, refine_of
from seisloom.tasks.interpretation.see import NORMALS, SECTIONS, STEPS, See
from seisloom.tiled import Tiled, apply_to_array

PATCH = {2: 256, 3: 128}
"""Samples of a tile along each axis that a network looks along, by their number; less where the volume has less."""


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
        if record.guess or (recipe.data.first_network and hasattr(recipe.model, "needs")):
            products.append(_from_guess(recipe, predictor, calibration, record))
            continue
        made = tiled(recipe, calibration, record.values.shape)
        found, blended = apply_to_array(made, predictor, record.values)
        found = {name: one for name, one in found.items() if name in made.products}
        if "rgt" in made.products:
            found["rgt"] = _integrated(made, blended)
        products.append(VolumeProduct(record, found, blended))
    return products


def _from_guess(
    recipe: InterpretationRecipe, predictor: Predictor, calibration: ProbabilityCalibration | None, record: VolumeRecord
) -> VolumeProduct:
    """Return what a refiner makes of a volume's first guess, see `guess`: it is seen whole, not by tiles."""
    scaling, needs = recipe.scale.of_values(record.values), getattr(recipe.model, "needs", ())
    guess = {name: one * np.float32(scaling.gain if name == "guess_dhr" else 1) for name, one in record.guess.items()}
    arrays = {"x": scaling(record.values)[None]}
    if not recipe.data.first_network:
        arrays |= as_outputs(guess, record.name, needs, Sureness())
    is_cube = recipe.apply.along == "cube" or getattr(recipe.model, "dims", 2) == 3
    along = "line" if record.values.ndim == 2 else "cube" if is_cube else "inline"
    # Items are inline sections, or what is seen as one; components and channels come after them
    rows = [arrays] if along != "inline" else [
        {name: one.take(k, axis=one.ndim - 3) for name, one in arrays.items()} for k in range(len(record.values))
    ]  # fmt: skip
    if recipe.data.first_network:
        predictor = partial(_after_first, recipe, predictor)
    found = predict_in_batches(predictor, rows, batch_size=min(SECTIONS, len(rows)))
    attributes = _wanted(recipe)
    outputs = See(along, 1, attributes).one_way(lambda _: found, arrays)
    blended = {name: one.reshape(record.values.shape) for name, one in outputs.items() if name not in STEPS}
    made = derive(
        blended, scaling=scaling, attributes=attributes, calibration=calibration or ProbabilityCalibration(),
        threshold=recipe.apply.threshold,
    )  # fmt: skip
    if "rgt" in attributes:
        made["rgt"] = _centred(found["rgt"].reshape(record.values.shape), rises=not recipe.apply.falls)
    return VolumeProduct(record, made, blended)


def _after_first(recipe: InterpretationRecipe, predictor: Predictor, arrays: Arrays) -> Arrays:
    return predictor({**arrays, **guess_of(recipe, arrays["x"])})


def _centred(rgt: Array, *, rises: bool) -> Array:
    """Return relative time in samples as `seisloom.tiled` writes it: a share of the trace around a half."""
    rgt = rgt - rgt.mean()
    return np.asarray((rising(rgt) if rises else rgt) / rgt.shape[-1] + 0.5, dtype=np.float32)


def _integrated(made: Tiled, blended: Mapping[str, Array]) -> Array:
    """Return relative time from its steps."""
    names = made.integrated["rgt"]
    shape = blended[names[-1]].shape
    steps = [blended[name] if name else np.zeros(shape, dtype=np.float32) for name in names]
    return _centred(integrate(steps), rises=made.rising)


def plan_tiles(recipe: InterpretationRecipe, calibration: ProbabilityCalibration | None, grid: Grid) -> Tiled:
    """Return how a volume with these axes is taken through the network."""
    return tiled(recipe, calibration, grid.shape)


def tiled(recipe: InterpretationRecipe, calibration: ProbabilityCalibration | None, shape: tuple[int, ...]) -> Tiled:
    """Return how a volume of this shape is taken through the network.

    Raises:
        RecipeError: if the network cannot see such a volume, or does not give a wanted attribute, or its refiner does
            not go with it.
    """
    if getattr(recipe.model, "needs", ()):
        raise RecipeError(
            f"{recipe.model.name} refines what another network gives, and finds nothing in a volume by itself. Apply "
            "that network with apply.refine=FOLDER, the folder of this bundle"
        )
    keys, dims, n_axes = recipe.apply, getattr(recipe.model, "dims", 2), len(shape)
    if n_axes not in (2, 3):
        raise RecipeError(f"a volume of {n_axes} axes: faults are looked for in sections (trace, time) and in volumes")
    if dims == 3 and (n_axes == 2 or 1 in shape[:2]):
        raise RecipeError("a section, and a 3-D network sees volumes: take one of sections, as interpretation-sections")
    attributes = _wanted(recipe)
    along = "line" if n_axes == 2 else keys.along or ("cube" if dims == 3 else _usual_way(attributes, shape))
    if "rgt" in attributes and {"inline": shape[0], "crossline": shape[1]}.get(along, 1) > 1:
        raise RecipeError(
            "relative time of a volume by a 2-D network: sections along one axis know nothing of each other. Give "
            "apply.along=both, or leave rgt out: apply.attributes=[fault,dip,strike,dhr]"
        )
    refiner = open_refiner(recipe, attributes)
    refine = None if refiner is None else refine_of(refiner, recipe)
    if refiner is not None and (calibration is None or calibration.refined != chain_of(recipe)):
        calibration = refiner.calibration  # that of the network was fitted on other logits
    coarser = None if keys.coarser == (1, 1) else Coarser(*keys.coarser)
    see = See(along, keys.views, attributes, refine, keys.fill_dead, coarser, keys.normals, keys.throws)
    return Tiled(
        tiling=Tiling(
            patch=_patch(keys.patch, see.along, shape, keys.coarser), overlap=keys.overlap, window=keys.window,
            batch_size=keys.batch_size or 1, squeeze=see.along in ("inline", "crossline"),
        ),
        scale=recipe.scale, blended=see.blended, products={name: UNITS[name] for name in attributes},
        derive=partial(
            derive, attributes=attributes, calibration=calibration or ProbabilityCalibration(),
            threshold=keys.threshold,
        ),
        wrap=see, advise=partial(advise, recipe),
        integrated={"rgt": tuple(_step_names(see, shape))} if "rgt" in attributes else {}, rising=not keys.falls,
    )  # fmt: skip


def _usual_way(attributes: tuple[str, ...], shape: tuple[int, ...]) -> str:
    """Return along what a 2-D network sees a volume if nothing is said: sections along one axis know no common time."""
    if shape[0] > 1 == shape[1]:
        return "crossline"  # a volume of one crossline is a section along inlines
    return "both" if "rgt" in attributes and shape[0] > 1 else "inline"


def advise(recipe: InterpretationRecipe, found: Fingerprint) -> Iterator[str]:
    """Yield what to do with a survey whose periods are longer than those that the network learnt from."""
    if recipe.data.root or recipe.data.data or recipe.apply.coarser[1] > 1:
        return
    low, high = recipe.data.synth.priors.f0_cycles_per_sample
    period = list(found.axes.values())[-1].period
    if period > 1 / low:
        factor = max(round(period * math.sqrt(low * high)), 2)
        yield (
            f"the dominant period is {period:.0f} samples, and the network learnt from {1 / high:.0f} to "
            f"{1 / low:.0f}. Let it see every {factor}. sample: coarser=[1,{factor}]"
        )


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


def _patch(
    given: tuple[int, ...] | None, along: str, shape: tuple[int, ...], coarser: tuple[int, int]
) -> tuple[int, ...]:
    """Return the samples of a tile on the axes of the volume."""
    looks = {"inline": (1, 2), "crossline": (0, 2)}.get(along, tuple(range(len(shape))))
    # The room's networks take any size, so by default nothing is padded; what is given is taken as it is
    finer = (*[coarser[0]] * (len(looks) - 1), coarser[1])
    sizes = given or [min(factor * PATCH[len(looks)], shape[axis]) for axis, factor in zip(looks, finer, strict=True)]
    if len(sizes) != len(looks):
        raise RecipeError(
            f"apply.patch {list(sizes)}: the network looks along {len(looks)} axes here; give as many numbers, time "
            "last"
        )
    patch = [1] * len(shape)
    for axis, size in zip(looks, sizes, strict=True):
        patch[axis] = size
    return tuple(patch)


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
