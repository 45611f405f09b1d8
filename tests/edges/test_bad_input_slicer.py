"""A slicer that is missing, fails or is too slow, and a disk without room: told, and left clean."""

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.processes import Coordinator, coordinator, path_without, until

MODEL = Path(__file__).parents[2] / "configs" / "dev" / "barn.stl"
SLICER = "prusa-slicer"
# With these it is sliced before any printer is there.
WISH = ("--class", "farmhand-220", "--material", "PLA")


@contextmanager
def with_slicer(folder: Path, script: str, *flags: str) -> Iterator[Coordinator]:
    """Run a coordinator that finds this program as its slicer."""
    programs = folder / "bin"
    programs.mkdir()
    program = programs / SLICER
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    with coordinator(folder / "state", *flags, PATH=path) as farm:
        yield farm


def fails(farm: Coordinator) -> str:
    """Submit a model for a class that no printer is of yet, wait for its end, return the reason."""
    submitted = farm.farmhand("job", "submit", MODEL, *WISH, "--json")
    assert submitted.code == 0, submitted.err
    waited = farm.farmhand("job", "watch", submitted.json["id"])
    assert waited.code == 5
    reason = waited.sentence("farmhand")
    [job] = farm.jobs()
    assert (job["state"], job["plates"], job["preparing_ratio"]) == ("failed", [], None)
    assert job["reason"] in reason
    assert farm.kept() == [f"{job['model_sha256'][:2]}/{job['model_sha256']}"]
    return reason


def test_without_a_slicer_the_farm_starts_refuses_models_and_takes_gcode(tmp_path: Path) -> None:
    plate = tmp_path / "plate.gcode"
    plate.write_text("G28\nG1 X10\n")
    path = path_without(SLICER, tmp_path / "bin")
    with coordinator(tmp_path / "state", PATH=path) as farm:
        refused = farm.farmhand("job", "submit", MODEL)
        assert refused.code == 1
        assert "apt install prusa-slicer" in refused.sentence("farmhand")
        assert (farm.jobs(), farm.kept()) == ([], [])
        status, health = farm.ask("health")
        assert (status, health["status"], health["slicer"]) == (200, "degraded", "failing")
        assert "apt install prusa-slicer" in health["troubles"][0]["words"]
        assert farm.farmhand("job", "submit", plate).code == 0


def test_health_notices_a_missing_slicer_before_anybody_submits(tmp_path: Path) -> None:
    path = path_without(SLICER, tmp_path / "bin")
    with coordinator(tmp_path / "state", PATH=path) as farm:
        until(lambda: farm.ask("health")[1]["slicer"] == "failing", "the probe to end")


def test_a_slicer_that_fails_fails_the_job_with_its_words(tmp_path: Path) -> None:
    with with_slicer(tmp_path, "echo 'out of cheese'; exit 9") as farm:
        reason = fails(farm)
    assert "status 9" in reason
    assert "out of cheese" in reason


def test_a_slicer_that_writes_nothing_is_not_believed(tmp_path: Path) -> None:
    with with_slicer(tmp_path, "exit 0") as farm:
        assert "no plate" in fails(farm)


def test_a_slicer_that_takes_too_long_is_ended_and_the_limit_is_named(tmp_path: Path) -> None:
    mark = tmp_path / "slicer.pid"
    script = f"echo $$ > {mark}; exec sleep 600"
    with with_slicer(tmp_path, script, "--slicing-timeout-s", "6") as farm:
        reason = fails(farm)
        assert "slicing_timeout_s" in reason
        assert not Path(f"/proc/{mark.read_text().strip()}").exists()


def test_a_job_cancelled_while_it_is_sliced_ends_the_slicer_and_all_that_it_started(
    tmp_path: Path,
) -> None:
    mark, child = tmp_path / "slicer.pid", tmp_path / "child.pid"
    script = f"sleep 600 & echo $! > {child}; echo $$ > {mark}; wait"
    with with_slicer(tmp_path, script) as farm:
        job_id = farm.farmhand("job", "submit", MODEL, *WISH, "--json").json["id"]
        until(mark.exists, "the slicer to begin")
        [unmade] = farm.ask(f"jobs/{job_id}")[1]["unmade"]
        assert (unmade["printer_class"], unmade["state"]) == ("farmhand-220", "wanted")
        assert unmade["ratio"] is not None
        assert farm.farmhand("job", "cancel", job_id, "--yes").code == 0
        pids = [path.read_text().strip() for path in (mark, child)]
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "both to end")
        assert farm.ask(f"jobs/{job_id}")[1]["state"] == "cancelled"
        assert len(farm.kept()) == 1  # the model
        assert farm.farmhand("events", "verify").code == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB; needs root and a kernel that lets us mount."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "farmhand-test", str(place)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_refuses_the_upload_and_the_farm_goes_on(
    tmp_path: Path, small_disk: Path
) -> None:
    plate = tmp_path / "plate.gcode"
    plate.write_bytes(b"G1 X1\n" * (8 * 1024 * 1024))
    small = tmp_path / "small.gcode"
    small.write_bytes(b"G28\n")
    with coordinator(small_disk / "state") as farm:
        refused = farm.farmhand("job", "submit", plate)
        assert refused.code == 1
        assert "is full: make room" in refused.sentence("farmhand")
        assert (farm.jobs(), farm.kept()) == ([], [])
        assert farm.farmhand("job", "submit", small).code == 0


def test_a_disk_so_full_that_no_row_fits_keeps_no_half_of_an_order(
    tmp_path: Path, small_disk: Path
) -> None:
    plate = tmp_path / "plate.gcode"
    plate.write_bytes(b"G28\n")
    with coordinator(small_disk / "state") as farm:
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        refused = farm.farmhand("job", "submit", plate)
        assert refused.code == 1
        assert "make room" in refused.sentence("farmhand")
        filler.unlink()
        assert (farm.jobs(), farm.kept()) == ([], [])
        assert farm.farmhand("job", "submit", plate).code == 0


def test_a_file_size_limit_is_told_as_a_full_disk(tmp_path: Path) -> None:
    plate = tmp_path / "plate.gcode"
    plate.write_bytes(b"G1 X1\n" * (1024 * 1024))

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**21, 2**21))

    with coordinator(tmp_path / "state", before=limit) as farm:
        refused = farm.farmhand("job", "submit", plate)
        assert refused.code == 1
        assert "is full: make room" in refused.sentence("farmhand")
        assert (farm.jobs(), farm.kept()) == ([], [])


def test_a_disk_that_fills_up_while_slicing_fails_the_job_and_leaves_no_scraps(
    tmp_path: Path, small_disk: Path
) -> None:
    if shutil.which(SLICER) is None:
        pytest.skip("prusa-slicer is not installed")
    script = f'head -c 64000000 /dev/zero > {small_disk}/filler; exec /usr/bin/{SLICER} "$@"'
    with with_slicer(small_disk, script) as farm:
        reason = fails(farm)
        assert "disk" in reason
