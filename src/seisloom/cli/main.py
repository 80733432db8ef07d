"""The command `seisloom`. Commands import what they need when they run: `--help` stays quick."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from seisloom.cli import data, demo, dispersion, interpretation, invert, recipes, setup, use, view, volumes
from seisloom.errors import SeisloomError

# Torch's threads spin while they wait, which on a machine with other work going on makes a small network several times
# slower. Read when torch is loaded, so it is set before
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

app = typer.Typer(
    name="seisloom",
    help="Seismic data from field files to calibrated predictions, and back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(recipes.app, name="recipe")
app.add_typer(data.synth, name="synth")
app.add_typer(data.manifest, name="manifest")
app.add_typer(data.shards, name="shards")
app.add_typer(use.models, name="models")
app.add_typer(view.app, name="view")
app.add_typer(volumes.volume, name="volume")
app.add_typer(interpretation.faults, name="faults")
app.add_typer(interpretation.horizons, name="horizons")
view.app.command("section")(volumes.section)
view.app.command("volume")(volumes.cube)
view.app.command("dispersion")(dispersion.view_dispersion)
app.command("convert")(volumes.convert)
app.command("demo")(demo.demo)
app.command("setup")(setup.setup)
app.command("invert")(invert.invert)
for command in (use.train, use.calibrate, use.evaluate, use.apply):
    app.command(context_settings=data.LOOSE if command in (use.train, use.apply) else None)(command)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(version("seisloom"))
        raise typer.Exit


@app.callback()
def options(
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say warnings and results only.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback with an error.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say it.")] = False,
) -> None:
    """Seismic data from field files to calibrated predictions, and back."""
    from seisloom.cli import screen

    screen.listen(quiet=quiet)
    os.environ["SEISLOOM_DEBUG"] = "1" if debug else ""


def _place_of(error: OSError) -> str:
    """Return the file that an error is about; a full disk names none."""
    return os.fspath(error.filename) if isinstance(error.filename, str | os.PathLike) else "a file"


def main() -> None:
    """Run the command; an expected error is one line and exit code 2."""
    try:
        app()
    except SeisloomError as error:
        if os.environ.get("SEISLOOM_DEBUG"):
            raise
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nobody is there to be told
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:  # of a file that is read, or written beside --out: what is there or not is said earlier
        if os.environ.get("SEISLOOM_DEBUG"):
            raise
        said = f"{_place_of(error)}: cannot be read or written: {error.strerror or error}"
        sys.stderr.write(f"error: {said}. Make room or give the rights, or choose another place\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        sys.exit(130)
