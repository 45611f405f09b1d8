"""The command, called within this process against a served farm."""

import asyncio
import contextlib
import io
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from coordinator.cli import main as command
from tests.fakes.served_farm import TOKEN, ServedFarm, served


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Farmhand = Callable[..., Awaitable[Ended]]


def run(*arguments: str) -> Ended:
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        argv, sys.argv = sys.argv, ["farmhand", *arguments]
        try:
            command.main()
        except SystemExit as error:
            code = int(error.code or 0)
        finally:
            sys.argv = argv
    return Ended(code, out.getvalue(), err.getvalue())


@pytest.fixture
def farm(tmp_path: Path) -> ServedFarm:
    folder = tmp_path / "artifacts"
    folder.mkdir()
    return ServedFarm(folder)


@pytest.fixture
async def farmhand(
    farm: ServedFarm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Farmhand]:
    async with served(farm) as session:
        monkeypatch.setenv("FARMHAND_URL", str(session._base_url).rstrip("/"))
        monkeypatch.setenv("FARMHAND_TOKEN", TOKEN)

        async def call(*arguments: str) -> Ended:
            return await asyncio.to_thread(run, *arguments)

        with capture_logs():  # the server's, which runs in this same process
            yield call
