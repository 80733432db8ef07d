"""Noise taken off made gathers and sections: networks beside classical denoisers, each at every strength.

    python benchmarks/restoration_noise.py [--panels 24] [--snr 0] [--kinds prestack] [--noise white field]

Gathers and sections of another seed than any training's, 96 traces x 384 samples, with white noise, noise whose power
falls as 1/f, swell (below 0.03 cycles a sample, of its own on each trace, levels over 20 dB) and field noise: what a
marine streamer recorded before the first arrivals (Mobil AVO Viking Graben line, four shots and a receiver gather, SEG
open data; $SEISLOOM_DATA), of which no network has seen anything.

Each network stands there twice, first as the guide of `guided_dct` ("NAME, dct"). Printed are medians over panels with
95 % bootstrap intervals: SNR gain in dB; mean local similarity of what was kept and what was taken off, the leakage;
amplitude slope, 1 keeps amplitudes. A classical method has the strength with the highest gain on each panel, found with
the truth in sight: more than any search could do. Beside it the least leakage among its strengths that gain as much as
the first row, less the leakage of that row on the same panel, and the share of panels on which there is such a
strength: where the first row leaks less than all baselines of equal gain the difference is above 0.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from seisloom.augment.bank import Bank
from seisloom.bundle import open_predictor
from seisloom.metrics.restoration import amplitude_slope, signal_leakage, snr_gain_db
from seisloom.sample import Array
from seisloom.tasks.restoration.apply import estimate
from seisloom.tasks.restoration.field_noise import write_noise_bank
from seisloom.tasks.restoration.guided import GuidedDCT
from seisloom.tasks.restoration.methods import (
    DCT,
    BandPass,
    DenoiseMethod,
    FXDeconvolution,
    Median,
    MSSADenoise,
    Wavelet,
)
from seisloom.tasks.restoration.recipe import SyntheticPanels
from seisloom.tasks.restoration.synth import make_panel

SHAPE = (1, 96, 384)
SEED = 101
THRESHOLDS = (1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
STRENGTHS: Mapping[str, Sequence[DenoiseMethod]] = {
    "median": [Median(n_traces=n) for n in (3, 5, 7, 9)],
    "dct": [DCT(threshold=one, by_band=by_band) for by_band in (True, False) for one in THRESHOLDS],
    "wavelet": [Wavelet(threshold=one) for one in THRESHOLDS],
    "fx_denoise": [FXDeconvolution(n_filter=n) for n in (2, 3, 4, 6, 8)],
    "mssa_denoise": [MSSADenoise(rank=n) for n in (1, 2, 3, 4, 6)],
    "band_pass": [BandPass(low=low, high=high) for low in (0.005, 0.02, 0.04) for high in (0.12, 0.2, 0.3)],
}
NETWORKS = {
    "prestack": ("restoration-denoising", "restoration-prestack"),
    "poststack": ("restoration-poststack", "restoration-denoising"),
}
FIELD = ("restoration/viking_small.segy", "restoration/mobil_receiver_gather.npy")
FIELD_SHAPE = (48, 192)
"""Traces and samples of a record of field noise; the gathers are not quiet for longer on so many traces."""


def noise(kind: str, shape: tuple[int, ...], rng: np.random.Generator, bank: Array) -> Array:
    """Return noise of RMS 1, (line, trace, time)."""
    if kind == "field":
        return field(shape, rng, bank)
    white = rng.standard_normal(shape)
    if kind == "white":
        return white
    spectrum, f = np.fft.rfft(white), np.fft.rfftfreq(shape[-1])
    if kind == "1/f":
        coloured = np.fft.irfft(spectrum / np.sqrt(np.maximum(f, f[1])) * (f > 0), n=shape[-1])
    else:
        slow = np.fft.irfft(spectrum * ((f > 0) & (f <= 0.03)), n=shape[-1])
        coloured = slow * 10 ** (rng.uniform(-10, 10, (*shape[:-1], 1)) / 20)
    return np.asarray(coloured / coloured.std())


def field(shape: tuple[int, ...], rng: np.random.Generator, bank: Array) -> Array:
    """Return a record of a bank mirrored along both axes to a shape, in a random sense, from a random place on."""
    one = bank[rng.integers(len(bank))]
    one = one[:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
    n_trace, n_time = shape[-2:]
    wide = np.pad(one, ((0, n_trace), (0, n_time)), mode="symmetric")
    first = [int(rng.integers(0, n + 1)) for n in one.shape]
    cut = wide[first[0] : first[0] + n_trace, first[1] : first[1] + n_time]
    return np.asarray(cut / cut.std()).reshape(shape)


def field_bank(data: Path) -> Array:
    """Return records of noise before the first arrivals, (record, trace, time); none where there are no data."""
    files = [data / one for one in FIELD if (data / one).is_file()]
    if not files:
        return np.zeros((0, *FIELD_SHAPE), dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:
        write_noise_bank(Path(folder) / "test.npz", files, shape=FIELD_SHAPE)
        return Bank.read(Path(folder) / "test.npz").arrays["x"]


def cleaner(name: str) -> Callable[[Array], Array]:
    """Return a network as a function of noisy values, (line, trace, time)."""
    opened = open_predictor(name).with_changes("goal=denoise")
    live = np.ones(SHAPE[:2], dtype=bool)
    return lambda values: estimate(opened.recipe, opened.predictor, values, live)  # type: ignore[arg-type]


def guided(name: str) -> Callable[[Array], Array]:
    """Return `guided_dct` by a network as a function of noisy values, (line, trace, time)."""
    predict = GuidedDCT(network=name).predictor(None)
    live = np.ones((1, *SHAPE[:2]), dtype=np.float32)
    return lambda values: np.asarray(predict({"x": values[None], "live": live})["clean"][0])


def scores(found: Array, noisy: Array, clean: Array) -> tuple[float, float, float]:
    """Return gain in dB, leakage and slope of one panel (trace, time)."""
    slope = amplitude_slope(found, clean)[0]
    return snr_gain_db(found, noisy, clean), signal_leakage(found, noisy)["mean"], float(slope)


def interval(values: Array) -> str:
    """Return a median and its 95 % bootstrap interval over panels."""
    if not len(values):
        return "-"
    rng = np.random.default_rng(0)
    medians = np.median(rng.choice(values, (2000, len(values))), axis=1)
    low, high = np.quantile(medians, (0.025, 0.975))
    return f"{np.median(values):6.3f} ({low:.3f} to {high:.3f})"


def print_rows(
    label: str, networks: Mapping[str, Callable[[Array], Array]], methods: Sequence[str], noisy: list[Array],
    clean: list[Array],
) -> None:  # fmt: skip
    """Print the rows of one kind of panels with one noise."""
    first = None
    for name, clean_up in networks.items():
        each = np.array([scores(clean_up(x)[0], x[0], true[0]) for x, true in zip(noisy, clean, strict=True)])
        first = each if first is None else first
        print(f"{label} {name:25s}" + "".join(f"{interval(one):>28s}" for one in each.T), flush=True)
    for name in methods:
        # (panel, strength, score)
        each = np.array([
            [scores(method.cleaner()(x[0].astype(np.float64)), x[0], true[0]) for method in STRENGTHS[name]]
            for x, true in zip(noisy, clean, strict=True)
        ])  # fmt: skip
        best = each[np.arange(len(each)), each[..., 0].argmax(axis=1)]
        cells = "".join(f"{interval(one):>28s}" for one in best.T)
        if first is not None:
            equal = [one[one[:, 0] >= gain, 1].min(initial=np.inf) - leak for one, (gain, leak, _) in
                     zip(each, first, strict=True)]  # fmt: skip
            reached = np.isfinite(equal)
            cells += f"{interval(np.array(equal)[reached]):>28s} {reached.mean():5.2f}"
        print(f"{label} {name:25s}{cells}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SEISLOOM_DATA", "../shared/data")))
    parser.add_argument("--panels", type=int, default=40)
    parser.add_argument("--snr", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=SEED, help="of panels and noise")
    parser.add_argument("--kinds", nargs="+", default=list(NETWORKS), choices=NETWORKS)
    parser.add_argument("--noise", nargs="+", default=["white", "1/f", "swell", "field"])
    parser.add_argument("--networks", nargs="+", help="bundles; by default those that ship for the kind")
    parser.add_argument("--methods", nargs="*", default=list(STRENGTHS), choices=STRENGTHS)
    options = parser.parse_args()
    bank = field_bank(options.data) if "field" in options.noise else np.zeros((0, *FIELD_SHAPE))
    columns = ("gain dB", "leakage", "slope", "at equal gain: leakage more")
    print(f"{'panels':10s} {'noise':6s} {'method':25s}" + "".join(f"{one:>28s}" for one in columns) + "  with")
    for kind in options.kinds:
        synth = SyntheticPanels(kind=kind, shape=SHAPE)
        clean = [make_panel(synth, k, seed=options.seed)[0].astype(np.float32) for k in range(options.panels)]
        networks = {}
        for name in options.networks or NETWORKS[kind]:
            networks |= {f"{Path(name).name}, dct": guided(name), Path(name).name: cleaner(name)}
        for colour in options.noise:
            if colour == "field" and not len(bank):
                print(f"{kind:10s} {colour:6s} left out: there is none of {', '.join(FIELD)} in {options.data}")
                continue
            rng = np.random.default_rng(options.seed)
            level = 10 ** (-options.snr / 20)
            noisy = [
                one + level * one.std() * noise(colour, one.shape, rng, bank).astype(np.float32) for one in clean
            ]  # fmt: skip
            print_rows(f"{kind:10s} {colour:6s}", networks, options.methods, noisy, clean)


if __name__ == "__main__":
    main()
