"""A run followed by its ids through both logs of a real farm, and through the spans it makes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.collector import Collector, collector
from tests.fakes.one_printer_farm import one_printer_farm
from tests.fakes.processes import stop, until

MOVES = "".join(f"G1 X{10 + n % 90} Y{20 + n % 70} F6000\n" for n in range(40))
PLATE = f"M104 S200\nG28\n{MOVES}G1 X1 Y1 E1\n"
END_S = 60.0

Line = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """What a farm told of one run that went well.

    Attributes:
        ids: the run's, by the API.
    """

    ids: dict[str, Any]
    coordinator: list[Line]
    agent: list[Line]
    spans: Collector


def lines_of(log: Path) -> list[Line]:
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("farm")
    plate = folder / "plate.gcode"
    plate.write_text(PLATE)
    with collector() as spans:
        settings = {"FARMHAND_OTLP_URL": spans.url}
        with one_printer_farm(folder, settings=settings) as here, here.agent() as agent:
            here.clear_bed()
            job_id = here.farm.farmhand("job", "submit", plate, "--json").json["id"]
            until(lambda: here.farm.jobs()[0]["state"] == "finished", "the end of the print")
            here.farm.farmhand("printer", "send", "p1", "M117 done")
            run = here.farm.ask(f"jobs/{job_id}")[1]["runs"][0]
            assert stop(agent, within_s=END_S) == 0
            assert stop(here.farm.process, within_s=END_S) == 0
            ids = {
                "agent_id": "pi-1",
                "printer_id": "p1",
                "job_id": job_id,
                "run_id": run["id"],
                "epoch": run["epoch"],
            }
            logs = lines_of(here.farm.log), lines_of(folder / "agent.log")
        yield Told(ids, *logs, spans)


def named(lines: list[Line], event: str) -> list[Line]:
    return [line for line in lines if line["event"] == event]


def test_both_logs_tell_the_run_by_all_its_ids(told: Told) -> None:
    turns = ("run.leased", "run.permitted", "run.printing", "run.finished")
    theirs = [named(told.coordinator, turn) for turn in turns]
    ours = [named(told.agent, turn) for turn in ("run.started", "run.finished")]
    for found in (*theirs, *ours):
        [line] = found
        assert told.ids.items() <= line.items()


def test_no_line_that_names_the_run_leaves_out_where_it_is(told: Told) -> None:
    for line in (*told.coordinator, *told.agent):
        if "run_id" in line:
            assert told.ids.items() <= line.items(), line


def test_each_line_of_the_agent_says_whose_it_is(told: Told) -> None:
    assert {line.get("agent_id") for line in told.agent} == {"pi-1"}
    [connected] = named(told.agent, "printer.connected")
    assert connected["printer_id"] == "p1"


def test_the_job_is_found_from_the_request_that_ordered_it(told: Told) -> None:
    [received] = named(told.coordinator, "job.received")
    assert received["job_id"] == told.ids["job_id"]
    answered = named(told.coordinator, "request.answered")
    its_own = [line for line in answered if line["request_id"] == received["request_id"]]
    assert [(line["method"], line["path"]) for line in its_own] == [("POST", "/api/v1/jobs")]


def test_a_command_is_followed_from_its_request_to_the_printer(told: Told) -> None:
    [sent] = named(told.coordinator, "command.sent")
    assert sent["request_id"]
    assert (sent["agent_id"], sent["printer_id"]) == ("pi-1", "p1")
    [done] = named(told.agent, "command.answered")
    assert (done["command_id"], done["printer_id"]) == (sent["command_id"], "p1")
    [answer] = named(told.coordinator, "command.answered")
    assert (answer["command_id"], answer["agent_id"]) == (sent["command_id"], "pi-1")


def test_a_request_and_its_use_case_are_one_trace_which_the_log_names(told: Told) -> None:
    [request] = told.spans.named("POST /api/v1/jobs")
    [ordered] = told.spans.named("accept_order")
    assert (ordered.trace_id, ordered.parent) == (request.trace_id, request.span_id)
    assert request.facts["http.response.status_code"] == 201
    [received] = named(told.coordinator, "job.received")
    assert received["trace_id"] == request.trace_id
    assert request.facts["request_id"] == received["request_id"]
    [write] = [span for span in told.spans.named("write") if span.parent == ordered.span_id]
    assert "job.received" in write.facts["events"]


def test_the_run_is_a_span_as_long_as_it_took(told: Told) -> None:
    assert told.spans.service == "farmhand"
    [run] = told.spans.named("run")
    assert told.ids.items() <= run.facts.items()
    assert (run.facts["state"], run.failed) == ("finished", False)
    assert run.took_s > 0.1
