"""An outside that answers as it is told, and remembers what it was asked."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from coordinator.ports_outward import Answer, Question, Write


async def takes(question: Question) -> Answer:
    """Take what comes."""
    return Answer(status=204, headers={}, body=b"")


def answers(status: int, **headers: str) -> Callable[[Question], Awaitable[Answer]]:
    async def answer(question: Question) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Answer(status=status, headers=named, body=b"")

    return answer


class FakeOutside:
    """Implements `coordinator.ports_outward.Outside`; `answer` may be changed at any time."""

    def __init__(self) -> None:
        self.answer: Callable[[Question], Awaitable[Answer]] = takes
        self.asked: list[Question] = []

    def objection(self, url: str) -> str:
        return "" if url.startswith("http") else "write http://HOST/..."

    async def ask(self, question: Question) -> Answer:
        self.asked.append(question)
        return await self.answer(question)

    async def fetch(self, question: Question, write: Write) -> Answer:
        answer = await self.ask(question)
        if answer.status != 200:
            return answer
        await write(answer.body)
        return replace(answer, body=b"")

    def said(self, url: str = "") -> list[Any]:
        """Return the messages that were posted, as JSON."""
        return [json.loads(each.body) for each in self.asked if url in ("", each.url)]
