"""The dispersion room: its functions in the order of the flow."""

from __future__ import annotations

from seisloom.calibration.modes import ModeCalibration
from seisloom.task import Task
from seisloom.tasks.dispersion.picker.apply import apply
from seisloom.tasks.dispersion.picker.data import contents, group, join, plan, read, read_many, shard
from seisloom.tasks.dispersion.picker.evaluate import calibrate, evaluate
from seisloom.tasks.dispersion.picker.pages import view, write_pages, write_picks
from seisloom.tasks.dispersion.picker.recipe import ITEM, OUTPUT, SAMPLE, DispersionRecipe
from seisloom.tasks.dispersion.picker.records import open_records, records

DISPERSION = Task(
    name="dispersion",
    summary="Dispersion curves of surface-wave modes from shot gathers, each pick with an interval or abstained from.",
    recipe=DispersionRecipe,
    sample=SAMPLE,
    item=ITEM,
    output=OUTPUT,
    plan=plan,
    read=read,
    read_many=read_many,
    shard=shard,
    group=group,
    join=join,
    noun="spectra",
    rows="points of curves",
    records=records,
    contents=contents,
    open=open_records,
    apply=apply,
    calibrate=calibrate,
    load_calibration=ModeCalibration.from_json,
    evaluate=evaluate,
    report=write_pages,
    view=view,
    write=write_picks,
)
"""The room as one record; a variant is `dataclasses.replace(DISPERSION, ...)`."""
