"""What printers did all day: their lines of history, played into spells of one status each.

Theory. A line of history holds the fields of a printer that changed. Played in order they tell its
status at any moment, and a spell is the time between two changes of it. `play` takes lines from
where it stopped the last time, so that nobody reads a history twice. What the lines do not tell
(those of a printer that were archived before anybody played them) is no spell.

By these lines alone a printer is busy when its driver sees it print, which differs from the run's
own times by seconds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from coordinator.domain.history import Plain
from coordinator.domain.printers import Bed, BedState, Printer, PrinterStatus, status_of
from protocols.wire.vocabulary import AgentId, PrinterId, PrinterState

# The fields that a status is made of, as history calls them.
FIELDS = ("online", "seen", "foreign", "in_service", "bed_state", "run_id", "quarantine")
# A printer has no status while it is retired; older lines do not tell of it.
RETIRED = "retired_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What one line of history changed in a printer."""

    at: datetime
    printer_id: PrinterId
    changes: Mapping[str, Plain]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a printer stands at the end of what was played.

    Attributes:
        status: since `since`; None where its lines do not tell all that it takes.
        fields: those of `FIELDS`, and `RETIRED`, that its lines told.
    """

    printer_id: PrinterId
    status: PrinterStatus | None
    since: datetime
    fields: Mapping[str, Plain]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A time in which a printer had one status.

    Attributes:
        cleared: it ended because somebody declared the bed clear.
    """

    printer_id: PrinterId
    status: PrinterStatus
    since: datetime
    until: datetime
    cleared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SpellSum:
    """What the spells of one status of one printer amount to within a span of time.

    Attributes:
        clearings: how many of them ended, in that span, with a bed declared clear.
    """

    printer_id: PrinterId
    status: PrinterStatus
    seconds: float
    clearings: int = 0


def play(
    standings: Mapping[PrinterId, Standing], lines: Iterable[Changed]
) -> tuple[dict[PrinterId, Standing], list[Spell]]:
    """Return the standings after lines of history, those that changed only, and what ended."""
    after: dict[PrinterId, Standing] = {}
    spells: list[Spell] = []
    for line in lines:
        told = {name: line.changes[name] for name in (*FIELDS, RETIRED) if name in line.changes}
        if not told:
            continue
        known = after.get(line.printer_id) or standings.get(line.printer_id)
        fields = {**(known.fields if known else {}), **told}
        status = _status(fields)
        if known is None or known.status is not status:
            if known is not None and known.status is not None and known.since < line.at:
                spell = Spell(
                    printer_id=line.printer_id,
                    status=known.status,
                    since=known.since,
                    until=line.at,
                    cleared=known.status is PrinterStatus.NEEDS_CLEARING
                    and told.get("bed_state") == BedState.CLEAR.value,
                )
                spells.append(spell)
            since = line.at
        else:
            since = known.since
        after[line.printer_id] = Standing(
            printer_id=line.printer_id, status=status, since=since, fields=fields
        )
    return after, spells


def still(standing: Standing, since: datetime, until: datetime, now: datetime) -> SpellSum | None:
    """Return what a standing that still lasts adds to a span of time; None for nothing."""
    begun, ended = max(since, standing.since), min(until, now)
    if standing.status is None or begun >= ended:
        return None
    return SpellSum(
        printer_id=standing.printer_id,
        status=standing.status,
        seconds=(ended - begun).total_seconds(),
    )


def _status(fields: Mapping[str, Plain]) -> PrinterStatus | None:
    if fields.get(RETIRED) is not None or any(name not in fields for name in FIELDS):
        return None
    try:
        printer = Printer(
            printer_id=PrinterId(""),
            agent_id=AgentId(""),
            name="",
            printer_class="",
            driver="",
            online=bool(fields["online"]),
            seen=PrinterState(str(fields["seen"])),
            foreign=bool(fields["foreign"]),
            in_service=bool(fields["in_service"]),
            bed=Bed(state=BedState(str(fields["bed_state"]))),
            quarantine=str(fields["quarantine"]),
        )
    except ValueError:
        return None  # a word of a newer version
    status = status_of(printer, None)
    waits = status in (PrinterStatus.NEEDS_CLEARING, PrinterStatus.IDLE)
    return PrinterStatus.RESERVED if waits and fields["run_id"] is not None else status
