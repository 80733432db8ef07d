"""What a room's predictor sees of a tile, and what tiles can blend of what it says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from seisloom.inference.windows import predict_in_batches
from seisloom.sample import Array, Arrays, Predictor
from seisloom.signal.dead_traces import fill_dead_traces, fill_mutes
from seisloom.signal.fault_normals import structure_tensor
from seisloom.tasks.interpretation.coarser import Coarser
from seisloom.tasks.interpretation.refining.refine import Refine
from seisloom.tasks.interpretation.throws import with_matched_throws

NORMALS = ("zz", "zx", "zy", "xx", "xy")
"""Products of the components of a fault's unit normal: z depth, x crossline, y inline. A normal has no sign, its
products do not either, so they can be averaged; yy is what is left of 1."""
STEPS = ("rgt_inline", "rgt_crossline", "rgt_time")
"""Steps of relative time from a sample to the next one, along each axis. A tile knows time up to a constant; its steps
are free of it, hold the throw where they cross a fault, and can be averaged. `integrate` makes time of them."""
NO_FAULT = -30.0
"""Logit in a mute and at its edge."""
SECTIONS = 16
"""Sections that go through a 2-D network at once where it sees a volume along both axes."""


@dataclass(frozen=True, slots=True)
class See:
    """The face of the room's predictors that tiles need; it can be pickled."""

    along: str
    """What a tile is to the predictor: inline or crossline sections of a volume, both, the cube, or a line."""
    views: int
    attributes: tuple[str, ...]
    refine: Refine | None = None
    """What makes the predictor's outputs better before anything is made of them."""
    fill_dead: int = 0
    """Dead traces side by side that are filled from their neighbours before the predictor sees them."""
    coarser: Coarser | None = None
    """Lets the predictor see every n-th trace and sample."""
    normals: str = "network"
    """What normals of a cube are told from: the network's own, or its image of faults."""
    throws: str = "network"
    """What relative time across faults is told from: the network's own steps, or layers that match."""

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
        predictor = predictor if self.refine is None else self.refine(predictor)
        predictor = predictor if self.coarser is None else self.coarser(predictor)
        seen = self._both(predictor) if self.along == "both" else partial(self.one_way, predictor)

        def predict(arrays: Arrays) -> dict[str, Array]:
            x = fill_dead_traces(arrays["x"], widest=self.fill_dead) if self.fill_dead else arrays["x"]
            x, muted, unsure = fill_mutes(x)
            found = self._views(seen, x)
            if self._matches and "fault" in found:
                found = with_matched_throws(found, found.get("dhr", x[:, 0]))
            for name, where, value in (("fault", unsure, NO_FAULT), ("dhr", muted, 0.0)):
                if name in found and where.any():
                    found[name] = np.where(where[:, 0], np.float32(value), found[name])
            return {name: found[name] for name in self.blended}

        return predict

    @property
    def _matches(self) -> bool:
        return self.throws == "image" and "rgt" in self.attributes

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

    def one_way(self, predictor: Predictor, arrays: Arrays) -> dict[str, Array]:
        """Return what can be blended of a predictor's outputs, (batch, *patch) each."""
        found = predictor(arrays)
        outputs: dict[str, Array] = {name: found[name] for name in ("fault", "dhr") if self._needs(name, found)}
        if "rgt" in self.attributes:
            axes = {"line": (1, 2), "inline": (1, 2), "crossline": (0, 2)}.get(self.along, (0, 1, 2))
            for place, axis in enumerate(axes, start=1):
                outputs[STEPS[axis]] = found["rgt_steps"][:, place - 1]
        if "zz" in self.blended and self.along == "cube" and self.normals == "image":
            outputs |= _normals_of_image(outputs["fault"])
        elif "zz" in self.blended:
            z, x, y = np.moveaxis(_unit(found["normal"]), 1, 0)
            if self.along == "crossline":  # the network's lateral axis is the inline one
                x, y = y, x
            outputs |= dict(zip(NORMALS, (z * z, z * x, z * y, x * x, x * y), strict=True))
        return outputs

    def _needs(self, name: str, found: Arrays) -> bool:
        return name in self.blended or (self._matches and name in found)

    def _both(self, predictor: Predictor) -> Predictor:
        """Return a 2-D network's answers along inlines and along crosslines as one: see `_of_both_ways`."""
        ways = {
            way: partial(See(way, 1, self.attributes, throws=self.throws).one_way, predictor)
            for way in ("inline", "crossline")
        }

        def predict(arrays: Arrays) -> dict[str, Array]:
            x = arrays["x"]  # (batch, channel, inline, crossline, time)
            found: dict[str, dict[str, Array]] = {}
            for way, seen in ways.items():
                axis = 2 if way == "inline" else 3
                sections = np.moveaxis(x, axis, 1)  # (batch, section, channel, across, time)
                rows = [{"x": row} for row in sections.reshape(-1, *sections.shape[2:])]
                found[way] = {
                    name: np.moveaxis(every.reshape(*sections.shape[:2], *every.shape[1:]), 1, axis - 1)
                    for name, every in predict_in_batches(seen, rows, batch_size=SECTIONS).items()
                }
            return _of_both_ways(found["inline"], found["crossline"])

        return predict


def _of_both_ways(inline: Arrays, crossline: Arrays) -> dict[str, Array]:
    """Return one answer of those along inlines and along crosslines, (batch, inline, crossline, time) each.

    A fault is as sure as in the section that shows it better: one along its strike does not show it. Normals are told
    from the faults so found. A lateral step is seen one way alone; everything else is averaged.
    """
    found: dict[str, Array] = {}
    for name in {**inline, **crossline}:
        if name not in inline or name not in crossline:
            found[name] = inline[name] if name in inline else crossline[name]
        elif name == "fault":
            found[name] = np.maximum(inline[name], crossline[name])
        elif name not in NORMALS:
            found[name] = np.float32(0.5) * (inline[name] + crossline[name])
    return found | _normals_of_image(found["fault"]) if "zz" in inline else found


def _normals_of_image(fault: Array) -> dict[str, Array]:
    """Return products of the components of the direction in which the image of faults changes most.

    A fault seen in sections has an apparent normal in each, and one along its strike does not show it; told from
    those two, strikes were 24 degrees off in the median, from the image of the surer faults 5.

    Args:
        fault: logit, (batch, inline, crossline, time).
    """
    every = []
    for image in 1 / (1 + np.exp(-fault)):
        tensor = {(a, b): products for a, b, products in structure_tensor(image)}
        zero = np.zeros_like(image)
        size = np.maximum(sum((tensor.get((a, a), zero) for a in range(3)), zero), np.float32(1e-12))
        every.append([tensor.get(one, zero) / size for one in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2))])
    return dict(zip(NORMALS, (np.stack(one) for one in zip(*every, strict=True)), strict=True))


def _unit(normal: Array) -> Array:
    """Return normals (item, 3, *place) of length 1; 0 where there is none."""
    length = np.sqrt((normal**2).sum(axis=1, keepdims=True))
    return np.asarray(np.divide(normal, length, out=np.zeros_like(normal), where=length > 0))
