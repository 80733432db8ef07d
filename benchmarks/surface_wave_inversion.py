"""Vs from dispersion curves against the truth of finite-element models, from their true curves and from their gathers.

    python benchmarks/surface_wave_inversion.py --seeds 3

Error is the mean over depth, to half the longest wavelength, of |median - true| / true; inside is the share of depths
whose true Vs lies in the 90 % interval; width is half the interval, relative. Curves of the gathers are picked by
`--picker`, fundamental mode alone, on one gather each; the true curves have no intervals, so 3 % is taken. The profile
of Oysand (Norway) has no truth: it is printed to be looked at.

Data: finite-element gathers of swprocess (Vantassel & Cox, 2022, Geophysics 87), Oysand of MASWavesPy (Olafsdottir et
al., 2018, Can. Geotech. J. 55), both GPL-3, read and not shipped.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from seisloom.bundle import open_predictor
from seisloom.signal.velocity_spectra.phase_shift import phase_shift
from seisloom.tasks.dispersion.field.curves_file import read_curves
from seisloom.tasks.dispersion.field.gathers import read_gather
from seisloom.tasks.dispersion.field.pick import CurvePicks, ridge
from seisloom.tasks.dispersion.invert.profile import invert_curves
from seisloom.tasks.dispersion.invert.summary import VsProfile
from seisloom.tasks.dispersion.picker.pages import picks_of

MODELS = (([0.0, 1.0], [100.0, 200.0]), ([0.0, 2.0, 6.0, 14.0], [80.0, 120.0, 180.0, 360.0]))
"""Tops of layers in m and their Vs in m/s."""
FREQUENCY_HZ, VELOCITY_M_S = np.arange(3, 60.1, 0.5), np.linspace(50, 500, 256)


def score(profile: VsProfile, tops: list[float], vs: list[float]) -> tuple[float, float, float]:
    """Return error, share inside and half-width of a profile, all in per cent."""
    middle = (profile.depth_top_m + profile.depth_bottom_m) / 2
    true = np.array(vs)[np.searchsorted(tops, middle, side="right") - 1]
    error = np.abs(profile.vs_median_m_s - true) / true
    inside = (profile.vs_low_m_s <= true) & (true <= profile.vs_high_m_s)
    width = np.log(profile.vs_high_m_s / profile.vs_low_m_s) / 2
    return 100 * float(error.mean()), 100 * float(inside.mean()), 100 * float(width.mean())


def first_modes(curves: CurvePicks, n: int) -> CurvePicks:
    """Return curves with their first modes alone."""
    names = ("velocity_m_s", "low_m_s", "high_m_s", "quality")
    return replace(curves, **{name: getattr(curves, name)[:n] for name in names})


def picked(path: Path, picker: str) -> CurvePicks:
    """Return the fundamental mode of a gather, by the network or by `ridge`."""
    if picker != "ridge":
        opened = open_predictor(picker).with_changes("max_hz=60", "min_m_s=50", "max_m_s=500", "modes=1", "longest=1")
        records = opened.task.open(opened.recipe, path, None)
        return picks_of(opened.task.apply(opened.recipe, opened.predictor, opened.calibration, records))
    gather = read_gather(path)
    spectrum = phase_shift(gather.traces, gather.interval_s, gather.offsets_m, FREQUENCY_HZ, VELOCITY_M_S)
    return ridge(spectrum.panel, VELOCITY_M_S, FREQUENCY_HZ, limits=spectrum.limits)


def true_vs30(tops: list[float], vs: list[float]) -> float:
    thickness = np.diff([*tops, 30.0])
    return float(30 / np.sum(thickness / np.array(vs)))


def show(name: str, curves: CurvePicks, model: int, seed: int) -> None:
    begun = time.process_time()
    profile = invert_curves(curves, seed=seed)
    spent_s = time.process_time() - begun
    error, inside, width = score(profile, *MODELS[model])
    low, median, high = profile.vs30_m_s
    worst = max(one.r_hat for one in profile.layerings)
    print(
        f"{name:34s} {seed:4d} {error:6.1f} {inside:7.0f} {width:6.0f} {profile.depth_bottom_m[-1]:7.1f} "
        f"{median:5.0f} ({low:.0f}-{high:.0f}, true {true_vs30(*MODELS[model]):.0f}) "
        f"{min(one.best_misfit for one in profile.layerings):7.2f} {worst:6.2f} {spent_s:6.0f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SEISLOOM_DATA", "../shared/data")))
    parser.add_argument("--seeds", type=int, default=3, help="of the true curves; gathers take one")
    parser.add_argument("--picker", default="dispersion-picker", help="a bundle, or ridge")
    parser.add_argument("--only", choices=("curves", "gathers", "oysand"))
    options = parser.parse_args()
    folder = options.data / "dispersion"
    print("curves                             seed  error inside% width% depth m  Vs30 m/s        misfit  R-hat  CPU s")
    for model in (0, 1):
        true = read_curves(folder / f"fe_model_{model}" / f"mod{model}_dc.txt")
        for n in (1, 3) if options.only in (None, "curves") else ():
            for seed in range(options.seeds):
                show(f"model {model}, true, {n} modes", first_modes(true, n), model, seed)
        for path in sorted((folder / f"fe_model_{model}").glob("*.su")) if options.only in (None, "gathers") else ():
            show(f"model {model}, gather {path.stem}", picked(path, options.picker), model, 0)
    if options.only in (None, "oysand"):
        profile = invert_curves(read_curves(folder / "oysand" / "Oysand_dc.txt"))
        print("Oysand: depth m, Vs 5, 50, 95 %")
        for i in range(4, len(profile.depth_top_m), 8):
            row = (profile.depth_bottom_m, profile.vs_low_m_s, profile.vs_median_m_s, profile.vs_high_m_s)
            print("  {:6.1f} {:6.0f} {:6.0f} {:6.0f}".format(*(values[i] for values in row)))


if __name__ == "__main__":
    main()
