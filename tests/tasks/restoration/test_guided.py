"""A network that guides: a bundle is opened, its panel selected, dead traces are made."""

from __future__ import annotations

import numpy as np
import pytest
from tests.tasks.restoration.conftest import gathers

from seisloom.bundle import open_predictor
from seisloom.errors import BundleError, RecipeError
from seisloom.metrics.restoration import missing_snr_db
from seisloom.signal.restoration.dct import dct_select
from seisloom.tasks.restoration.guided import GuidedDCT


def test_it_is_the_selection_of_the_panel_by_its_network_and_dead_traces_are_made() -> None:
    true = gathers(1)[0].astype(np.float64)
    noisy = true + 0.1 * np.random.default_rng(0).standard_normal(true.shape) * true.std()
    live = np.arange(len(true)) % 6 != 2
    x = np.where(live[:, None], noisy, 0)
    predict = GuidedDCT().predictor(None)
    found = predict({"x": x[None, None], "live": live[None, None]})["clean"][0, 0]
    assert found.dtype == np.float32
    assert missing_snr_db(found, true, live) > 3
    louder = predict({"x": 2.0**12 * x[None, None], "live": live[None, None]})["clean"][0, 0]
    np.testing.assert_allclose(louder / 2.0**12, found, atol=1e-4 * np.abs(true).max())


def test_a_threshold_of_zero_gives_live_traces_back() -> None:
    x = gathers(1)[0]
    live = np.ones(len(x), dtype=bool)
    found = GuidedDCT(threshold=0).predictor(None)({"x": x[None, None], "live": live[None, None]})["clean"][0, 0]
    np.testing.assert_allclose(found, dct_select(x, x, threshold=0), atol=1e-3)
    np.testing.assert_allclose(found, x, atol=1e-3)


@pytest.mark.parametrize("name", ["guided_dct", "gate"])
def test_networks_of_a_method_run_where_the_user_says(name: str) -> None:
    with pytest.raises(BundleError, match="there is no device 'cuda:99' here"):
        open_predictor(name, device="cuda:99")


def test_a_network_of_another_room_is_refused() -> None:
    with pytest.raises(RecipeError, match="is of the room picking"):
        GuidedDCT(network="onset-refraction").predictor(None)
