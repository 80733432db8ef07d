from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seisloom import plugins
from seisloom.bundle import names_beside, open_predictor
from seisloom.errors import RecipeError
from seisloom.metrics.restoration import missing_snr_db
from seisloom.sample import Array
from seisloom.tasks.restoration.gated import Gate
from seisloom.tasks.restoration.methods import FILLERS, DenoiseMethod, FillMethod

from .conftest import N_TIME, N_TRACES, gathers

OF_ROOM = {
    name: plugins.load("methods", name)
    for name in plugins.names("methods")
    if plugins.load("methods", name).model_fields["task"].default == "restoration"
}
LEARNING = ("blind_traces", "hidden_traces")  # have tests of their own
SLOW = ("gate",)


def panels() -> tuple[Array, Array, Array]:
    """Two items of one line, every fourth trace dead; the truth, x and live."""
    true = gathers(2)[:, None]
    live = np.broadcast_to(np.arange(N_TRACES) % 4 != 2, (2, 1, N_TRACES)).astype(np.float32)
    return true, true * live[..., None], live


@pytest.mark.parametrize("name", [name for name in OF_ROOM if name not in (*LEARNING, *SLOW)])
def test_every_method_fills_or_cleans_each_item_by_itself(name: str) -> None:
    true, x, live = panels()
    method = OF_ROOM[name](name=name)
    predict = method.predictor(None)
    found = predict({"x": x, "live": live})["clean"]
    assert found.shape == x.shape
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    alone = predict({"x": x[1:], "live": live[1:]})["clean"]
    assert np.array_equal(found[1:], alone)
    if isinstance(method, FillMethod):
        assert np.allclose(found[live > 0], x[live > 0], rtol=1e-6)
        for one, whole, mask in zip(found, true, live, strict=True):
            assert missing_snr_db(one[0], whole[0], mask[0] > 0) > 1.0
    else:
        assert isinstance(method, DenoiseMethod)


def test_the_gate_is_about_as_good_as_its_best_method() -> None:
    true, x, live = panels()
    gate = Gate(fillers=("linear", "plane_wave", "pocs"), hidings=2)
    alone = [OF_ROOM[name](name=name).predictor(None)({"x": x, "live": live})["clean"] for name in gate.fillers]
    best = max(missing_snr_db(one[0, 0], true[0, 0], live[0, 0] > 0) for one in alone)
    found = gate.predictor(None)({"x": x, "live": live})["clean"]
    assert missing_snr_db(found[0, 0], true[0, 0], live[0, 0] > 0) > best - 1.0


def test_the_gate_blends_what_fills_and_nothing_else() -> None:
    with pytest.raises(RecipeError, match="median is no method that fills"):
        Gate(fillers=("linear", "median")).predictor(None)
    with pytest.raises(RecipeError, match="is of the room"):
        Gate(networks=("onset-refraction",)).predictor(None)


@pytest.mark.parametrize("kind", FILLERS)
def test_a_line_without_live_traces_stays_empty_and_a_whole_one_as_it_is(kind: type[FillMethod]) -> None:
    x = np.stack([np.zeros((N_TRACES, N_TIME)), gathers(1)[0]])[None].astype(np.float32)
    live = np.stack([np.zeros(N_TRACES), np.ones(N_TRACES)])[None].astype(np.float32)
    found = kind().predictor(None)({"x": x, "live": live})["clean"]
    assert np.array_equal(found, x)


def test_two_live_traces_are_enough() -> None:
    true, _, _ = panels()
    live = np.zeros((1, 1, N_TRACES), np.float32)
    live[..., [3, 9]] = 1
    x = true[:1] * live[..., None]
    for kind in (*FILLERS, Gate):
        found = kind().predictor(None)({"x": x, "live": live})["clean"]
        assert np.isfinite(found).all(), kind.__name__


def test_methods_of_the_recipes_goal_stand_beside() -> None:
    fill: Any = open_predictor("linear").recipe
    clean: Any = open_predictor("median").recipe
    assert fill.apply.goal == "fill"
    assert clean.apply.goal == "denoise"
    filling, cleaning = (set(names_beside("restoration", one)) for one in (fill, clean))
    assert not filling & cleaning
    assert "gate" not in filling
    assert {"linear", "radon"} <= filling
    assert {"median", "mssa_denoise"} <= cleaning
