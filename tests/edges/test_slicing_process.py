"""A slicing process that misbehaves: real processes, each with one fault."""

import asyncio
import os
import select
import sys
from pathlib import Path

import pytest

from coordinator.adapters.slicing_runner.runner import ChildSlicer
from coordinator.domain.slicing import Inspection, SliceWish
from coordinator.errors import Refused, Unavailable

MIB = 1024 * 1024
PATIENCE_S = 20.0


def slicer(
    script: str, *arguments: str, timeout_s: float = PATIENCE_S, memory_mib: int = 2048
) -> ChildSlicer:
    return ChildSlicer(
        timeout_s=timeout_s,
        memory_bytes_max=memory_mib * MIB,
        command=(sys.executable, "-c", script, *arguments),
    )


async def inspect(made: ChildSlicer) -> Inspection:
    return await made.inspect(
        Path("a.stl"), printer_classes=(), material="", quality="", overrides={}
    )


async def test_a_crash_is_told_with_its_last_words() -> None:
    script = "import sys; [print('line', n, file=sys.stderr) for n in range(9)]; sys.exit(3)"
    with pytest.raises(Unavailable, match=r"ended with status 3: .*line 7 / line 8$"):
        await inspect(slicer(script))


async def test_a_kill_is_told_by_its_signal() -> None:
    with pytest.raises(Unavailable, match="ended with SIGKILL"):
        await inspect(slicer("import os; os.kill(os.getpid(), 9)"))


async def test_words_that_are_no_answer_are_told() -> None:
    with pytest.raises(Unavailable, match="no answer"):
        await inspect(slicer("print('hello')"))


async def test_a_program_that_is_not_there_is_told() -> None:
    made = ChildSlicer(timeout_s=1, memory_bytes_max=MIB, command=("/no/such/program",))
    with pytest.raises(Unavailable, match="can't be started"):
        await inspect(made)


async def test_more_memory_than_allowed_is_a_crash() -> None:
    script = "import sys; sys.stdin.read(); b'x' * (1 << 30)"
    with pytest.raises(Unavailable, match="MemoryError"):
        await inspect(slicer(script, memory_mib=512))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("model_broken", Refused),
        ("profile_unknown", Refused),
        ("engine_missing", Unavailable),
        ("output_unwritable", Unavailable),
        ("a_code_of_tomorrow", Refused),
    ],
)
async def test_a_no_is_refused_or_unavailable(code: str, kind: type[Exception]) -> None:
    script = (
        "import sys, json;"
        f"print(json.dumps({{'kind': 'failed', 'code': '{code}', 'message': 'Because.'}}))"
    )
    with pytest.raises(kind, match=r"^Because\.$") as caught:
        await inspect(slicer(script))
    assert caught.value.code == code  # type: ignore[attr-defined]


# A leader that starts a grandchild, tells both their ids in a file, and waits for ever.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
with open(sys.argv[1] + ".draft", "w") as file:
    file.write(f"{os.getpid()} {other.pid}")
os.rename(sys.argv[1] + ".draft", sys.argv[1])
print('{"kind": "progress", "ratio": 0.5}', flush=True)
time.sleep(1000)
"""


def ends(pid: int) -> bool:
    """Whether a process has ended, or does within the patience."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        ended, _, _ = select.select([handle], [], [], PATIENCE_S)
    finally:
        os.close(handle)
    return bool(ended)


async def test_too_slow_is_told_and_the_whole_group_is_ended(tmp_path: Path) -> None:
    ids = tmp_path / "ids"
    with pytest.raises(Unavailable, match=r"took longer than .* s: raise slicing_timeout_s"):
        await inspect(slicer(STUBBORN, str(ids), timeout_s=3))
    assert all(ends(int(pid)) for pid in ids.read_text().split())


async def test_cancelling_ends_the_whole_group(tmp_path: Path) -> None:
    ids, half = tmp_path / "ids", asyncio.Event()
    wish = SliceWish(model=Path("a.stl"), name="a", printer_class="c", material="pla")
    made = slicer(STUBBORN, str(ids))
    task = asyncio.create_task(made.slice(wish, tmp_path / "out", lambda _ratio: half.set()))
    async with asyncio.timeout(PATIENCE_S):
        await half.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    pids = [int(pid) for pid in ids.read_text().split()]
    assert len(pids) == 2
    assert os.getpid() not in pids
    assert all(ends(pid) for pid in pids)
