"""Pick a record and draw it: python examples/pick_a_record.py runs/first record.segy."""

from __future__ import annotations

import sys

import seisloom


def main(model: str, record: str) -> None:
    """Write picks.csv and picks.png beside each other."""
    picker = seisloom.open_predictor(model)
    picks = picker.apply(record)
    picks.to_csv("picks.csv", index=False)
    picker.view(record).savefig("picks.png")
    sys.stdout.write(picks[["trace", "time_s", "lower_s", "upper_s", "status", "reason"]].to_string(index=False) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python examples/pick_a_record.py BUNDLE RECORD")
    main(sys.argv[1], sys.argv[2])
