"""When maintenance is due."""

from dataclasses import replace
from datetime import timedelta

import pytest

from coordinator.domain.upkeep import Upkeep, standing
from protocols.wire.vocabulary import PrinterId
from tests.fakes.values import NOW

TASK = Upkeep(
    upkeep_id="u", printer_id=PrinterId("p"), name="oil", since=NOW, created_at=NOW, every_h=100.0
)


@pytest.mark.parametrize(
    ("printed_h", "days", "every_days", "due"),
    [(99, 1000, None, False), (100, 0, None, True), (99, 30, 30.0, True), (99, 29, 30.0, False)],
)
def test_a_task_is_due_by_whichever_comes_first(
    printed_h: float, days: float, every_days: float | None, due: bool
) -> None:
    task = replace(TASK, every_days=every_days)
    now = NOW + timedelta(days=days)
    assert standing(task, printed_h * 3600, now).due == due
    assert not standing(replace(task, archived=True), printed_h * 3600, now).due
