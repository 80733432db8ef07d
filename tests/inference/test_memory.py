"""An array in memory through a model that sees tiles: the bytes of a sweep to a file, whatever the owners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seisloom.errors import DataError, SchemaError
from seisloom.inference.lattice import Box
from seisloom.inference.memory import predict_array
from seisloom.inference.sweep import TileJob, Tiling, sweep
from seisloom.sample import Array, Arrays, Predictor


def tile_dependent() -> Predictor:
    """Adds the tile's own mean: a voxel's answer depends on where tiles lie."""

    def predict(arrays: Arrays) -> Arrays:
        x = arrays["x"][:, 0]
        means = x.mean(axis=tuple(range(1, x.ndim)), keepdims=True)
        return {"y": x + means, "squared": x**2 - means}

    return predict


def convolutions() -> Predictor:
    """A network of random weights with zero padding, for one to three axes."""
    torch.manual_seed(0)
    networks = [kind(1, 2, 3, padding=1).eval() for kind in (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)]

    def predict(arrays: Arrays) -> Arrays:
        x = arrays["x"]
        with torch.inference_mode():
            found = networks[x.ndim - 3](torch.from_numpy(x)).numpy()
        return {"y": found[:, 0], "squared": found[:, 1] ** 2}

    return predict


@settings(max_examples=60)
@given(
    axes=st.lists(st.tuples(st.integers(1, 16), st.integers(1, 10), st.integers(1, 8)), min_size=1, max_size=3),
    overlap=st.floats(0, 0.8), window=st.sampled_from(["cosine", "gaussian", "flat"]), batch_size=st.integers(1, 4),
    model=st.sampled_from([tile_dependent, convolutions]), share_not_finite=st.sampled_from([0, 0.05]),
)  # fmt: skip
def test_an_array_gives_the_bytes_of_a_sweep(
    tmp_path_factory: pytest.TempPathFactory, axes: list[tuple[int, int, int]], overlap: float, window: Any,
    batch_size: int, model: Callable[[], Predictor], share_not_finite: float,
) -> None:  # fmt: skip
    shape, patch, grain = zip(*axes, strict=True)
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape).astype(np.float32)
    x[rng.random(shape) < share_not_finite] = np.nan
    written = {name: np.full(shape, np.nan, np.float32) for name in ("y", "squared")}
    tiling = Tiling(patch=patch, overlap=overlap, window=window, batch_size=batch_size)

    def write(box: Box, values: Array, name: str) -> None:
        written[name][box] = values

    job = TileJob(tiling, shape, ("y", "squared"), lambda box: x[box], write, grain, model)
    sweep(job, tmp_path_factory.mktemp("scratch"), memory_mb=0.1)
    found = predict_array(tiling, ("y", "squared"), x, model())
    assert found.keys() == written.keys()
    for name, values in found.items():
        assert values.dtype == np.float32
        assert values.tobytes() == written[name].tobytes()


def test_a_2d_model_sees_the_sections_of_a_volume() -> None:
    seen: list[tuple[int, ...]] = []

    def predict(arrays: Arrays) -> Arrays:
        seen.append(arrays["x"].shape)
        return {"y": arrays["x"][:, 0] + arrays["x"].mean(axis=(1, 2, 3))[:, None, None]}

    x = np.random.default_rng(0).normal(size=(3, 6, 8)).astype(np.float32)
    found = predict_array(Tiling(patch=(1, 6, 8), squeeze=True, batch_size=2), ("y",), x, predict)
    assert seen == [(2, 1, 6, 8)] * 2
    assert np.allclose(found["y"], x + x.mean(axis=(1, 2), keepdims=True), atol=1e-6)


def test_what_does_not_fit_is_refused() -> None:
    x = np.zeros((4, 5), dtype=np.float32)
    with pytest.raises(DataError, match=r"patch .4,. has 1 numbers"):
        predict_array(Tiling(patch=(4,)), ("y",), x, tile_dependent())
    with pytest.raises(SchemaError, match="does not give 'z'"):
        predict_array(Tiling(patch=(4, 4)), ("z",), x, tile_dependent())
    network = torch.nn.Conv3d(1, 1, 3)
    with pytest.raises(SchemaError, match=r"model fails on an input of \(1, 1, 4, 4\), .*with RuntimeError: "):
        predict_array(Tiling(patch=(4, 4)), ("y",), x, lambda arrays: {"y": network(torch.from_numpy(arrays["x"]))})
