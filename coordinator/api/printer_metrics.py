"""Lines of metrics about each printer, kept from one scrape to the next.

A scrape of five hundred printers has ten thousand lines. What is written of a printer changes now
and then, so its lines are kept; what it says of itself is rendered anew where it said something
since. For how long it prints and waits is summed up from one scrape to the next. Printers have
their turn some at a time: whoever else waits for the loop waits a millisecond.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from coordinator.api.exposition import Exposition, labels
from coordinator.domain.printers import Printer, PrinterStatus
from coordinator.usecases.live import Live, Sample
from coordinator.usecases.reading import PrinterView
from protocols.wire.vocabulary import Finding, PrinterId, PrinterState

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
_PRINTING = "farmhand_printer_printing_seconds_total"
_WAITING = "farmhand_printer_waiting_for_operator_seconds_total"
# For what a printer waits that only a person can do.
_BED, _FAULT, _PAUSED = "bed", "fault", "paused"


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
class _Spent:
    """For how long a printer printed, and waited for a person, while somebody scraped.

    Attributes:
        doing: what it was found at last: `printing`, or for what it waits; empty for neither.
    """

    doing: str = ""
    looked_s: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)

    def look(self, doing: str, now_s: float) -> None:
        """Add the time since the last look to what it was at then."""
        if self.doing:
            spent_s = self.seconds.get(self.doing, 0.0) + now_s - self.looked_s
            self.seconds[self.doing] = round(spent_s, 3)
        self.doing, self.looked_s = doing, now_s


@dataclass(slots=True)
class PrinterMetrics:
    """All printers' lines."""

    _kept: dict[PrinterId, _Kept] = field(default_factory=dict)
    _spent: dict[PrinterId, _Spent] = field(default_factory=dict)

    async def tell(
        self, page: Exposition, views: Sequence[PrinterView], live: Live, now_s: float
    ) -> None:
        """Add what is known of each printer; what nobody knows has no sample.

        Args:
            views: their `printer` and `status` count; what a printer says of itself is looked up.
            now_s: a time that never jumps.
        """
        ids = [view.printer.printer_id for view in views]
        self._kept = {each: self._kept[each] for each in ids if each in self._kept}
        self._spent = {each: self._spent.get(each) or _Spent() for each in ids}
        told: list[tuple[str, ...]] = []
        for number, view in enumerate(views):
            if number % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)
            kept = self._lines(view, live)
            told.append((*kept.standing, *kept.said))
        for place, (name, words) in enumerate(FAMILIES):
            page.block(name, "gauge", words, filter(None, (each[place] for each in told)))
        self._tell_spent(page, views, now_s)

    def _tell_spent(self, page: Exposition, views: Sequence[PrinterView], now_s: float) -> None:
        printing: list[str] = []
        waiting: list[str] = []
        for view in views:
            its_id = view.printer.printer_id
            spent, whose = self._spent[its_id], self._kept[its_id].whose
            spent.look(_doing(view.printer, view.status), now_s)
            for doing, spent_s in spent.seconds.items():
                if doing == "printing":
                    printing.append(f"{_PRINTING}{{{whose}}} {spent_s!r}")
                else:
                    waiting.append(f'{_WAITING}{{{whose},reason="{doing}"}} {spent_s!r}')
        page.block(_PRINTING, "counter", "For how long each printer printed.", printing)
        page.block(_WAITING, "counter", "For how long each waited for a person, for what.", waiting)

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


def _doing(printer: Printer, status: PrinterStatus) -> str:
    if status is PrinterStatus.BUSY:
        return _PAUSED if printer.seen is PrinterState.PAUSED else "printing"
    return {PrinterStatus.NEEDS_CLEARING: _BED, PrinterStatus.FAULTED: _FAULT}.get(status, "")


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
