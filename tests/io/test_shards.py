"""Shards: the bytes depend on the samples alone, any WebDataset reader opens them, and damage is found and named."""

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import webdataset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as any_array
from typer.testing import CliRunner

from seisloom.cli.main import app
from seisloom.compute import executor
from seisloom.errors import DataError, LeftOut, MissingDataError, OutputError, SchemaError
from seisloom.io.npz import ArrayEncoder, decode_arrays, encode_arrays
from seisloom.io.shards import (
    Shards,
    check_shards,
    finished,
    index_path,
    read_index,
    sha256_of,
    write_shard,
)
from seisloom.recipe import Recipe
from seisloom.run.write import write_shards
from seisloom.sample import Field, Sample, Schema
from seisloom.tasks.picking.data import plan, read

SCHEMA = Schema((Field("x", ("channel", "time")), Field("label", (), "int8", label="class")))
Tiny = Callable[..., Recipe]


def samples(n: int = 5) -> Iterator[Sample]:
    rng = np.random.default_rng(0)
    for k in range(n):
        x = rng.normal(size=(2, 30)).astype(np.float32)
        yield Sample(f"LINE.1/R.01/shot-{k:03d}", {"shot": f"s{k}"}, {"x": x, "label": np.int8(k % 2)}, {"from": "a"})


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.*"))}


# --- bytes


def test_a_shard_gives_its_samples_back_at_random(tmp_path: Path) -> None:
    write_shard(tmp_path / "a" / "s-00000.tar", samples(), SCHEMA)
    shards = Shards(tmp_path)
    for original, ref in reversed(list(zip(samples(), shards.refs, strict=True))):
        found = shards.read(ref)
        assert (found.key, found.groups) == (original.key, original.groups)
        assert all(np.array_equal(found.arrays[name], original.arrays[name]) for name in ("x", "label"))
        assert found.arrays["label"].dtype == np.int8


def test_the_same_samples_give_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        write_shard(tmp_path / name / "s-00000.tar", samples(), SCHEMA)
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")


def test_the_bytes_do_not_depend_on_the_workers(tiny: Tiny, tmp_path: Path) -> None:
    write_shards(tiny("shard_size=20"), tmp_path / "one")
    with executor(workers=2) as pool:
        write_shards(tiny("shard_size=20"), tmp_path / "two", pool=pool)
    one, two = bytes_of(tmp_path / "one"), bytes_of(tmp_path / "two")
    assert sum(name.endswith(".tar") for name in one) == 10
    assert one == two


KILLED = """
import os, signal, sys
from pathlib import Path
from seisloom.recipe import recipe_from
from seisloom.run import write
import json
recipe = recipe_from(json.loads(Path(sys.argv[1]).read_text()))
written, whole = [], write._write_one
def until_killed(*args, **kwargs):
    if len(written) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    written.append(whole(*args, **kwargs))
    return written[-1]
write._write_one = until_killed
write.write_shards(recipe, Path(sys.argv[2]))
"""


def test_after_a_kill_between_two_shards_the_next_run_ends_with_the_same_bytes(tiny: Tiny, tmp_path: Path) -> None:
    recipe, out = tiny("shard_size=20"), tmp_path / "killed"
    file = tmp_path / "recipe.json"
    file.write_text(recipe.model_dump_json())
    killed = subprocess.run([sys.executable, "-c", KILLED, str(file), str(out)], capture_output=True)
    assert killed.returncode == -9
    there = {path: path.stat().st_mtime_ns for path in out.rglob("*.tar")}
    assert len(there) == 3
    again = write_shards(recipe, out)
    assert sum(one.existed for one in again) == 3
    assert all(path.stat().st_mtime_ns == when for path, when in there.items())
    write_shards(recipe, tmp_path / "whole")
    assert bytes_of(out) == bytes_of(tmp_path / "whole")


def test_after_a_kill_between_a_shard_and_its_index_the_next_run_goes_on(tiny: Tiny, tmp_path: Path) -> None:
    recipe, out = tiny("shard_size=20"), tmp_path / "out"
    before = (write_shards(recipe, out), bytes_of(out))[1]
    victim = sorted(out.rglob("*.tar"))[2]
    index_path(victim).unlink()
    (out / "LAND001" / "index.json").unlink()
    with pytest.raises(DataError, match="the shard has no index, so its writing was cut off"):
        Shards(out)
    again = write_shards(recipe, out)
    assert [one.path for one in again if not one.existed] == [victim]
    assert bytes_of(out) == before


def test_what_a_kill_in_the_middle_of_a_shard_leaves_is_no_shard(tiny: Tiny, tmp_path: Path) -> None:
    recipe, out = tiny("shard_size=20"), tmp_path / "out"
    write_shards(recipe, out)
    whole = bytes_of(out)
    victim = sorted(out.rglob("*.tar"))[0]
    content = victim.read_bytes()
    index_path(victim).unlink()
    victim.unlink()
    victim.with_name(victim.name + ".partial").write_bytes(content[: len(content) // 2])
    write_shards(recipe, out)
    assert bytes_of(out) == whole


def test_shards_of_another_recipe_or_of_other_picks_are_not_mixed(tiny: Tiny, tmp_path: Path) -> None:
    write_shards(tiny(), tmp_path)
    with pytest.raises(OutputError, match="another recipe, survey or set of picks"):
        write_shards(tiny("pos_win_s=0.01"), tmp_path)
    write_shards(tiny("epochs=9"), tmp_path)  # no byte of a shard depends on it
    write_shards(tiny("shard_size=20"), tmp_path / "b")
    replaced = write_shards(tiny("shard_size=100"), tmp_path / "b", force=True)
    assert {one.path for one in replaced} == set((tmp_path / "b").rglob("*.tar"))


# --- what other readers see


def test_any_webdataset_reader_opens_a_shard(tiny: Tiny, tmp_path: Path) -> None:
    recipe = tiny()
    summary = write_shards(recipe, tmp_path)[0]
    found = list(webdataset.WebDataset(str(summary.path), shardshuffle=False, empty_check=False))
    assert len(found) == summary.n_samples
    refs = {ref.key: ref for ref in plan(recipe)}  # type: ignore[arg-type]
    for one in found:
        expected = read(recipe, refs[one["__key__"]])  # type: ignore[arg-type]
        with np.load(io.BytesIO(one["npz"]), allow_pickle=False) as arrays:
            for name in arrays:
                assert np.array_equal(arrays[name], expected.arrays[name], equal_nan=name in ("y_sigma_s", "offset_m"))
        assert json.loads(one["json"])["groups"] == dict(expected.groups)


def test_names_with_dots_keep_their_sample_together_for_webdataset(tmp_path: Path) -> None:
    write_shard(tmp_path / "s-00000.tar", samples(3), SCHEMA)
    found = list(webdataset.WebDataset(str(tmp_path / "s-00000.tar"), shardshuffle=False, empty_check=False))
    assert [one["__key__"] for one in found] == [one.key for one in samples(3)]
    assert all({"npz", "json"} <= one.keys() for one in found)


def test_arrays_are_stored_not_deflated_and_without_times_or_owners(tmp_path: Path) -> None:
    path = tmp_path / "s-00000.tar"
    write_shard(path, samples(), SCHEMA)
    with tarfile.open(path) as tar:
        for member in tar:
            assert (member.mtime, member.uid, member.gid, member.uname) == (0, 0, 0, "")
            if member.name.endswith(".npz"):
                with zipfile.ZipFile(tar.extractfile(member)) as archive:  # type: ignore[arg-type]
                    assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


def test_pickles_are_neither_written_nor_read() -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        encode_arrays({"x": np.array([{}], dtype=object)})
    buffer = io.BytesIO()
    np.savez(buffer, x=np.array([print], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        decode_arrays(buffer.getvalue())


@given(
    x=st.sampled_from(["f4", "f8", "i1", "u8", "?"]).flatmap(
        lambda kind: any_array(kind, st.lists(st.integers(0, 4), max_size=3).map(tuple))
    )
)
@settings(deadline=None)
def test_arrays_of_any_shape_and_type_come_back(x: np.ndarray) -> None:
    back = decode_arrays(encode_arrays({"x": x, "y": np.float32(2)}))
    assert back["x"].dtype == x.dtype
    assert back["x"].shape == x.shape
    assert back["x"].tobytes() == x.tobytes()


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_encoder_of_many_samples_gives_the_bytes_of_one(order: str) -> None:
    encode, rng = ArrayEncoder(), np.random.default_rng(0)
    for n_time in (30, 40, 30):
        some = {"x": rng.normal(size=(2, n_time)).astype(np.float32), "label": np.asarray(np.int8(3))}
        assert encode({**some, "x": np.asarray(some["x"], order=order)}) == encode_arrays(some)


@pytest.mark.parametrize("key", ["a/b", "long/" * 30 + "name", "Überfläche"])
def test_members_lie_where_tarfile_finds_them(key: str, tmp_path: Path) -> None:
    path = tmp_path / "s-00000.tar"
    (one,) = samples(1)
    write_shard(path, [replace(one, key=key)], SCHEMA)
    index = json.loads(index_path(path).read_text())["samples"][0]
    with tarfile.open(path) as tar:
        member = tar.getmember(f"{key}.npz")
        assert (member.offset_data, member.size) == (index["at"], index["size"])
        assert (tar.extractfile(f"{key}.json") or io.BytesIO()).read().startswith(b"{")


# --- index


def test_the_index_counts_describes_and_places_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "s-00000.tar"
    several = [*samples(5), LeftOut("dead trace"), LeftOut("dead trace"), LeftOut("no pick")]
    summary = write_shard(path, several, SCHEMA, counted=("label",), recipe="abc")
    index = json.loads(index_path(path).read_text())
    assert (summary.n_samples, dict(summary.counts)) == (5, {"label=0": 3, "label=1": 2})
    assert dict(summary.left_out) == {"dead trace": 2, "no pick": 1}
    assert index["sha256"] == sha256_of(path) == summary.sha256
    x = np.stack([sample.arrays["x"] for sample in samples(5)]).astype(np.float64)
    assert index["statistics"]["x"] == pytest.approx({"mean": x.mean(), "std": x.std(), "max_abs": np.abs(x).max()})
    content = path.read_bytes()
    for one, sample in zip(index["samples"], samples(5), strict=True):
        stored = decode_arrays(content[one["at"] : one["at"] + one["size"]])
        assert np.array_equal(stored["x"], sample.arrays["x"])
    assert finished(path, recipe="abc") is not None
    assert finished(path, recipe="other") is None


def test_left_out_samples_are_counted_by_reason_for_the_whole_folder(
    tiny: Tiny, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("seisloom"), "propagate", True)  # the command stops it
    caplog.set_level(logging.INFO, "seisloom")
    recipe = tiny("win_mode=pick", "pre_s=0.01", "post_s=0.01", "target_len=10", "neg_k=0")
    summaries = write_shards(recipe, tmp_path)
    n_out = sum(sum(one.left_out.values()) for one in summaries)
    n_in = sum(one.n_samples for one in summaries)
    assert n_out + n_in == len(plan(recipe))  # type: ignore[arg-type]
    said = f"shards: {n_out + n_in} traces planned, "
    assert caplog.messages[-1] == f"{said}{n_in} samples written, 0 samples kept from before, {n_out} left out"
    write_shards(recipe, tmp_path)
    assert caplog.messages[-1] == f"{said}0 samples written, {n_in} samples kept from before, {n_out} left out"
    reasons = {reason for one in summaries for reason in one.left_out}
    assert "the pick lies outside of its window: target_len is too short" in reasons
    total = [json.loads((tmp_path / line / "index.json").read_text()) for line in ("LAND001", "LAND002")]
    assert sum(sum(one["left_out"].values()) for one in total) == n_out


# --- damage


@pytest.mark.parametrize("number", [0, 3])
def test_a_damaged_sample_is_found_and_named(tmp_path: Path, number: int) -> None:
    path = tmp_path / "s-00000.tar"
    write_shard(path, samples(), SCHEMA)
    assert list(check_shards(tmp_path)) == [(path, "")]
    index = read_index(path)
    assert index is not None
    content = bytearray(path.read_bytes())
    content[index["samples"][number]["at"] + 150] ^= 0x40
    path.write_bytes(bytes(content))
    key = f"LINE.1/R.01/shot-{number:03d}"
    [(_, what)] = check_shards(tmp_path)
    assert f"sample {key} does not read" in what
    shards = Shards(tmp_path)
    with pytest.raises(DataError, match=f"{key} is damaged.*See: seisloom shards check {tmp_path}"):
        shards.read(shards.refs[number])
    shards.read(shards.refs[1])


def test_a_shard_that_is_cut_off_names_the_first_sample_that_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "s-00000.tar"
    write_shard(path, samples(), SCHEMA)
    index = read_index(path)
    assert index is not None
    path.write_bytes(path.read_bytes()[: index["samples"][2]["at"] + 100])
    [(_, what)] = check_shards(tmp_path)
    assert what == "damaged: it is cut off within sample LINE.1/R.01/shot-002"


def test_damage_around_the_arrays_is_found_too(tmp_path: Path) -> None:
    path = tmp_path / "s-00000.tar"
    write_shard(path, samples(), SCHEMA)
    path.write_bytes(path.read_bytes().replace(b'"from": "a"', b'"from": "b"', 1))
    [(_, what)] = check_shards(tmp_path)
    assert "the bytes around them" in what


@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_a_changed_byte_anywhere_is_found(tmp_path: Path, place: float, flip: int) -> None:
    path = tmp_path / "s-00000.tar"
    write_shard(path, samples(2), SCHEMA)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= flip
    path.write_bytes(bytes(content))
    [(_, what)] = check_shards(tmp_path)
    assert what.startswith("damaged: ")


def test_a_member_with_a_compression_that_is_none_is_damage_with_a_name(tmp_path: Path) -> None:
    path = tmp_path / "s-00000.tar"
    write_shard(path, samples(1), SCHEMA)
    content = bytearray(path.read_bytes())
    member = content.index(b"PK\x01\x02")  # a central entry; its method of compression lies 10 bytes on
    content[member + 10] = 99
    path.write_bytes(bytes(content))
    [(_, what)] = check_shards(tmp_path)
    assert re.fullmatch(r"damaged: sample \S+ does not read: .*compression.*", what)


def test_an_unfinished_shard_and_an_empty_folder_say_what_to_do(tmp_path: Path) -> None:
    for opened in (Shards, lambda folder: list(check_shards(folder))):
        with pytest.raises(MissingDataError, match=r"no shards \(\*\.tar\) in it\..*seisloom shards write --out"):
            opened(tmp_path)
        with pytest.raises(MissingDataError, match=r"absent: no such folder\..*seisloom shards write --out"):
            opened(tmp_path / "absent")
    write_shard(tmp_path / "s-00000.tar", samples(), SCHEMA)
    index_path(tmp_path / "s-00000.tar").unlink()
    assert list(check_shards(tmp_path)) == [(tmp_path / "s-00000.tar", "unfinished: it has no index")]


def test_a_shard_that_its_folder_lists_and_that_is_not_there_is_missing(tiny: Tiny, tmp_path: Path) -> None:
    summaries = write_shards(tiny("shard_size=20"), tmp_path)
    lost = summaries[1].path
    lost.unlink()
    found = dict(check_shards(tmp_path))
    assert found.pop(lost) == "missing: index.json lists it"
    assert set(found.values()) == {""}
    with pytest.raises(MissingDataError, match=f"{lost}: is not there, and index.json lists it.*Write shards again"):
        Shards(tmp_path)
    said = CliRunner().invoke(app, ["shards", "check", str(tmp_path)])
    assert isinstance(said.exception, DataError)
    assert f"1 of {len(summaries)} shards are damaged or missing" in str(said.exception)
    write_shards(tiny("shard_size=20"), tmp_path)
    assert set(dict(check_shards(tmp_path)).values()) == {""}
    (tmp_path / "LAND001" / "index.json").write_text("[]")
    with pytest.raises(DataError, match="is not the index of a folder of shards"):
        Shards(tmp_path)


# --- folders that cannot be written


def test_a_full_disk_is_a_clear_error_and_leaves_no_shard(tmp_path: Path) -> None:
    # A limit on the size of files is the full disk that a test can make
    code = f"""
import resource, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import numpy as np
from pathlib import Path
from seisloom.errors import OutputError
from seisloom.io.shards import write_shard
from seisloom.sample import Field, Sample, Schema
many = (Sample(f"k{{k}}", {{}}, {{"x": np.zeros(4000, np.float32)}}) for k in range(99))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_shard(Path({str(tmp_path / "s.tar")!r}), many, Schema((Field("x", ("time",)),)))
except OutputError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "s.tar: cannot be written: File too large" in said.stdout, said.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    for path in (tmp_path / "taken" / "s.tar", tmp_path / "taken" / "deep" / "s.tar", Path("/proc/none/s.tar")):
        with pytest.raises(OutputError, match="cannot be written"):
            write_shard(path, samples(), SCHEMA)


def test_a_sample_that_does_not_fit_the_schema_is_named(tmp_path: Path) -> None:
    wrong = Sample("LINE/7", {}, {"x": np.zeros((2, 3), dtype=np.float64), "label": np.int8(0)})
    with pytest.raises(SchemaError, match="LINE/7: x is float64, it must be float32"):
        write_shard(tmp_path / "s.tar", [wrong], SCHEMA)
    assert not (tmp_path / "s.tar").exists()


def test_a_file_that_is_missing_while_reading_is_not_blamed_on_the_output(tmp_path: Path) -> None:
    def gone() -> Iterator[Sample]:
        yield from samples(1)
        raise MissingDataError("/survey/R01.segy: no such file")

    with pytest.raises(MissingDataError, match=r"^/survey/R01\.segy: no such file$"):
        write_shard(tmp_path / "s.tar", gone(), SCHEMA)
    assert not (tmp_path / "s.tar").exists()
