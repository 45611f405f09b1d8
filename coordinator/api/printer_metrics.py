"""Lines of metrics about each printer, kept from one scrape to the next.

A scrape of five hundred printers has ten thousand lines. What is written of a printer changes now
and then, so its lines are kept; what it says of itself is rendered anew where it said something
since. Printers have their turn some at a time: whoever else waits for the loop waits a millisecond.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from coordinator.api.exposition import Exposition, labels
from coordinator.domain.printers import Printer, PrinterStatus
from coordinator.usecases.live import Live, Sample
from coordinator.usecases.reading import PrinterView
from protocols.wire.vocabulary import Finding, PrinterId

# So many printers are rendered at a time, in a millisecond.
AT_ONCE = 100

# Names and words, in the order of what `_standing` and then `_said` return.
FAMILIES = (
    ("farmhand_printer_info", "Always 1; what a printer is called."),
    ("farmhand_printer_up", "1 while a printer's agent is connected."),
    ("farmhand_printer_state", "1 for the state that a printer is in, 0 for all others."),
    ("farmhand_printer_temperature_celsius", "Of each heater."),
    ("farmhand_printer_temperature_target_celsius", "What each heater is to have; 0 is off."),
    ("farmhand_printer_job_progress_ratio", "How far the print is, by time: 0 to 1."),
    ("farmhand_printer_job_remaining_seconds", "How long the print will take yet."),
    (
        "farmhand_printer_last_seen_timestamp_seconds",
        "When telemetry of it came last, since 1970.",
    ),
    ("farmhand_printer_findings", "What is wrong with a printer, by rule: 1 while it is."),
)
(_INFO, _UP, _STATE, _ACTUAL, _TARGET, _PROGRESS, _REMAINING, _SEEN, _FINDINGS) = (
    name for name, _ in FAMILIES
)


@dataclass(slots=True)
class _Kept:
    """One printer's lines, and what they were made of.

    Attributes:
        whose: its id as a label's value.
        standing, said: a text of each family; empty where there is no sample.
    """

    printer: Printer
    status: PrinterStatus
    whose: str
    standing: tuple[str, ...]
    sample: Sample | None = None
    findings: Sequence[Finding] = ()
    said: tuple[str, ...] = ("",) * 6


@dataclass(slots=True)
class PrinterMetrics:
    """All printers' lines."""

    _kept: dict[PrinterId, _Kept] = field(default_factory=dict)

    async def tell(self, page: Exposition, views: Sequence[PrinterView], live: Live) -> None:
        """Add what is known of each printer; what nobody knows has no sample.

        Args:
            views: their `printer` and `status` count; what a printer says of itself is looked up.
        """
        self._kept = {
            view.printer.printer_id: known
            for view in views
            if (known := self._kept.get(view.printer.printer_id)) is not None
        }
        told: list[tuple[str, ...]] = []
        for number, view in enumerate(views):
            if number % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)
            kept = self._lines(view, live)
            told.append((*kept.standing, *kept.said))
        for place, (name, words) in enumerate(FAMILIES):
            page.block(name, "gauge", words, filter(None, (each[place] for each in told)))

    def _lines(self, view: PrinterView, live: Live) -> _Kept:
        printer, printer_id = view.printer, view.printer.printer_id
        kept = self._kept.get(printer_id)
        if kept is None or kept.printer is not printer or kept.status is not view.status:
            whose = labels(printer=printer_id)[1:-1]
            standing = _standing(printer, view.status, whose)
            kept = self._kept[printer_id] = _Kept(printer, view.status, whose, standing)
        sample = live.sample(printer_id)
        findings = live.findings.get(printer_id, ()) if printer.online else ()
        if kept.sample is not sample or kept.findings is not findings:
            kept.sample, kept.findings = sample, findings
            kept.said = (*_said(sample, kept.whose), _findings(findings, kept.whose))
        return kept


def _standing(printer: Printer, status: PrinterStatus, whose: str) -> tuple[str, ...]:
    told = labels(
        printer=printer.printer_id,
        name=printer.name,
        printer_class=printer.printer_class,
        printer_group=printer.printer_group,
        location=printer.location,
        agent=printer.agent_id,
        driver=printer.driver,
        material=printer.material,
    )
    return (
        f"{_INFO}{told} 1.0",
        f"{_UP}{{{whose}}} {float(printer.online)!r}",
        "\n".join(
            f'{_STATE}{{{whose},state="{state}"}} {float(status is state)!r}'
            for state in PrinterStatus
        ),
    )


def _said(sample: Sample | None, whose: str) -> tuple[str, ...]:
    if sample is None:
        return ("",) * 5
    said = sample.printer
    heaters = [
        (f"{{{whose},{labels(heater=name)[1:-1]}}}", read)
        for name, read in said.temperatures.items()
    ]
    prints = bool(said.run_id)
    remains = prints and said.remaining_s is not None
    return (
        "\n".join(f"{_ACTUAL}{each} {read.actual_celsius!r}" for each, read in heaters),
        "\n".join(
            f"{_TARGET}{each} {read.target_celsius!r}"
            for each, read in heaters
            if read.target_celsius is not None
        ),
        f"{_PROGRESS}{{{whose}}} {said.progress!r}" if prints else "",
        f"{_REMAINING}{{{whose}}} {said.remaining_s!r}" if remains else "",
        f"{_SEEN}{{{whose}}} {sample.seen_at.timestamp()!r}",
    )


def _findings(findings: Iterable[Finding], whose: str) -> str:
    return "\n".join(
        f"{_FINDINGS}{{{whose},{labels(rule=each.rule, level=each.level.value)[1:-1]}}} 1.0"
        for each in findings
    )
