"""The interpretation room: its functions in the order of the flow."""

from __future__ import annotations

from seisloom.calibration.probability import ProbabilityCalibration
from seisloom.task import Task
from seisloom.tasks.interpretation.apply import apply, plan_tiles
from seisloom.tasks.interpretation.data import group, join, plan, read, read_many, shard
from seisloom.tasks.interpretation.evaluate import calibrate, evaluate
from seisloom.tasks.interpretation.recipe import ITEM, OUTPUT, SAMPLE, InterpretationRecipe
from seisloom.tasks.interpretation.records import contents, open_records, records
from seisloom.tasks.interpretation.view import view, write_pages
from seisloom.tasks.interpretation.write import write

INTERPRETATION = Task(
    name="interpretation",
    summary="Faults with dip and strike, relative geological time and a denoised image, from sections and volumes.",
    recipe=InterpretationRecipe,
    sample=SAMPLE,
    item=ITEM,
    output=OUTPUT,
    plan=plan,
    read=read,
    read_many=read_many,
    shard=shard,
    group=group,
    join=join,
    noun="volumes",
    records=records,
    contents=contents,
    open=open_records,
    apply=apply,
    tile=plan_tiles,
    calibrate=calibrate,
    load_calibration=ProbabilityCalibration.from_json,
    evaluate=evaluate,
    report=write_pages,
    view=view,
    write=write,
)
"""The room as one record; a variant is `dataclasses.replace(INTERPRETATION, ...)`."""
