"""The first label generator's spellings mean the same blocks as ours, and what is said twice is refused."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from seisloom.physics.surface_waves.priors import SeedPrior
from seisloom.tasks.dispersion.blocks import DispersionData
from seisloom.tasks.dispersion.words import with_our_words

FIRST = """
frequency: {min_hz: 3.0, max_hz: 30.0, num_samples: 101}
phase_velocity: {min_ms: 100, max_ms: 900, num_samples: 256}
simulation: {nt: 600, dt: 0.008, nx: 201, dx: 2.0, nfft: 1024}
physics:
  modes: 3
  layer_count: 5
  fluctuation_percentage: 0.2
  vs_bounds_kms: [0.1, 1.1]
  thickness_bounds_km: [0.005, 0.07]
paths:
  output_root: data
  spectra_subdir: spectra
  curves_subdir: curves
  mask_subdir: masks
  manifest_path: manifests/labels.jsonl
mask: {channel_count: 3, blur_sigma_px: 1.5, antialiased: true}
augmentation:
  noise: {enabled: true, snr_db: 25.0}
  occlusion: {enabled: false, max_patches: 4, max_freq_fraction: 0.2, max_vel_fraction: 0.2, attenuation: 0.2}
  warp: {enabled: false, max_freq_shift: 1.0, max_vel_shift: 1.0}
cli: {dry_run_samples: 2000, seed: 42}
"""
"""All blocks and keys of the first label generator's file."""


def test_every_block_of_the_first_generator_s_file_has_its_place() -> None:
    data = DispersionData(**yaml.safe_load(FIRST))
    assert (data.phase_velocity.min_m_s, data.phase_velocity.max_m_s) == (100, 900)
    assert data.physics.medium == SeedPrior(
        layer_count=5, fluctuation_percentage=0.2, vs_bounds_kms=(0.1, 1.1), thickness_bounds_km=(0.005, 0.07)
    )
    sim = data.simulation
    assert (data.physics.modes, sim.nt, sim.dt, sim.nx, sim.dx) == (3, 600, 0.008, 201, 2.0)
    assert sim.first_offset == 0, "the first receiver was at the source"
    assert sim.method == "wavefield", "plane waves are for who asks for them"
    assert data.augmentation.noise.enabled
    assert data.cli.seed == 42


def test_our_words_are_left_as_they_are() -> None:
    ours = {"phase_velocity": {"min_m_s": 60.0}, "simulation": {"nx": 24, "dx": 2.0}, "physics": {"modes": 2}}
    assert with_our_words(ours) == ours
    assert DispersionData(**ours).simulation.first_offset is None
    assert with_our_words("no mapping") == "no mapping"


def test_words_are_ours_after_one_pass_and_the_file_is_not_changed() -> None:
    given = yaml.safe_load(FIRST)
    once = with_our_words(given)
    assert with_our_words(once) == once
    assert given == yaml.safe_load(FIRST)


def test_metres_are_taken_too() -> None:
    physics = {"vs_bounds_ms": [100, 1100], "thickness_bounds_m": [5, 70]}
    medium = DispersionData(physics=physics).physics.medium
    assert medium == SeedPrior(vs_bounds_kms=(0.1, 1.1), thickness_bounds_km=(0.005, 0.07))


def test_an_offset_that_is_said_stays() -> None:
    assert DispersionData(**yaml.safe_load(FIRST), n=1).simulation.first_offset == 0
    simulation = {"nx": 24, "dx": 2.0, "nfft": 1024, "first_offset": 5.0}
    assert DispersionData(simulation=simulation).simulation.first_offset == 5


@pytest.mark.parametrize("place", ["in the block", "beside it"])
def test_flat_keys_switch_augmentations_on_and_null_is_off(place: str) -> None:
    flat = {"aug_noise_snr_db": 20.0, "aug_occlusion_patches": 3, "aug_warp_freq": None, "aug_warp_vel": 12.0}
    data = DispersionData(**({"augmentation": flat} if place == "in the block" else flat))
    found = data.augmentation
    assert (found.noise.enabled, found.noise.snr_db) == (True, 20)
    assert (found.occlusion.enabled, found.occlusion.max_patches) == (True, 3)
    assert (found.warp.enabled, found.warp.max_freq_shift, found.warp.max_vel_shift) == (True, 0, 12)
    off = DispersionData(**dict.fromkeys(flat))
    assert not off.augmentation.is_on


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"phase_velocity": {"min_ms": 100, "min_m_s": 60}}, "min_ms and min_m_s"),
        ({"simulation": {"nfft": 0}}, "nfft 0"),
        ({"simulation": {"nfft": "many"}}, "nfft 'many'"),
        ({"physics": {"layer_count": 5, "medium": {"name": "normal"}}}, "layer_count are of the prior"),
        ({"physics": {"vs_bounds_ms": [1, 2], "vs_bounds_kms": [1, 2]}}, "vs_bounds_ms and vs_bounds_kms"),
        ({"physics": {"vs_bounds_ms": "fast"}}, "vs_bounds_kms"),
        ({"physics": {"layer_count": 0}}, "layer_count"),
        ({"aug_noise_snr_db": 20, "augmentation": {"noise": 3}}, "aug_noise_snr_db and noise"),
    ],
)
def test_what_is_wrong_or_said_twice_is_refused_by_its_name(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DispersionData(**given)
