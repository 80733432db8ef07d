"""Records a second and accuracy of our Rocket features, and of aeon's on the same records.

    python benchmarks/rocket.py [--aeon PYTHON] [--n 200] [--seeds 1] [--lengths 1600 4000] [--channels 1 3]

PYTHON is the interpreter of an environment with aeon (python -m venv peer && peer/bin/pip install aeon), which is run
beside and never imported by the package; without it that column stays empty. One thread each, time of the processor,
compilation not counted. Records are noise with a burst of one of two frequencies; the same ridge head is fitted to both
sets of features on the first half, and scored on the second.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from seisloom.nn.ridge import RidgeHead
from seisloom.nn.rocket import MiniRocket

PEER = """
import sys, time
import numpy as np
from aeon.transformations.collection.convolution_based import MiniRocket
with np.load(sys.argv[1]) as stored:
    x = stored["x"]
half = len(x) // 2
net = MiniRocket(n_kernels=10_000, n_jobs=1, random_state=0)
net.fit(x[:half])
net.transform(x[:2])
start = time.process_time()
features = net.transform(x)
seconds = time.process_time() - start
np.savez(sys.argv[2], features=np.asarray(features, dtype=np.float32), seconds=seconds)
"""


def bursts(n: int, n_channels: int, n_time: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return records (item, channel, time) at 100 Hz, float32, and which of two frequencies their burst has."""
    rng = np.random.default_rng(seed)
    label, t = rng.integers(0, 2, n), np.arange(n_time) / 100
    onset, phase = rng.uniform(0.2, 0.8, n) * t[-1], rng.uniform(0, 2 * np.pi, (n, n_channels))
    burst = np.sin(2 * np.pi * (6 + 1.5 * label)[:, None, None] * t + phase[..., None])
    hull = np.exp(-0.5 * ((t - onset[:, None]) / 0.5) ** 2)[:, None]
    noise = rng.normal(size=(n, n_channels, n_time))
    return (1.0 * noise + burst * hull).astype(np.float32), label


def ours(x: np.ndarray) -> tuple[np.ndarray, float]:
    """Return our features and the records a second."""
    net = MiniRocket(x.shape[1], x.shape[2])
    records = torch.from_numpy(x)
    net.fit(records[: len(x) // 2])
    net(records[:2])
    start = time.process_time()
    features = net(records)
    return features.numpy(), len(x) / (time.process_time() - start)


def aeon(python: str, x: np.ndarray) -> tuple[np.ndarray, float]:
    """Return aeon's features and the records a second."""
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "x.npz", Path(folder) / "features.npz"
        np.savez(given, x=x)
        environment = {**os.environ, "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        subprocess.run([python, "-c", PEER, str(given), str(made)], check=True, env=environment)
        with np.load(made) as stored:
            return stored["features"], len(x) / float(stored["seconds"])


def score(features: np.ndarray, label: np.ndarray) -> float:
    """Return the accuracy on the second half of a ridge head that was fitted to the first."""
    rows, half = torch.from_numpy(features), len(label) // 2
    head = RidgeHead(rows.shape[1], 2)
    head.fit(rows[:half], torch.from_numpy(label[:half]))
    return float((head(rows[half:]).argmax(1).numpy() == label[half:]).mean())


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--aeon", help="interpreter of an environment with aeon")
    parser.add_argument("--n", type=int, default=200, help="records")
    parser.add_argument("--seeds", type=int, default=1, help="sets of records; numbers are means over them")
    parser.add_argument("--lengths", type=int, nargs="+", default=[1600, 4000], help="samples of a record")
    parser.add_argument("--channels", type=int, nargs="+", default=[1, 3])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    machine = platform.processor() or platform.machine()
    print(f"{machine}, torch {torch.__version__}, {asked.seeds} x {asked.n} records, one thread")
    print("channels samples   ours/s  accuracy   mean  sd    aeon/s  accuracy   mean  sd")
    for n_channels in asked.channels:
        for n_time in asked.lengths:
            rows = []
            for seed in range(asked.seeds):
                x, label = bursts(asked.n, n_channels, n_time, seed)
                made = [ours(x), *([aeon(asked.aeon, x)] if asked.aeon else [])]
                rows.append([[rate, score(of, label), of.mean(), of.std()] for of, rate in made])
            columns = [
                f"{rate:8.1f} {right:9.3f} {mean:6.3f} {spread:.3f}"
                for rate, right, mean, spread in np.mean(rows, axis=0)
            ]
            print(f"{n_channels:8d} {n_time:7d} {'  '.join(columns)}", flush=True)


if __name__ == "__main__":
    main()
