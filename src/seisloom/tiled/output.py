"""The output of a run, and what a run that was stopped leaves beside it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from pathlib import Path

from seisloom.convert import create_volume, file_each, format_of, resume_volume
from seisloom.errors import OutputError, SeisloomError
from seisloom.inference.resume import forget_run, marked
from seisloom.io.volumes.volume import Spec, Wanted, Writer

logger = logging.getLogger("seisloom")


def scratch_of(out: Path) -> Path:
    """Return the folder beside an output that remembers how far it is."""
    return out.with_name(out.name + ".tiles")


def steps_of(out: Path) -> Path:
    """Return the folder beside an output in which steps wait to be integrated."""
    return out.with_name(out.name + ".steps")


def writer_of(out: Path, spec: Spec, wanted: Wanted | None, *, force: bool) -> Writer:
    """Return what writes the output, or goes on with what a killed run has left."""
    scratch = scratch_of(out)
    if scratch.is_dir() and not force:
        writer = resume_volume(out, spec, wanted)
        if writer is not None:
            logger.info("%s: going on with a run that was not finished; the input is looked through once more", out)
            return writer
    forget_run(scratch)  # before: marks of a run without its output would leave holes in another one
    shutil.rmtree(steps_of(out), ignore_errors=True)
    return create_volume(out, spec, wanted, force=force)


def check_not_source(out: Path, spec: Spec, source: Path) -> None:
    """Raise OutputError where the source itself would be replaced, by whatever name."""
    kind = format_of(out)
    written = {out, *(kind.files(out, spec) if kind.files else ())}
    if not kind.holds_many and len(spec.variables) > 1:
        written = {file_each(out, name) for name in spec.variables}
    if source.resolve() in {one.resolve() for one in written}:
        raise OutputError(f"{out}: is the source itself. Choose another place")


@contextmanager
def left_in_order(out: Path, writer: Writer) -> Iterator[None]:
    """Whatever stops a run, leave one that the same call goes on with, or nothing where nothing was done."""
    scratch = scratch_of(out)
    try:
        yield
    except BaseException as error:
        if marked(scratch, "written") or marked(scratch, "homed"):
            logger.warning("%s: not finished. The command that began it goes on where it stopped", out)
        else:
            writer.abandon()
            forget_run(scratch)
        if isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker":  # the latter is Dask's
            raise SeisloomError(
                f"{out}: a worker has died ({error}), most often for want of memory. Give fewer --workers, a smaller "
                "patch or less --memory-mb"
            ) from error
        if isinstance(error, MemoryError):
            raise SeisloomError(
                f"{out}: out of memory ({error}). Give a smaller patch or batch_size, fewer --workers or less "
                "--memory-mb"
            ) from error
        raise
