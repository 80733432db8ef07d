"""Attributes as a network gets them wrong: what a network that refines its own output is trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import NormalDist

import numpy as np
from pydantic import model_validator

from seisloom.config import Config
from seisloom.physics.volumes import kernels
from seisloom.physics.volumes.box import LABELS, Columns, allowed_threads, checked_box, make_box
from seisloom.physics.volumes.draw_faults import draw_faults
from seisloom.physics.volumes.model import VolumeModel
from seisloom.physics.volumes.priors import Range, VolumePriors
from seisloom.sample import Array

MISSING, SPURIOUS, RGT, DEAD, GRAIN = range(5)  # smooth fields, each with a seed of its own
SPURIOUS_THROW = 1.0  # samples; it moves only spurious planes against each other
LARGEST_AMPLITUDE = 4.0  # of an image of unit RMS


class Corruption(Config):
    """Ranges that errors of attributes are drawn from, once a volume; [smallest, largest] each, uniform.

    Defaults are those of the refinement network of Gao (2024), GJI 236(1), 565-592, as far as its data show them.
    """

    share_missing: Range = (0.05, 0.45)
    """Share of the faults that blobs take away, 0 to 1."""
    n_spurious: tuple[int, int] = (6, 16)
    """Number of planes of which pieces are added where there is no fault, from 0."""
    share_spurious: Range = (0.05, 0.15)
    """Share of those planes that is added, 0 to 1."""
    spurious_dip_degrees: Range = (40.0, 90.0)
    """Dip of those planes in degrees, 10 to 90; they dip to either side."""
    rgt_error: Range = (0.0, 0.1)
    """Largest relative error of `rgt`, smooth, 0 to 1."""
    share_dead: Range = (0.0, 0.3)
    """Share of `dhr` that is 0, 0 to 1."""
    dhr_noise: Range = (0.0, 0.05)
    """RMS of smoothed noise on `dhr`, as a share of its largest amplitude, 0 to 1."""
    blob_voxels: Range = (8.0, 32.0)
    """Size of the blobs, and length of smooth errors, in voxels, from 2."""

    @model_validator(mode="after")
    def _values_are_possible(self) -> Corruption:
        highest = {"n_spurious": 1000, "spurious_dip_degrees": 90.0, "blob_voxels": 1e5}
        lowest = {"spurious_dip_degrees": 10.0, "blob_voxels": 2.0}
        for name in type(self).model_fields:
            first, last = getattr(self, name)
            low, high = lowest.get(name, 0.0), highest.get(name, 1.0)
            if not low <= first <= last <= high:
                raise ValueError(
                    f"{name} is [{first:g}, {last:g}]; write [smallest, largest] with {low:g} <= smallest <= "
                    f"largest <= {high:g}"
                )
        return self


def corrupt_attributes(
    model: VolumeModel,
    box: Sequence[slice] | None = None,
    corruption: Corruption | None = None,
    *,
    seed: int = 0,
    truth: Mapping[str, Array] | None = None,
    threads: int | None = None,
) -> dict[str, Array]:
    """Return attributes of a box with the errors of a first guess, as float32 arrays (inline, crossline, time).

    Args:
        model: a drawn volume.
        box: as in `make_box`.
        corruption: ranges of the errors.
        seed: from 0; the same volume with another seed has other errors.
        truth: fault, dip, strike, rgt and dhr of this box, where the caller has them already.
        threads: as in `make_box`.
    Returns:
        i_fsem: 1 on what is left of the faults and on pieces of spurious ones, else 0;
        i_fdip, i_fstrike: their angles in degrees, 0 elsewhere;
        i_rgt: `rgt` with a smooth relative error, clipped to 0 to 1;
        i_dhr: `dhr` with dead zones and smoothed noise.
        Like the volume itself they do not depend on the box.
    """
    corruption = corruption or Corruption()
    first, size = checked_box(model, box)
    n_threads = allowed_threads(threads, int(np.prod(size)))
    truth = make_box(model, box, (*LABELS, "dhr"), threads=n_threads) if truth is None else truth
    key = np.random.SeedSequence((model.seed, seed), spawn_key=(5,))
    rng = np.random.Generator(np.random.PCG64(key))
    field_seeds = key.generate_state(5, np.uint64)
    spurious = _spurious(rng, model, corruption)
    low, high = np.log(corruption.blob_voxels)
    spacing = np.exp(rng.uniform(low, high, (5, 3)))
    spacing[GRAIN] = rng.uniform(1.0, 3.0, 3)
    shares = {name: rng.uniform(*getattr(corruption, name)) for name in ("share_missing", "share_spurious")}
    rgt_error, dead = rng.uniform(*corruption.rgt_error), rng.uniform(*corruption.share_dead)
    grain = LARGEST_AMPLITUDE * rng.uniform(*corruption.dhr_noise)
    columns = Columns(n_threads)

    def smooth(which: int) -> Array:
        out = np.empty(size, np.float32)
        columns.run(
            kernels.smooth_noise, int(size[0] * size[1]), first, spacing[which], np.uint64(field_seeds[which]), out
        )
        return out

    kept = truth["fault"] * (smooth(MISSING) >= _quantile(shares["share_missing"]))
    wrong = make_box(spurious, box, ("fault", "dip", "strike"), threads=n_threads)
    added = wrong["fault"] * (smooth(SPURIOUS) < _quantile(shares["share_spurious"])) * (truth["fault"] == 0)
    # about 1 in 1000 values lies beyond 3 standard deviations
    error = np.clip(smooth(RGT) / np.float32(3.0), -1, 1) * np.float32(rgt_error)
    return {
        "i_fsem": kept + added,
        "i_fdip": kept * truth["dip"] + added * wrong["dip"],
        "i_fstrike": kept * truth["strike"] + added * wrong["strike"],
        "i_rgt": np.clip(truth["rgt"] * (1 + error), 0, 1),
        "i_dhr": truth["dhr"] * (smooth(DEAD) >= _quantile(dead)) + np.float32(grain) * smooth(GRAIN),
    }


def _spurious(rng: np.random.Generator, model: VolumeModel, corruption: Corruption) -> VolumeModel:
    """Return the same volume with other faults, none of which is there."""
    priors = VolumePriors(
        n_faults=corruption.n_spurious,
        dip_degrees=corruption.spurious_dip_degrees,
        throw_samples=(SPURIOUS_THROW, SPURIOUS_THROW),
        label_thickness=model.label[0],
        fault_spacing=0.0,
    )
    faults = draw_faults(rng, "through", model.shape, priors)
    return replace(model, faults=faults, n_young=0, unconformity=None, label=(model.label[0], 0.0))


def _quantile(share: float) -> np.float32:
    """Return the value below which this share of a field of standard normal numbers lies."""
    if share <= 0 or share >= 1:
        return np.float32(np.inf if share >= 1 else -np.inf)
    return np.float32(NormalDist().inv_cdf(share))
