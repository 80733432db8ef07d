"""What every augmentation must keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from seisloom.sample import Arrays
from seisloom.testing.same import as_numpy, assert_same

if TYPE_CHECKING:
    from seisloom.augment.augmentation import Augmentation
    from seisloom.augment.batch import Batch

N_EPOCHS = 4
"""Epochs in which something must change: one that leaves single samples as they are is no error."""


def check_augmentation(entry: Augmentation, *, batch: Batch | None = None) -> None:
    """Check that an augmentation keeps the contract of the library.

    What is drawn for a sample depends on seed, epoch, key and place in the list alone: not on the batch, its size or
    its order; on a CPU the outcome is bit-equal for any batching, and another epoch draws anew. With p = 0 nothing
    changes, not a bit; with p = 1 something does, and where it changes no magnitude of the Fourier transform the
    docstring says so. The given batch is not changed. Shapes and types stay; what was finite stays finite, and so are
    gradients. Labels move with the data: where a pick remains, the feature that it marks lies there, and where none was
    known none appears; dip and strike are those of the moved plane; relative time follows its layers, a curve its
    ridge.

    Args:
        entry: the entry of the list `augment:`.
        batch: by default an example of the entry's `kind`; give your own for other axes: all but where labels point is
            checked on it.
    Raises:
        AssertionError: with what was promised and what came instead.
    """
    from seisloom.augment.augmentation import augment
    from seisloom.augment.examples import MAKERS, bank_like

    where = f"augmentation {entry.name}"
    assert type(entry).model_validate(entry.model_dump()) == entry, f"{where}: its entry does not survive a recipe"
    given = batch if batch is not None else MAKERS[entry.kind]()
    bank = bank_like(given)
    before = {name: one.clone() for name, one in given.arrays.items()}
    always = entry.model_copy(update={"p": 1.0})
    changed, drawn = augment(given, [always], seed=0, bank=bank)
    assert_same(as_numpy(before), as_numpy(given.arrays), f"{where}: the given batch before and after")
    for name, one in before.items():
        found = changed.arrays[name]
        assert found.shape == one.shape, f"{where}: {name} had shape {tuple(one.shape)}, now {tuple(found.shape)}"
        assert found.dtype == one.dtype, f"{where}: {name} was {one.dtype}, now {found.dtype}"
    assert len(drawn) == len(given), f"{where}: {len(drawn)} rows were drawn for {len(given)} samples"
    assert np.isfinite(changed.arrays["x"].detach().cpu().numpy()).all(), f"{where}: x is not finite any more"

    again, _ = augment(given, [always], seed=0, bank=bank)
    assert_same(as_numpy(changed.arrays), as_numpy(again.arrays), f"{where}: two calls")
    backwards = list(range(len(given)))[::-1]
    for chosen in ([0], backwards, backwards[: len(given) // 2]):
        part, _ = augment(given.rows(chosen), [always], seed=0, bank=bank)
        expected = {name: one[chosen] for name, one in as_numpy(changed.arrays).items()}
        assert_same(expected, as_numpy(part.arrays), f"{where}: samples {chosen} in the batch and in one of their own")

    never, nothing = augment(given, [entry.model_copy(update={"p": 0.0})], seed=0, bank=bank)
    assert_same(as_numpy(before), as_numpy(never.arrays), f"{where}: p = 0")
    assert not any(nothing), f"{where}: with p = 0 it says that it drew {nothing}"
    if batch is None:
        check_labels = {
            "gather": _check_picks, "trace": _check_picks, "volume": _check_planes, "spectrum": _check_curves,
        }  # fmt: skip
        check_labels[entry.kind](as_numpy(before), as_numpy(changed.arrays), where)
    _check_change(always, given, where)
    _check_gradient(always, given, where)


def check_distinct(entries: Sequence[Augmentation]) -> None:
    """Check that no two entries are one augmentation under two names: each changes a batch in its own way.

    Args:
        entries: those of one kind are held against each other, on its example.
    Raises:
        AssertionError: with the names of two that are alike.
    """
    from seisloom.augment.augmentation import augment
    from seisloom.augment.examples import MAKERS, bank_like

    seen: dict[tuple[str, bytes], str] = {}
    for entry in entries:
        given = MAKERS[entry.kind]()
        changed, _ = augment(given, [entry.model_copy(update={"p": 1.0})], seed=0, bank=bank_like(given))
        arrays = as_numpy(changed.arrays)
        outcome = entry.kind, b"".join(arrays[name].tobytes() for name in sorted(arrays))
        assert outcome not in seen, f"augmentations {seen[outcome]} and {entry.name} do the same"
        seen[outcome] = entry.name


def _check_change(entry: Augmentation, given: Batch, where: str) -> None:
    """Something changes with p = 1, draws change with the epoch, and what no spectrum shows is said."""
    from seisloom.augment.augmentation import augment, leaves
    from seisloom.augment.examples import bank_like

    bank, first = bank_like(given), None
    any_change, x_changed, spectrum_changed, redrawn, draws = False, False, False, False, False
    for epoch in range(N_EPOCHS):
        changed, drawn = augment(replace(given, epoch=epoch), [entry], seed=0, bank=bank)
        first = drawn if first is None else first
        draws = draws or any(bool(row) for row in drawn)
        redrawn = redrawn or repr(drawn) != repr(first)
        for name, one in given.arrays.items():
            any_change = any_change or not np.array_equal(
                one.numpy(), changed.arrays[name].numpy(), equal_nan=one.is_floating_point()
            )
        old, new = (one.arrays["x"].double().numpy() for one in (given, changed))
        x_changed = x_changed or not np.array_equal(old, new)
        magnitude, now = (np.abs(np.fft.rfft(one, axis=-1)) for one in (old, new))
        # float32 samples keep 6 digits; nothing real is smaller
        spectrum_changed = spectrum_changed or np.abs(now - magnitude).max() > 1e-5 * magnitude.max()
    assert any_change, f"{where}: changes nothing with p = 1"
    assert redrawn or not draws, f"{where}: draws the same in {N_EPOCHS} epochs"
    said = any("Fourier" in (type(one).__doc__ or "") for _, one in leaves([entry]))
    assert said or not x_changed or spectrum_changed, (
        f"{where}: changes no magnitude of the Fourier transform, so before one it does nothing: let its docstring say"
    )


def _check_gradient(entry: Augmentation, given: Batch, where: str) -> None:
    import torch

    from seisloom.augment.augmentation import augment
    from seisloom.augment.examples import bank_like

    x = given.arrays["x"].clone().requires_grad_(True)
    changed, _ = augment(given.with_arrays(x=x), [entry], seed=0, bank=bank_like(given))
    total = changed.arrays["x"].square().sum()
    if not total.requires_grad:
        return
    (gradient,) = torch.autograd.grad(total, x)
    assert bool(torch.isfinite(gradient).all()), f"{where}: the gradient of x is not finite"


def _check_picks(before: Arrays, after: Arrays, where: str) -> None:
    from seisloom.augment.examples import BUMP_HEIGHT, BUMP_SAMPLES

    n_item, n_time = len(before["x"]), before["x"].shape[-1]
    was, has, y_idx = (one.reshape(n_item, -1) for one in (before["has_pick"], after["has_pick"], after["y_idx"]))
    # The channel that shows it best: another may have been silenced
    x = np.abs(after["x"]).max(axis=-2).reshape(n_item, -1, n_time)
    new = (has == 1).sum(axis=1) > (was == 1).sum(axis=1)
    assert not new.any(), f"{where}: a pick appeared on item {int(new.argmax())}"
    peak = x.argmax(axis=-1)
    edge = np.minimum(peak, n_time - 1 - peak)
    # A bump that was turned into noise is lower by far: such a trace has no onset any more
    denied = (has == 0) & (x.max(axis=-1) > 0.7 * BUMP_HEIGHT) & (edge > 4 * BUMP_SAMPLES)
    assert not denied.any(), (
        f"{where}: a trace that is alive is said to have no onset, on item {int(denied.any(1).argmax())}"
    )
    assert (y_idx[has != 1] == -1).all(), f"{where}: a trace without a pick has y_idx not -1"
    for item, trace in zip(*np.nonzero(has == 1), strict=True):
        y, one = y_idx[item, trace], x[item, trace]
        assert 0 <= y <= n_time - 1, f"{where}: a pick lies at {y}, outside of the record, and is not gone"
        if 4 * BUMP_SAMPLES < y < n_time - 4 * BUMP_SAMPLES:
            place = float(np.median(np.flatnonzero(one > 0.5 * one.max())))
            assert abs(place - y) < 1.5, f"{where}: the feature lies at {place}, its pick says {y}"


def _check_planes(before: Arrays, after: Arrays, where: str) -> None:
    """Dip and strike against the slope of the moved distance from the plane, layers against the moved relative time."""
    from seisloom.metrics.orientation import normal_error_deg, normal_of

    for item in range(len(after["x"])):
        distance = after["distance"][item].astype(float)
        inline, crossline, time = np.gradient(distance)
        margin = np.zeros(distance.shape, dtype=bool)
        margin[3:-3, 3:-3, 3:-3] = True
        # Beyond the edge the distance is 0 and its slope means nothing; so near it
        size = np.sqrt(inline**2 + crossline**2 + time**2)
        on = (after["fault"][item] == 1) & margin & (np.abs(distance) < 1.5) & (size > 0.5)
        there = bool((after["fault"][item][margin] == 1).any())
        assert bool(on.any()) == there, f"{where}: the fault has left its plane"
        if on.any():
            said = normal_of(after["dip"][item][on], after["strike"][item][on])
            error = np.median(normal_error_deg(said, np.stack([time[on], crossline[on], inline[on]])))
            assert error < 3, f"{where}: dip and strike say a normal {error:.1f} degrees off that of the fault"
        rgt, dhr, x = after["rgt"][item], after["dhr"][item], after["x"][item, 0]
        assert ((after["fault"][item] == 1) <= (after["dip"][item] > 0)).all(), f"{where}: a fault without dip"
        known = np.isfinite(rgt) & np.isfinite(dhr) & margin
        if not np.array_equal(before["fault"][item], after["fault"][item]):
            for name, one in (("rgt", np.sin(20 * rgt)), ("dhr", dhr)):
                alike = np.corrcoef(one[known], x[known])[0, 1]
                assert alike > 0.9, f"{where}: {name} lies elsewhere than its layers, correlation {alike:.2f}"


def _check_curves(before: Arrays, after: Arrays, where: str) -> None:
    """Each curve lies on a ridge of the panel, in frequencies where there is one."""
    from seisloom.augment.examples import RIDGE_BINS

    for item in range(len(after["x"])):
        panel, velocity = after["x"][item, 0], after["velocity_m_s"][item]
        step = velocity[1] - velocity[0]
        on_mask = []
        for curve in after["curve"][item]:
            for k in np.flatnonzero(np.isfinite(curve)):
                place = (curve[k] - velocity[0]) / step
                if not 2 * RIDGE_BINS < place < len(velocity) - 1 - 2 * RIDGE_BINS:
                    continue
                on_mask.append(after["mask"][item][round(float(place)), k] == 1)
                near = panel[max(int(place - 3 * RIDGE_BINS), 0) : int(place + 3 * RIDGE_BINS) + 1, k]
                if near.max() < 0.7:  # of a ridge of 1: taken away, or drowned
                    continue
                ridge = max(int(place - 3 * RIDGE_BINS), 0) + np.median(np.flatnonzero(near > 0.7 * near.max()))
                assert abs(ridge - place) < RIDGE_BINS, (
                    f"{where}: at frequency {k} the ridge lies at bin {ridge:.1f}, its curve says {place:.1f}"
                )
        assert np.mean(on_mask) > 0.9, f"{where}: the mask has left the curve"
