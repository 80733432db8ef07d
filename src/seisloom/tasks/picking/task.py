"""The picking room: its functions in the order of the flow."""

from __future__ import annotations

from seisloom.calibration.intervals import IntervalCalibration
from seisloom.io.picks import write_picks
from seisloom.task import Task
from seisloom.tasks.picking.apply import apply
from seisloom.tasks.picking.data import group, join, plan, read, read_many, shard
from seisloom.tasks.picking.evaluate import calibrate, evaluate
from seisloom.tasks.picking.opening import open_records
from seisloom.tasks.picking.picked import select
from seisloom.tasks.picking.recipe import ITEM, OUTPUT, SAMPLE, PickingRecipe
from seisloom.tasks.picking.records import contents, records
from seisloom.tasks.picking.view import view, write_pages

PICKING = Task(
    name="picking",
    summary="First arrivals and phase onsets on traces and gathers, each with a calibrated interval or abstained from.",
    recipe=PickingRecipe,
    sample=SAMPLE,
    item=ITEM,
    output=OUTPUT,
    plan=plan,
    read=read,
    read_many=read_many,
    shard=shard,
    group=group,
    join=join,
    noun="gathers",
    rows="traces",
    records=records,
    contents=contents,
    open=open_records,
    select=select,
    apply=apply,
    calibrate=calibrate,
    load_calibration=IntervalCalibration.from_json,
    evaluate=evaluate,
    report=write_pages,
    view=view,
    write=write_picks,
)
"""The room as one record; a variant is `dataclasses.replace(PICKING, ...)`."""
