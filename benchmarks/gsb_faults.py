"""Faults on sections of the Great South Basin that people picked: methods side by side, none of which saw a pick.

    python benchmarks/gsb_faults.py discontinuity runs/faults runs/faults:views=4

A method may have keys of `apply` behind a colon. The prediction is thinned; precision is the share of its pixels within
`--tolerance` of a pick, recall the share of picked pixels within it of the prediction. `F1` is at the bundle's own
threshold, fixed before these sections were seen (0.5 of a probability calibrated on synthetic sections); ODS is
at the best single threshold for the three sections, OIS at the best of each, both chosen on them. Published networks
that were fine-tuned on picks of this survey reach ODS of 0.63 (U-Net) and 0.61 (DeepLab), HED 0.42, chance 0.18, within
2 pixels, on other sections too.

Data: Cunha et al. (2020), Computers & Geosciences 135, code release (MIT); survey by New Zealand Petroleum & Minerals.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np

from methods import opened
from seisloom.demos.interpretation import real_sections
from seisloom.metrics.overlap import Matches, match_all, ods_ois, thin
from seisloom.sample import Array

FAULT = "attributes=[fault]"


def read_sections(folder: Path) -> dict[str, tuple[Array, Array]]:
    """Return amplitudes and picks of each section, (trace, time)."""
    return {record.name: (record.values, record.truth["fault"]) for record in real_sections(folder)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="+")
    data = Path(os.environ.get("SEISLOOM_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=data / "interpretation")
    parser.add_argument("--tolerance", type=float, default=2.0, help="pixels within which a pick counts as found")
    parser.add_argument("--figure", type=Path, help="picture of what the first method finds")
    options = parser.parse_args()
    sections = read_sections(options.data)
    print(
        f"{'method':36s} {'F1':>6s} {'prec':>6s} {'rec':>6s} {'ODS':>6s} {'at':>5s} {'OIS':>6s}  F1 by section      s"
    )
    found: dict[str, list[Array]] = {}
    for text in options.methods:
        method, start = opened(text, FAULT), time.perf_counter()
        found[text] = [method.apply(seismic)[0].attributes["fault"] for seismic, _ in sections.values()]
        seconds = time.perf_counter() - start
        threshold = method.recipe.apply.threshold
        each = [
            match_all(thin(one >= threshold), pick > 0, np.ones(pick.shape, bool), [options.tolerance])[0]
            for one, (_, pick) in zip(found[text], sections.values(), strict=True)
        ]
        pooled = sum(each, Matches())
        best = ods_ois(found[text], [pick for _, pick in sections.values()], tolerance=options.tolerance)
        by_section = " ".join(f"{one.f1:.3f}" for one in each)
        print(
            f"{text[-36:]:36s} {pooled.f1:6.3f} {pooled.precision:6.3f} {pooled.recall:6.3f} {best['ods']:6.3f} "
            f"{best['ods_threshold'] or 0:5.2f} {best['ois']:6.3f}  {by_section} {seconds:6.1f}"
        )
    if options.figure:
        draw(sections, found[options.methods[0]], options.figure, options.methods[0])


def draw(sections: dict[str, tuple[Array, Array]], found: list[Array], path: Path, title: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 3.2 * len(sections)), layout="constrained")
    for axes, (name, (seismic, pick)), one in zip(
        figure.subplots(len(sections), 1), sections.items(), found, strict=True
    ):
        limit = np.percentile(np.abs(seismic), 99)
        axes.imshow(seismic.T, cmap="gray", vmin=-limit, vmax=limit, aspect="auto")
        axes.imshow(np.where(one > 0.1, one, np.nan).T, cmap="autumn_r", vmin=0, vmax=1, alpha=0.6, aspect="auto")
        axes.plot(*np.nonzero(pick), ".", color="tab:blue", markersize=1.5)
        axes.set_title(f"{name}: {title}; picks in blue")
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    main()
