"""Is finished G-code a plate for this printer? The rules are those of `protocols.gcode.rules`.

An engine's exit status is no verdict: it can be 0 for a part beside the bed, above the ceiling, or
for a file that only homes and heats.
"""

from collections.abc import Mapping, Sequence

from protocols.gcode.dialects import DIALECTS, UNKNOWN, Dialect
from protocols.gcode.rules import RULES, Finding, Limits, Severity, judge
from slicing.errors import PlateRejected
from slicing.profiles import Printer
from slicing.scan import Scan


def findings(
    found: Scan,
    printer: Printer,
    *,
    material: str = "",
    policy: Mapping[str, Severity] = RULES,
) -> list[Finding]:
    """Return what speaks against a plate on a printer, in the order of its lines.

    Args:
        material: what it is meant to be printed with; empty where that is open.
        policy: rule -> what a breach comes to, for rules that a farm sees otherwise.
    """
    return judge(found, limits_of(printer, material), dialect_of(printer), policy)


def check(
    found: Scan,
    printer: Printer,
    *,
    material: str = "",
    policy: Mapping[str, Severity] = RULES,
) -> list[Finding]:
    """Return the findings that are no more than warnings.

    Raises:
        PlateRejected: a rule refuses the plate; `details` hold all findings.
    """
    all_findings = findings(found, printer, material=material, policy=policy)
    refused = [each for each in all_findings if each.severity is Severity.REFUSE]
    if refused:
        raise PlateRejected(
            f"The slicer ended well, but {printer.name} can't print its plate: "
            f"{sentence(refused[0])}. Look at the model in the slicer's own window.",
            findings=as_documents(all_findings),
        )
    return all_findings


def sentence(finding: Finding) -> str:
    """Return a finding in words, with its line."""
    where = f" in line {finding.line}" if finding.line else ""
    return f"{finding.words}{where} ({finding.rule})"


def as_documents(some: Sequence[Finding]) -> list[dict[str, object]]:
    """Return findings ready for JSON."""
    return [
        {
            "line": each.line,
            "rule": each.rule,
            "severity": each.severity.value,
            "words": each.words,
        }
        for each in some
    ]


def limits_of(printer: Printer, material: str = "") -> Limits:
    """Return what a class of printers can do."""
    x_mm, y_mm, z_mm = printer.volume_mm
    return Limits(
        bed_x_mm=x_mm,
        bed_y_mm=y_mm,
        height_mm=z_mm,
        origin_x_mm=printer.bed.origin_mm[0],
        origin_y_mm=printer.bed.origin_mm[1],
        tool_celsius_max=printer.nozzle.celsius_max,
        bed_celsius_max=printer.nozzle.bed_celsius_max,
        tools=1,
        nozzle_mm=printer.nozzle.diameter_mm,
        material=material,
    )


def dialect_of(printer: Printer) -> Dialect:
    """Return the firmware of a class of printers."""
    wanted = printer.dialect.value
    return next((row for row in DIALECTS if row.name.lower() == wanted), UNKNOWN)
