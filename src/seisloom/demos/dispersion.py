"""Curves of surface-wave modes by the network that ships, beside classical pickers, and Vs from them: no training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.bundle import Opened, open_predictor
from seisloom.compute import InThisProcess
from seisloom.demos.folder import clear
from seisloom.run.evaluate import evaluate, products_of
from seisloom.tasks.dispersion.field.curves_file import read_curves
from seisloom.tasks.dispersion.invert.profile import invert_curves
from seisloom.tasks.dispersion.invert.write import write_profile
from seisloom.tasks.dispersion.store.manifest import find_npz, read_rows
from seisloom.tasks.dispersion.store.recipe import plan
from seisloom.tasks.dispersion.store.record_file import read_record
from seisloom.tasks.dispersion.store.write import write_records

SHIPPED = "dispersion-picker"
CLASSICAL = ("argmax", "ridge")
RECORDS = "dispersion_picker_test"
"""Packaged recipe of media, arrays and sources other than those of the training."""
N_RECORDS = 30
FIELD = Path("dispersion") / "oysand" / "Oysand_dx_2m_x1_10m_forward.dat"
"""A field gather of the MASWavesPy project (Olafsdottir et al., 2018, Can. Geotech. J. 55): Oysand, Norway."""
STEPS = 600
"""Of each Markov chain: a third of what `seisloom invert` takes."""
LAYERINGS = (1.5, 2.5, 4.0)


@dataclass(frozen=True, slots=True)
class CurveDemo:
    """What the demo made."""

    report: dict[str, Any]  # Any: JSON values
    files: tuple[Path, ...]
    notes: tuple[str, ...]


def run_curve_demo(out: Path, *, data: Path | None, synthetic: bool = False, bundle: str = SHIPPED) -> CurveDemo:
    """Make spectra whose modes are known, pick them, score the picks, and turn the curves of one of them into Vs.

    Args:
        out: folder for records, curves, scores and pictures; what a former demo left there is replaced.
        data: folder with `dispersion/oysand`, of which a field gather is picked too; None, or one without it, picks
            none.
        synthetic: pick no field gather where there is one.
        bundle: of the network.
    Raises:
        OutputError: if the folder holds something that no demo has made, or cannot be written.
    """
    clear(out)
    opened = open_predictor(bundle)
    planned = plan(RECORDS, out=out / "records", samples=N_RECORDS)
    for part in planned.parts:
        write_records(
            part.data, planned.out, n=part.n, seed=planned.seed, manifest=planned.manifest, pool=InThisProcess(),
            about=part.about,
        )  # fmt: skip
    notes = [f"{N_RECORDS} spectra of media, arrays and sources of other kinds than those of the training"]
    records = list(opened.task.open(opened.recipe, planned.out, None))
    others = [open_predictor(name, recipe=opened.recipe) for name in CLASSICAL]
    methods = [opened, *others]
    products = products_of(methods, records)
    report, files = evaluate(methods, records, out, products=products)
    table = products[opened.name]
    rows = {str(row["id"]): find_npz(planned.manifest, row["npz"], "demo") for _, row in read_rows(planned.manifest)}
    written = [*files, *_profile(opened.with_changes("longest=1"), rows[_deepest(table)], out, notes)]
    gather = None if data is None or synthetic else data / FIELD
    if gather is not None and gather.is_file():
        written += _picked(opened, gather, out / "field")
        notes.append(f"field/: {gather.name}, recorded at Oysand, Norway (MASWavesPy)")
    return CurveDemo(report, tuple(written), tuple(notes))


def _deepest(table: Any) -> str:  # Any: a pandas table
    """Return the record whose fundamental mode is picked to the longest wave that its array is as long as."""
    kept = table[(table["mode"] == 0) & (table["status"] == "picked") & (table["picked_lengths"] <= 1)]
    return str(kept.groupby("record")["wavelength_m"].max().idxmax())


def _profile(opened: Opened, best: Path, out: Path, notes: list[str]) -> list[Path]:
    """Pick a record as far as its array reaches, invert its curves, and draw the profile with the true one."""
    from seisloom.figures.dispersion import draw_profile

    written = _picked(opened, best, out / "profile")
    profile = invert_curves(read_curves(written[0]), layerings=LAYERINGS, n_steps=STEPS)
    media = read_record(best)["media"]
    edges = np.append(np.concatenate([[0.0], np.cumsum(media[:-1, 0])]), np.inf)
    figure = draw_profile(
        np.append(profile.depth_top_m, profile.depth_bottom_m[-1]), profile.vs_median_m_s, profile.vs_low_m_s,
        profile.vs_high_m_s, (edges, media[:, 2]), band_label="90 % of models", title=f"Vs of {best.stem}",
    )  # fmt: skip
    figure.savefig(out / "profile_vs.png", dpi=110)
    notes += [f"profile: {note}" for note in profile.notes]
    return [*written, *write_profile(profile, out / "profile_vs.csv"), out / "profile_vs.png"]


def _picked(opened: Opened, source: Path, stem: Path) -> list[Path]:
    """Pick one spectrum or gather, and write its curves and a picture."""
    records = list(opened.task.open(opened.recipe, source, None))
    product = opened.task.apply(opened.recipe, opened.predictor, opened.calibration, records)
    curves, picture = stem.with_name(f"{stem.name}_curves.csv"), stem.with_name(f"{stem.name}_curves.png")
    opened.task.write(product, curves)
    opened.task.view(opened.recipe, records, product).savefig(picture, dpi=110)
    return [curves, picture]
