"""Public contract tests: what every task, augmentation, network and format must keep. For us and for third parties.

Call one in a test of your own package:

    from seisloom.plugins import load
    from seisloom.testing import check_augmentation

    def test_my_augmentation_keeps_the_contract():
        check_augmentation(load("augmentations", "my_augmentation")(name="my_augmentation"))

Each raises AssertionError with what was promised and what came instead; none needs pytest.
"""
# ruff: noqa: PT017, PT018 -- these are asserts of a library, not of a pytest test

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from seisloom.errors import LeftOut, MissingDataError, OutputError, SeisloomError
from seisloom.io.volumes.grid import Axis, Box, Grid, boxes, whole
from seisloom.io.volumes.volume import AMPLITUDE, Format, Spec, Traces, Wanted, Writer
from seisloom.recipe import Recipe, recipe_from
from seisloom.sample import Array, Arrays, Field, Ref, Sample, Schema
from seisloom.split import unit_hash
from seisloom.task import Task

if TYPE_CHECKING:
    from seisloom.augment.augmentation import Augmentation
    from seisloom.augment.batch import Batch
    from seisloom.config import ModelConfig

V = TypeVar("V")

GATHER = Schema(
    (
        Field("x", ("trace", "channel", "time")),
        Field("has_pick", ("trace",), "int8", label="class"),
        Field("y_idx", ("trace",), unit="sample", label="point"),
        Field("y_mask", ("trace", "time"), "int8", label="mask"),
        Field("fs", (), unit="Hz"),
        Field("t0_s", ("trace",), unit="s"),
        Field("offset_m", ("trace",), unit="m"),
    )
)
"""The fields of the batch that augmentations are tried on: a gather with a pick on most traces."""
BUMP_SAMPLES = 3.0
BUMP_HEIGHT = 30.0  # well above any noise: records are scaled to about 1


def check_task(task: Task[Any], recipe: Recipe, *, n_read: int = 8) -> None:  # Any: any room
    """Check that a room keeps what the flow rests on; its data must be small, since all of it is planned.

    Planning is a pure function of the recipe, with unique keys and plain JSON in each ref. Reading is a pure function
    of recipe and ref, and fills the promised fields. Every ref is grouped into items, which fill theirs and are the
    same for the same generator. Losses of the untrained network are finite; its outputs fill the promised fields.
    Applying a record does not depend on the records before it; a calibration survives JSON.

    Args:
        task: the room.
        recipe: a recipe of this room on small data, with the truth that calibration needs.
        n_read: most samples that are read and compared one by one.
    Raises:
        AssertionError: with what was promised and what came instead.
    """
    assert isinstance(recipe, task.recipe), f"{task.name}: its recipes are {task.recipe.__name__}, not {type(recipe)}"
    assert recipe_from(json.loads(recipe.model_dump_json())) == recipe, f"{task.name}: a recipe does not survive JSON"
    refs = _check_plan(task, recipe)
    samples = _check_read(task, recipe, refs[:: max(len(refs) // n_read, 1)][:n_read])
    assert samples, f"{task.name}: none of {n_read} samples that were tried qualifies"
    for training in (True, False):
        _check_items(task, recipe, refs, training=training)
    check_model(recipe.model, recipe, items=first_items(task, recipe, n=2))
    _check_apply(task, recipe, refs)


def _check_plan(task: Task[Any], recipe: Recipe) -> Sequence[Ref]:  # Any: any room
    refs, again = task.plan(recipe), task.plan(recipe)
    assert refs, f"{task.name}.plan: there is nothing"
    assert list(refs) == list(again), f"{task.name}.plan: two calls differ"
    keys = [ref.key for ref in refs]
    assert len(set(keys)) == len(keys), f"{task.name}.plan: {len(keys) - len(set(keys))} keys are not unique"
    for ref in refs:
        stored = json.loads(json.dumps([ref.key, dict(ref.groups), ref.seed, dict(ref.source)]))
        assert Ref(*stored) == ref, f"{task.name}.plan: {ref.key} is not plain JSON"
        assert ref.groups, f"{task.name}.plan: {ref.key} belongs to no group, so no split can keep it together"
        name = task.shard(ref)
        assert name and not name.startswith("/") and ".." not in name, f"{task.name}.shard: {name!r} is no name"
    return refs


def _check_read(task: Task[Any], recipe: Recipe, refs: Sequence[Ref]) -> list[Sample]:  # Any: any room
    samples = []
    for ref in refs:
        try:
            sample = task.read(recipe, ref)
        except LeftOut as reason:
            assert str(reason), f"{task.name}.read: {ref.key} is left out without a reason"
            continue
        task.sample.check(sample.arrays, where=f"{task.name}.read: {ref.key}")
        assert (sample.key, dict(sample.groups)) == (ref.key, dict(ref.groups)), f"{ref.key}: is read as {sample.key}"
        json.dumps(dict(sample.meta))
        _assert_same(sample.arrays, task.read(recipe, ref).arrays, f"{task.name}.read: two readings of {ref.key}")
        samples.append(sample)
    together = [one for one in task.read_many(recipe, refs) if isinstance(one, Sample)]
    keys = [sample.key for sample in samples]
    assert [one.key for one in together] == keys, f"{task.name}.read_many: other samples come alone and with others"
    for one, sample in zip(together, samples, strict=True):
        _assert_same(one.arrays, sample.arrays, f"{task.name}.read_many: {one.key} alone and with others")
    return samples


def _check_items(task: Task[Any], recipe: Recipe, refs: Sequence[Ref], *, training: bool) -> None:  # Any: any room
    items = task.group(recipe, refs, training)
    grouped = {ref.key for item in items for ref in item}
    missing = {ref.key for ref in refs} - grouped
    assert not missing, f"{task.name}.group: {len(missing)} samples are in no item, e.g. {min(missing)}"
    if not training:
        assert sum(len(item) for item in items) == len(refs), f"{task.name}.group: validation sees a sample twice"
    for item in items[:2]:
        try:
            samples = [task.read(recipe, ref) for ref in item]
        except LeftOut:
            continue

        def joined(seed: int | None, some: Sequence[Sample] = samples) -> Arrays:
            return task.join(recipe, some, None if seed is None else np.random.default_rng(seed))

        seed = 0 if training else None
        where = f"{task.name}.join: {item[0].key}"
        task.item.check(joined(seed), where=where)
        _assert_same(joined(seed), joined(seed), f"{where}: two calls")


def _check_apply(task: Task[Any], recipe: Recipe, refs: Sequence[Ref]) -> None:  # Any: any room
    from seisloom.bundle import as_predictor

    predictor = as_predictor(recipe.model.build(task.item), "cpu")
    records = list(task.records(recipe, refs))
    assert records, f"{task.name}.records: there is none behind {len(refs)} refs"
    product = task.apply(recipe, predictor, None, records)
    alone = task.apply(recipe, predictor, None, records[-1:])
    again = task.apply(recipe, predictor, None, records[-1:])
    assert _bytes_of(alone) == _bytes_of(again), f"{task.name}.apply: two calls differ"
    if hasattr(product, "tail"):
        same = _bytes_of(product.tail(len(alone))[list(alone.columns)]) == _bytes_of(alone)
        assert same, f"{task.name}.apply: the last record alone gives other rows than after the others"
    calibration = task.calibrate(recipe, [product], None)
    stored = json.loads(json.dumps(calibration.to_json(), allow_nan=False))
    back = task.load_calibration(stored)
    assert back.to_json() == calibration.to_json(), f"{task.name}: a calibration does not survive JSON"


def first_items(task: Task[Any], recipe: Recipe, *, n: int = 2) -> Arrays:  # Any: any room
    """Return the first `n` items of one size of a room's data as arrays with a leading axis `item`.

    Items with a sample that does not qualify are passed over; fewer than `n` come where there are fewer.
    """
    by_size: dict[int, list[Arrays]] = {}
    for item in task.group(recipe, task.plan(recipe), False):
        try:
            found = task.join(recipe, [task.read(recipe, ref) for ref in item], None)
        except LeftOut:
            continue
        some = by_size.setdefault(len(item), [])
        some.append(found)
        if len(some) == n:
            break
    chosen = max(by_size.values(), key=len)
    names = [field.name for field in task.item.fields if not field.optional or field.name in chosen[0]]
    return {name: np.stack([one[name] for one in chosen]) for name in names}


def check_model(entry: ModelConfig, recipe: Recipe, *, items: Arrays | None = None) -> None:
    """Check that a network can be trained, stored and applied in the room of a recipe.

    Its outputs fill the promised fields and are finite; the recipe's losses take them and teach it; an item's outputs
    do not depend on the other items of its batch (but for the last bits of float32); two calls in evaluation are
    bit-equal; and its weights, stored and read back, give the same outputs.

    Args:
        entry: the entry `model:`.
        recipe: a recipe of the room; its losses are tried. Its own model plays no part.
        items: arrays of at least two items with a leading axis `item`; by default the first of the recipe's data.
    Raises:
        AssertionError: with what was promised and what came instead.
    """
    import torch
    from safetensors.torch import load, save

    from seisloom.plugins import load as load_plugin

    task: Task[Any] = load_plugin("tasks", recipe.task)  # Any: any room
    arrays = items if items is not None else first_items(task, recipe)
    batch = {name: torch.from_numpy(np.ascontiguousarray(one)) for name, one in arrays.items()}
    torch.manual_seed(0)
    network = entry.build(task.item)
    where = f"model {entry.name}"
    assert type(entry).model_validate(entry.model_dump()) == entry, f"{where}: its entry does not survive a recipe"

    terms = {one.name: one(network(batch), batch) for one in recipe.loss}
    for name, value in terms.items():
        assert value.ndim == 0 and bool(torch.isfinite(value)), f"{where}: loss {name} is {value}"
    torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
    gradients = {name: one.grad for name, one in network.named_parameters() if one.grad is not None}
    bad = [name for name, one in gradients.items() if not bool(torch.isfinite(one).all())]
    assert not bad, f"{where}: the gradient of {bad[0]} is not finite"
    assert any(bool(one.any()) for one in gradients.values()), f"{where}: the losses teach no parameter"

    network = network.eval()
    with torch.inference_mode():
        outputs = {name: one.numpy() for name, one in network(batch).items()}
        again = {name: one.numpy() for name, one in network(batch).items()}
        _assert_same(outputs, again, f"{where}: two calls")
        n_item = len(next(iter(arrays.values())))
        for k in range(n_item):
            promised = {field.name: outputs[field.name][k] for field in task.output.fields if field.name in outputs}
            task.output.check(promised, where=where)
            alone = network({name: one[k : k + 1] for name, one in batch.items()})
            for field in [one for one in task.output.fields if one.name in promised]:
                assert np.isfinite(outputs[field.name]).all(), f"{where}: {field.name} is not finite"
                off = np.abs(alone[field.name][0].numpy() - outputs[field.name][k]).max(initial=0.0)
                # float32 sums in another order: a few units in the sixth digit
                room = 1e-3 * max(1.0, float(np.abs(outputs[field.name]).max()))
                assert off <= room, f"{where}: {field.name} of an item alone differs by {off:g} from the batch"
        fresh = entry.build(task.item)
        fresh.load_state_dict(load(save({name: one.contiguous() for name, one in network.state_dict().items()})))
        stored = {name: one.numpy() for name, one in fresh.eval()(batch).items()}
        _assert_same(outputs, stored, f"{where}: weights that were stored and read back")


def check_augmentation(entry: Augmentation, *, batch: Batch | None = None) -> None:
    """Check that an augmentation keeps the contract of the library.

    What is drawn for a sample depends on seed, epoch, key and place in the list alone: not on the batch, its size or
    its order; on a CPU the outcome is bit-equal for any batching. With p = 0 nothing changes, not a bit. The given
    batch is not changed. Shapes and types stay. Labels move with the data: where a pick remains, the feature that it
    marks lies there; where none was known, none appears; and a pick that is gone is -1.

    Args:
        entry: the entry of the list `augment:`.
        batch: by default `gather_batch()`; give your own for other axes: all but the place of picks is checked on it.
    Raises:
        AssertionError: with what was promised and what came instead.
    """
    from seisloom.augment.augmentation import augment

    where = f"augmentation {entry.name}"
    assert type(entry).model_validate(entry.model_dump()) == entry, f"{where}: its entry does not survive a recipe"
    given = batch if batch is not None else gather_batch()
    before = {name: one.clone() for name, one in given.arrays.items()}
    always = entry.model_copy(update={"p": 1.0})
    changed, drawn = augment(given, [always], seed=0)
    _assert_same(_numpy(before), _numpy(given.arrays), f"{where}: the given batch before and after")
    for name, one in before.items():
        found = changed.arrays[name]
        assert found.shape == one.shape, f"{where}: {name} had shape {tuple(one.shape)}, now {tuple(found.shape)}"
        assert found.dtype == one.dtype, f"{where}: {name} was {one.dtype}, now {found.dtype}"
    assert len(drawn) == len(given), f"{where}: {len(drawn)} rows were drawn for {len(given)} samples"

    again, _ = augment(given, [always], seed=0)
    _assert_same(_numpy(changed.arrays), _numpy(again.arrays), f"{where}: two calls")
    backwards = list(range(len(given)))[::-1]
    for chosen in ([0], backwards, backwards[: len(given) // 2]):
        part, _ = augment(_rows(given, chosen), [always], seed=0)
        expected = {name: one[chosen] for name, one in _numpy(changed.arrays).items()}
        _assert_same(expected, _numpy(part.arrays), f"{where}: samples {chosen} in the batch and in one of their own")

    never, nothing = augment(given, [entry.model_copy(update={"p": 0.0})], seed=0)
    _assert_same(_numpy(before), _numpy(never.arrays), f"{where}: p = 0")
    assert not any(nothing), f"{where}: with p = 0 it says that it drew {nothing}"
    if batch is None:
        _check_picks(_numpy(before), _numpy(changed.arrays), where)


def _check_picks(before: Arrays, after: Arrays, where: str) -> None:
    n_time = before["x"].shape[-1]
    new = (after["has_pick"] == 1).sum(axis=1) > (before["has_pick"] == 1).sum(axis=1)
    assert not new.any(), f"{where}: a pick appeared on item {int(new.argmax())}"
    height = np.abs(after["x"][:, :, 0]).max(axis=-1)
    edge = np.minimum(
        np.abs(after["x"][:, :, 0]).argmax(axis=-1), n_time - 1 - np.abs(after["x"][:, :, 0]).argmax(axis=-1)
    )
    # A bump that was turned into noise is lower by far: such a trace has no onset any more
    denied = (after["has_pick"] == 0) & (height > 0.7 * BUMP_HEIGHT) & (edge > 4 * BUMP_SAMPLES)
    assert not denied.any(), (
        f"{where}: a trace that is alive is said to have no onset, on item {int(denied.any(1).argmax())}"
    )
    assert (after["y_idx"][after["has_pick"] != 1] == -1).all(), f"{where}: a trace without a pick has y_idx not -1"
    for item, trace in zip(*np.nonzero(after["has_pick"] == 1), strict=True):
        y, x = after["y_idx"][item, trace], np.abs(after["x"][item, trace, 0])
        assert 0 <= y <= n_time - 1, f"{where}: a pick lies at {y}, outside of the record, and is not gone"
        if 4 * BUMP_SAMPLES < y < n_time - 4 * BUMP_SAMPLES:
            place = float(np.median(np.flatnonzero(x > 0.5 * x.max())))
            assert abs(place - y) < 1.5, f"{where}: the feature lies at {place}, its pick says {y}"


def gather_batch(*, n_item: int = 5, n_trace: int = 6, n_time: int = 240, epoch: int = 0) -> Batch:
    """Return a batch of gathers: a bump of height 30 at each pick, one trace of each gather unpicked."""
    import torch

    from seisloom.augment.batch import Batch

    rng = np.random.default_rng(0)
    y = rng.uniform(0.35 * n_time, 0.65 * n_time, (n_item, n_trace)).astype(np.float32)
    samples = np.arange(n_time)
    x = BUMP_HEIGHT * np.exp(-0.5 * ((samples - y[..., None]) / BUMP_SAMPLES) ** 2)
    has = np.ones((n_item, n_trace), dtype=np.int8)
    for item in range(n_item):
        blank = int(unit_hash("blank", item) * n_trace)
        has[item, blank], y[item, blank] = -1, -1
    arrays: Mapping[str, Array] = {
        "x": x[:, :, None].astype(np.float32),
        "has_pick": has,
        "y_idx": y,
        "y_mask": ((np.abs(samples - y[..., None]) <= 2) & (has[..., None] == 1)).astype(np.int8),
        "fs": np.full(n_item, 1000, dtype=np.float32),
        "t0_s": np.full((n_item, n_trace), -0.01, dtype=np.float32),
        "offset_m": rng.uniform(1, 100, (n_item, n_trace)).astype(np.float32),
    }
    keys = tuple(f"gather-{item}" for item in range(n_item))
    return Batch({name: torch.from_numpy(one) for name, one in arrays.items()}, keys, GATHER, epoch)


def check_format(
    read: Callable[[Path], V],
    write: Callable[[V, Path], object],
    value: V,
    path: Path,
    *,
    same: Callable[[V, V], bool] | None = None,
    notices_damage: bool = True,
    volumes: Format | None = None,
) -> None:
    """Check that a file format gives back what was written, and that bad files and folders are clear errors.

    What is written reads as the same; writing it again gives the same bytes; nothing else is left beside the file. A
    file that is not there is MissingDataError; an empty one, and one that is cut in half, are a SeisloomError that
    names the file; a path that cannot be written is OutputError.

    Args:
        read: from a path to a value.
        write: a value to a path.
        value: what is written.
        path: where, with the suffix of the format; in an empty folder that may be written to.
        same: whether two values are the same; by default equality of arrays, tables or plain values.
        notices_damage: False for formats that cannot tell a file that was cut off, such as a table of text.
        volumes: the format, where it is one of volumes; if it gives `resume`, `check_resume` is called as well.
    Raises:
        AssertionError: with what was promised and what came instead.
    """
    equal = same if same is not None else lambda a, b: _bytes_of(a) == _bytes_of(b)
    where = f"format {path.suffix}"
    missing = path.with_name("not_there" + path.suffix)
    _assert_raises(MissingDataError, lambda: read(missing), f"{where}: a file that is not there", names=missing)
    write(value, path)
    assert equal(read(path), value), f"{where}: what was written does not read as the same"
    first = path.read_bytes()
    write(value, path)
    assert path.read_bytes() == first, f"{where}: the same value written again has other bytes"
    beside = sorted(one.name for one in path.parent.iterdir() if one.name != path.name)
    assert not beside, f"{where}: leaves {', '.join(beside)} beside the file"
    for what, content in (("an empty file", b""), ("a file that is cut in half", first[: len(first) // 2])):
        if notices_damage or not content:
            path.write_bytes(content)
            _assert_raises(SeisloomError, lambda: read(path), f"{where}: {what}", names=path)
    path.write_bytes(first)
    inside = path / ("inside_a_file" + path.suffix)
    _assert_raises(OutputError, lambda: write(value, inside), f"{where}: a path inside of a file", names=inside)
    assert path.read_bytes() == first, f"{where}: a write that failed changed another file"
    if volumes is not None and volumes.resume is not None:
        check_resume(volumes, path)


def check_resume(volumes: Format, path: Path) -> None:
    """Check that a format of volumes goes on with an output that was left half-written, see `Format.resume`.

    The output is the same, byte for byte, as one that was written in one go, with boxes that were written twice; where
    nothing was begun there is None; an output that was begun with another spec is OutputError and stays as it is; and
    nothing else is left beside an output that is finished or abandoned.

    Args:
        volumes: a format that gives `create` and `resume`; one variable, float32, is written.
        path: of an output, with the suffix of the format; its folder may be written to.
    Raises:
        AssertionError: with what was promised and what came instead.
    """
    assert volumes.create is not None, f"format {volumes.name}: gives resume, and does not give create"
    assert volumes.resume is not None, f"format {volumes.name}: does not give resume"
    where = f"format {volumes.name}.resume"
    axes = Axis.regular("inline", 4), Axis.regular("crossline", 6), Axis.regular("time", 8, step=0.004, unit="s")
    spec, wanted = Spec(Grid(axes), {AMPLITUDE: np.dtype(np.float32)}), Wanted()
    other = replace(spec, grid=Grid((Axis.regular("inline", 4, first=1), *axes[1:])))
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        first, second = (Path(folder) / name / path.name for name in ("in_one_go", "resumed"))
        for one in (first, second):
            one.parent.mkdir()
        assert volumes.resume(second, spec, wanted) is None, f"{where}: goes on where nothing was begun"
        writer = volumes.create(first, spec, wanted)
        todo = list(boxes(spec.grid.shape, [-(-n // 2 // k) * k for n, k in zip((4, 6, 8), writer.grain, strict=True)]))
        _write_made_up(writer, todo)
        writer.finish()

        _write_made_up(volumes.create(second, spec, wanted), todo[: len(todo) // 2])
        begun = _files_in(second.parent)
        _assert_raises(
            OutputError, partial(volumes.resume, second, other, wanted), f"{where}: another spec",
            names=second.with_suffix(""),
        )  # fmt: skip
        assert _files_in(second.parent) == begun, f"{where}: changed an output that was begun with another spec"
        taken_up = volumes.resume(second, spec, wanted)
        assert taken_up is not None, f"{where}: None for an output that was begun and not finished"
        _write_made_up(taken_up, todo[max(len(todo) // 2 - 1, 0) :])
        taken_up.finish()
        assert _files_in(second.parent) == _files_in(first.parent), f"{where}: the output is not that of one go"

        volumes.create(first, spec, wanted)
        taken_up = volumes.resume(first, spec, wanted)
        assert taken_up is not None, f"{where}: None for an output that was begun a second time"
        taken_up.abandon()
        assert _files_in(first.parent) == _files_in(second.parent), f"{where}: leaves something when it is abandoned"
        assert volumes.resume(first, spec, wanted) is None, f"{where}: goes on with what was abandoned"


def _write_made_up(writer: Writer, todo: Sequence[Box]) -> None:
    shape = (4, 6)
    writer.write_traces(whole(shape), Traces(np.ones(shape, dtype=bool)))
    values = np.random.default_rng(0).normal(size=(*shape, 8)).astype(np.float32)
    for box in todo:
        writer.write(box, values[box])


def _files_in(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def _assert_raises(kind: type[SeisloomError], call: Callable[[], object], what: str, *, names: Path) -> None:
    try:
        call()
    except kind as error:
        assert str(names) in str(error), f"{what}: the error does not name {names}: {error}"
        return
    except Exception as error:
        raise AssertionError(f"{what}: {kind.__name__} was promised, {type(error).__name__} came: {error}") from error
    raise AssertionError(f"{what}: {kind.__name__} was promised, nothing was raised")


def _rows(batch: Batch, chosen: Sequence[int]) -> Batch:
    return replace(
        batch,
        arrays={name: one[list(chosen)] for name, one in batch.arrays.items()},
        keys=tuple(batch.keys[k] for k in chosen),
    )


def _numpy(arrays: Mapping[str, Any]) -> Arrays:  # Any: torch is imported late
    return {name: one.detach().cpu().numpy() for name, one in arrays.items()}


def _assert_same(first: Arrays, second: Arrays, what: str) -> None:
    """Raise unless two mappings of arrays are bit-equal, NaN included."""
    assert first.keys() == second.keys(), f"{what}: {sorted(first)} against {sorted(second)}"
    for name, one in first.items():
        other = second[name]
        equal = one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
        assert equal, f"{what}: {name} differs"


def _bytes_of(value: Any) -> bytes:  # Any: a table, an array, a mapping of them, or a plain value
    """Return bytes that are equal where the values are."""
    if hasattr(value, "to_csv"):
        return str(value.to_csv(index=False, float_format="%.9g")).encode()
    if isinstance(value, np.ndarray):
        buffer = io.BytesIO()
        np.save(buffer, value, allow_pickle=False)
        return buffer.getvalue()
    if isinstance(value, Mapping):
        return b"".join(str(key).encode() + _bytes_of(one) for key, one in value.items())
    return repr(value).encode()
