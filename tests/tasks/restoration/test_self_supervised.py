"""Networks fitted to the panel itself: they keep what they must, and are as good as they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.tasks.restoration.conftest import gathers

from seisloom.bundle import open_predictor
from seisloom.errors import RecipeError
from seisloom.metrics.image import snr_db
from seisloom.metrics.restoration import amplitude_slope, missing_snr_db
from seisloom.recipe import Recipe, recipe_from
from seisloom.sample import Array
from seisloom.signal.restoration.hidden import hidings
from seisloom.signal.restoration.masks import irregular, regular
from seisloom.tasks.restoration.blind_traces import BlindTraces, quiet_coherence
from seisloom.tasks.restoration.fitting import Question, answers, fitted, untrained
from seisloom.tasks.restoration.gated import Gate
from seisloom.tasks.restoration.hidden_traces import HiddenTraces, _weights
from seisloom.tasks.restoration.model import GuessUNet, MaskUNet
from seisloom.tasks.restoration.records import panel_of

SMALL = {"batch": 2, "crop": (24, 48)}


@pytest.fixture(scope="module")
def panel() -> Array:
    """A gather (trace, time) of two dipping events, of RMS 1."""
    values = gathers(1)[0].astype(np.float64)
    return values / np.sqrt(np.mean(values**2))


def question(panel: Array, every: int = 3, first: int = 1) -> Question:
    hide = np.arange(len(panel)) % every == first
    seen = {"x": np.where(hide[:, None], 0, panel), "live": (~hide).astype(np.float32)}
    return Question(seen, panel, hide)


class TestFitted:
    """A network that learns to fill hidden traces."""

    @pytest.fixture
    def network(self) -> torch.nn.Module:
        return untrained(MaskUNet(widths=(8, 16)))

    def test_errors_on_traces_that_it_was_asked_for_fall(self, panel: Array, network: torch.nn.Module) -> None:
        asked = question(panel)
        predict = fitted(network, [asked], [], steps=40, lr=5e-3, batch=2, crop=(24, 96))
        before = snr_db(answers(fitted(network, [asked], [], steps=0, lr=1e-3, batch=1, crop=(24, 96)), [asked])[0][
            asked.asked], panel[asked.asked])  # fmt: skip
        after = snr_db(answers(predict, [asked])[0][asked.asked], panel[asked.asked])
        assert after > before + 3

    def test_equal_weights_each_time_and_what_was_given_is_unchanged(
        self, panel: Array, network: torch.nn.Module
    ) -> None:
        given = {name: one.clone() for name, one in network.state_dict().items()}
        network.train()
        first, again = (
            answers(fitted(network, [question(panel)], [], steps=4, lr=1e-3, **SMALL), [question(panel)])[0]
            for _ in range(2)
        )
        np.testing.assert_array_equal(first, again)
        assert network.training
        assert all(torch.equal(given[name], one) for name, one in network.state_dict().items())

    def test_torch_draws_what_it_would_have_drawn(self, panel: Array) -> None:
        torch.manual_seed(3)
        expected = torch.rand(4)
        torch.manual_seed(3)
        fitted(untrained(MaskUNet(widths=(4,))), [question(panel)], [], steps=2, lr=1e-3, **SMALL)
        assert torch.equal(torch.rand(4), expected)

    def test_what_is_not_asked_for_has_no_say(self, panel: Array, network: torch.nn.Module) -> None:
        one = question(panel)
        asked = one.asked & (np.arange(len(panel)) < 12)
        other = one.true.copy()
        other[one.asked & ~asked] = 1e3
        found = [
            answers(fitted(network, [Question(one.seen, true, asked)], [], steps=3, lr=1e-3, **SMALL), [one])[0]
            for true in (one.true, other)
        ]
        np.testing.assert_array_equal(*found)

    def test_a_state_that_is_worse_on_the_checks_is_not_kept(self, panel: Array, network: torch.nn.Module) -> None:
        asked = question(panel)
        opposite = Question(asked.seen, -10 * panel, asked.asked)
        given = answers(fitted(network, [asked], [], steps=0, lr=1e-3, **SMALL), [asked])[0]
        found = answers(fitted(network, [opposite], [asked], steps=12, lr=1e-2, **SMALL), [asked])[0]
        assert snr_db(found[asked.asked], panel[asked.asked]) >= snr_db(given[asked.asked], panel[asked.asked])

    def test_works_where_gradients_are_switched_off(self, panel: Array, network: torch.nn.Module) -> None:
        with torch.inference_mode():
            found = answers(fitted(network, [question(panel)], [], steps=2, lr=1e-3, **SMALL), [question(panel)])[0]
        expected = answers(fitted(network, [question(panel)], [], steps=2, lr=1e-3, **SMALL), [question(panel)])[0]
        np.testing.assert_array_equal(found, expected)


class TestHiddenTraces:
    """Filling by a network that was fitted to the panel."""

    @pytest.mark.parametrize(
        "live", [irregular(24, 0.4, np.random.default_rng(1)), regular(24, 2)], ids=["irregular", "regular"]
    )
    def test_live_traces_come_back_and_dead_ones_are_filled(self, panel: Array, live: Array) -> None:
        method = HiddenTraces(steps=20, tune=False, n_questions=4, crop=(12, 48), batch=2)
        filled = method.predictor(None)({"x": panel[None, None].astype(np.float32), "live": live[None, None]})["clean"]
        np.testing.assert_array_equal(filled[0, 0][live], panel[live].astype(np.float32))
        assert missing_snr_db(filled[0, 0], panel, live) > 3

    def test_what_dead_traces_hold_and_how_loud_a_panel_is_change_nothing(self, panel: Array) -> None:
        live = irregular(24, 0.4, np.random.default_rng(1))
        method = HiddenTraces(steps=4, tune=False, n_questions=2, crop=(12, 48), batch=1)
        filled = method.chosen(panel, live)(panel, live)
        other = np.where(live[:, None], panel, 7.0) * 2.0**12
        np.testing.assert_allclose(method.chosen(other, live)(other, live)[~live] / 2.0**12, filled[~live], atol=1e-5)

    def test_traces_of_the_hidings_are_never_asked_for(self, panel: Array, monkeypatch: pytest.MonkeyPatch) -> None:
        """So the gate, which draws the same ones, asks for what the network has not been fitted to."""
        live = irregular(24, 0.3, np.random.default_rng(1))
        asked: list[Array] = []

        def spy(network: Any, questions: list[Question], *rest: Any, **keys: Any) -> Any:
            asked.extend(one.asked for one in questions)
            return fitted(network, questions, *rest, **{**keys, "steps": 0})

        monkeypatch.setattr("seisloom.tasks.restoration.fitting.fitted", spy)
        HiddenTraces(tune=False, n_questions=6).chosen(panel, live)
        assert asked
        hidden = np.any(hidings(live, HiddenTraces().hidings, np.random.default_rng(0)), axis=0)
        assert not any((one & hidden).any() for one in asked)

    def test_the_gate_fits_it_once(self, panel: Array, monkeypatch: pytest.MonkeyPatch) -> None:
        live, calls = irregular(24, 0.4, np.random.default_rng(1)), []

        def counted(*given: Any, **keys: Any) -> Any:
            calls.append(keys["steps"])
            return fitted(*given, **{**keys, "steps": 1})

        monkeypatch.setattr("seisloom.tasks.restoration.fitting.fitted", counted)
        gate = Gate(fillers=("linear", "hidden_traces"), hidings=2, tune=False)
        filled = gate.predictor(None)({"x": panel[None, None].astype(np.float32), "live": live[None, None]})["clean"]
        assert calls == [HiddenTraces().steps]
        assert missing_snr_db(filled[0, 0], panel, live) > 3

    def test_a_network_that_knows_nothing_has_no_say(self, panel: Array) -> None:
        one = question(panel)
        exact, wrong = [panel], [np.random.default_rng(0).standard_normal(panel.shape)]
        np.testing.assert_allclose(_weights([exact, wrong], [one]), [1, 0], atol=1e-9)

    def test_weights_are_as_good_as_the_better_one_alone(self, panel: Array) -> None:
        rng, one = np.random.default_rng(0), question(panel)
        filled = [[panel + level * rng.standard_normal(panel.shape)] for level in (0.4, 0.6)]
        weights = _weights(filled, [one])
        blend = sum(weight * each[0] for weight, each in zip(weights, filled, strict=True))
        scores = [snr_db(each[0][one.asked], panel[one.asked]) for each in filled]
        assert snr_db(np.asarray(blend)[one.asked], panel[one.asked]) >= max(scores)
        assert 0 < weights[1] < weights[0]

    def test_begins_from_a_bundle(self, panel: Array, recipe: Recipe, tmp_path: Path) -> None:
        from seisloom.bundle import write_weights

        folder = tmp_path / "start"
        folder.mkdir()
        values = recipe.model_dump(mode="json")
        config = GuessUNet(widths=(4, 8))
        said = recipe_from({**values, "model": config.model_dump(mode="json")}, [], where="test")
        (folder / "recipe.yaml").write_text(said.to_yaml(), encoding="utf-8")
        write_weights(untrained(config, seed=5).state_dict(), folder)
        live = irregular(24, 0.4, np.random.default_rng(1))
        keys = {"tune": False, "n_questions": 2, "crop": (12, 48), "batch": 1, "steps": 2}
        filled = HiddenTraces(start=str(folder), **keys).chosen(panel, live)(panel, live)
        np.testing.assert_array_equal(filled[live], panel[live])
        assert missing_snr_db(filled, panel, live) > 3

    def test_silence_and_too_few_traces_are_filled_all_the_same(self) -> None:
        method = HiddenTraces(steps=1, tune=False)
        live = irregular(24, 0.4, np.random.default_rng(1))
        assert not method.chosen(np.zeros((24, 32)), live)(np.zeros((24, 32)), live).any()
        ramp = np.arange(4.0)[:, None] * np.ones(8)
        few = np.array([True, True, False, True])
        np.testing.assert_allclose(method.chosen(ramp, few)(ramp, few), ramp)

    @pytest.mark.parametrize("guess", ["median", "band_pass"])
    def test_a_guess_that_fills_nothing_is_named(self, panel: Array, guess: str) -> None:
        with pytest.raises(RecipeError, match=f"guesses: {guess}"):
            HiddenTraces(guesses=(guess,)).chosen(panel, irregular(24, 0.4, np.random.default_rng(1)))

    def test_the_room_opens_it_by_name(self) -> None:
        opened = open_predictor("hidden_traces")
        assert opened.recipe.apply.goal == "fill"
        assert open_predictor("blind_traces").recipe.apply.goal == "denoise"


class TestBlindTraces:
    """Denoising by neighbours alone."""

    def test_random_noise_is_taken_off(self, panel: Array) -> None:
        noisy = panel + 0.7 * np.random.default_rng(0).standard_normal(panel.shape)
        found = BlindTraces(steps=80, crop=(24, 96), batch=2).clean(noisy, np.ones(24, dtype=bool))
        assert snr_db(found, panel) > snr_db(noisy, panel) + 3

    def test_swell_of_unequal_strength_is_taken_off_and_amplitudes_stay(self, panel: Array) -> None:
        rng = np.random.default_rng(0)
        spectrum = np.fft.rfft(rng.standard_normal(panel.shape))
        spectrum[:, 4:] = 0  # below 0.04 cycles a sample
        swell = np.fft.irfft(spectrum, n=panel.shape[1]) * 10 ** rng.uniform(-0.5, 0.5, (len(panel), 1))
        noisy = panel + swell / swell.std()
        found = BlindTraces(steps=60, crop=(24, 96), batch=2).clean(noisy, np.ones(24, dtype=bool))
        assert snr_db(found, panel) > snr_db(noisy, panel) + 5
        assert amplitude_slope(found, panel)[0] > 0.75

    @pytest.mark.parametrize("share", [0.0, 0.9])
    def test_noise_that_goes_on_over_traces_is_warned_of(
        self, panel: Array, share: float, caplog: pytest.LogCaptureFixture
    ) -> None:
        rng = np.random.default_rng(0)
        late = np.concatenate([np.zeros((24, 200)), panel], axis=1)
        wave = rng.standard_normal(late.shape[1] + 24)
        moved = np.stack([wave[k : k + late.shape[1]] for k in range(24)])
        noise = np.sqrt(share) * moved + np.sqrt(1 - share) * rng.standard_normal(late.shape)
        assert quiet_coherence(late + 0.3 * noise) == pytest.approx(share, abs=0.35)
        BlindTraces(steps=1, crop=(12, 48), batch=1).clean(late + 0.3 * noise, np.ones(24, dtype=bool))
        assert ("coherent between neighbouring traces" in caplog.text) == (share > 0.5)

    def test_coherence_of_what_is_never_quiet_is_not_known(self, panel: Array) -> None:
        assert np.isnan(quiet_coherence(panel[:4]))
        assert np.isnan(quiet_coherence(panel[:, :40]))

    @pytest.mark.parametrize("width", [1, 3])
    def test_an_estimate_has_not_seen_its_trace(
        self, panel: Array, width: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of a network as it is, for fitting has seen all traces: what is in a band does not reach its middle."""
        monkeypatch.setattr(
            "seisloom.tasks.restoration.fitting.fitted",
            lambda network, questions, checks, **keys: fitted(network, questions, checks, **{**keys, "steps": 0}),
        )
        live, k, half = np.ones(24, dtype=bool), 11, width // 2
        other = panel.copy()
        other[k - half : k + half + 1] = (
            np.random.default_rng(0).permutation(other[k - half : k + half + 1].ravel()).reshape(width, -1)
        )
        one, two = (BlindTraces(width=width).clean(values, live) for values in (panel, other))
        np.testing.assert_allclose(two[k], one[k], atol=1e-5)
        assert np.abs(two - one).max() > 1e-4

    def test_dead_traces_are_made(self, panel: Array) -> None:
        live = np.arange(24) % 6 != 2
        x = np.where(live[:, None], panel, 0)
        found = BlindTraces(steps=80, crop=(24, 96), batch=2).clean(x, live)
        assert missing_snr_db(found, panel, live) > 3

    def test_too_few_traces_come_back_as_they_are(self) -> None:
        x = np.arange(4.0)[:, None] * np.ones(8)
        np.testing.assert_allclose(BlindTraces().clean(x, np.ones(4, dtype=bool)), x)

    def test_a_band_without_a_middle_is_refused(self) -> None:
        with pytest.raises(ValueError, match="width is odd, not 2"):
            BlindTraces(width=2)

    def test_a_gather_with_dead_traces_goes_through_the_room(self, panel: Array) -> None:
        opened = open_predictor("blind_traces")
        predictor = BlindTraces(steps=2, crop=(12, 48), batch=1).predictor(opened.recipe)
        values = panel.astype(np.float32)
        values[3] = 0
        made = opened.task.apply(opened.recipe, predictor, None, [panel_of("one", values[None], opened.recipe.apply)])
        assert np.isfinite(made[0].values).all()
        assert made[0].values.shape == (1, *panel.shape)
