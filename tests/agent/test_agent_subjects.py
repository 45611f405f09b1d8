"""Lines of the log carry the ids of what they are about, as they are when the line is written."""

import json
import subprocess
import sys
from contextvars import copy_context
from threading import Thread
from typing import Any

from agent.core.run import Run
from agent.subjects import Ids, add_ids, ids_of, speak_of
from protocols.wire.to_agent import PlateReference
from protocols.wire.vocabulary import Epoch, JobId, PrinterId, RunId, RunPhase

P1 = PrinterId("p1")
PLATE = PlateReference(sha256="0" * 64, size_bytes=1, url="/", name="plate")


def run_in(phase: RunPhase) -> Run:
    return Run(run_id=RunId("r1"), job_id=JobId("j1"), epoch=Epoch(3), plate=PLATE, phase=phase)


def line(**said: Any) -> dict[str, Any]:
    return dict(add_ids(None, "info", dict(said)))


def test_a_run_is_named_while_it_may_still_move_something() -> None:
    ids = {"printer_id": "p1", "run_id": "r1", "job_id": "j1", "epoch": 3}
    assert ids_of(P1, run_in(RunPhase.PRINTING)) == ids
    assert ids_of(P1, run_in(RunPhase.FINISHED)) == {"printer_id": "p1"}
    assert ids_of(P1, None) == {"printer_id": "p1"}


def test_a_line_says_what_is_so_when_it_is_written_on_whatever_thread() -> None:
    turns: list[Ids] = [ids_of(P1, None)]
    context = copy_context()
    context.run(speak_of, lambda: turns[-1])
    assert context.run(line) == {"printer_id": "p1"}
    turns.append(ids_of(P1, run_in(RunPhase.PRINTING)))
    lines: list[dict[str, Any]] = []
    thread = Thread(target=lambda: lines.append(context.run(line, event="printer.complained")))
    thread.start()
    thread.join()
    assert lines == [{"event": "printer.complained", **turns[-1]}]
    assert line() == {}, "nobody else's lines are about it"


def test_what_a_line_says_itself_stays_and_another_runs_line_gets_none_of_this_ones_ids() -> None:
    context = copy_context()
    context.run(speak_of, lambda: ids_of(P1, run_in(RunPhase.PRINTING)))
    assert context.run(line, run_id="r2") == {"run_id": "r2", "printer_id": "p1"}
    assert context.run(line, run_id="r1", epoch=4)["epoch"] == 4


def test_what_ends_an_agent_is_a_line_of_its_log_without_secrets() -> None:
    script = (
        "import structlog; from agent.logs import configure\n"
        "configure(log_format='json', log_level='info', secrets=['s3cr3t-of-ours'])\n"
        "structlog.contextvars.bind_contextvars(agent_id='pi-1')\n"
        "raise RuntimeError('broker said s3cr3t-of-ours')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    [line] = map(json.loads, done.stderr.splitlines())
    assert (done.returncode, line["event"], line["agent_id"]) == (1, "process.crashed", "pi-1")
    assert "RuntimeError: broker said ***" in line["exception"]
    assert "s3cr3t" not in done.stderr
