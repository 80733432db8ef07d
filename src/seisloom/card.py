"""The card of a bundle: what it is, what it was trained on, what it reached, what it promises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seisloom.bundle import Bundle


def write_card(bundle: Bundle, report: Mapping[str, Any]) -> None:  # Any: JSON values
    """Write `card.md` from what the bundle's own files say; nothing in it is typed by hand."""
    recipe = bundle.recipe
    lines = [f"# {bundle.path.name}", "", bundle.task.summary, ""]
    lines += [f"- task: {recipe.task}", f"- model: {recipe.model.name}", f"- seed: {recipe.seed}"]
    groups = bundle.read_json("split.json").get("groups", {})
    lines += [f"- {part}: {len(names)} groups" for part, names in groups.items()]
    if bundle.calibration is not None:
        lines += ["", "## Calibration", "", str(bundle.calibration.note)]
    if report.get("tables"):
        lines += ["", f"## {report['title']}", *(f"\n{note}." for note in report["notes"])]
        for part, table in report["tables"].items():
            lines += ["", f"### {part}", "", *_markdown(table)]
    if groups:
        lines += ["", "## Groups", ""]
        lines += [
            f"- {part}: {', '.join(names[:40])}{' ...' if len(names) > 40 else ''}" for part, names in groups.items()
        ]
    lines += ["", "## Recipe", "", "```yaml", recipe.to_yaml().rstrip(), "```", ""]
    (bundle.path / "card.md").write_text("\n".join(lines), encoding="utf-8")


def _markdown(table: Mapping[str, Mapping[str, Any]]) -> list[str]:  # Any: JSON values
    columns = list(dict.fromkeys(name for row in table.values() for name in row))
    lines = ["| method | " + " | ".join(columns) + " |", "|" + " --- |" * (len(columns) + 1)]
    for method, row in table.items():
        lines.append(f"| {method} | " + " | ".join(cell(row.get(name)) for name in columns) + " |")
    return lines


def cell(value: Any) -> str:  # Any: JSON values
    """Return a value as it stands in a table: three digits that count, a dash for what is not known."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 1 else f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)
