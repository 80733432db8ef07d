"""Parting by group: no group in two parts, quotas, the same for any order, named lists, refusals."""

from __future__ import annotations

import logging
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seisloom.errors import SplitError
from seisloom.recipe import SplitConfig
from seisloom.sample import Ref
from seisloom.split import (
    HASH_FROM,
    PARTS,
    DealtSplit,
    deal_class_folds,
    deal_folds,
    digest,
    folds_for,
    leave_one_out,
    n_groups,
    split,
    unit_hash,
)


def refs_of(n_groups: int, *, per_group: int = 1, prefix: str = "L") -> list[Ref]:
    return [Ref(f"{prefix}{g}/{k}", {"shot": f"{prefix}{g}"}) for g in range(n_groups) for k in range(per_group)]


def part_of(parts: dict[str, list[Ref]], kind: str = "shot") -> dict[str, set[str]]:
    """Return the parts of each group."""
    found: dict[str, set[str]] = {}
    for part, refs in parts.items():
        for ref in refs:
            found.setdefault(ref.groups[kind], set()).add(part)
    return found


@given(
    pairs=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=40),
    seed=st.integers(0, 9), by=st.sampled_from([("shot",), ("station",), ("shot", "station")]),
)  # fmt: skip
@settings(deadline=None)
def test_no_group_is_ever_in_two_parts_and_nothing_is_lost(
    pairs: list[tuple[int, int]], seed: int, by: tuple[str, ...]
) -> None:
    refs = [Ref(f"k{i}", {"shot": f"s{a}", "station": f"r{b}"}) for i, (a, b) in enumerate(pairs)]
    try:
        parts = split(refs, seed=seed, config=SplitConfig(by=by))
    except SplitError as error:
        assert "too few" in str(error)  # noqa: PT017  whether it is refused depends on the draw
        return
    for kind in by:
        assert all(len(found) == 1 for found in part_of(parts, kind).values())
    assert sorted(ref.key for some in parts.values() for ref in some) == sorted(ref.key for ref in refs)
    assert all(parts[part] for part in PARTS)


@given(
    n=st.integers(4, HASH_FROM - 1),
    shares=st.tuples(st.floats(0, 0.32), st.floats(0, 0.32), st.floats(0, 0.32)), seed=st.integers(0, 3),
)  # fmt: skip
@settings(deadline=None)
def test_quotas_are_the_largest_remainders_with_one_group_at_least(
    n: int, shares: tuple[float, float, float], seed: int
) -> None:
    config = SplitConfig(valid=shares[0], calibrate=shares[1], test=shares[2])
    counts = {part: len(some) for part, some in split(refs_of(n), seed=seed, config=config).items()}
    exact = dict(zip(PARTS, (n * (1 - sum(shares)), *(n * share for share in shares)), strict=True))
    assert sum(counts.values()) == n
    n_lifted = sum(share < 1 for share in exact.values())  # parts that are given one group more than their share
    for part in PARTS:
        if exact[part] <= 1e-9 * n:
            assert counts[part] == 0
        else:
            assert counts[part] >= 1
            assert -1 - n_lifted < counts[part] - exact[part] < 1 + 1e-9 or counts[part] == 1


@pytest.mark.parametrize("n", [20, HASH_FROM + 50])
def test_the_split_does_not_depend_on_the_order_of_the_samples(n: int) -> None:
    refs = refs_of(n, per_group=2)
    forwards = split(refs, seed=1, config=SplitConfig())
    backwards = split(refs[::-1], seed=1, config=SplitConfig())
    assert digest(forwards) == digest(backwards)
    assert digest(forwards) != digest(split(refs, seed=2, config=SplitConfig()))


def test_the_hash_is_the_same_on_every_machine() -> None:
    # blake2b of "split\x1f0\x1fshot=L1", 8 bytes, as a fraction of 2**64; by Python's hashlib, kept here
    import hashlib

    expected = int(hashlib.blake2b(b"split\x1f0\x1fshot=L1", digest_size=8).hexdigest(), 16) / 2**64
    assert unit_hash("split", 0, "shot=L1") == expected


@given(gone=st.sets(st.integers(0, HASH_FROM + 59), max_size=60), more=st.integers(0, 80), seed=st.integers(0, 5))
@settings(deadline=None, max_examples=30)
def test_from_200_groups_on_a_group_keeps_its_part_when_others_come_or_go(gone: set[int], more: int, seed: int) -> None:
    refs = refs_of(HASH_FROM + 60)
    before = part_of(split(refs, seed=seed, config=SplitConfig()))
    others = [ref for g, ref in enumerate(refs) if g not in gone] + refs_of(more, prefix="NEW")
    after = part_of(split(others, seed=seed, config=SplitConfig()))
    assert all(after[group] == part for group, part in before.items() if group in after)


def test_from_200_groups_on_the_shares_are_kept_within_chance() -> None:
    n, config = 4000, SplitConfig()
    counts = Counter(next(iter(part)) for part in part_of(split(refs_of(n), seed=0, config=config)).values())
    for part, share in (("train", 0.45), ("valid", 0.15), ("calibrate", 0.2), ("test", 0.2)):
        spread = (n * share * (1 - share)) ** 0.5
        assert abs(counts[part] - n * share) < 4 * spread  # 4 sigma of a binomial: 6 in 100 000


def test_named_groups_go_where_they_are_named() -> None:
    config = SplitConfig(named={"test": ("L3", "L5"), "calibrate": ("L7",)})
    parts = part_of(split(refs_of(20, per_group=3), seed=0, config=config))
    assert (parts["L3"], parts["L5"], parts["L7"]) == ({"test"}, {"test"}, {"calibrate"})


@given(
    n=st.integers(3, 12), named=st.integers(1, 3),
    shares=st.tuples(st.floats(0, 0.3), st.floats(0, 0.3), st.floats(0, 0.39)),
)  # fmt: skip
@settings(deadline=None)
def test_named_groups_of_any_shares_are_dealt_or_refused(
    n: int, named: int, shares: tuple[float, float, float]
) -> None:
    names = tuple(f"L{g}" for g in range(named))
    config = SplitConfig(valid=shares[0], calibrate=shares[1], test=shares[2], named={"test": names})
    try:
        parts = split(refs_of(n), seed=0, config=config)
    except SplitError:
        return
    assert {ref.key.split("/")[0] for ref in parts["test"]} >= set(names)
    assert sum(len(some) for some in parts.values()) == n


def test_a_large_share_of_a_named_part_leaves_the_other_parts_their_group() -> None:
    config = SplitConfig(valid=0.1, calibrate=0.1, test=0.5, named={"test": ("L0",)})
    parts = split(refs_of(4), seed=0, config=config)
    assert {part: len(some) for part, some in parts.items()} == {"train": 1, "valid": 1, "calibrate": 1, "test": 1}


def test_only_keeps_the_groups_that_are_asked_for() -> None:
    refs = [*refs_of(10, prefix="A/"), *refs_of(10, prefix="B/")]
    parts = split(refs, seed=0, config=SplitConfig(only=("B/",)))
    assert {group[:2] for group in part_of(parts)} == {"B/"}
    assert len(part_of(parts)) == 10


@pytest.mark.parametrize(
    ("n", "values", "says"),
    [
        (3, {}, "3 groups of shot are too few for the parts train, valid, calibrate, test"),
        (0, {}, "nothing to split"),
        (9, {"by": ("station",)}, "no group 'station'; they have shot"),
        (9, {"named": {"tset": ("L1",)}}, "no part 'tset'"),
        (9, {"named": {"test": ("L99",)}}, "no sample has a shot named 'L99'"),
        (9, {"named": {"test": ("L1",), "valid": ("L1",)}}, "asked for in"),
        (9, {"valid": 0.5, "calibrate": 0.5, "test": 0.5}, "more than 1"),
        (9, {"only": ("X",)}, "nothing to split"),
    ],
)
def test_what_cannot_be_parted_is_refused_with_its_reason(n: int, values: dict[str, object], says: str) -> None:
    with pytest.raises(SplitError, match=says.replace("(", r"\(")):
        split(refs_of(n), seed=0, config=SplitConfig.model_validate(values))


def test_a_part_with_no_share_is_empty_and_needs_no_group() -> None:
    parts = split(refs_of(2), seed=0, config=SplitConfig(calibrate=0, test=0))
    assert {part: len(some) for part, some in parts.items()} == {"train": 1, "valid": 1, "calibrate": 0, "test": 0}


@given(n_shots=st.integers(1, 30), n_folds=st.integers(2, 6), seed=st.integers(0, 3))
def test_folds_hold_every_group_once_and_spread_the_shots_of_a_line(n_shots: int, n_folds: int, seed: int) -> None:
    refs = [
        Ref(f"{line}/{shot}/{k}", {"shot": f"{line}/{shot}"})
        for line in "AB"
        for shot in range(n_shots)
        for k in (0, 1)
    ]
    folds = deal_folds(refs, n_folds, seed=seed, by=["shot"])
    assert len(folds) == min(n_folds, 2 * n_shots) == min(n_folds, n_groups(refs, ["shot"]))
    assert sorted(ref.key for fold in folds for ref in fold) == sorted(ref.key for ref in refs)
    names = [{ref.groups["shot"] for ref in fold} for fold in folds]
    assert sum(map(len, names)) == len(set().union(*names))
    for line in "AB":
        per_fold = [sum(name.startswith(line) for name in some) for some in names]
        assert max(per_fold) - min(per_fold) <= 1


def test_what_names_its_part_goes_there_and_the_others_do_not() -> None:
    refs = [Ref(f"train/{k}", {"cube": f"train/{k}"}) for k in range(20)]
    refs += [Ref(f"valid/{k}", {"cube": f"valid/{k}", "part": "valid"}) for k in range(3)]
    parts = split(refs, seed=0, config=SplitConfig(by=("cube",), valid=0.5, calibrate=0.1, test=0.1))
    assert [ref.key for ref in parts["valid"]] == ["valid/0", "valid/1", "valid/2"]
    assert (len(parts["calibrate"]), len(parts["test"]), len(parts["train"])) == (2, 2, 16)


def with_classes(n_of: dict[str, int], *, per_event: int = 2) -> list[Ref]:
    """Return records of events, a class an event, at as many stations, one an hour."""
    refs, hour = [], 0
    for name, n in n_of.items():
        for k in range(n):
            hour += 1
            time = f"2020-01-{1 + hour // 24:02d}T{hour % 24:02d}:00:00Z"
            for s in range(per_event):
                groups = {"event": f"{name}{k}", "station": f"S{s}", "class": name, "time": time}
                refs.append(Ref(f"{name}{k}/S{s}", groups))
    return refs


@given(rare=st.integers(4, 30), common=st.integers(4, 150), seed=st.integers(0, 20))
@settings(deadline=None, max_examples=50)
def test_each_class_is_dealt_apart_and_no_event_is_parted(rare: int, common: int, seed: int) -> None:
    refs = with_classes({"explosion": rare, "earthquake": common})
    config = DealtSplit(by=("event",))
    parts = split(refs, seed=seed, config=config)
    assert sorted(ref.key for some in parts.values() for ref in some) == sorted(ref.key for ref in refs)
    assert all(len(found) == 1 for found in part_of(parts, "event").values())
    for name, n in (("explosion", rare), ("earthquake", common)):
        alone = split(
            [ref for ref in refs if ref.groups["class"] == name], seed=seed, config=SplitConfig(by=("event",))
        )
        for part in PARTS:
            assert [ref.key for ref in parts[part] if ref.groups["class"] == name] == [ref.key for ref in alone[part]]
            assert alone[part], n


def test_a_deal_by_hash_or_of_one_class_is_the_plain_split() -> None:
    refs = with_classes({"explosion": 20, "earthquake": 60})
    plain = digest(split(refs, seed=3, config=SplitConfig(by=("event",))))
    assert digest(split(refs, seed=3, config=DealtSplit(by=("event",), deal="hash"))) == plain
    same = [Ref(ref.key, {**ref.groups, "class": "x"}) for ref in refs]
    assert digest(split(same, seed=3, config=DealtSplit(by=("event",)))) == plain


def test_a_plain_split_is_that_of_earlier_releases() -> None:
    # Stored bundles say which records trained them; computed by the release before classes were dealt apart
    parts = split(refs_of(40, per_group=2), seed=5, config=SplitConfig())
    assert digest(parts) == "be01314af195a1dfdd9de448a95630a4b353c5a7cad3060552ee6ff6117da266"
    large = split(refs_of(240), seed=5, config=SplitConfig(named={"test": ("L3",)}))
    assert digest(large) == "7676a95e23c5752f317ac509c83df5d3079b2889df2a83b77830ca0eaa62a142"


def test_a_class_of_few_events_is_refused_by_name() -> None:
    refs = with_classes({"lahar": 3, "earthquake": 60})
    with pytest.raises(SplitError, match="class 'lahar' has 3 groups of event, too few for train, valid, calib"):
        split(refs, seed=0, config=DealtSplit(by=("event",)))
    with pytest.raises(SplitError, match=r"class 'lahar' has 3 groups of event, too few for 5 folds.*data.classes"):
        deal_class_folds(refs, 5, seed=0, by=["event"])
    parts = split(refs, seed=0, config=DealtSplit(by=("event",), calibrate=0))
    assert all(any(ref.groups["class"] == "lahar" for ref in parts[part]) for part in ("train", "valid", "test"))


def test_a_station_with_several_classes_counts_for_the_rarest() -> None:
    refs = [Ref(f"{s}/{k}", {"station": f"S{s}", "class": "rare" if k == 0 and s < 8 else "common"}) for s in range(40)
            for k in range(3)]  # fmt: skip
    parts = split(refs, seed=0, config=DealtSplit(by=("station",)))
    n_rare = {part: sum(ref.groups["class"] == "rare" for ref in some) for part, some in parts.items()}
    assert sum(n_rare.values()) == 8
    assert all(n_rare.values())
    assert all(len(found) == 1 for found in part_of(parts, "station").values())


def test_in_the_order_of_time_the_past_trains_and_the_future_tests() -> None:
    refs = with_classes({"explosion": 20, "earthquake": 60})
    parts = split(refs[::-1], seed=0, config=DealtSplit(by=("event",), deal="time"))
    spans = [sorted(ref.groups["time"] for ref in parts[part]) for part in PARTS]
    assert all(earlier[-1] < later[0] for earlier, later in pairwise(spans))
    assert [len(part_of({part: parts[part]}, "event")) for part in PARTS] == [36, 12, 16, 16]
    assert digest(parts) == digest(split(refs, seed=9, config=DealtSplit(by=("event",), deal="time")))


def test_groups_that_overlap_in_time_cannot_follow_each_other() -> None:
    refs = [
        Ref(f"{s}/{d}", {"station": f"S{s}", "time": f"2020-01-{d:02d}", "class": "x"})
        for s in range(8)
        for d in (1, 20)
    ]
    with pytest.raises(SplitError, match="groups of station last from one part into the next"):
        split(refs, seed=0, config=DealtSplit(by=("station",), deal="time"))
    with pytest.raises(SplitError, match="no group 'time'"):
        split(refs_of(9), seed=0, config=DealtSplit(by=("shot",), deal="time"))


@given(n=st.integers(5, 40), m=st.integers(5, 40), n_folds=st.integers(2, 5), seed=st.integers(0, 5))
def test_folds_of_classes_are_even_in_every_class(n: int, m: int, n_folds: int, seed: int) -> None:
    refs = with_classes({"a": n, "b": m})
    folds = deal_class_folds(refs, n_folds, seed=seed, by=["event"])
    assert sorted(ref.key for fold in folds for ref in fold) == sorted(ref.key for ref in refs)
    for name in "ab":
        counts = [len({ref.groups["event"] for ref in fold if ref.groups["class"] == name}) for fold in folds]
        assert max(counts) - min(counts) <= 1
    assert max(map(len, folds)) - min(map(len, folds)) <= 2  # one event of two records


def test_one_station_is_left_out_at_a_time() -> None:
    refs = with_classes({"a": 3}, per_event=4)
    found = list(leave_one_out(refs, "station"))
    assert [name for name, _, _ in found] == ["S0", "S1", "S2", "S3"]
    assert all(len(own) == 3 and len(others) == 9 for _, others, own in found)
    # the other stations recorded the same events: apart from these nothing is left
    assert all(not others for _, others, _ in leave_one_out(refs, "station", apart=["event"]))
    refs.append(Ref("b/S9", {"event": "b", "station": "S9", "class": "a"}))
    assert [len(others) for _, others, _ in leave_one_out(refs, "station", apart=["event"])] == [1, 1, 1, 1, 12]
    with pytest.raises(SplitError, match="all 3 samples are of one station"):
        list(leave_one_out([ref for ref in refs if ref.groups["station"] == "S0"], "station"))


def test_folds_are_dealt_as_the_split_is() -> None:
    refs = with_classes({"explosion": 4, "earthquake": 40})
    by_class = DealtSplit(by=("event",))
    folds = folds_for(refs, 4, seed=0, config=by_class)
    assert all({ref.groups["class"] for ref in fold} == {"explosion", "earthquake"} for fold in folds)
    assert folds == deal_class_folds(refs, 4, seed=0, by=["event"])
    # No more folds than the rarest class has groups; one group cannot be spread
    assert len(folds_for(refs, 10, seed=0, config=by_class)) == 4
    one = with_classes({"explosion": 1, "earthquake": 10})
    alike = deal_folds(one, 3, seed=0, by=["event"])
    assert folds_for(one, 3, seed=0, config=by_class) == alike
    assert folds_for(one, 3, seed=0, config=DealtSplit(by=("event",), deal="time")) == alike
    shots = refs_of(7)
    assert folds_for(shots, 3, seed=0, config=SplitConfig()) == deal_folds(shots, 3, seed=0, by=["shot"])


@pytest.mark.parametrize(("n", "kept"), [(1, {"train"}), (2, {"train", "valid"}), (3, {"train", "valid", "calibrate"})])
def test_parts_are_left_out_for_want_of_groups_where_the_room_allows_it(
    n: int, kept: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    refs = [Ref(f"a/{k}", {"cube": f"a/{k}"}) for k in range(n)]
    with caplog.at_level(logging.WARNING):
        parts = split(refs, seed=0, config=SplitConfig(by=("cube",), few="leave_out"))
    assert {part for part, some in parts.items() if some} == kept
    assert sum(map(len, parts.values())) == n
    assert "none is left for test" in caplog.text
    with pytest.raises(SplitError, match="too few"):
        split(refs, seed=0, config=SplitConfig(by=("cube",)))
