"""The systemd units do what the READMEs say of them."""

from pathlib import Path

from agent import line_thread

UNITS = Path(__file__).parents[2] / "systemd"


def keys(unit: str) -> dict[str, str]:
    lines = (UNITS / unit).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")


def test_stopping_the_agent_is_a_plain_sigterm_with_time_to_close_its_ports() -> None:
    agent = keys("farmhand-agent.service")
    assert not agent.keys() & {"ExecStop", "ExecStopPost", "KillSignal", "KillMode", "SendSIGHUP"}
    assert int(agent["TimeoutStopSec"]) > 2 * line_thread.END_S_MAX


def test_an_agent_that_was_drained_stays_ended_and_one_that_died_comes_back() -> None:
    agent = keys("farmhand-agent.service")
    assert agent["Restart"] == "on-failure"
    assert "SuccessExitStatus" not in agent
