"""Restoration: the U-Net beside MONAI's tiles, POCS beside PyLops, MSSA beside a plain Cadzow filter: time and result.

    python benchmarks/restoration_speed.py [--monai SITE] [--pylops PYTHON] [--turns 5] [--iterations 30]

MONAI is imported from a folder of its own (pip install --target SITE --no-deps monai). PyLops, whose licence is LGPL,
runs in an interpreter of its own (pip install pylops numpy scipy numba in another environment), and panels go there and
back in files. What is not given is left out.

Seconds are processor time with one thread, medians over turns, in each of which every side has one; "over" is the ratio
of medians, with the smallest and the largest ratio of a turn. Reading, imports and compilation come before the clock.

U-Net: untrained weights, the same network object on both sides, and the largest difference of the two answers over the
standard deviation of ours. A guess is made tile by tile with us, and once for the whole section on MONAI's side.

POCS: a hard threshold that falls exponentially, which PyLops has as `ista` with `threshkind="hard"` and `decay`; its
usual way is `fista` with one soft threshold, which is given here the best of `SHARES` with the missing traces in sight.
Windows are of one size on both sides; `whole` is one window in PyLops, and with us three in time that overlap by half;
`plane waves` are Radon transforms of windows of traces. SNR is that of missing traces.

MSSA: PyLops has none. The plain filter decomposes every Hankel matrix in every iteration, in the same windows, all of
them by one call to NumPy.
"""

# PyLops' interpreter runs this file too (--child): it has NumPy and PyLops, and neither seisloom nor torch

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
SHARES = (0.1, 0.03, 0.01, 0.003)
"""Soft thresholds that PyLops may choose from, over the largest coefficient of the data."""
WEAKEST = 0.005
"""Last hard threshold over the largest coefficient, on both sides."""
WINDOW = (30, 100)
"""Traces and samples of a window, overlapping by half; of a panel of 120 x 600 they leave no rest."""
STEEPEST = 5.0
"""Slope of plane waves in samples a trace, either way."""
RANK, MSSA_ITERATIONS = 4, 20
MODELS = (
    {"name": "mask_unet"}, {"name": "guess_unet", "guess": "linear"}, {"name": "guess_unet", "guess": "plane_wave"},
)  # fmt: skip
PYLOPS = {
    "PyLops POCS (ista), windows": ("windows", "pocs"), "PyLops POCS (ista), whole": ("whole", "pocs"),
    "PyLops fista, windows": ("windows", "fista"), "PyLops fista, whole": ("whole", "fista"),
    "PyLops fista, plane waves": ("plane waves", "fista"),
}  # fmt: skip
"""Transform and solver of each row."""
Job: TypeAlias = tuple[str, str, float, int]
"""Transform, solver, last or only threshold over the largest coefficient, and iterations."""


def seconds_of(work: Callable[[], Any]) -> tuple[float, Any]:  # Any: what the work returns
    """Return the processor time of all threads in s, and the result."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def over(ours: list[float], theirs: list[float]) -> str:
    """Return the ratio of medians of theirs over ours with the range over turns."""
    each = np.array(theirs) / np.array(ours)
    return f"{np.median(theirs) / np.median(ours):.2f} ({each.min():.2f} to {each.max():.2f})"


Timed: TypeAlias = dict[str, tuple[float, Any]]
"""Seconds and result of each way."""


def timed(name: str, work: Callable[..., Any], *given: Any) -> Callable[[], Timed]:  # Any: whatever the work takes
    """Return what runs one way and times it."""
    return lambda: {name: seconds_of(partial(work, *given))}


def in_turns(sides: list[Callable[[], Timed]], n: int) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Return seconds of each way in each of n turns, whose order is reversed every other time, and the last results."""
    seconds: dict[str, list[float]] = {}
    results: dict[str, Any] = {}
    for turn in range(n):
        for side in sides[:: 1 if turn % 2 == 0 else -1]:
            for name, (one, result) in side().items():
                seconds.setdefault(name, []).append(one)
                results[name] = result
    return seconds, results


# -- the network ------------------------------------------------------------------------------------------------------


def networks(given: argparse.Namespace) -> None:
    """Print rates of the small 2-D U-Nets on a section, whole and by tiles, beside MONAI."""
    import torch

    from seisloom.bundle import as_predictor
    from seisloom.recipe import packaged_recipe, read_values, recipe_from
    from seisloom.tasks.restoration.patterns import draw_pattern
    from seisloom.tasks.restoration.recipe import ITEM
    from seisloom.tasks.restoration.see import restore_scaled

    torch.set_num_threads(1)
    sliding = find_monai(given.monai)
    n_traces, n_time = given.section
    rng = np.random.default_rng(0)
    live = draw_pattern("irregular 50", n_traces, rng)[None]
    x = np.where(live[..., None], rng.normal(size=(1, n_traces, n_time)), 0).astype(np.float32)
    print(f"\nU-Nets on {n_traces} traces x {n_time} samples; tiles of {given.tile} traces, by one, that overlap by a "
          "quarter, Gaussian weights")  # fmt: skip
    print(f"{'network':24s}{'way':8s}{'ours Msamples/s':>16s}{'MONAI':>8s}  {'ours over MONAI, time':24s}difference")
    values = read_values(packaged_recipe("restoration_prestack"))
    for model in MODELS:
        for way, tile in (("whole", None), ("tiles", (given.tile, n_time))):
            said = {"tile": tile, "overlap": 0.25, "window": "gaussian"}
            recipe: Any = recipe_from({**values, "model": model, "apply": said})
            torch.manual_seed(0)
            network = recipe.model.build(ITEM).eval()
            predictor = as_predictor(network, "cpu")
            sides = [timed("ours", restore_scaled, recipe, predictor, x, live)]
            if sliding is not None:
                patch = tile or (n_traces, n_time)
                sides.append(timed("MONAI", by_monai, sliding, recipe, network, patch, x, live))
            in_turns(sides, 1)  # allocators and kernels are set up by the first forward
            seconds, found = in_turns(sides, given.turns)
            rates = {side: x.size / 1e6 / np.median(some) for side, some in seconds.items()}
            row = f"{' '.join(model.values()):24s}{way:8s}{rates['ours']:16.2f}"
            if sliding is not None:
                apart = np.abs(found["ours"] - found["MONAI"]).max() / found["ours"].std()
                row += f"{rates['MONAI']:8.2f}  {over(seconds['MONAI'], seconds['ours']):24s}{apart:.1e}"
            print(row, flush=True)


def by_monai(sliding: Any, recipe: Any, network: Any, patch: tuple[int, int], x: Array, live: Array) -> Array:
    """Return what MONAI's tiles make of a section (1, trace, time); all that the network sees are channels.

    A guess that the network begins from is made once, of the whole section, where ours makes it tile by tile.
    """
    import torch

    from seisloom.tasks.restoration.guess import guess_of

    guess = guess_of(recipe, x, live)
    channels = [x[0], np.broadcast_to(live[0, :, None], x[0].shape).astype(np.float32)]
    channels += [] if guess is None else [guess[0]]

    def see(part: Any) -> Any:  # Any: tensors
        return network({"x": part[:, :1], "live": part[:, 1:2, :, 0], "guess": part[:, 2:]})["clean"]

    with torch.inference_mode():
        return np.asarray(sliding(torch.from_numpy(np.stack(channels)[None]), patch, 1, see, 0.25, "gaussian")[0])


def find_monai(site: Path | None) -> Any:  # Any: MONAI's function
    """Return MONAI's `sliding_window_inference`, or None where it is not."""
    if site is not None:
        sys.path.append(str(site))  # last, so that NumPy and torch stay ours
    try:
        from monai.inferers import sliding_window_inference
    except ImportError:
        print("MONAI is left out: give --monai, a folder with it")
        return None
    return sliding_window_inference


# -- the fillers ------------------------------------------------------------------------------------------------------


def read_panels(data: Path) -> dict[str, Array]:
    """Return panels (trace, time) of 120 x 600, of size about 1: a made one, and a recorded shot if it is there.

    The shot is of the Mobil AVO Viking Graben line, SEG open data.
    """
    from seisloom.io.gather import read_gather
    from seisloom.tasks.restoration.recipe import SyntheticPanels
    from seisloom.tasks.restoration.synth import make_panel

    panels = {"made gather": make_panel(SyntheticPanels(shape=(1, 120, 600)), 0, seed=0)[0][0]}
    if (file := data / "restoration" / "viking_small.segy").is_file():
        shots = read_gather(file).traces.reshape(4, 120, -1)[..., :600]
        panels["viking 101"] = shots[0]
    else:
        print(f"{file} is not there: the made gather alone is filled")
    wide = {name: np.asarray(one, dtype=np.float64) for name, one in panels.items()}
    return {name: one / one.std() for name, one in wide.items()}


def fillers(given: argparse.Namespace, folder: Path) -> None:
    """Print seconds and SNR of POCS and MSSA beside others, for each panel with half of its traces missing."""
    from threadpoolctl import threadpool_limits

    from seisloom.metrics.restoration import missing_snr_db
    from seisloom.signal.restoration.mssa import mssa_fill
    from seisloom.signal.restoration.pocs import pocs_fill
    from seisloom.tasks.restoration.patterns import draw_pattern

    n = {"n_iterations": given.iterations, "weakest": WEAKEST}
    for name, panel in read_panels(given.data).items():
        live = draw_pattern("irregular 50", len(panel), np.random.default_rng([0, len(panel)]))
        score = partial(missing_snr_db, true=panel, is_live=live)
        fills: dict[str, Callable[[Array, Array], Array]] = {
            "ours POCS, windows": partial(pocs_fill, n_traces=WINDOW[0], n_samples=WINDOW[1], **n),
            "ours POCS, whole": partial(pocs_fill, n_traces=len(panel), n_samples=panel.shape[1], **n),
            "ours MSSA": partial(mssa_fill, rank=RANK, damping=0, n_iterations=MSSA_ITERATIONS),
            "plain Cadzow": cadzow_fill,
        }
        sides = [timed(one, fill, panel, live) for one, fill in fills.items()]
        with threadpool_limits(1):
            in_turns(sides, 1)  # compiles
            if given.pylops:
                np.savez(folder / "panel.npz", given=panel[live], live=live)
                sides.append(partial(ask_pylops, given.pylops, folder, best_jobs(given, folder, score)))
            seconds, found = in_turns(sides, given.turns)
        print(f"\n{name}, {panel.shape[0]} x {panel.shape[1]}, half of the traces missing irregularly")
        print(f"{'way':30s}{'iterations':>11s}{'s':>9s}{'Msamples/s':>11s}{'SNR dB':>8s}  over ours")
        for one in [*fills, *(PYLOPS if given.pylops else ())]:
            some = seconds[one]
            base = "ours MSSA" if one in ("ours MSSA", "plain Cadzow") else "ours POCS, windows"
            base = "ours POCS, whole" if one.endswith("whole") else base
            iterations = MSSA_ITERATIONS if base == "ours MSSA" else given.iterations
            row = f"{one:30s}{iterations:11d}{np.median(some):9.3f}{panel.size / 1e6 / np.median(some):11.3f}"
            print(row + f"{score(found[one]):8.2f}  " + ("" if one == base else over(seconds[base], some)), flush=True)
        apart = np.abs(found["ours MSSA"] - found["plain Cadzow"])[~live]
        print(f"ours MSSA from plain Cadzow: rms {np.sqrt(np.mean(apart**2)):.1e} of the panel's, largest "
              f"{apart.max():.1e}")  # fmt: skip


def cadzow_fill(values: Array, is_live: Array) -> Array:
    """Return what `mssa_fill` is to return, by a full decomposition of each matrix in each iteration."""
    from seisloom.signal.restoration.hankel import hankel, mean_antidiagonals
    from seisloom.signal.restoration.spectra import Spectra, by_frequency
    from seisloom.signal.restoration.windows import Windows

    def fill(seen: Spectra) -> Array:
        x = observed = seen.values.astype(np.complex128)
        for _ in range(MSSA_ITERATIONS):
            U, s, Vh = np.linalg.svd(hankel(x), full_matrices=False)
            low = (U[..., :RANK] * s[..., None, :RANK]) @ Vh[..., :RANK, :]
            x = np.where(seen.is_live[:, None], observed, mean_antidiagonals(low))
        return np.asarray(x)

    start = np.where(is_live[:, None], values, 0.0)
    filled = by_frequency(start, is_live, Windows.of(values.shape, *WINDOW), fill)
    return np.asarray(np.where(is_live[:, None], values, filled))


def best_jobs(given: argparse.Namespace, folder: Path, score: Callable[[Array], float]) -> dict[str, Job]:
    """Return what PyLops is asked for each row; of soft thresholds, the one with the best SNR on missing traces."""
    jobs: dict[str, Job] = {}
    for name, (transform, solver) in PYLOPS.items():
        for share in SHARES if solver == "fista" else (WEAKEST,):
            jobs[f"{name}|{share}"] = (transform, solver, share, given.iterations)
    scores = {name: score(filled) for name, (_, filled) in ask_pylops(given.pylops, folder, jobs).items()}
    best = {name: max((one for one in jobs if one.split("|")[0] == name), key=scores.__getitem__) for name in PYLOPS}
    return {name: jobs[one] for name, one in best.items()}


def ask_pylops(python: str, folder: Path, jobs: Mapping[str, Job]) -> Timed:
    """Return the seconds of PyLops and the filled panel (trace, time) of each job, done in a process of its own."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    done = subprocess.run(
        [python, __file__, "--child", json.dumps(jobs), str(folder)],
        capture_output=True, text=True, check=False, env=os.environ | one_thread,
    )  # fmt: skip
    if done.returncode != 0:
        raise SystemExit(f"{python} with PyLops failed:\n{done.stderr[-3000:]}")
    seconds = json.loads(done.stdout.splitlines()[-1])
    with np.load(folder / "filled.npz") as filled:
        return {name: (seconds[name], filled[name]) for name in jobs}


# -- what PyLops' interpreter runs ------------------------------------------------------------------------------------


def child(jobs: Mapping[str, Job], folder: Path) -> None:
    """Fill the panel of a folder in several ways, write it there, and print the seconds."""
    with np.load(folder / "panel.npz") as stored:
        live, given = stored["live"], stored["given"]
    shape = (len(live), given.shape[1])
    seconds, panels = {}, {}
    for transform in dict.fromkeys(job[0] for job in jobs.values()):
        # The step belongs to transform and mask alone: found before the clock starts, and by it all is compiled
        largest = largest_eigenvalue(transform, shape, live)
        for name, job in jobs.items():
            if job[0] == transform:
                seconds[name], panels[name] = seconds_of(partial(pylops_fill, given, live, shape, job, largest))
                panels[name][live] = given
    np.savez(folder / "filled.npz", **panels)
    print(json.dumps(seconds))


def synthesis(transform: str, shape: tuple[int, int]) -> Any:  # Any: a LinearOperator
    """Return the operator from coefficients to a panel (trace, time)."""
    from pylops.signalprocessing import FFT2D, Patch2D, Radon2D, Sliding2D
    from pylops.signalprocessing.patch2d import patch2d_design
    from pylops.signalprocessing.sliding2d import sliding2d_design

    if transform == "whole":
        return FFT2D(shape, nffts=(3 * shape[0] // 2, shape[1]), real=True).H
    half = (WINDOW[0] // 2, WINDOW[1] // 2)
    if transform == "windows":  # all of them by one call, which is PyLops' fastest way
        nffts = (3 * half[0], WINDOW[1])
        size = (nffts[0], nffts[1] // 2 + 1)
        n_windows, coefficients, *_ = patch2d_design(shape, WINDOW, half, size)
        fourier = FFT2D((*n_windows, *WINDOW), axes=(2, 3), nffts=nffts, real=True)
        return Patch2D(fourier.H, coefficients, shape, WINDOW, half, size, tapertype="hanning")
    slopes = np.linspace(-STEEPEST, STEEPEST, 2 * WINDOW[0] + 1)
    place = np.arange(WINDOW[0]) - half[0]
    _, coefficients, *_ = sliding2d_design(shape, WINDOW[0], half[0], (len(slopes), shape[1]))
    radon = Radon2D(np.arange(shape[1]) * 1.0, place * 1.0, slopes, centeredh=True, engine="numba")
    return Sliding2D(radon, coefficients, shape, WINDOW[0], half[0], tapertype="hanning")


def modelling(transform: str, shape: tuple[int, int], live: Array) -> tuple[Any, Any]:  # Any: LinearOperators
    """Return the operators from coefficients to live traces, and to the panel."""
    from pylops import Real, Restriction

    panel = synthesis(transform, shape)
    kept = Restriction(shape, np.flatnonzero(live), axis=0, dtype=panel.dtype)
    is_complex = np.issubdtype(panel.dtype, np.complexfloating)
    return (Real(kept.dimsd, dtype=panel.dtype) * kept * panel if is_complex else kept * panel), panel


def largest_eigenvalue(transform: str, shape: tuple[int, int], live: Array) -> float:
    """Return the largest eigenvalue of the normal operator."""
    seen, _ = modelling(transform, shape, live)
    return float(np.abs((seen.H @ seen).eigs(neigs=1, symmetric=True, tol=1e-2)[0]))


def pylops_fill(given: Array, live: Array, shape: tuple[int, int], job: Job, largest: float) -> Array:
    """Return the panel (trace, time) that PyLops makes of live traces; the step is one over `largest`."""
    from pylops.optimization.sparsity import fista, ista

    transform, solver, share, n = job
    seen, panel = modelling(transform, shape, live)
    y = given.ravel().astype(seen.dtype)
    alpha = 1 / largest
    loudest = float(np.abs(alpha * seen.rmatvec(y)).max())
    if solver == "pocs":
        # A hard threshold there is sqrt(eps alpha decay)
        decay = np.geomspace(0.99, share, n) ** 2
        x = ista(seen, y, niter=n, eps=loudest**2 / alpha, alpha=alpha, threshkind="hard", decay=decay)[0]
    else:
        x = fista(seen, y, niter=n, eps=2 * share * loudest / alpha, alpha=alpha)[0]
    return np.asarray(np.real(panel * x)).reshape(shape)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SEISLOOM_DATA", "../shared/data")))
    parser.add_argument("--monai", type=Path, help="folder that MONAI was installed to")
    parser.add_argument("--pylops", help="interpreter of an environment with PyLops")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=30, help="of POCS, ista and fista")
    parser.add_argument("--section", type=int, nargs=2, default=(512, 2048), help="traces and samples for the U-Nets")
    parser.add_argument("--tile", type=int, default=128, help="traces of a tile")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(json.loads(given.child[0]), Path(given.child[1]))
        return
    print(f"machine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    networks(given)
    if not given.pylops:
        print("\nPyLops is left out: give --pylops, an interpreter that has it")
    with tempfile.TemporaryDirectory() as folder:
        fillers(given, Path(folder))


if __name__ == "__main__":
    main()
