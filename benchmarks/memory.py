"""Peak memory of each step for a small and a large survey: it should not grow with the number of traces.

    python benchmarks/memory.py [--traces 5000 40000] [--model sta_lta]

Each step runs in a process of its own; what is printed is its largest resident memory, mapped files included.
`manifest build`, `shards write` and the loader work on a survey of ocean-bottom stations with 200 traces each; `apply`
picks one SEG-Y file with all the traces, as of one station.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

# Nothing heavy may be imported here: a child's peak begins with the memory of the process that started it
STEPS = ("nothing but imports", "manifest build", "shards write", "one epoch of the loader", "apply")
TRACES_A_LINE = 1000
CHANGES = ("shards.win_mode=pick", "shards.target_fs=100", "data.gather=[none]", "train.num_workers=0")


def write_survey(folder: Path, n_traces: int) -> None:
    """Write lines of five stations, and one station's file with as many traces in all."""
    from seisloom.physics.survey import SurveyConfig
    from seisloom.tasks.picking.survey.synth import write_survey as write

    n_lines = max(n_traces // TRACES_A_LINE, 1)
    write(SurveyConfig(kind="obs", n_geometries=n_lines, n_stations=5, n_shots=200), folder / "survey")
    content = min((folder / "survey").rglob("*.segy")).read_bytes()
    head, traces = content[:3600], content[3600:]
    trace_bytes = 240 + 4 * int.from_bytes(content[3220:3222], "big")
    with (folder / "station.segy").open("wb") as file:
        file.write(head)
        for _ in range(n_traces * trace_bytes // len(traces)):
            file.write(traces)


def take_step(step: str, folder: Path, model: str) -> None:
    """Run one step in this process, and print its peak memory in MB."""
    from seisloom.cli.main import app
    from seisloom.io.shards import Shards
    from seisloom.recipe import read_recipe
    from seisloom.run.write import write_shards
    from seisloom.task import task_of
    from seisloom.tasks.picking.survey.build import build_manifest
    from seisloom.training.loader import loader

    recipe = read_recipe("picking", [f"data.root={folder / 'survey'}", *CHANGES])
    if step == "manifest build":
        build_manifest(folder / "survey")
    elif step == "shards write":
        write_shards(recipe, folder / "shards")
    elif step == "one epoch of the loader":
        source = Shards(folder / "shards")
        for _ in loader(task_of(recipe), recipe, source, source.refs, training=True):
            pass
    elif step == "apply":
        app(["apply", model, str(folder / "station.segy"), "--out", str(folder / "picks.csv")], standalone_mode=False)
    print(f"peak_mb={resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


def measure(step: str, folder: Path, model: str) -> float:
    """Return the peak memory in MB of a step in a process of its own."""
    command = [sys.executable, __file__, "--step", step, "--folder", str(folder), "--model", model]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{step} failed:\n{done.stderr[-3000:]}")
    return float(done.stdout.rsplit("peak_mb=", 1)[1])


def main() -> None:
    """Print a row a step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=int, nargs="+", default=[5_000, 40_000])
    parser.add_argument("--model", default="sta_lta", help="bundle or method that `apply` runs")
    parser.add_argument("--step", choices=("survey", *STEPS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step == "survey":
        write_survey(given.folder, given.traces[0])
        return
    if given.step:
        take_step(given.step, given.folder, given.model)
        return
    peaks: dict[str, list[float]] = {step: [] for step in STEPS}
    for n_traces in given.traces:
        with tempfile.TemporaryDirectory() as name:
            command = [sys.executable, __file__, "--step", "survey", "--folder", name, "--traces", str(n_traces)]
            subprocess.run(command, check=True)
            for step in STEPS:
                peaks[step].append(measure(step, Path(name), given.model))
    print(f"{'peak resident memory, MB':28}" + "".join(f"{n:>10} traces" for n in given.traces))
    for step, found in peaks.items():
        print(f"{step:28}" + "".join(f"{one:>10.0f}       " for one in found))


if __name__ == "__main__":
    main()
