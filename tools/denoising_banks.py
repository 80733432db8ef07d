"""Make the banks of field noise that `restoration-denoising` learnt from: python tools/denoising_banks.py DATA OUT

Land refraction lines before their first arrivals; stations before P arrivals; and the same stations summed over
neighbours with a delay from trace to trace, as groups of receivers and streamers record noise. None of the marine
gathers that `benchmarks/restoration_noise.py` takes noise from is among them.

Data: REFRAPY lines and GEOSTACK (first breaks), Northern California Earthquake Data Center (earthquakes).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from seisloom.sample import Array
from seisloom.signal.noise_bank import noise_windows, side_by_side
from seisloom.tasks.restoration.field_noise import write_noise_bank

LINES = (
    "picking/refraction/field_example_01", "picking/refraction/field_example_02", "picking/ML-feed/geometries/GEOSTACK",
)  # fmt: skip
TRACES, SAMPLES = 48, 128


def main(data: Path, out: Path) -> None:
    """Write `land.npz`, `stations.npz` and `arrays.npz`."""
    out.mkdir(parents=True, exist_ok=True)
    print("land", write_noise_bank(out / "land.npz", [data / one for one in LINES], shape=(TRACES, SAMPLES)))
    stations = station_noise(data / "picking" / "earthquakes")
    rng = np.random.default_rng(0)
    mixed = np.stack([summed(one, rng) for one in stations for _ in range(2)])
    for name, records in (("stations", stations), ("arrays", mixed)):
        np.savez(out / f"{name}.npz", x=records, keys=np.array([f"{name}/{k:06d}" for k in range(len(records))]))
        print(name, len(records))


def station_noise(folder: Path) -> Array:
    """Return records (record, trace, time) of what stations recorded before P."""
    windows = []
    for file in sorted(folder.glob("*.npz")):
        with np.load(file) as one:
            traces, onset = one["data"].T.astype(float), float(one["itp"])
        traces = traces[traces.std(axis=1) > 0]
        windows.append(noise_windows(traces, np.full(len(traces), onset), shape=(len(traces), SAMPLES), guard=100))
    return side_by_side(windows, TRACES)


def summed(record: Array, rng: np.random.Generator) -> Array:
    """Return a record (trace, time) delayed from trace to trace, and summed over 3 to 8 neighbours."""
    weight = np.hanning(int(rng.integers(3, 9)) + 2)[1:-1] * rng.choice([1.0, -1.0], p=[0.85, 0.15])
    delay, f = rng.uniform(-1.5, 1.5), np.fft.rfftfreq(record.shape[1])
    spectrum = np.fft.rfft(record) * np.exp(-2j * np.pi * f * delay * np.arange(len(record))[:, None])
    spectrum = np.apply_along_axis(np.convolve, 0, spectrum, weight, mode="same")
    wave = np.fft.irfft(spectrum, n=record.shape[1])
    return (wave / wave.std()).astype(np.float32)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
