"""Write the pickles of events in this folder; run it with each version of pandas that is to be read.

pip install pandas==1.5.3 numpy==1.26.4; python make.py
"""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent
NAMES = ["earthquake", "noise", "earthquake", "noise", "noise"]


def events() -> list[pd.DataFrame]:
    """Return tables of unequal length, one with a NaN, one of mixed types, one with times, one that is a slice."""
    rng = np.random.default_rng(0)

    def table(n: int, dtype: type) -> pd.DataFrame:
        return pd.DataFrame(np.round(rng.normal(size=(n, 3)) * 100).astype(dtype), columns=["Z", "N", "E"])

    plain, gap, mixed = table(5, np.float64), table(4, np.float64), table(6, np.int32).astype({"Z": "float32"})
    gap.iloc[2, 1] = np.nan
    times = pd.date_range("2020-01-01", periods=3, freq="10ms")
    timed = pd.DataFrame({"E": [1.0, 2, 3], "N": [4.0, 5, 6], "Z": [7.0, 8, 9]}, index=times)
    return [plain, gap, mixed, timed, plain.iloc[1:4]]


def write() -> None:
    """Write protocols 2, 4 and 5, the labels of the first as objects, and a pair of Series."""
    start = f"pandas-{pd.__version__}"
    for protocol in (2, 4, 5):
        labels = np.array(NAMES, dtype=object if protocol == 2 else None)
        (FOLDER / f"{start}-p{protocol}.pkl").write_bytes(pickle.dumps((events(), labels), protocol))
    pair = (pd.Series(events()[:2]), pd.Series(NAMES[:2]))
    (FOLDER / f"{start}-series.pkl").write_bytes(pickle.dumps(pair))


if __name__ == "__main__":
    write()
