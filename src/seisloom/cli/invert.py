"""`seisloom invert`: from dispersion curves to Vs over depth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seisloom.cli import screen
from seisloom.cli.values import picture_for, writing
from seisloom.errors import RecipeError


def invert(
    curves: Annotated[
        Path,
        typer.Argument(help="Curves: our CSV, or frequency or wavelength, velocity or slowness, and error or bounds."),
    ],
    out: Annotated[Path, typer.Option(help="Table of Vs over depth, .csv; a .json with all else goes beside it.")],
    figure: Annotated[Path | None, typer.Option(help="Picture of the profile with its interval.")] = None,
    layerings: Annotated[
        str, typer.Option(help="Ratios of layerings, larger ones have fewer layers.")
    ] = "1.5,2,2.5,3,4",
    poisson: Annotated[str, typer.Option(help="Poisson's ratio, or its range, above the water table.")] = "0.2,0.49",
    water_table: Annotated[
        str, typer.Option(help="Depth of the water table in m or its range, unknown, or dry; vp 1500 m/s below.")
    ] = "unknown",
    density: Annotated[float | None, typer.Option(help="Density in kg/m3; by default from vp (Gardner).")] = None,
    modes: Annotated[int | None, typer.Option(min=1, help="Use the first modes of the file only.")] = None,
    first: Annotated[
        str, typer.Option(help="First column of a table without names: frequency or wavelength.")
    ] = "auto",
    error: Annotated[float, typer.Option(help="Relative standard error of velocities without an interval.")] = 0.03,
    steps: Annotated[int, typer.Option(min=100, help="Steps of each Markov chain.")] = 1500,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same profile.")] = 0,
) -> None:
    """Find Vs to half the longest wavelength: median and 90 % interval of all models that explain the curves."""
    from dataclasses import replace

    from seisloom.tasks.dispersion.field.curves_file import read_curves
    from seisloom.tasks.dispersion.invert.layering import Ground
    from seisloom.tasks.dispersion.invert.profile import invert_curves
    from seisloom.tasks.dispersion.invert.write import write_profile

    if first not in ("auto", "frequency", "wavelength"):
        raise RecipeError(f"--first {first}: it is frequency, wavelength or auto")
    if out.suffix.lower() != ".csv":
        raise RecipeError(f"--out {out}: the table is .csv, such as vs.csv")
    ratios, nu = _floats("--layerings", layerings), _floats("--poisson", poisson)
    if len(nu) > 2:
        raise RecipeError(f"--poisson {poisson}: give one value, or two for a range")
    ground = Ground(poisson=(nu[0], nu[-1]), density_kg_m3=density)
    if water_table == "dry":
        ground = replace(ground, water_table_m="dry")
    elif water_table != "unknown":
        depths = _floats("--water-table", water_table)
        ground = replace(ground, water_table_m=(depths[0], depths[-1]))
    picture = picture_for(figure, "--figure") if figure else None
    read = read_curves(curves, first=first)  # type: ignore[arg-type]  # checked above
    if modes is not None:
        names = ("velocity_m_s", "low_m_s", "high_m_s", "quality")
        read = replace(read, **{name: getattr(read, name)[:modes] for name in names})
    profile = invert_curves(read, layerings=ratios, ground=ground, default_error=error, n_steps=steps, seed=seed)
    with writing(out):
        files = write_profile(profile, out)
    rows = [
        {
            "layering": one.name, "misfit, best": f"{one.best_misfit:.2f}", "middle": f"{one.median_misfit:.2f}",
            "R-hat": f"{one.r_hat:.2f}", "pooled": "yes" if one.is_pooled else "no",
        }
        for one in profile.layerings
    ]  # fmt: skip
    screen.table(rows, title="Misfit in standard errors")
    low, median, high = profile.vs30_m_s
    screen.say(f"Vs30 {median:.0f} m/s, 90 % of models {low:.0f} to {high:.0f} m/s")
    for note in profile.notes:
        screen.say(f"- {note}")
    for path in files:
        screen.say(f"wrote {path}")
    if picture is not None:
        from numpy import append

        from seisloom.figures.dispersion import draw_profile

        edges = append(profile.depth_top_m, profile.depth_bottom_m[-1])
        drawn = draw_profile(
            edges, profile.vs_median_m_s, profile.vs_low_m_s, profile.vs_high_m_s, band_label="90 % of models",
            title=curves.stem,
        )  # fmt: skip
        with writing(picture, "--figure"):
            drawn.savefig(picture, dpi=110)
        screen.say(f"drew {picture}")


def _floats(option: str, text: str) -> tuple[float, ...]:
    try:
        values = tuple(float(one) for one in text.replace(",", " ").split())
    except ValueError as error:
        raise RecipeError(f"{option} {text}: give numbers parted by commas") from error
    if not values:
        raise RecipeError(f"{option}: is empty; give numbers parted by commas")
    return values
