"""Make tests/data/mdio_v1: a small SEG-Y cube with two holes, and the MDIO v1 volume that multidimio makes of it.

In an environment of its own, since the package does not import multidimio:

    python -m venv mdio && mdio/bin/pip install multidimio==1.1.3 segyio
    mdio/bin/python tools/mdio_fixture.py tests/data/mdio_v1
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ |= {
    "MDIO__IMPORT__RAW_HEADERS": "1", "MDIO__IMPORT__SAVE_SEGY_FILE_HEADER": "1", "MDIO__IMPORT__CPU_COUNT": "1",
}  # fmt: skip

import numpy as np
import segyio
from mdio import segy_to_mdio
from mdio.builder.template_registry import TemplateRegistry
from segy.schema import HeaderField
from segy.standards import get_segy_standard

INLINES, CROSSLINES, N_TIME = range(10, 18, 2), range(100, 105), 16
HOLES = {(12, 101), (16, 104)}
WORDS = {"inline": 189, "crossline": 193, "cdp_x": 181, "cdp_y": 185}


def write_cube(path: Path) -> None:
    """Write the SEG-Y file."""
    rng = np.random.default_rng(0)
    traces = [(i, x) for i in INLINES for x in CROSSLINES if (i, x) not in HOLES]
    spec = segyio.spec()
    spec.format, spec.samples, spec.tracecount = 5, 4.0 * np.arange(N_TIME), len(traces)
    with segyio.create(path, spec) as made:
        made.text[0] = segyio.create_text_header({1: "small test cube", 2: "with two holes"})
        made.bin.update({3217: 4000, 3221: N_TIME, 3225: 5, 3501: 1, 3255: 1, 3503: 1})
        for k, (inline, crossline) in enumerate(traces):
            x, y = round(100 * (1000 + 25 * crossline)), round(100 * (2000 + 12.5 * inline))
            made.header[k] = {
                1: k + 1,
                189: inline,
                193: crossline,
                181: x,
                185: y,
                71: -100,
                115: N_TIME,
                117: 4000,
                29: 1,
            }
            made.trace[k] = rng.normal(size=N_TIME).astype(np.float32)


def main(folder: Path) -> None:
    """Write both."""
    folder.mkdir(parents=True, exist_ok=True)
    write_cube(folder / "small.sgy")
    fields = [HeaderField(name=name, byte=byte, format="int32") for name, byte in WORDS.items()]
    segy_to_mdio(
        segy_spec=get_segy_standard(1.0).customize(trace_header_fields=fields),
        mdio_template=TemplateRegistry().get("PostStack3DTime"),
        input_path=folder / "small.sgy", output_path=folder / "small.mdio", overwrite=True,
    )  # fmt: skip


if __name__ == "__main__":  # multidimio starts processes that import this file
    main(Path(sys.argv[1]))
