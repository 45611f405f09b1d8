"""What a program in the sandbox can't do, with the real bubblewrap and the real kernel."""

import asyncio
import os
import socket
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.adapters.sandbox import counting, levels, watching
from coordinator.adapters.sandbox.jobs import JobFolder, job_folder
from coordinator.adapters.sandbox.levels import Found, Level
from coordinator.adapters.sandbox.limits import Ended, How, Limits
from coordinator.adapters.sandbox.sandbox import Sandbox
from coordinator.errors import Unavailable
from tests.fakes.hostile_scripts import HOSTILE, Hostile

FOUND = levels.find()
PYTHON = Path(sys.base_prefix)
LIMITS = Limits(
    wall_s=30.0,
    cpu_s=30,
    memory_mib=512,
    tasks_max=24,
    file_mib=4,
    folder_mib=16,
    files_max=500,
    said_kib=64,
)

needs_bwrap = pytest.mark.skipif(
    not FOUND.level.holds(Level.BWRAP), reason=f"programs can't be shut in here: {FOUND.words}"
)


async def run(job: JobFolder, script: str, sandbox: Sandbox, limits: Limits = LIMITS) -> Ended:
    job.put("program.py", script.encode())
    python = PYTHON / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    command = [str(python), "-I", "-B", "program.py"]
    return await sandbox.run(command, job, limits=limits, roots=(PYTHON,))


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(FOUND)


@pytest.fixture
def listener():
    """Lend a port of loopback, and the connections that came."""
    came: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.01)
        ended = threading.Event()

        def accept() -> None:
            while not ended.is_set():
                try:
                    came.append(server.accept())
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1], came
        ended.set()
        thread.join()


@needs_bwrap
@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda each: each.name)
async def test_a_hostile_script_does_no_harm_and_ends_with_a_clear_fault(
    hostile: Hostile, sandbox: Sandbox, tmp_path: Path, listener, monkeypatch
) -> None:
    port, came = listener
    monkeypatch.setenv("SESAME", "open sesame")
    secret, out = tmp_path / "secret", tmp_path / "out"
    secret.write_text("open sesame")
    out.write_text("as it was")
    abstract = f"farmhand-{os.getpid()}"
    values = "def breach(): print('BREA' + 'CH')\n"
    values += f"SECRET={str(secret)!r}\nOUT={str(out)!r}\nPORT={port}\nABSTRACT={abstract!r}\n"
    with socket.socket(socket.AF_UNIX) as outside:
        outside.bind("\0" + abstract)
        outside.listen()
        async with job_folder(tmp_path / "jobs") as job:
            # Only who is to be ended by the clock is: other limits need no hurry.
            limits = replace(LIMITS, wall_s=2.0) if How.TOO_LONG in hostile.how else LIMITS
            ended = await run(job, values + hostile.script, sandbox, limits)
            processes = processes_of(job.path)
            taken = job.take("out.stl", bytes_max=1 << 20)
    told = f"{ended.fault}\n{ended.words}"
    assert "BREACH" not in told
    assert ended.how in hostile.how, told
    assert hostile.fault in told
    assert "\x1b" not in told
    assert not taken
    assert processes == []
    assert came == []
    assert out.read_text() == "as it was"
    assert sorted(os.listdir(tmp_path)) == ["jobs", "out", "secret"]
    assert os.listdir(tmp_path / "jobs") == []


def processes_of(folder: Path) -> list[str]:
    """Return the processes that have a job folder as theirs, or in their command."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdecimal():
            try:
                words = (each / "cmdline").read_bytes().decode()
            except OSError:
                continue
            if str(folder) in words:
                found.append(words)
    return found


@needs_bwrap
@pytest.mark.skipif(
    not any(os.access(each, os.W_OK) for each in counting._places()), reason="no cgroup is ours"
)
async def test_the_kernel_ends_forking_where_a_cgroup_can_be_made(
    sandbox: Sandbox, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(watching, "excess", lambda *_: None)  # nobody looks
    script = """
import os
made = 0
while made < 300:
    try: child = os.fork()
    except OSError: break
    if not child: os.read(os.pipe()[0], 1)
    made += 1
raise SystemExit(f'{made} were made')"""
    async with job_folder(tmp_path) as job:
        ended = await run(job, script, sandbox)
    assert 1 < int(ended.words.split()[0]) < LIMITS.tasks_max + 10, ended.words
    assert not [each for place in counting._places() for each in place.glob("farmhand-*")]


def test_there_are_fifty_hostile_scripts() -> None:
    assert len({each.name for each in HOSTILE}) >= 50


@needs_bwrap
async def test_a_program_finds_its_files_and_gives_others(sandbox: Sandbox, tmp_path: Path) -> None:
    async with job_folder(tmp_path) as job:
        job.put("in.txt", b"geometry")
        ended = await run(job, "open('out.stl', 'w').write(open('in.txt').read().upper())", sandbox)
        assert (ended.how, ended.status, ended.fault, ended.words) == (How.EXITED, 0, "", "")
        assert job.take("out.stl", bytes_max=100) == b"GEOMETRY"
        assert job.take("nothing.stl", bytes_max=100) is None


@needs_bwrap
async def test_cpu_time_is_limited_by_itself(sandbox: Sandbox, tmp_path: Path) -> None:
    async with job_folder(tmp_path) as job:
        ended = await run(job, "while True: pass", sandbox, replace(LIMITS, cpu_s=1))
    assert (ended.how, ended.fault) == (How.TOO_MUCH_CPU, "it took more than 1 s of CPU time")


@needs_bwrap
async def test_all_of_a_program_is_gone_when_its_task_is_cancelled(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with job_folder(tmp_path) as job:
        task = asyncio.create_task(
            run(job, "import os\nos.fork()\nopen('began', 'w')\nwhile True: pass", sandbox)
        )
        while not (job.path / "began").exists():
            await asyncio.wait({task}, timeout=0.01)
        assert processes_of(job.path) != []
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert processes_of(job.path) == []


async def test_a_program_is_not_run_below_the_level_it_needs(tmp_path: Path) -> None:
    weak = Sandbox(Found(level=Level.RLIMITS, words="there is no bwrap"))
    async with job_folder(tmp_path) as job:
        with pytest.raises(Unavailable, match="there is no bwrap"):
            await run(job, "open('ran', 'w')", weak)
        assert not (job.path / "ran").exists()


async def test_a_trusted_program_runs_with_limits_alone(tmp_path: Path) -> None:
    weak = Sandbox(Found(level=Level.RLIMITS))
    async with job_folder(tmp_path) as job:
        ended = await weak.run(
            ["sh", "-c", "echo $HOME; exec sleep 60"],
            job,
            limits=Limits(wall_s=0.3),
            needs=Level.RLIMITS,
        )
        assert (ended.how, ended.words) == (How.TOO_LONG, f"{job.path}\n")


@pytest.mark.parametrize("missing", ["bwrap", "prlimit"])
def test_a_level_that_does_not_work_says_what_to_install(
    missing: str, tmp_path: Path, monkeypatch
) -> None:
    for name in {"bwrap", "prlimit"} - {missing}:
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = levels.find()
    assert not found.level.holds(Level.BWRAP)
    assert "install" in found.words


def test_a_kernel_that_refuses_namespaces_is_found_out_by_trying(
    tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'bwrap: setting up uid map' >&2; exit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    found = levels.find()
    assert found.level is Level.RLIMITS
    assert "setting up uid map" in found.words
