"""The restoration room: its functions in the order of the flow."""

from __future__ import annotations

from seisloom.calibration.residuals import ResidualCalibration
from seisloom.task import Task
from seisloom.tasks.restoration.apply import apply, plan_tiles
from seisloom.tasks.restoration.data import contents, group, join, plan, read, read_many, shard
from seisloom.tasks.restoration.evaluate import calibrate, evaluate
from seisloom.tasks.restoration.pages import view, write_pages
from seisloom.tasks.restoration.recipe import ITEM, OUTPUT, SAMPLE, RestorationRecipe
from seisloom.tasks.restoration.records import open_records, records, with_questions
from seisloom.tasks.restoration.sources import is_volume
from seisloom.tasks.restoration.write import write

RESTORATION = Task(
    name="restoration",
    summary="Missing traces filled and noise taken off in gathers, sections and cubes; headers and amplitudes kept.",
    recipe=RestorationRecipe,
    sample=SAMPLE,
    item=ITEM,
    output=OUTPUT,
    plan=plan,
    read=read,
    read_many=read_many,
    shard=shard,
    group=group,
    join=join,
    noun="panels",
    rows="panels",
    records=records,
    contents=contents,
    open=open_records,
    with_questions=with_questions,
    apply=apply,
    tile=plan_tiles,
    is_tiled=is_volume,
    calibrate=calibrate,
    load_calibration=ResidualCalibration.from_json,
    evaluate=evaluate,
    report=write_pages,
    view=view,
    one_by_one=True,
    write=write,
)
"""The room as one record; a variant is `dataclasses.replace(RESTORATION, ...)`."""
