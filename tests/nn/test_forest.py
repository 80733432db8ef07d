"""The forest says what scikit-learn's says, from buffers that a weights file holds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from seisloom.nn.forest import LEAST_SHARE, Forest


def table(n: int = 300) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 6))
    label = (x[:, 0] + 0.5 * x[:, 3] ** 2 + 0.3 * rng.normal(size=n) > 0.4).astype(int) + (x[:, 1] > 1)
    return torch.from_numpy(x), torch.from_numpy(label)


@pytest.mark.parametrize("is_balanced", [True, False])
def test_it_says_what_the_trees_say(is_balanced: bool) -> None:
    x, label = table()
    forest = Forest(6, 4, n_trees=20, max_leaves=32)
    forest.fit(x[:200], label[:200], is_balanced=is_balanced, seed=3)
    theirs = RandomForestClassifier(
        20, max_leaf_nodes=32, min_samples_leaf=2, random_state=3,
        class_weight="balanced_subsample" if is_balanced else None,
    ).fit(x[:200].float().numpy(), label[:200].numpy())  # fmt: skip
    expected = np.zeros((100, 4))
    expected[:, theirs.classes_] = theirs.predict_proba(x[200:].float().numpy())
    found = forest(x[200:].float()).exp().numpy()
    np.testing.assert_allclose(found, np.maximum(expected, LEAST_SHARE), atol=1e-5)
    fresh = Forest(6, 4, n_trees=20, max_leaves=32)
    fresh.load_state_dict(load(save(forest.state_dict())))
    assert bool((fresh(x) == forest(x)).all())


def test_extra_trees_say_what_their_trees_say() -> None:
    x, label = table()
    forest = Forest(6, 3, n_trees=20, max_leaves=32)
    forest.fit(x[:200], label[:200], is_balanced=True, is_extra=True, seed=3)
    theirs = ExtraTreesClassifier(
        20, max_leaf_nodes=32, min_samples_leaf=3, random_state=3, class_weight="balanced"
    ).fit(x[:200].float().numpy(), label[:200].numpy())  # fmt: skip
    expected = theirs.predict_proba(x[200:].float().numpy())
    np.testing.assert_allclose(forest(x[200:].float()).exp().numpy(), np.maximum(expected, LEAST_SHARE), atol=1e-5)


def test_what_is_not_known_takes_the_median() -> None:
    x, label = table()
    x[::3, 2] = torch.nan
    forest = Forest(6, 3, n_trees=5, max_leaves=16)
    forest.fit(x, label, is_balanced=False)
    assert float(forest.usual[2]) == pytest.approx(float(x[:, 2].nanmedian()))
    filled = x.clone()
    filled[::3, 2] = forest.usual[2]
    assert bool((forest(x) == forest(filled)).all())


def test_one_that_has_not_grown_says_nothing() -> None:
    assert bool(Forest(6, 2)(torch.zeros(1, 6)).isnan().all())
