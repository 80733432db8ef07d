"""What an augmentation is: parameters are drawn and applied apart, and labels move with the data.

Draws are keyed by (seed, epoch, sample key, place in the list). So they are the same for any number of workers, any
batch size and after a resume. Only the samples that an entry acts on are computed. Affine maps of axes that follow
each other are composed in closed form, axis by axis, and the data resampled once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from pydantic import Field

from seisloom.config import Config
from seisloom.sample import Array

if TYPE_CHECKING:
    from seisloom.augment.bank import Bank
    from seisloom.augment.batch import Batch

Draws = dict[str, Array]
AxisMaps = Mapping[str, tuple[Array, Array]]
"""By axis, scale and shift in samples, each of shape (item,): new sample j shows old sample `scale * j + shift`."""
Kind = Literal["gather", "trace", "volume", "spectrum"]

BETWEEN = "\x1f"
"""Stands between the words that a generator depends on: ASCII's own separator, which no key has in it."""


class Augmentation(Config):
    """A random change of a training batch; `p` is the share of samples that it changes."""

    in_order: ClassVar[tuple[str, ...]] = ()
    """Fields that may be given without their names, in this order: `TimeStretch(0.95, 1.05)`."""
    kind: ClassVar[Kind] = "gather"
    """What it is made for, and tried on by `check_augmentation`; one that fits several kinds names the simplest."""

    name: str
    p: float = Field(1.0, ge=0, le=1)
    """Probability that a sample is changed."""

    def __init__(self, *values: Any, **fields: Any) -> None:  # Any: as each entry has them, checked by pydantic
        if len(values) > len(self.in_order):
            raise TypeError(
                f"{type(self).__name__} takes {len(self.in_order)} values without a name, {len(values)} are given; "
                f"its fields are {', '.join(type(self).model_fields)}"
            )
        given = dict(zip(self.in_order, values, strict=False))
        twice = sorted(given.keys() & fields.keys())
        if twice:
            raise TypeError(f"{type(self).__name__}: {twice[0]} is given twice")
        super().__init__(**given, **fields)

    @property
    def takes_partners(self) -> bool:
        """Whether it needs the bank of samples that training gives."""
        return False

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return parameters by name, one row a sample; pure: each row depends on its own generator alone.

        Args:
            lengths: length of each named axis of the batch, e.g. {"trace": 48, "time": 1000}.
            rows: a generator for each sample.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what it draws")

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the changed batch, labels moved; it holds the samples that are to change, and no others."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it does")

    def change_rows(self, x: Array, rows: Array, draws: Draws) -> bool:
        """Write into some rows of `x` what `apply` does to them, bit for bit; return whether it could.

        For entries that change nothing else: it saves three copies of the data. One that is not here is not needed.

        Args:
            x: data of the whole batch, float32 (item, ...), contiguous, that nobody else has; written to.
            rows: numbers of the samples that change, each once.
            draws: parameters of these.
        """
        return False


class AxisMap(Augmentation):
    """An augmentation that moves axes: along each, new sample j shows old sample `scale * j + shift`."""

    @property
    def is_affine(self) -> bool:
        """Whether these values make a map that can be composed; else `apply` is called on its own."""
        return True

    def axis_maps(self, batch: Batch, draws: Draws) -> AxisMaps:
        """Return scale and shift in samples by axis, each of shape (item,); a negative scale mirrors."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it maps axes")

    def also(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with what changes besides the axes, such as the sampling rate."""
        return batch

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with its axes mapped."""
        from seisloom.augment.resample import map_axes

        return map_axes(self.also(batch, draws), self.axis_maps(batch, draws))


class TimeMap(AxisMap):
    """An augmentation that moves the time axis: new sample j shows old sample `scale * j + shift`."""

    def time_map(self, batch: Batch, draws: Draws) -> tuple[Array, Array]:
        """Return scale and shift in samples, each of shape (item,)."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it maps time")

    def axis_maps(self, batch: Batch, draws: Draws) -> AxisMaps:
        """Return the map of the axis `time`."""
        return {"time": self.time_map(batch, draws)}


class Container(Augmentation):
    """An augmentation that holds others, and says which of them act on a sample."""

    @property
    def members(self) -> tuple[Augmentation, ...]:
        """Return the entries inside, in the order in which they act."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it holds")

    def choose(self, n: int, rows: Iterator[np.random.Generator]) -> Array:
        """Return which members are tried on each sample, bool (item, member); each then has its own `p`.

        Args:
            n: number of samples.
            rows: a generator for each sample, made when it is asked for.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say which members act")

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return nothing: the members draw, each from a generator of its own."""
        return {}


def generator(*words: object) -> np.random.Generator:
    """Return a random generator that depends on the words alone, the same on every machine."""
    return np.random.Generator(np.random.Philox(_Key(_digest(*words))))  # type: ignore[arg-type]  # its stubs are narrower


class _Key(ISeedSequence):
    """The key of a Philox generator, as it is.

    `Philox(key=...)` gives the same numbers, and takes more than twice as long: it asks the system for entropy first.
    """

    __slots__ = ("_digest",)

    def __init__(self, digest: bytes) -> None:
        self._digest = digest

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> Array:  # Any: as NumPy's own
        """Return the key; Philox asks for its two words of 64 bits."""
        return np.frombuffer(self._digest, dtype="<u8", count=n_words).astype(dtype)


def _digest(*words: object) -> bytes:
    return hashlib.blake2b(BETWEEN.join(map(str, words)).encode(), digest_size=16).digest()


def _unit(*words: object) -> float:
    """Return a number in [0, 1) that depends on the words alone."""
    return (int.from_bytes(_digest("unit", *words)[:8], "little") >> 11) / 2.0**53


def augment(
    batch: Batch, augmentations: Sequence[Augmentation], *, seed: int, bank: Bank | None = None
) -> tuple[Batch, list[dict[str, Any]]]:
    """Return the augmented batch, and what was drawn for each sample.

    Args:
        batch: the batch, with its epoch and the keys of its samples.
        augmentations: in the order in which they act.
        seed: seed of the recipe.
        bank: samples of the training part, for entries that take partners and name no file of their own.
    Returns:
        The batch, and for each sample the drawn values by "place.name.parameter", for provenance; the place of a
        member of another entry is "place.member".
    """
    drawn: list[dict[str, Any]] = [{} for _ in batch.keys]  # Any: numbers or arrays, as drawn
    changing = _Changing(batch if bank is None else replace(batch, bank=bank))
    lengths = batch.lengths()
    everyone = np.arange(len(batch))
    for place, outer in enumerate(augmentations):
        for path, entry, active, rows in _acting(outer, str(place), batch, seed, everyone):
            draws = entry.draw(lengths, rows)
            named = [(f"{path}.{entry.name}.{key}", value) for key, value in draws.items()]
            for row, number in enumerate(active.tolist()):
                drawn[number].update({name: value[row] for name, value in named})
            if isinstance(entry, AxisMap) and entry.is_affine:
                changing.map(entry, active, draws)
            else:
                changing.change(entry, active, draws)
    changing.flush(everyone)
    return replace(changing.batch, bank=batch.bank), drawn


def leaves(entries: Sequence[Augmentation], path: str = "") -> Iterator[tuple[str, Augmentation]]:
    """Yield the entries that act themselves, with their place in the list, and in the entries that hold them."""
    for place, entry in enumerate(entries):
        if isinstance(entry, Container):
            yield from leaves(entry.members, f"{path}{place}.")
        else:
            yield f"{path}{place}", entry


def _acting(
    entry: Augmentation, path: str, batch: Batch, seed: int, among: Array
) -> Iterator[tuple[str, Augmentation, Array, list[np.random.Generator]]]:
    """Yield an entry, or those inside of it that act: place, numbers of the samples, a generator for each of these."""
    start = f"augment{BETWEEN}{seed}{BETWEEN}{batch.epoch}{BETWEEN}"
    words = [f"{start}{batch.keys[k]}{BETWEEN}{path}" for k in among.tolist()]
    if isinstance(entry, Container):
        # Most need no more than one number: a hash is that, and a generator takes ten times as long to make
        acts = np.array([_unit(one) < entry.p for one in words], dtype=bool)
        active = among[acts]
        made = (generator(one) for one, on in zip(words, acts, strict=True) if on)
        chosen = entry.choose(len(active), made)
        for number, member in enumerate(entry.members):
            yield from _acting(member, f"{path}.{number}", batch, seed, active[chosen[:, number]])
        return
    rows = [generator(one) for one in words]
    acts = np.array([row.random() < entry.p for row in rows], dtype=bool)
    if acts.any():
        yield path, entry, among[acts], [row for row, on in zip(rows, acts, strict=True) if on]


@cache
def _writes_rows(kind: type[Augmentation]) -> bool:
    """Return whether `change_rows` is of the class that `apply` is of: one that changes `apply` alone means that."""
    own = next(one for one in kind.__mro__ if "apply" in vars(one))
    return own is not Augmentation and "change_rows" in vars(own)


class _Changing:
    """A batch while entries act on it: maps of axes wait, for each sample, until something else acts on it."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self._ours: set[str] = set()  # tensors that nobody else has, so that rows can be put into them
        self._maps: dict[str, tuple[Array, Array]] = {}

    def map(self, entry: AxisMap, active: Array, draws: Draws) -> None:
        """Let the map of an entry wait; it is composed with those that wait already."""
        # Of the whole batch, samples that it does not act on with the draws of another: rows of the data need not be
        # copied for what is a few numbers of each
        number = np.zeros(len(self.batch), dtype=int)
        number[active] = np.arange(len(active))
        wanted = entry.axis_maps(self.batch, {name: np.asarray(one)[number] for name, one in draws.items()})
        if type(entry).also is not AxisMap.also:
            some = self._rows(active)
            self._put(active, some, entry.also(some, draws))
        for axis, (of_all, shift_of_all) in wanted.items():
            a, b = of_all[active], shift_of_all[active]
            if axis not in self._maps:
                self._maps[axis] = np.ones(len(self.batch)), np.zeros(len(self.batch))
            from seisloom.augment.resample import MAX_SCALE

            # Maps that would alias together are not composed; each row by itself, or the batch would matter
            beyond = np.abs(self._maps[axis][0][active] * a) > MAX_SCALE
            self.flush(active[beyond])
            scale, shift = self._maps[axis]
            # j -> a j + b in the frame that the earlier maps have made: theirs acts on the outcome
            shift[active] += scale[active] * b
            scale[active] *= a

    def change(self, entry: Augmentation, active: Array, draws: Draws) -> None:
        """Let an entry act on some of the samples, once the maps that wait for them are done."""
        from seisloom.augment.kernels import is_plain

        self.flush(active)
        alone = len(self.batch.of_amplitude()) == 1  # else what is done to `x` may be done to labels, too
        if alone and _writes_rows(type(entry)) and is_plain(self.batch.arrays.get("x")):
            self._own("x")
            if entry.change_rows(self.batch.arrays["x"].numpy(), active, draws):
                return
        some = self._rows(active)
        self._put(active, some, entry.apply(some, draws))

    def flush(self, among: Array) -> None:
        """Resample those of the samples for which a map waits."""
        waits = np.zeros(len(self.batch), dtype=bool)
        for scale, shift in self._maps.values():
            waits |= (scale != 1.0) | (shift != 0.0)
        moved = among[waits[among]]
        if not moved.size:
            return
        from seisloom.augment.resample import map_axes, movable, move_rows

        chosen = {axis: (scale[moved], shift[moved]) for axis, (scale, shift) in self._maps.items()}
        fields = movable(self.batch, chosen)
        some = self._rows(moved, shapes_of=fields)
        self._put(moved, some, map_axes(some, chosen))
        for name in fields:
            self._own(name)
            move_rows(self.batch, name, moved, chosen)
        for scale, shift in self._maps.values():
            scale[moved], shift[moved] = 1.0, 0.0

    def _rows(self, numbers: Array, *, shapes_of: Sequence[str] = ()) -> Batch:
        """Return some samples; of some fields their shape alone."""
        import torch

        hollow = {name: torch.empty_like(self.batch.arrays[name], device="meta") for name in shapes_of}
        batch = self.batch.with_arrays(**hollow) if hollow else self.batch
        return batch if len(numbers) == len(batch) else batch.rows(numbers.tolist())

    def _own(self, name: str) -> None:
        """See to it that nobody else has a tensor."""
        import torch

        if name not in self._ours:
            whole = self.batch.arrays[name].clone(memory_format=torch.contiguous_format)
            self.batch = self.batch.with_arrays(**{name: whole})
            self._ours.add(name)

    def _put(self, numbers: Array, some: Batch, changed: Batch) -> None:
        """Put changed rows in their places; those of the other samples keep their bits."""
        if changed is some:
            return
        import torch

        found = {name: new for name, new in changed.arrays.items() if new is not some.arrays.get(name)}
        if len(numbers) != len(self.batch):
            for name, new in found.items():
                whole, place = self.batch.arrays[name], torch.as_tensor(numbers, device=new.device)
                if new.requires_grad or whole.requires_grad:
                    found[name] = whole.index_copy(0, place, new)
                    continue
                self._own(name)
                found[name] = whole = self.batch.arrays[name]
                if whole.device.type == "cpu" and whole.dtype == new.dtype:
                    whole.numpy()[numbers] = new.numpy()  # a fourth of the time of index_copy_
                else:
                    whole.index_copy_(0, place, new)
        else:
            self._ours -= found.keys()
        self.batch = self.batch.with_arrays(**found)
