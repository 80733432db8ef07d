"""Priors like a survey: what volumes were drawn from lies in the ranges that are measured on them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from seisloom.cli.main import app
from seisloom.convert import open_volume
from seisloom.errors import DataError
from seisloom.io.volumes.grid import whole
from seisloom.io.volumes.volume import Given, Volume
from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.draw import draw_volume
from seisloom.physics.volumes.priors import VolumePriors
from seisloom.recipe import read_recipe
from seisloom.sample import Array
from seisloom.tasks.interpretation.synth.config import SynthVolumes
from seisloom.tasks.interpretation.synth.survey import (
    Spacing,
    look_at_sections,
    ranges_of,
    section_boxes,
    spacing_of,
    survey_priors,
    with_ranges,
)
from seisloom.tasks.interpretation.synth.volume import write_volume


@pytest.mark.parametrize("seed", range(6))
def test_what_sections_were_drawn_from_lies_in_the_ranges(seed: int) -> None:
    rng = np.random.default_rng(seed)
    known = {
        "f0_cycles_per_sample": rng.uniform(0.05, 0.18), "noise_ratio": rng.uniform(0.0, 0.7),
        "tilt": rng.uniform(0.0, 0.2), "blur_voxels": rng.uniform(0.0, 1.0),
    }  # fmt: skip
    priors = VolumePriors.model_validate({name: (value, value) for name, value in known.items()})
    sections = [
        make_box(draw_volume((1, 200, 160), 100 * seed + k, priors), None, ("seismic",))["seismic"][0] for k in range(5)
    ]
    found = ranges_of(look_at_sections(sections))
    for name, value in known.items():
        low, high = found[name]
        assert low <= value <= high, name
    low, high = found["f0_cycles_per_sample"]
    assert high < 3 * low  # a range that holds everything says nothing


def test_a_noisier_and_a_coarser_survey_get_other_ranges() -> None:
    def ranges(f0: float, noise: float) -> dict[str, tuple[float, float]]:
        priors = VolumePriors(f0_cycles_per_sample=(f0, f0), noise_ratio=(noise, noise))
        drawn = [draw_volume((1, 128, 128), seed, priors) for seed in range(4)]
        return ranges_of(look_at_sections([make_box(one, None, ("seismic",))["seismic"][0] for one in drawn]))

    coarse, fine = ranges(0.05, 0.1), ranges(0.15, 0.7)
    assert coarse["f0_cycles_per_sample"][1] < 1.2 * fine["f0_cycles_per_sample"][0]
    assert coarse["throw_samples"][1] > fine["throw_samples"][1]
    assert coarse["noise_ratio"][1] < fine["noise_ratio"][1]


def test_dips_of_the_earth_are_turned_onto_the_grid() -> None:
    looks = look_at_sections([make_box(draw_volume((1, 64, 64), 0), None, ("seismic",))["seismic"][0]])
    low, high = ranges_of(looks, Spacing((25.0, 25.0), (5.0, 5.0)))["dip_degrees"]
    assert low == pytest.approx(math.degrees(math.atan(5)), abs=0.1)  # 45 degrees of the earth
    assert high == pytest.approx(math.degrees(math.atan(5 * math.tan(math.radians(80)))), abs=0.1)
    square = ranges_of(looks, Spacing((5.0, 5.0), (5.0, 5.0)))["dip_degrees"]
    assert square == pytest.approx((45, 80), abs=0.1)
    unknown = ranges_of(looks)["dip_degrees"]
    assert unknown[0] < low
    assert unknown[1] >= 85


@pytest.fixture(scope="module")
def cube(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic SEG-Y volume of 2 ms and a known frequency."""
    file = tmp_path_factory.mktemp("survey") / "survey.sgy"
    priors = VolumePriors(f0_cycles_per_sample=(0.08, 0.08), noise_ratio=(0.3, 0.3), noises=("white",))
    written = write_volume(SynthVolumes(shape=(40, 60, 96), priors=priors, interval_s=0.002, seed=5), file)
    return Path(written["files"][0])


def test_a_volume_on_disk_is_looked_at_along_both_axes(cube: Path) -> None:
    volume = open_volume(cube)
    found = survey_priors(volume, VolumePriors(n_faults=(1, 3)))
    assert found.n_faults == (1, 3)
    assert found.f0_cycles_per_sample[0] < 0.08 < found.f0_cycles_per_sample[1]
    assert found.noise_ratio[0] < 0.3 < found.noise_ratio[1]
    assert spacing_of(volume).sample_m == pytest.approx((2.0, 3.0))
    boxes = list(section_boxes((40, 60, 96)))
    assert {tuple(one.stop - one.start for one in box) for box in boxes} == {(40, 1, 96), (1, 60, 96)}


def test_sections_of_a_large_survey_stay_small() -> None:
    boxes = list(section_boxes((4000, 5000, 3000)))
    assert len(boxes) == 54
    assert all(np.prod([one.stop - one.start for one in box]) <= 256 * 256 for box in boxes)
    assert all(0 <= one.start < one.stop <= n for box in boxes for one, n in zip(box, (4000, 5000, 3000), strict=True))


def raw(values: Array, file: Path) -> Volume:
    np.ascontiguousarray(values, dtype="<f4").tofile(file)
    n3, n2, n1 = values.shape
    return open_volume(file, Given(n1=n1, n2=n2, n3=n3))


def test_a_survey_with_time_on_another_axis_or_with_nothing_in_it_is_refused(cube: Path, tmp_path: Path) -> None:
    values = open_volume(cube).read(whole((40, 60, 96)))
    with pytest.raises(DataError, match="looks like a lateral one"):
        survey_priors(raw(np.moveaxis(values, 2, 0), tmp_path / "turned.bin"))
    with pytest.raises(DataError, match="no section of 12 live traces"):
        survey_priors(raw(np.zeros((4, 20, 40)), tmp_path / "empty.bin"))
    with pytest.raises(DataError, match="no section of 12 live traces"):
        survey_priors(raw(values[:5, :5], tmp_path / "small.bin"))


def test_the_command_writes_a_recipe_that_needs_no_survey(cube: Path, tmp_path: Path) -> None:
    out = tmp_path / "like.yaml"
    words = ["synth", "priors", str(cube), "data.synth.priors.tilt=[0,0.01]", "--out", str(out)]
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 0, said.output
    priors = yaml.safe_load(out.read_text())["data"]["synth"]["priors"]
    expected = survey_priors(open_volume(cube), read_recipe("interpretation").data.synth.priors)  # type: ignore[attr-defined]
    assert priors["f0_cycles_per_sample"] == list(expected.f0_cycles_per_sample)
    assert priors["tilt"] == [0, 0.01]
    assert priors["label_thickness"] == 2
    assert str(cube.parent) not in out.read_text()
    assert CliRunner().invoke(app, words).exit_code != 0  # it is there already


def test_a_set_like_a_survey_says_its_priors(cube: Path, tmp_path: Path) -> None:
    words = ["synth", "volumes", "--out", str(tmp_path / "set"), "--like", str(cube), "n_train=1", "n_valid=0"]
    said = CliRunner().invoke(app, [*words, "shape=[1,32,32]", "priors.n_faults=[0,1]", "--workers", "1"])
    assert said.exit_code == 0, said.output
    config = yaml.safe_load((tmp_path / "set" / "dataset.json").read_text())["config"]
    assert config["priors"]["n_faults"] == [0, 1]
    assert config["priors"]["dip_degrees"] == list(survey_priors(open_volume(cube)).dip_degrees)


SECTIONS = ("gsb_crl_2700_seis", "gsb_crl_2800_seis", "gsb_crl_2900_seis", "f3_inline244_seis")


@pytest.mark.parametrize("name", SECTIONS)
def test_recorded_sections_give_priors(name: str, field_data: Path) -> None:
    section = np.load(field_data / "interpretation" / f"{name}.npy").T
    found = with_ranges(VolumePriors(), ranges_of(look_at_sections([section])))
    low, high = found.f0_cycles_per_sample
    assert 0.03 < low < high <= 0.25
    assert found.noise_ratio[0] < 0.3
    make_box(draw_volume((1, 48, 48), 0, found))


@pytest.mark.parametrize("name", ["f3_cube_23x18x75.sgy", "f3_two_inlines.sgy", "penobscot_xl1155.sgy"])
def test_recorded_volumes_give_priors_with_dips_from_their_coordinates(name: str, field_data: Path) -> None:
    volume = open_volume(field_data / "interpretation" / name)
    spacing, found = spacing_of(volume), survey_priors(volume)
    assert spacing.trace_m is not None
    assert spacing.trace_m[0] == pytest.approx(12.5 if "penobscot" in name else 25.0, rel=0.01)
    assert spacing.sample_m == pytest.approx((4.0, 6.0))
    assert 60 < found.dip_degrees[0] < found.dip_degrees[1] < 89.5
    make_box(draw_volume((1, 48, 48), 0, found))
