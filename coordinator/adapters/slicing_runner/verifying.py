"""The child's request `verify` and its answer: the one place where their fields are named."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coordinator.domain.slicing import Verified
from protocols.gcode.rules import Finding, Severity


def request_of(
    gcode: Path,
    *,
    printer_class: str,
    material: str,
    policy: Mapping[str, str],
    text: Path | None,
) -> dict[str, Any]:
    """Return the request.

    Args:
        policy: rule -> `refuse`, `warn` or `ignore`, where the farm differs from the usual.
        text: where the text of binary G-code goes.
    """
    request: dict[str, Any] = {
        "kind": "verify",
        "gcode_path": str(gcode),
        "printer": printer_class,
        "material": material,
    }
    if policy:
        request["policy"] = dict(policy)
    if text is not None:
        request["text_path"] = str(text)
    return request


def verified_of(result: Mapping[str, Any]) -> Verified:
    """Return what the answer says; figures that it does not tell are None."""
    return Verified(
        time_s=result.get("time_s"),
        filament_mm=result.get("filament_mm"),
        filament_g=result.get("filament_g"),
        layer_count=result.get("layers"),
        line_count=result.get("lines"),
        findings=tuple(
            Finding(each["line"], each["rule"], Severity(each["severity"]), each["words"])
            for each in result["findings"]
        ),
    )
