"""The classification room: its functions in the order of the flow."""

from __future__ import annotations

from seisloom.task import Task
from seisloom.tasks.classification.apply import apply
from seisloom.tasks.classification.complete import complete
from seisloom.tasks.classification.data import group, join, plan, read, read_many, shard
from seisloom.tasks.classification.decide import DecidedClasses
from seisloom.tasks.classification.evaluate import calibrate, evaluate
from seisloom.tasks.classification.recipe import ITEM, OUTPUT, SAMPLE, ClassificationRecipe
from seisloom.tasks.classification.records import contents, open_records, records
from seisloom.tasks.classification.view import view, write_pages
from seisloom.tasks.classification.write import write_classes

CLASSIFICATION = Task(
    name="classification",
    summary="What made a record: classes of events with calibrated probabilities, sets, and votes over stations.",
    recipe=ClassificationRecipe,
    sample=SAMPLE,
    item=ITEM,
    output=OUTPUT,
    complete=complete,
    plan=plan,
    read=read,
    read_many=read_many,
    shard=shard,
    group=group,
    join=join,
    noun="records",
    rows="windows",
    records=records,
    contents=contents,
    open=open_records,
    apply=apply,
    calibrate=calibrate,
    load_calibration=DecidedClasses.from_json,
    evaluate=evaluate,
    report=write_pages,
    view=view,
    write=write_classes,
)
"""The room as one record; a variant is `dataclasses.replace(CLASSIFICATION, ...)`."""
