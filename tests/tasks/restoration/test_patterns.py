from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.signal.restoration.hidden import missing_runs
from seisloom.tasks.restoration.patterns import draw_pattern, known_pattern


@pytest.mark.parametrize(
    ("words", "n_missing"),
    [("irregular 30", 18), ("regular 3", 40), ("jittered 2", 30), ("gap 10", 6), ("edge 20", 12)],
)
def test_draws_what_the_words_say(words: str, n_missing: int) -> None:
    live = draw_pattern(words, 60, np.random.default_rng(0))
    assert (~live).sum() == n_missing
    firsts, widths = missing_runs(live)
    if words.startswith("gap"):
        assert widths.tolist() == [6]
        assert 0 < firsts[0] < 54
    if words.startswith("edge"):
        assert firsts[0] in (0, 48)


def test_other_draws_are_others() -> None:
    one, other = (draw_pattern("irregular 50", 60, np.random.default_rng(seed)) for seed in (0, 1))
    assert (one != other).any()


@pytest.mark.parametrize("words", ["irregular", "irregular 0", "irregular 100", "regular 1", "every 2", "gap x", ""])
def test_refuses_other_words(words: str) -> None:
    with pytest.raises(ValueError, match="is no pattern: write irregular"):
        known_pattern(words)


def test_refuses_three_traces() -> None:
    with pytest.raises(DataError, match="3 traces are too few"):
        draw_pattern("regular 2", 3, np.random.default_rng(0))
