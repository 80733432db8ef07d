"""Synthetic volumes with all their labels: seconds a volume, beside a plain NumPy version of the same map.

    python benchmarks/synth_volumes.py [--size 128] [--volumes 6] [--section 256] [--threads N]

Ours is image, high-resolution image, fault, dip, strike and RGT, with blur and noise; NumPy is the map and the labels
alone, with neither image, so that the ratio is a lower bound. Both are run on the same volumes, in turns.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from seisloom.physics.volumes import inverse_map as m
from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.draw import draw_volume
from seisloom.physics.volumes.model import VolumeModel
from seisloom.physics.volumes.priors import VolumePriors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--section", type=int, default=256)
    parser.add_argument("--volumes", type=int, default=6)
    parser.add_argument("--threads", type=int, default=None)
    given = parser.parse_args()
    shape, section = (given.size,) * 3, (1, given.section, given.section)
    make_box(draw_volume((1, 16, 16), 0))  # compiles, or reads the cache
    ours, plain, flat = [], [], []
    for seed in range(given.volumes):
        for style in ("planar", "through", "curved"):
            priors = VolumePriors(styles=(style,))
            start = time.perf_counter()
            model = draw_volume(shape, seed, priors)
            make_box(model, threads=given.threads)
            ours.append(time.perf_counter() - start)
            start = time.perf_counter()
            make_box(draw_volume(section, seed, priors), threads=given.threads)
            flat.append(time.perf_counter() - start)
        if seed < 2:  # of the last style; NumPy takes its time
            start = time.perf_counter()
            labels_in_numpy(model, tuple(slice(0, side) for side in shape))
            plain.append((time.perf_counter() - start, ours[-1]))
    print(f"{given.size}^3, all arrays: median {np.median(ours):.3f} s, slowest {max(ours):.3f} s")
    print(f"section {given.section}^2:    median {np.median(flat) * 1e3:.1f} ms, slowest {max(flat) * 1e3:.1f} ms")
    for theirs, own in plain:
        print(
            f"NumPy, labels only: {theirs:.2f} s, ours with images on that volume {own:.3f} s: {theirs / own:.1f} times"
        )


def labels_in_numpy(model: VolumeModel, box: tuple[slice, ...]) -> dict[str, np.ndarray]:
    """Return fault, dip, strike and rgt of a box, written again as array operations over the whole box."""
    x, y, z = (np.array(a, dtype=float) for a in np.meshgrid(*(np.arange(s.start, s.stop) for s in box), indexing="ij"))
    half, least = model.label[0] / 2, model.label[1] * (1 - 1e-9)
    nearest, dip, strike = np.full(x.shape, half), np.zeros(x.shape), np.zeros(x.shape)
    young = np.zeros(x.shape, bool)
    for n, fault in enumerate(model.faults):
        if model.unconformity is not None and n == model.n_young:
            young = z < model.unconformity[1] + spline_in_numpy(model, x, y)[2]
        dx, dy, depth = x - fault[m.INLINE], y - fault[m.CROSSLINE], z - fault[m.DEPTH]
        cs, sn = fault[m.COS_STRIKE], fault[m.SIN_STRIKE]
        h, u = dy * cs - dx * sn, dy * sn + dx * cs
        throw = fault[m.THROW] * throw_share_in_numpy(fault, u, depth) * ~young
        angle = fault[m.WAVE_NUMBER] * u + fault[m.WAVE_PHASE]
        slope = fault[m.WAVE] * fault[m.WAVE_NUMBER] * np.cos(angle)
        away = h - reach_in_numpy(fault, depth) - fault[m.WAVE] * np.sin(angle)
        cot = fault[m.COT] + fault[m.COT_SLOPE] * np.clip(depth, -fault[m.HALF_CURVE], fault[m.HALF_CURVE])
        norm = np.sqrt(1 + cot**2 + slope**2)
        hit = (np.abs(away) / norm < nearest) & (np.abs(throw) >= least) & (throw != 0)
        nearest[hit] = (np.abs(away) / norm)[hit]
        normal = np.stack([-cot, cs - slope * sn, -sn - slope * cs]) / norm  # (depth, crossline, inline)
        here = np.degrees(np.arctan2(-normal[2], normal[1]))
        flip = (here < 0) | (here >= 180)
        dip[hit] = np.where(flip, 180 - np.degrees(np.arccos(-normal[0])), np.degrees(np.arccos(-normal[0])))[hit]
        strike[hit] = np.mod(here, 180)[hit]
        near = np.maximum(0, 1 - (away * fault[m.PER_REACH]) ** 2) ** 2
        bent = np.clip(away * fault[m.PER_DRAG], -1, 1)
        beyond = (1 - fault[m.DRAG]) * (away >= 0) + fault[m.DRAG] * (2 + 3 * bent - bent**3) / 4
        down = throw * near * (fault[m.SHARE] - 1 + beyond)
        h = h - reach_in_numpy(fault, depth) + reach_in_numpy(fault, depth - down)
        u = u - fault[m.STRIKE_SLIP] * down
        moved = down != 0
        x = np.where(moved, fault[m.INLINE] + u * cs - h * sn, x)
        y = np.where(moved, fault[m.CROSSLINE] + h * cs + u * sn, y)
        z = z - down
    top, bottom, surface = spline_in_numpy(model, x, y)
    onlap, surface_depth, gap = model.unconformity or (0.0, -np.inf, 0.0)
    if model.n_young >= len(model.faults):
        young = z < surface_depth + surface
    older = z - bent_in_numpy(model, x, y)
    older = older - (top + (bottom - top) * np.clip(older / model.shape[2], 0, 1)) + gap
    low, high = model.rgt_range
    rgt = (np.where(young, z - onlap * surface, older) - low) / (high - low)
    return {"fault": (nearest < half).astype(float), "dip": dip, "strike": strike, "rgt": rgt}


def reach_in_numpy(fault: np.ndarray, depth: np.ndarray) -> np.ndarray:
    inside = np.clip(depth, -fault[m.HALF_CURVE], fault[m.HALF_CURVE])
    return fault[m.COT] * depth + fault[m.COT_SLOPE] * inside * (depth - inside / 2)


def throw_share_in_numpy(fault: np.ndarray, u: np.ndarray, depth: np.ndarray) -> np.ndarray:
    length, height = u * fault[m.PER_LENGTH], depth * fault[m.PER_HEIGHT]
    squared = length**2 + height**2
    along = np.maximum(0, 1 - np.abs(length))
    return {
        m.CONSTANT: np.ones_like(u),
        m.BELL: np.maximum(0, 1 - squared) ** 4,
        m.LINEAR: along * np.maximum(0, 1 - np.abs(height)),
        m.GROWTH: np.clip(0.5 + 0.5 * height, 0, 1) * np.maximum(0, 1 - length**2),
        m.ELLIPTIC: np.maximum(0, 1 - squared) ** 2,
    }[int(fault[m.PROFILE])]


def spline_in_numpy(model: VolumeModel, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    (first_i, first_j, spacing), controls = model.controls_at, model.controls
    p = np.clip((x - first_i) / spacing, 1, controls.shape[1] - 3)
    q = np.clip((y - first_j) / spacing, 1, controls.shape[2] - 3)
    total = np.zeros((3, *x.shape))
    for k in range(-1, 3):
        for n in range(-1, 3):
            i, j = np.floor(p).astype(int) + k, np.floor(q).astype(int) + n
            total += controls[:, i, j] * b_spline(p - i) * b_spline(q - j)
    return total


def b_spline(t: np.ndarray) -> np.ndarray:
    t = np.abs(t)
    return np.where(t < 1, 2 / 3 - t**2 + t**3 / 2, np.maximum(0, 2 - t) ** 3 / 6)


def bent_in_numpy(model: VolumeModel, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    total = np.zeros_like(x)
    for bend in model.bends:
        dx, dy = x - bend[m.INLINE], y - bend[m.CROSSLINE]
        h, u = dy * bend[m.BEND_COS] - dx * bend[m.BEND_SIN], dy * bend[m.BEND_SIN] + dx * bend[m.BEND_COS]
        if bend[m.KIND] == m.FLEXURE:
            q = np.clip(h * bend[m.PER_WIDTH], -1, 1)
            total += bend[m.HEIGHT] * q * (3 - q**2) / 4
        else:
            left = 1 - (h * bend[m.PER_WIDTH]) ** 2 - (u * bend[m.PER_LONG]) ** 2
            total += bend[m.HEIGHT] * np.maximum(0, left) ** 2
    return total


if __name__ == "__main__":
    main()
