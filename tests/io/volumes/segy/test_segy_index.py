"""From trace headers to a grid, against the grids that the headers were made from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seisloom.errors import DataError
from seisloom.io.segy.layout import read_layout
from seisloom.io.volumes.segy.index import Geometry, find_geometry, read_words
from seisloom.io.volumes.volume import Given
from seisloom.sample import Array

PackSegy = Callable[..., Path]
# Each example writes the file of the one before anew, so a shared folder does no harm
IN_A_FOLDER = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def geometry(path: Path, **bytes_: int) -> Geometry:
    said = Given(**bytes_)
    return find_geometry(read_words(read_layout(path), said), said)


def grid_of(*axes: Array) -> list[Array]:
    """Return the numbers of each axis for all traces, the last axis fastest."""
    return [one.ravel() for one in np.meshgrid(*axes, indexing="ij")]


def names(found: Geometry) -> tuple[str, ...]:
    return tuple(axis.name for axis in found.axes)


INLINES, CROSSLINES, OFFSETS = np.arange(100, 107), np.arange(2000, 2010, 2), np.arange(-300, 0, 50)


@given(
    n=st.tuples(st.integers(2, 6), st.integers(2, 6)),
    first=st.tuples(st.integers(-5, 10_000), st.integers(1, 10_000)),
    step=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    holes=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=4),
    seed=st.integers(0, 99),
)
@IN_A_FOLDER
def test_every_trace_stands_where_its_numbers_say(
    pack_segy: PackSegy,
    n: tuple[int, int],
    first: tuple[int, int],
    step: tuple[int, int],
    holes: list[tuple[int, int]],
    seed: int,
) -> None:
    live = np.ones(n, dtype=bool)
    for i, j in holes:  # rows and columns 0 and -1 stay, so that the axes keep their ends
        if 0 < i < n[0] - 1 and 0 < j < n[1] - 1:
            live[i, j] = False
    order = np.random.default_rng(seed).permutation(np.flatnonzero(live))
    inlines, crosslines = (f + s * np.arange(k) for f, s, k in zip(first, step, n, strict=True))
    i, j = np.unravel_index(order, n)
    found = geometry(pack_segy({189: inlines[i], 193: crosslines[j]}))
    assert names(found) == ("inline", "crossline")
    np.testing.assert_array_equal(found.axes[0].values, inlines)
    np.testing.assert_array_equal(found.axes[1].values, crosslines)
    expected = np.full(n, -1)
    expected[i, j] = np.arange(len(order))
    np.testing.assert_array_equal(found.number, expected)
    assert any("no trace" in note for note in found.notes) == (not live.all())


@pytest.mark.parametrize("crossline_first", [False, True])
@pytest.mark.parametrize("falling", [False, True])
def test_order_of_the_file_does_not_matter(pack_segy: PackSegy, crossline_first: bool, falling: bool) -> None:
    if crossline_first:
        crossline, inline = grid_of(CROSSLINES, INLINES)
    else:
        inline, crossline = grid_of(INLINES, CROSSLINES)
    if falling:
        inline, crossline = inline[::-1], crossline[::-1]
    found = geometry(pack_segy({189: inline, 193: crossline}))
    np.testing.assert_array_equal(inline[found.number], np.broadcast_to(INLINES[:, None], (7, 5)))
    np.testing.assert_array_equal(crossline[found.number], np.broadcast_to(CROSSLINES, (7, 5)))


@pytest.mark.parametrize("places", [(9, 21), (9, 13), (5, 21), (17, 13), (17, 25), (9, 25), (21, 13), (181, 185)])
def test_numbers_in_places_of_vendors_are_found(pack_segy: PackSegy, places: tuple[int, int]) -> None:
    inline, crossline = grid_of(INLINES, CROSSLINES)
    found = geometry(pack_segy({1: np.arange(35), places[0]: inline, places[1]: crossline}))
    assert (names(found), found.number.shape) == (("inline", "crossline"), (7, 5))
    assert found.places == {"inline": places[0], "crossline": places[1]}
    assert f"inline in bytes {places[0]}-{places[0] + 3}" in found.notes[0]


def test_the_standard_wins_over_a_fuller_grid_elsewhere(pack_segy: PackSegy) -> None:
    inline, crossline = grid_of(np.arange(10), np.arange(1, 11))
    askew = np.abs(inline - crossline) < 3
    inline, crossline = inline[askew], crossline[askew]
    n = len(inline) // 4 * 4
    fuller = grid_of(np.arange(1, 5), np.arange(1, n // 4 + 1))
    found = geometry(pack_segy({189: inline[:n], 193: crossline[:n], 9: fuller[0], 21: fuller[1]}))
    assert found.places == {"inline": 189, "crossline": 193}


def test_uneven_lines_of_the_standard_win_over_even_ones_elsewhere(pack_segy: PackSegy) -> None:
    inline, crossline = grid_of(np.array([1, 2, 10, 33, 37]), np.array([5, 6, 8, 12, 100]))
    even = grid_of(np.arange(1, 6), np.arange(1, 6))
    found = geometry(pack_segy({189: inline, 193: crossline, 9: even[0], 21: even[1]}))
    assert found.places == {"inline": 189, "crossline": 193}


def test_a_grid_elsewhere_wins_over_one_line_in_the_standard_place(pack_segy: PackSegy) -> None:
    inline, crossline = grid_of(INLINES, CROSSLINES)
    found = geometry(pack_segy({189: 7, 193: np.arange(35) + 1, 9: inline, 21: crossline}))
    assert found.places == {"inline": 9, "crossline": 21}


def test_one_crossline_is_a_grid_of_one_crossline(pack_segy: PackSegy) -> None:
    found = geometry(pack_segy({189: INLINES, 193: 1155, 21: 1155, 9: INLINES}))
    assert (names(found), found.number.shape) == (("inline", "crossline"), (7, 1))


def test_bytes_that_the_user_names_are_taken(pack_segy: PackSegy) -> None:
    inline, crossline = grid_of(INLINES, CROSSLINES)
    path = pack_segy({189: inline, 193: crossline, 221: inline + 1, 225: crossline + 1})
    found = geometry(path, inline_byte=221, crossline_byte=225)
    assert found.axes[0].first == 101
    assert geometry(path, inline_byte=221).places == {"inline": 221, "crossline": 193}


def test_bytes_of_gathers_that_the_user_names_are_taken(pack_segy: PackSegy) -> None:
    inline, crossline, offset = grid_of(INLINES, CROSSLINES, OFFSETS)
    path = pack_segy({9: inline, 13: crossline, 225: offset})
    found = geometry(path, inline_byte=9, crossline_byte=13, offset_byte=225)
    assert (names(found), found.number.shape) == (("inline", "crossline", "offset"), (7, 5, 6))


def test_bytes_that_make_no_grid_are_refused_with_their_counts(pack_segy: PackSegy) -> None:
    inline, crossline = grid_of(INLINES, CROSSLINES)
    path = pack_segy({189: inline, 193: crossline})
    with pytest.raises(DataError, match=r"inline in bytes 17-20.* 1 x 5 different numbers, and 30 of 35 traces have"):
        geometry(path, inline_byte=17)
    with pytest.raises(DataError, match=r"1 x 1 different numbers.*traces 0 and 1 \(from 0\), both inline 0"):
        geometry(path, inline_byte=17, crossline_byte=21)


@pytest.mark.parametrize("byte", [0, 238])
def test_a_byte_outside_of_the_header_is_refused(pack_segy: PackSegy, byte: int) -> None:
    with pytest.raises(DataError, match=f"byte 1 to 237, not {byte}"):
        geometry(pack_segy({189: INLINES}), inline_byte=byte)


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ((189, 193, 37), ("inline", "crossline", "offset")),
        ((189, 193, 25), ("inline", "crossline", "trace")),
        ((21, 37), ("cdp", "offset")),
        ((21, 25), ("cdp", "trace")),
        ((17, 13), ("shot_point", "channel")),
        ((9, 13), ("shot_point", "channel")),
    ],
)
def test_gathers_before_stack_get_an_axis_of_their_own(
    pack_segy: PackSegy, places: tuple[int, ...], expected: tuple[str, ...]
) -> None:
    axes = (INLINES, CROSSLINES, np.arange(1, 5) * 25)[-len(places) :]
    numbers = grid_of(*axes)
    words = {73: 500, 81: np.arange(len(numbers[0])) % 7 * 100} | dict(
        zip(places, numbers, strict=True)
    )  # receivers move, the source does not
    found = geometry(pack_segy(words))
    assert names(found) == expected
    np.testing.assert_array_equal(found.number.ravel(), np.arange(len(numbers[0])))


def test_shot_gathers_are_not_taken_for_an_askew_grid_of_depth_points(pack_segy: PackSegy) -> None:
    shot, channel = grid_of(np.arange(101, 109), np.arange(1, 25))
    words = {17: shot, 9: shot - 98, 13: channel, 21: shot * 2 - channel, 37: -channel * 25, 25: 25 - channel}
    found = geometry(pack_segy(words))
    assert (names(found), found.number.shape) == (("shot_point", "channel"), (8, 24))


def test_gathers_sorted_equal_depths_point_are_not_read_shot_by_shot(pack_segy: PackSegy) -> None:
    shot, channel = grid_of(np.arange(101, 141), np.arange(1, 13))
    cdp = shot * 2 + channel
    order = np.lexsort((channel, cdp))
    words = {17: shot[order], 13: channel[order], 21: cdp[order], 37: channel[order] * 50}
    assert names(geometry(pack_segy(words))) == ("cdp", "offset")


def test_offsets_in_feet_become_meters(pack_segy: PackSegy) -> None:
    cdp, offset = grid_of(np.arange(1, 5), np.array([100, 200, 300]))
    found = geometry(pack_segy({21: cdp, 37: offset}, binary={3255: 2}))
    np.testing.assert_allclose(found.axes[1].values, [30.48, 60.96, 91.44])
    assert found.axes[1].unit == "m"


def test_a_few_equal_numbers_are_refused_with_the_first_two_traces(pack_segy: PackSegy) -> None:
    inline, crossline = grid_of(np.arange(1, 11), np.arange(1, 11))
    inline[57], crossline[57] = inline[12], crossline[12]
    told_apart = np.ones(100, dtype=int)
    told_apart[57] = 2  # a second trace in two bins is a mistake, and no gather
    for words in ({}, {25: told_apart}, {21: np.arange(1, 101)}):
        with pytest.raises(DataError, match=r"1 of 100 .*traces 12 and 57 \(from 0\), both inline 2, crossline 3.*"):
            geometry(pack_segy({189: inline, 193: crossline} | words))


def test_equal_numbers_that_nothing_tells_apart_are_refused(pack_segy: PackSegy) -> None:
    inline, crossline = grid_of(INLINES, CROSSLINES)
    with pytest.raises(DataError, match=r"35 of 70 traces.*--offset-byte"):
        geometry(pack_segy({189: np.repeat(inline, 2), 193: np.repeat(crossline, 2)}))


def test_a_grid_that_is_nearly_empty_is_refused(pack_segy: PackSegy) -> None:
    rng = np.random.default_rng(0)
    words = {189: rng.permutation(10_000)[:200], 193: rng.permutation(10_000)[:200]}
    with pytest.raises(DataError, match=r"irregular grid: 200 x 200 .* 0\.50% of it .*--inline-byte"):
        geometry(pack_segy(words))


def test_a_line_is_numbered_by_its_depth_points(pack_segy: PackSegy) -> None:
    found = geometry(pack_segy({21: np.arange(500, 530), 1: np.arange(30), 17: np.arange(30) // 2 + 1}))
    assert (names(found), found.axes[0].first) == (("cdp",), 500)


def test_a_crooked_line_is_no_grid(pack_segy: PackSegy) -> None:
    n = np.arange(30)
    found = geometry(pack_segy({17: 103 + n // 2, 21: 103 + (n + 1) // 2, 25: 1, 9: 5}))
    assert (names(found), found.number.shape) == (("trace",), (30,))


@pytest.mark.parametrize("words", [{}, {189: 3, 193: 4, 9: 1, 21: 8}])
def test_traces_without_numbers_are_counted(pack_segy: PackSegy, words: dict[int, int]) -> None:
    found = geometry(pack_segy(words, np.zeros((12, 3))))
    assert names(found) == ("trace",)
    np.testing.assert_array_equal(found.axes[0].values, np.arange(1, 13))
    assert "counted from 1" in found.notes[0]


def test_lines_that_are_missing_become_holes(pack_segy: PackSegy) -> None:
    inline, crossline = grid_of(np.delete(np.arange(0, 40, 2), 7), CROSSLINES)
    found = geometry(pack_segy({189: inline, 193: crossline}))
    np.testing.assert_array_equal(found.axes[0].values, np.arange(0, 40, 2))
    assert (found.number[7] == -1).all()
    assert "5 of 100 places" in found.notes[1]


def test_lines_far_apart_are_not_filled_up(pack_segy: PackSegy) -> None:
    inline, crossline = grid_of(np.array([1, 500, 2_000_000_000]), CROSSLINES)
    assert geometry(pack_segy({189: inline, 193: crossline})).number.shape == (3, 5)


def test_scores_say_what_was_looked_at(pack_segy: PackSegy) -> None:
    inline, crossline = grid_of(INLINES, CROSSLINES)
    scores = geometry(pack_segy({5: np.arange(35), 9: inline, 21: crossline})).scores
    assert scores[0].candidate.places == (9, 21)
    assert (scores[0].sizes, scores[0].n_duplicates, scores[0].filled) == ((7, 5), 0, 1.0)
    assert all(one.why for one in scores if not one.score)
    assert any("bytes 189-192 are 0" in one.why for one in scores)
