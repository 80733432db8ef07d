"""Shift, noise, gain and stretch of records by ours, an older pipeline's chain, SeisBench's and audiomentations'.

    python benchmarks/augment.py [--batch 64] [--batches 4] [--turns 9] [--threads 1]

Records have 3 channels and 6000 samples. Each entry acts with the probability of the pipeline that is compared to:
shift 0.5, noise 0.5, gain 0.3, stretch 0.3. The older chain is rewritten here from what it does: one sample at a time
in NumPy, `np.roll`, white noise, one gain, and a stretch that resamples and then resamples back, so that no tone moves.
SeisBench and audiomentations are tried where they are installed, with the nearest that they have: SeisBench has no
shift of the data, gain or stretch of that kind (Gaussian noise, channel dropout, gap and rotation stand for them), and
audiomentations changes the tempo by a phase vocoder, so it is also timed without the stretch. All sides take turns in
one run, and the time is that of the processor, so that what else a machine does counts little; printed is the median
over turns, and the median of the ratio within a turn. What ours spends alone on each entry is printed below.
"""

# ruff: noqa: NPY002 -- the chains that are compared to draw from NumPy's global generator

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch

from seisloom.augment.amplitude import AmplitudeScale
from seisloom.augment.augmentation import Augmentation, augment
from seisloom.augment.batch import Batch
from seisloom.augment.compose import RandomApply
from seisloom.augment.noise import AddNoise
from seisloom.augment.time import TimeShift, TimeStretch
from seisloom.sample import Field, Schema

N_CHANNEL, N_TIME, FS_HZ = 3, 6000, 100.0
RECORD = Schema((Field("x", ("channel", "time")),))
CHAIN: list[Augmentation] = [
    RandomApply(TimeShift(max_shift=0.1), p=0.5),
    RandomApply(AddNoise(snr_min=15, snr_max=40), p=0.5),
    RandomApply(AmplitudeScale(0.9, 1.1), p=0.3),
    RandomApply(TimeStretch(0.95, 1.05), p=0.3),
]
Side = Callable[[np.ndarray, int], object]
"""Changes records (item, channel, time) in the epoch given."""


def ours(entries: list[Augmentation]) -> Side:
    def run(x: np.ndarray, epoch: int) -> torch.Tensor:
        batch = Batch({"x": torch.from_numpy(x)}, tuple(f"record-{k}" for k in range(len(x))), RECORD, epoch)
        return augment(batch, entries, seed=0)[0].arrays["x"]

    return run


def older(x: np.ndarray, epoch: int) -> np.ndarray:
    """The older chain, on (time, channel), a sample at a time, with the global generator."""
    found = []
    for record in x:
        one = np.ascontiguousarray(record.T)
        n = len(one)
        if np.random.random() < 0.5:
            one = np.roll(one, int(np.random.uniform(-0.1, 0.1) * n), axis=0)
        if np.random.random() < 0.5:
            power = np.mean(one**2) / 10 ** (np.random.uniform(15, 40) / 10)
            one = one + np.random.normal(0, np.sqrt(power), one.shape)
        if np.random.random() < 0.3:
            one = one * np.random.uniform(0.9, 1.1)
        if np.random.random() < 0.3:
            n_new = int(n * np.random.uniform(0.95, 1.05))
            there, back = np.linspace(0, n - 1, n_new), np.linspace(0, n_new - 1, n)
            columns = [np.interp(back, np.arange(n_new), np.interp(there, np.arange(n), c)) for c in one.T]
            one = np.stack(columns, axis=1)
        found.append(one)
    return np.stack(found)


def seisbench() -> Side | None:
    if importlib.util.find_spec("seisbench") is None:
        return None
    from seisbench import generate

    chain = [
        (0.5, generate.GaussianNoise(scale=(0.01, 0.18))), (0.5, generate.AddGap()),
        (0.3, generate.ChannelDropout(axis=0)), (0.3, generate.RandomArrayRotation(axis=-1)),
    ]  # fmt: skip

    def run(x: np.ndarray, epoch: int) -> object:
        found = []
        for record in x:
            state = {"X": (record.copy(), {})}
            for p, step in chain:
                if np.random.random() < p:
                    step(state)
            found.append(state["X"][0])
        return np.stack(found)

    return run


def audiomentations(*, stretch: bool) -> Side | None:
    if importlib.util.find_spec("audiomentations") is None:
        return None
    import audiomentations as am

    steps = [
        am.Shift(min_shift=-0.1, max_shift=0.1, p=0.5, fade_duration=0.0),
        am.AddGaussianSNR(min_snr_db=15, max_snr_db=40, p=0.5),
        am.Gain(min_gain_db=-0.9, max_gain_db=0.8, p=0.3),
    ]
    if stretch:
        steps.append(am.TimeStretch(min_rate=0.95, max_rate=1.05, leave_length_unchanged=True, p=0.3))
    chain = am.Compose(steps)

    def run(x: np.ndarray, epoch: int) -> object:
        return np.stack([chain(record, sample_rate=int(FS_HZ)) for record in x])

    return run


def microseconds(side: Side, batches: list[np.ndarray], epoch: int) -> float:
    """Return the processor's time for one sample."""
    start = time.process_time()
    for x in batches:
        side(x, epoch)
    return (time.process_time() - start) / sum(len(x) for x in batches) * 1e6


def main() -> None:
    ask = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    ask.add_argument("--batch", type=int, default=64, help="records in a batch")
    ask.add_argument("--batches", type=int, default=4, help="batches in a turn")
    ask.add_argument("--turns", type=int, default=9, help="turns that all sides take")
    ask.add_argument("--threads", type=int, default=1, help="threads of torch")
    given = ask.parse_args()
    torch.set_num_threads(given.threads)
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    batches = [rng.normal(size=(given.batch, N_CHANNEL, N_TIME)).astype(np.float32) for _ in range(given.batches)]
    candidates: dict[str, Side | None] = {
        "ours": ours(CHAIN), "older chain": older, "SeisBench": seisbench(),
        "audiomentations": audiomentations(stretch=True), "audiomentations, no stretch": audiomentations(stretch=False),
    }  # fmt: skip
    sides = {name: side for name, side in candidates.items() if side is not None}
    for name in candidates.keys() - sides.keys():
        print(f"{name}: not installed")
    for side in sides.values():
        microseconds(side, batches[:1], 0)
    spent: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(given.turns):
        for name, side in sides.items():
            spent[name].append(microseconds(side, batches, turn))
    print(f"{given.turns} turns of {given.batches} x {given.batch} records of {N_CHANNEL} x {N_TIME}, "
          f"{given.threads} thread(s), torch {torch.__version__}")  # fmt: skip
    for name, times in spent.items():
        ratios = [mine / other for mine, other in zip(spent["ours"], times, strict=True)]
        print(
            f"{name:28s} {statistics.median(times):8.1f} us a sample ({min(times):.1f} to {max(times):.1f})   "
            f"ours / this: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )
    print("ours by entry, alone and always:")
    for entry in CHAIN:
        always = ours([entry.entry])  # type: ignore[attr-defined]
        times = [microseconds(always, batches[:1], turn) for turn in range(given.turns)]
        print(f"  {entry.entry.name:26s} {statistics.median(times):8.1f} us a sample")  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
