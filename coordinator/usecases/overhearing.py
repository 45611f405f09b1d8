"""What other coordinators of the farm did, heard from the history that all of them write.

News tells at once what this process did. With several on one database each shows what the others
did as soon as it looks: a cursor over the history, no channel between them.
"""

from coordinator.usecases.farm import Farm
from protocols.wire.vocabulary import PrinterId

# So many lines are looked at in one transaction; a farm writes some ten a second.
_LINES_AT_ONCE = 500


class Overhearing:
    """A place in the history; what stands behind it was not heard yet."""

    def __init__(self, farm: Farm) -> None:
        """Take the farm; what happened before the first look is nobody's news."""
        self._farm = farm
        self._number: int | None = None

    async def look(self) -> None:
        """Tell all that changed since the last look; what was told before is told once more."""
        farm, live = self._farm, self._farm.live
        async with farm.store.read() as unit:
            if self._number is None:
                self._number = (await unit.head()).number
                return
            lines = await unit.events(after=self._number, limit=_LINES_AT_ONCE)
            things = dict.fromkeys((line.subject, line.subject_id) for line in lines)
            for subject, its_id in things:
                # Its telemetry comes to us as well, and counts only from whose printer it is.
                if subject == "printer" and (printer := await unit.printer(PrinterId(its_id))):
                    live.owners[printer.printer_id] = printer.agent_id
        if lines:
            self._number = lines[-1].number
            live.news.tell(things)
