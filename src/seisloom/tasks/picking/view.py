"""The room's pictures and its page: gathers with picks, samples with labels, and how methods compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seisloom.errors import DataError
from seisloom.io.shards import Shards
from seisloom.sample import Array, Sample
from seisloom.tasks.picking.evaluate import ALL
from seisloom.tasks.picking.recipe import PickingRecipe
from seisloom.tasks.picking.records import PickRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES = 6
"""Gathers that an evaluation draws."""
DPI = 110
BEST = {
    "hit 3": "high",
    "hit 5": "high",
    "median": "low",
    "MAE": "low",
    "MAE 80%": "low",
    "MAE 50%": "low",
    "vs const": "low",
}


def draw_record(record: PickRecord, table: Any, *, title: str = "") -> Figure:  # Any: a pandas table
    """Return a picture of a gather with its picks, intervals, abstentions and human picks.

    Args:
        record: the gather.
        table: its rows of the table of picks, in the order of its traces.
        title: by default the shot, which of its traces are shown if not all, and how many were picked.
    """
    from seisloom.figures.gathers import draw_gather

    kept = (table["status"] == "picked").to_numpy()
    human = record.truth_s if np.isfinite(record.truth_s).any() else None
    shots = np.unique(record.shot_id)
    line = f"{record.geometry[0]} " if record.geometry[0] else ""
    what = f"shot {shots[0]}" if len(shots) == 1 else f"station {record.station[0]}"
    first, n_whole = record.part
    if record.n_traces < n_whole:
        what += f", traces {first} to {first + record.n_traces - 1} of {n_whole}"
    moved = f", moved by {1e3 * record.pick_shift_s:+g} ms (data.pick_shift_s)" if record.pick_shift_s else ""
    position, position_label = _places(record)
    return draw_gather(
        record.x[:, 0], fs_hz=record.fs_hz, t0_s=record.t0_s, time_s=table["time_s"].to_numpy(float),
        lower_s=table["lower_s"].to_numpy(float), upper_s=table["upper_s"].to_numpy(float), kept=kept, human_s=human,
        position=position, position_label=position_label,
        human_label=f"human pick{moved}", title=title or f"{line}{what}: {kept.sum()} of {len(kept)} traces picked",
    )  # fmt: skip


def _places(record: PickRecord) -> tuple[Array, str]:
    """Where traces are drawn: a shot by its receivers, else one file as its table of picks numbers its traces."""
    apart = len(np.unique(record.group_x)) == record.n_traces
    if apart and np.isfinite(record.offset_m).all() and len(np.unique(record.shot_id)) == 1:
        return record.group_x, "receiver (m)"
    if len(np.unique(record.path)) == 1 and len(np.unique(record.trace)) == record.n_traces:
        return record.trace.astype(float), "trace (from 0)"
    return record.part[0] + np.arange(float(record.n_traces)), "trace of the gather (from 0)"


def view(recipe: PickingRecipe, records: Sequence[PickRecord], product: Any) -> Figure:  # Any: a pandas table
    """Return a picture of the gather with the most traces, the first of them."""
    tables = tables_of(records, product)
    widest = max(range(len(records)), key=lambda k: records[k].n_traces)
    return draw_record(records[widest], tables[widest])


def tables_of(records: Sequence[PickRecord], product: Any) -> list[Any]:  # Any: pandas tables
    """Return the rows of each record; a product has them one record after the other."""
    edges = np.cumsum([0, *(record.n_traces for record in records)])
    return [product.iloc[a:b] for a, b in pairwise(edges)]


def write_pages(
    recipe: PickingRecipe,
    products: Mapping[str, Any],
    report: Mapping[str, Any],
    records: Sequence[PickRecord],
    out: Path,
) -> list[Path]:  # Any: pandas tables, JSON values
    """Write `evaluate_picks/*.png` and `report.html`; returns their paths."""
    from seisloom.figures.report import tables_of_methods, write_report

    folder = out / "evaluate_picks"
    folder.mkdir(parents=True, exist_ok=True)
    first = next(iter(products))
    figures = dict(_comparisons(recipe, products, report))
    tables = tables_of(records, products[first])
    # Spread over the records, so that every line is seen
    for k in np.unique(np.linspace(0, len(records) - 1, min(PICTURES, len(records))).round().astype(int)):
        figures[f"gather-{records[k].key.replace('/', '-')}"] = draw_record(records[k], tables[k])
    written = []
    for name, figure in figures.items():
        written.append(folder / f"{name}.png")
        figure.savefig(written[-1], dpi=DPI)
    page = out / "report.html"
    pages = tables_of_methods(report["tables"], best=BEST)
    notes = [report["title"], *report["notes"]]
    write_report(page, title=f"Picks of {first}", tables=pages, figures=figures, notes=notes)
    return [page, *written]


def _comparisons(
    recipe: PickingRecipe, products: Mapping[str, Any], report: Mapping[str, Any]
) -> Sequence[tuple[str, Figure]]:  # Any: pandas tables, JSON values
    from seisloom.figures.errors import draw_error_against, draw_error_histogram
    from seisloom.figures.reliability import draw_reliability
    from seisloom.figures.risk import draw_risk_coverage

    scores = {name: one.get(ALL) or next(iter(one.values())) for name, one in report["scores"].items()}
    first = next(iter(products))
    error_ms = {name: 1e3 * (one["time_s"] - one["truth_s"]).to_numpy(float) for name, one in products.items()}
    levels = {name: one["intervals"]["all"]["levels"] for name, one in scores.items() if name in products}
    coverage = {
        name: {float(level) / 100: one["coverage"] for level, one in found.items() if one.get("coverage") is not None}
        for name, found in levels.items()
    }
    width = {
        name: {float(level) / 100: one["median_width_ms"] for level, one in found.items() if one.get("median_width_ms")}
        for name, found in levels.items()
    }
    curves = {
        name: (np.array(one["risk"]["curve"]["kept_share"]), np.array(one["risk"]["curve"]["mae_samples"]))
        for name, one in scores.items()
        if name in products and one["risk"].get("n")
    }
    table = products[first]
    half_ms = 500 * (table["upper_s"] - table["lower_s"]).to_numpy(float)
    by_offset = table["offset_m"].notna().any()
    found = [("errors", draw_error_histogram(error_ms)), ("risk", draw_risk_coverage(curves))]
    if any(coverage.values()):
        found.append(("reliability", draw_reliability(coverage, width, n_picks=scores[first]["all"]["n"])))
    found.append(
        (
            "error_by_offset" if by_offset else "error_by_snr",
            draw_error_against(
                table["offset_m" if by_offset else "snr_db"].to_numpy(float), error_ms[first],
                label="offset (m)" if by_offset else "SNR (dB)", half_width_ms=half_ms, title=first,
                others_ms={name: one for name, one in error_ms.items() if name != first},
            ),
        )
    )  # fmt: skip
    return found


def draw_samples(folder: Path, *, n: int, out: Path) -> Path:
    """Write a picture of some samples of a folder of shards, spread over it, with their labels."""
    shards = Shards(folder)
    chosen = np.unique(np.linspace(0, len(shards.refs) - 1, min(n, len(shards.refs))).round().astype(int))
    _draw_grid([shards.read(shards.refs[k]) for k in chosen]).savefig(out, dpi=DPI)
    return out


def draw_shards(recipe: PickingRecipe, folder: Path) -> list[Path]:
    """Write `plots/` in each geometry's folder: so many picked and noise samples as the recipe asks for."""
    written = []
    source = Shards(folder)
    for geometry in sorted({ref.groups["geometry"] for ref in source.refs}):
        refs = [ref for ref in source.refs if ref.groups["geometry"] == geometry]
        for kind, n, wanted in (("positive", recipe.shards.plots_pos, 1), ("negative", recipe.shards.plots_neg, 0)):
            samples: list[Sample] = []
            for ref in refs:
                if len(samples) == n:
                    break
                sample = source.read(ref)
                if int(sample.arrays["has_pick"]) == wanted:
                    samples.append(sample)
            if samples:
                path = folder / geometry / "plots" / f"{kind}.png"
                path.parent.mkdir(exist_ok=True)
                _draw_grid(samples).savefig(path, dpi=DPI)
                written.append(path)
    return written


def _draw_grid(samples: Sequence[Sample]) -> Figure:
    """Samples one below the other in columns: the trace, the mask, and the pick."""
    from matplotlib.figure import Figure

    if not samples:
        raise DataError("there are no samples to draw")
    n_columns = min(len(samples), 3)
    n_rows = -(-len(samples) // n_columns)
    figure = Figure(figsize=(4.5 * n_columns, 1.5 * n_rows + 0.6), layout="constrained")
    panels = figure.subplots(n_rows, n_columns, squeeze=False)
    for axes in panels.ravel()[len(samples) :]:
        axes.set_visible(False)
    for axes, sample in zip(panels.ravel(), samples, strict=False):
        x: Array = sample.arrays["x"][0]
        fs_hz, t0_s = float(sample.arrays["fs"]), float(sample.arrays["t0_s"])
        time_s = t0_s + np.arange(x.size) / fs_hz
        largest = float(np.quantile(np.abs(x), 0.995)) or 1.0
        # Behind the end of a record the window is filled with zeros: there is nothing to see
        there = np.flatnonzero(x)
        if there.size > 1:
            axes.set_xlim(time_s[there[0]], time_s[there[-1]])
        axes.plot(time_s, np.clip(x / largest, -1, 1), color="0.2", linewidth=0.6)
        if int(sample.arrays["has_pick"]) == 1:
            pick_s = t0_s + float(sample.arrays["y_idx"]) / fs_hz
            half_s = np.count_nonzero(sample.arrays["y_mask"]) / fs_hz / 2
            axes.axvspan(pick_s - half_s, pick_s + half_s, color="tab:orange", alpha=0.25)
            axes.axvline(pick_s, color="tab:orange", linewidth=1.2)
        label = {1: "picked", 0: "no onset", -1: "not known"}[int(sample.arrays["has_pick"])]
        axes.set_title(f"{sample.key.split('/', 1)[1]}: {label}", fontsize=7)
        axes.set_yticks([])
        axes.tick_params(labelsize=7)
    for axes in panels[-1]:
        axes.set_xlabel("s after the shot", fontsize=8)
    return figure
