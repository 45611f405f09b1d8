"""How the child is asked to verify G-code, and how its answer is read."""

from pathlib import Path

from coordinator.adapters.slicing_runner.verifying import request_of, verified_of
from coordinator.domain.slicing import Verified
from protocols.gcode.rules import Finding, Severity


def test_only_what_differs_from_the_usual_is_asked() -> None:
    asked = request_of(Path("/a.gcode"), printer_class="mk4", material="", policy={}, text=None)
    assert asked == {"kind": "verify", "gcode_path": "/a.gcode", "printer": "mk4", "material": ""}
    policy = {"temperature": "warn"}
    asked = request_of(
        Path("/a.bgcode"), printer_class="mk4", material="PLA", policy=policy, text=Path("/t")
    )
    assert (asked["policy"], asked["text_path"]) == (policy, "/t")


def test_figures_that_are_not_told_are_unknown() -> None:
    finding = {"line": 3, "rule": "envelope", "severity": "refuse", "words": "too far"}
    assert verified_of({"findings": [finding], "time_s": 60.0}) == Verified(
        time_s=60.0, findings=(Finding(3, "envelope", Severity.REFUSE, "too far"),)
    )
