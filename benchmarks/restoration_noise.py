"""Noise taken off made gathers and sections at 0 dB: the networks that ship beside classical denoisers.

    python benchmarks/restoration_noise.py [--panels 40] [--snr 0]

Gathers and sections of another seed than any training's, 96 traces x 384 samples, with white noise and with noise whose
power falls as 1/f. Printed are medians over panels with 95 % bootstrap intervals: SNR gain in dB; mean local similarity
of what was kept and what was taken off, to be read beside it; amplitude slope, 1 keeps amplitudes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from seisloom.bundle import open_predictor
from seisloom.metrics.restoration import amplitude_slope, signal_leakage, snr_gain_db
from seisloom.sample import Array
from seisloom.tasks.restoration.apply import estimate
from seisloom.tasks.restoration.recipe import SyntheticPanels
from seisloom.tasks.restoration.synth import make_panel

SHAPE = (1, 96, 384)
SEED = 101
CLASSICAL = ("median", "dct", "fx_denoise", "mssa_denoise", "band_pass")
NETWORKS = {"prestack": "restoration-prestack", "poststack": "restoration-poststack"}


def noise(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return noise of RMS 1."""
    white = rng.standard_normal(shape)
    if kind == "white":
        return white
    spectrum = np.fft.rfft(white)
    frequency = np.arange(spectrum.shape[-1])
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(frequency, 1)) * (frequency > 0), n=shape[-1])
    return np.asarray(pink / pink.std())


def cleaner(name: str) -> Callable[[Array, Array], Array]:
    """Return a method as a function of noisy values and live traces."""
    opened = open_predictor(name).with_changes("goal=denoise")
    return lambda values, live: estimate(opened.recipe, opened.predictor, values, live)  # type: ignore[arg-type]


def interval(values: Array) -> str:
    """Return a median and its 95 % bootstrap interval over panels."""
    rng = np.random.default_rng(0)
    medians = np.median(rng.choice(values, (2000, len(values))), axis=1)
    low, high = np.quantile(medians, (0.025, 0.975))
    return f"{np.median(values):6.2f} ({low:.2f} to {high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--panels", type=int, default=40)
    parser.add_argument("--snr", type=float, default=0.0)
    options = parser.parse_args()
    print(f"{'panels':10s} {'noise':6s} {'method':22s} {'gain dB':>24s} {'similarity':>22s} {'slope':>22s}")
    for kind in NETWORKS:
        synth = SyntheticPanels(kind=kind, shape=SHAPE)
        clean = [make_panel(synth, k, seed=SEED)[0].astype(np.float32) for k in range(options.panels)]
        methods = {name: cleaner(name) for name in (NETWORKS[kind], *CLASSICAL)}
        for colour in ("white", "1/f"):
            rng = np.random.default_rng(SEED)
            level = 10 ** (-options.snr / 20)
            noisy = [one + level * one.std() * noise(colour, one.shape, rng).astype(np.float32) for one in clean]
            live = np.ones(SHAPE[:2], dtype=bool)
            for name, clean_up in methods.items():
                found = [clean_up(one, live)[0] for one in noisy]
                pairs = list(zip(found, noisy, clean, strict=True))
                gain = np.array([snr_gain_db(one, given[0], true[0]) for one, given, true in pairs])
                leak = np.array([signal_leakage(one, given[0])["mean"] for one, given, _ in pairs])
                slope = np.array([amplitude_slope(one, true[0])[0] for one, _, true in pairs])
                cells = "".join(f"{interval(one):>24s}" for one in (gain, leak, slope))
                print(f"{kind:10s} {colour:6s} {name:22s}{cells}", flush=True)


if __name__ == "__main__":
    main()
