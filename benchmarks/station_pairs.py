"""The fundamental mode on images of pairs of stations, which no picker here was made for: ten pairs against people.

    python benchmarks/station_pairs.py [--bundle dispersion-picker]

Group images are envelopes over group velocity, phase images the filtered record over phase velocity, both of ambient
noise, 0.2 to 5 s, with curves that people picked (DisperPicker, Yang et al. 2022, MIT). The network has seen spectra of
arrays alone; it is told nothing of an array here, and takes its best guess at each period (min_probability=0).
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from seisloom.bundle import Opened, open_predictor
from seisloom.tasks.dispersion.field.pick import argmax, ridge
from seisloom.tasks.dispersion.picker.records import SpectrumRecord

PERIOD_S = 0.2 + 0.1 * np.arange(49)
VELOCITY_M_S = 500.0 + 5.0 * np.arange(701)
NEAR_M_S = 100.0
"""Velocities that agree within it count as the same."""
Picker = Callable[[np.ndarray], np.ndarray]


def pairs(folder: Path, kind: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return images (velocity, frequency) from 0 to 1 and velocities that people picked, NaN where they did not."""
    found = []
    for path in sorted((folder / f"{kind}_image").glob("*.dat")):
        image = np.loadtxt(path)[:, ::-1]  # ascending frequency
        image = np.clip(image, 0, None)
        period, km_s = np.loadtxt(folder / f"{kind}_velocity" / f"{path.stem}.txt")[:, :2].T
        at = np.rint((period - PERIOD_S[0]) / 0.1).astype(int)
        picked = np.full(len(PERIOD_S), np.nan)
        picked[at] = np.where(km_s > 0, 1000 * km_s, np.nan)
        found.append((image / image.max(axis=0), picked[::-1]))
    return found


def by_network(opened: Opened) -> Picker:
    """Return the network as a picker of one image."""

    def pick(image: np.ndarray) -> np.ndarray:
        content = np.zeros(1, dtype=np.uint64)
        record = SpectrumRecord("pair", image.astype(np.float32), VELOCITY_M_S, 1 / PERIOD_S[::-1], None, 0, content)
        table = opened.task.apply(opened.recipe, opened.predictor, None, [record])
        return table.loc[table["mode"] == 0, "velocity_m_s"].to_numpy(float)

    return pick


def main() -> None:
    """Print a row a picker and kind of image."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="dispersion-picker")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SEISLOOM_DATA", "../shared/data")))
    given = parser.parse_args()
    frequency = 1 / PERIOD_S[::-1]
    pickers: dict[str, Picker] = {
        "argmax": lambda image: argmax(image, VELOCITY_M_S, frequency).velocity_m_s[0],
        "ridge": lambda image: ridge(image, VELOCITY_M_S, frequency, least=0.3).velocity_m_s[0],
        given.bundle: by_network(open_predictor(given.bundle).with_changes("min_probability=0")),
    }
    print(f"{'image':6s} {'picker':20s} points  median km/s  within 0.1 km/s")
    for kind in ("group", "phase"):
        images = pairs(given.data / "dispersion" / "disperpicker", kind)
        for name, pick in pickers.items():
            off = np.concatenate([np.abs(pick(image) - people)[np.isfinite(people)] for image, people in images])
            near = np.mean(np.nan_to_num(off, nan=np.inf) <= NEAR_M_S + 1e-6)  # a pick that is missing is not near
            print(f"{kind:6s} {name[-20:]:20s} {len(off):6d} {np.nanmedian(off) / 1000:12.3f} {near:16.3f}")


if __name__ == "__main__":
    main()
