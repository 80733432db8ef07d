"""Training on two processes of one machine, from the command: different batches, the same weights, one bundle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from seisloom.bundle import Bundle
from seisloom.recipe import Recipe
from seisloom.tasks.picking.task import PICKING
from seisloom.training.loader import LiveSource

# The command, and a line a step in a file a rank: keys of the batch, and the weights before the step. Lightning runs
# this file anew for the second process, so that what it changes is changed there too.
WATCHED = """
import json, sys
import torch.distributed as dist
from seisloom.cli.main import main
from seisloom.training.module import Module

step = Module.training_step

def watched(self, batch, batch_idx):
    weights = sum(float(one.double().abs().sum()) for one in self.parameters())
    line = {"keys": batch.keys, "weights": weights}
    with open(f"rank-{dist.get_rank()}-of-{dist.get_world_size()}.jsonl", "a") as file:
        file.write(json.dumps(line) + "\\n")
    return step(self, batch, batch_idx)

Module.training_step = watched

if __name__ == "__main__":
    main()
"""


def test_two_processes_share_the_batches_and_give_one_bundle(tiny: Callable[..., Recipe], tmp_path: Path) -> None:
    changes = ("epochs=1", "batch_size=2", "data.gather=[shot]", "calibrate.folds=2", "metrics=[]")
    recipe = tiny(*changes, "train.devices=2", "train.strategy=ddp")
    (tmp_path / "recipe.yaml").write_text(recipe.to_yaml())
    (tmp_path / "watched.py").write_text(WATCHED)
    done = subprocess.run(
        [sys.executable, "watched.py", "train", "recipe.yaml", "--out", "run"], cwd=tmp_path, timeout=120,
        env={**os.environ, "MASTER_ADDR": "127.0.0.1", "OMP_WAIT_POLICY": "PASSIVE"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]

    first, second = (
        [json.loads(line) for line in (tmp_path / f"rank-{rank}-of-2.jsonl").read_text().splitlines()]
        for rank in range(2)
    )
    assert len(first) == len(second) >= 2
    for one, other in zip(first, second, strict=True):
        assert not set(one["keys"]) & set(other["keys"]), "two ranks had an item in one step"
        assert one["weights"] == other["weights"], "the ranks have drifted apart"
    assert first[0]["weights"] != first[-1]["weights"]
    parts = json.loads((tmp_path / "run" / "split.json").read_text())["groups"]
    refs = [ref for ref in LiveSource(PICKING, recipe).refs if ref.groups["shot"] in parts["train"]]
    n_items = len(PICKING.group(recipe, refs, True))
    last = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    n_steps = last["global_step"]
    assert len(first) > n_steps, "the folds come after the final model"
    seen = [key for line in [*first[:n_steps], *second[:n_steps]] for key in line["keys"]]
    assert len(set(seen)) == n_items, "together they have seen every item"

    bundle = Bundle.open(tmp_path / "run")
    assert bundle.recipe == recipe
    state = bundle.network().state_dict()
    assert all(torch.isfinite(one).all() for one in state.values())
    assert [path.name for path in tmp_path.glob("*/recipe.yaml")] == ["recipe.yaml"]
    assert bundle.calibration is not None
    assert bundle.calibration.scheme == "cross"
    assert done.stdout.count("bundle: run") == 1, "what is not training is done by one process"
