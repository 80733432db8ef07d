"""SEG-Y to Zarr beside a plain copy with compression, and beside multidimio, in one run.

    python benchmarks/convert.py [--shape 256 256 1000] [--workers 2] [--mdio PYTHON] [--repeats 3]

`copy + compress` is what no converter can do without: dd of the file, and the same codec over the same samples in
blocks of one chunk, by as many processes. PYTHON is the interpreter of an environment with multidimio 1.1
(python -m venv mdio && mdio/bin/pip install multidimio==1.1.3); without it that column stays empty.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np
from numcodecs import Blosc, blosc

CHUNK = (128, 128, 128)
MULTIDIMIO = """
import json, sys, time
from mdio import segy_to_mdio
from mdio.builder.template_registry import TemplateRegistry
from segy.schema import HeaderField
from segy.standards import get_segy_standard
if __name__ == "__main__":
    words = {"inline": 189, "crossline": 193, "cdp_x": 181, "cdp_y": 185}
    fields = [HeaderField(name=name, byte=byte, format="int32") for name, byte in words.items()]
    start = time.perf_counter()
    segy_to_mdio(segy_spec=get_segy_standard(1.0).customize(trace_header_fields=fields),
                 mdio_template=TemplateRegistry().get("PostStack3DTime"),
                 input_path=sys.argv[1], output_path=sys.argv[2], overwrite=True)
    print(json.dumps(time.perf_counter() - start))
"""


def write_survey(path: Path, shape: tuple[int, ...]) -> None:
    """Write a post-stack cube with a band-limited, laterally coherent image: it compresses like seismic data."""
    from scipy.ndimage import gaussian_filter1d

    from seisloom.convert import create_volume
    from seisloom.io.volumes.grid import Axis, Grid, whole
    from seisloom.io.volumes.volume import Spec, Traces

    names = ("inline", "crossline")
    axes = [Axis.regular(name, n, first=1000) for name, n in zip(names, shape, strict=False)]
    grid = Grid((*axes, Axis.regular("time", shape[-1], step=0.004, unit="s")))
    writer = create_volume(path, Spec(grid, {"amplitude": np.dtype("f4")}, has_xy=True))
    rng = np.random.default_rng(0)
    trace = np.zeros(shape[1:], np.float32)
    x, y = np.meshgrid(25.0 * np.arange(shape[1]), 12.5 * np.arange(shape[0]))
    for inline in range(shape[0]):
        fresh = gaussian_filter1d(rng.normal(size=shape[1:]), 2, axis=0) - gaussian_filter1d(
            rng.normal(size=shape[1:]), 2, axis=1
        )
        trace = (0.9 * trace + fresh).astype(np.float32)
        box = (slice(inline, inline + 1), *whole(shape[1:]))
        writer.write(box, trace[None])
        here = box[:-1]
        writer.write_traces(here, Traces(np.ones((1, shape[1]), bool), x=x[here], y=y[here]))
    writer.finish()


def seisloom(source: Path, out: Path, workers: int) -> float:
    """Time our command, without the start of Python."""
    from seisloom.compute import executor
    from seisloom.convert import convert
    from seisloom.io.volumes.volume import Wanted

    start = time.perf_counter()
    with executor(workers=workers) as pool:
        convert(source, out, wanted=Wanted(chunk=CHUNK), pool=pool)
    return time.perf_counter() - start


def multidimio(source: Path, out: Path, python: str, workers: int) -> float:
    """Time multidimio's own conversion, without the start of Python."""
    env = {**os.environ, "MDIO__IMPORT__CPU_COUNT": str(workers), "MDIO__IMPORT__SAVE_SEGY_FILE_HEADER": "1"}
    script = out.with_suffix(".py")
    script.write_text(MULTIDIMIO)
    done = subprocess.run([python, script, source, out], env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"multidimio failed:\n{done.stderr[-3000:]}")
    return float(json.loads(done.stdout.strip().splitlines()[-1]))


def copy_and_compress(source: Path, out: Path, workers: int, n_values: int) -> float:
    """Time dd, and the codec over as many samples in blocks of a chunk."""
    start = time.perf_counter()
    subprocess.run(["dd", f"if={source}", f"of={out}", "bs=16M"], capture_output=True, check=True)
    size = int(np.prod(CHUNK))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(_compress, out, size), range(0, n_values, size)))
    return time.perf_counter() - start


def _compress(file: Path, size: int, first: int) -> int:
    blosc.set_nthreads(1)
    values = np.fromfile(file, np.float32, count=size, offset=3600 + 4 * first)
    return len(Blosc("zstd", 5, Blosc.SHUFFLE).encode(values))


def timed(runs: dict[str, Callable[[Path], float]], folder: Path, repeats: int) -> dict[str, list[float]]:
    """Run each in turn, several times over: what else the machine does then disturbs all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for k in range(repeats):
        for name, run in runs.items():
            out = folder / f"{name.split()[0]}-{k}.zarr"
            seconds[name].append(run(out))
            shutil.rmtree(out, ignore_errors=True)
            if out.is_file():
                out.unlink()
    return seconds


def main() -> None:
    """Print a row a converter."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", type=int, nargs=3, default=[256, 256, 1000])
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--mdio", help="interpreter with multidimio")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "survey.sgy"
        write_survey(source, tuple(given.shape))
        megabytes = source.stat().st_size / 1e6
        runs: dict[str, Callable[[Path], float]] = {
            "seisloom": lambda out: seisloom(source, out, given.workers),
            "copy + compress": lambda out: copy_and_compress(source, out, given.workers, int(np.prod(given.shape))),
        }
        if given.mdio:
            runs["multidimio"] = lambda out: multidimio(source, out, given.mdio, given.workers)
        seconds = timed(runs, folder, given.repeats)
    ours = seconds["seisloom"]
    print(
        f"{platform.processor() or platform.machine()}, {given.workers} workers, {megabytes:.0f} MB SEG-Y, IEEE floats"
    )
    print(f"{'':18}{'s':>8}{'MB/s':>8}{'ours over it':>14}")
    for name, some in seconds.items():
        ratio = median(a / b for a, b in zip(ours, some, strict=True))
        print(f"{name:18}{median(some):8.2f}{megabytes / median(some):8.0f}{ratio:14.2f}")


if __name__ == "__main__":
    sys.exit(main())
