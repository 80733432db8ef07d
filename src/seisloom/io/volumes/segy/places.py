"""Places of the header words that may number the traces of a SEG-Y file: the standard's, and those of vendors."""

from __future__ import annotations

from dataclasses import dataclass

SOURCE_X, SOURCE_Y, GROUP_X, GROUP_Y, CDP_X, CDP_Y, OFFSET, IN_ENSEMBLE = 73, 77, 81, 85, 181, 185, 37, 25
"""First bytes of words of the standard."""
SORTING = 3229
"""First byte of the trace sorting code in the binary header."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Words that may number the traces, the slowest axis first."""

    names: tuple[str, ...]
    places: tuple[int, ...]
    """First byte of each word in the trace header."""
    prior: float = 1.0
    """How much it is believed before the words are seen, 0 to 1."""

    def __str__(self) -> str:
        words = zip(self.names, self.places, strict=True)
        return ", ".join(f"{name} in bytes {place}-{place + 3}" for name, place in words)


SURVEY = ("inline", "crossline")
STANDARD = Candidate(SURVEY, (189, 193))
IN_BINS = Candidate((*SURVEY, "trace"), (189, 193, IN_ENSEMBLE), 0.95)
LINE = Candidate(("cdp",), (21,), 0.3)
GATHERS = (
    Candidate((*SURVEY, "offset"), (189, 193, OFFSET)),
    IN_BINS,
    Candidate(("shot_point", "channel"), (17, 13), 0.9),
    Candidate(("shot_point", "channel"), (9, 13), 0.88),
    Candidate(("shot_point", "channel"), (197, 13), 0.86),
    Candidate(("cdp", "offset"), (21, OFFSET), 0.85),
    Candidate(("cdp", "trace"), (21, IN_ENSEMBLE), 0.8),
    Candidate(("shot_point", "offset"), (17, OFFSET), 0.7),
    Candidate(("shot_point", "offset"), (9, OFFSET), 0.68),
)
GUESSED = 0.5
"""Up to this prior words are a guess, and more is asked of them."""
VENDORS = (
    *(Candidate(SURVEY, two, GUESSED) for two in ((9, 21), (9, 13), (5, 21), (17, 13), (17, 25), (9, 25), (21, 13))),
    Candidate(("cdp", "trace"), (21, IN_ENSEMBLE), 0.45),
    Candidate(SURVEY, (CDP_X, CDP_Y), 0.4),
)
"""Places that processing systems use for inline and crossline in stacked data."""
