"""Progress without a terminal: a plain line every 10 s, with rate and time left; none where nothing is to be said."""

from __future__ import annotations

import logging

import pytest

from seisloom import progress as module
from seisloom.progress import track


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    monkeypatch.setattr(module.sys.stderr, "isatty", lambda: False, raising=False)
    return made


def test_a_line_comes_every_ten_seconds_and_says_rate_and_rest(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "seisloom"):
        for number in track(range(50), total=100, what="writing shards", unit="traces", size=lambda _: 2):
            assert number >= 0
            clock.now += 0.5
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [
        "writing shards: 40 of 100 traces, 4 traces/s, 15 s left",
        "writing shards: 80 of 100 traces, 4 traces/s, 5 s left",
    ]


def test_a_quiet_command_says_nothing(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "seisloom"):
        for _ in track(range(3), total=3, what="reading", unit="traces"):
            clock.now += 60
    assert not caplog.records
