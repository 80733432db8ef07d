"""The room's pictures and its page: what classes look like, which are taken for which, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seisloom.errors import LeftOut
from seisloom.metrics.class_probability import equal_mass_bins, error_against_kept
from seisloom.sample import Array
from seisloom.signal.spectra import frequencies_hz, log_power_spectrum
from seisloom.tasks.classification.data import item_samples
from seisloom.tasks.classification.evaluate import EVENTS, RECORDS, known_rows, labels_of, n_bins, probabilities_of
from seisloom.tasks.classification.recipe import NOISE, ClassificationRecipe
from seisloom.tasks.classification.windows import EventRecord, cut

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 110
MOST_IN_A_FAN = 300
"""Records of a class that a fan is made of."""
BEST = {
    "macro F1": "high", "AUC": "high", "balanced": "high", "MCC": "high", "ECE": "low", "Brier": "low",
}  # fmt: skip


def view(recipe: ClassificationRecipe, records: Sequence[EventRecord], product: Any) -> Figure:  # Any: a pandas table
    """Return fan charts of the windows by the class that was answered, or by the true one where nothing was."""
    return fan_chart(recipe, records, _named(recipe, records, product))


def _named(recipe: ClassificationRecipe, records: Sequence[EventRecord], product: Any) -> list[str]:
    """Return what each record is shown under."""
    said = product.drop_duplicates("record").set_index("record")["class"]
    return [str(said.get(one.key, "")) or "not answered" for one in records]


def fan_chart(
    recipe: ClassificationRecipe, records: Sequence[EventRecord], names: Sequence[str], *, spectra: bool = False
) -> Figure:
    """Return median and bands of the windows of each class, of waveforms about their onset or of spectra.

    Args:
        recipe: says how windows are cut and prepared.
        records: with a planned window; streams are left out.
        names: class of each record.
        spectra: whether log-power spectra are drawn in place of waveforms.
    """
    from seisloom.figures.fans import draw_fans

    groups: dict[str, list[Array]] = {}
    fs_hz = next((one.fs_hz for one in records), 1.0)
    n_samples = item_samples(recipe, fs_hz)
    for record, name in zip(records, names, strict=True):
        some = groups.setdefault(name, [])
        if record.first_s is None or len(some) >= MOST_IN_A_FAN or record.fs_hz != fs_hz:
            continue
        try:
            arrays = cut(recipe, record, record.first_s + recipe.data.shift_s, n_samples).arrays
        except LeftOut:
            continue
        some.append(np.where(arrays["mask"] != 0, arrays["x"], 0.0))
    stacked = {name: np.stack(some) for name, some in sorted(groups.items()) if some}
    if spectra:
        fans = {name: log_power_spectrum(one) for name, one in stacked.items()}
        return draw_fans(
            fans, frequencies_hz(512, fs_hz), channels=recipe.data.channels, axis_label="frequency (Hz)",
            value_label="power (dB)", title="Spectra by class",
        )  # fmt: skip
    time_s = np.arange(n_samples) / fs_hz - recipe.data.before_s
    has_noise = any(record.is_noise for record in records) or NOISE in stacked
    where = "time after the onset (s); windows of noise have none" if has_noise else "time after the onset (s)"
    return draw_fans(
        stacked, time_s, channels=recipe.data.channels, axis_label=where,
        value_label="prepared amplitude", scale="symlog", mark=0.0, title="Waveforms by class",
    )  # fmt: skip


def write_pages(
    recipe: ClassificationRecipe,
    products: Mapping[str, Any],
    report: Mapping[str, Any],
    records: Sequence[EventRecord],
    out: Path,
) -> list[Path]:  # Any: pandas tables, JSON values
    """Write `evaluate_classes/*.png`, the table of the first method, and `report.html`; returns their paths."""
    from seisloom.figures.report import Table, tables_of_methods, write_report

    folder = out / "evaluate_classes"
    folder.mkdir(parents=True, exist_ok=True)
    first = next(iter(products))
    figures = dict(_figures(recipe, products, report, records))
    written = []
    for name, figure in figures.items():
        written.append(folder / f"{name}.png")
        figure.savefig(written[-1], dpi=DPI)
    products[first].to_csv(folder / "windows.csv", index=False, float_format="%.6g")
    pages = tables_of_methods(report["tables"], best=BEST)
    by_class = report["scores"][first].get(RECORDS, {}).get("classes", {})
    if by_class:
        columns = list(next(iter(by_class.values())))
        rows = [[name, *(one[column] for column in columns)] for name, one in by_class.items()]
        pages[f"{first}, by class"] = Table(["class", *columns], rows)
    wrong = report["scores"][first].get("likeliest_wrong_labels", [])
    if wrong:
        rows = [[one["record"], one["label"], one["said"]] for one in wrong]
        pages["likeliest wrong labels"] = Table(["record", "label", "said"], rows)
    notes = [report["title"], *report["notes"]]
    page = out / "report.html"
    write_report(page, title=f"Classes by {first}", tables=pages, figures=figures, notes=notes)
    return [page, folder / "windows.csv", *written]


def _figures(
    recipe: ClassificationRecipe, products: Mapping[str, Any], report: Mapping[str, Any], records: Sequence[EventRecord]
) -> Iterator[tuple[str, Figure]]:  # Any: pandas tables, JSON values
    from seisloom.figures.classes import draw_class_reliability, draw_confusion
    from seisloom.figures.risk import draw_risk_coverage

    first, names = next(iter(products)), tuple(recipe.data.classes)
    for part in (RECORDS, EVENTS):
        if part in report["scores"][first]:
            counts = np.array(report["scores"][first][part]["confusion"])
            yield f"confusion-{part}", draw_confusion(counts, names, title=f"{first}: {part}")
    bins, curves = {}, {}
    for name, product in products.items():
        table = known_rows(product)
        if table.empty:
            continue
        probability, label = probabilities_of(recipe, table), labels_of(recipe, table)
        right = probability.argmax(axis=1) == label
        bins[name] = equal_mass_bins(probability.max(axis=1), right, n_bins=n_bins(len(label)))
        curves[name] = error_against_kept(probability, label)
    yield "reliability", draw_class_reliability(bins)
    yield "risk", draw_risk_coverage(curves, noun="answers", risk_label="share of wrong answers")
    known = [one for one in records if one.truth >= 0]
    if known:
        truth = [names[one.truth] for one in known]
        yield "fans", fan_chart(recipe, known, truth)
        yield "fans-spectra", fan_chart(recipe, known, truth, spectra=True)
