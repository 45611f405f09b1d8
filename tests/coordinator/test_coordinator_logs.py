"""What is logged, and what never is."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog
from aiohttp.http_exceptions import BadStatusLine

from coordinator import logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root, hook = logging.getLogger(), sys.excepthook
    before, level = list(root.handlers), root.level
    written = io.StringIO()
    logs.configure(form="auto", level="info", stream=written)
    yield written
    structlog.reset_defaults()
    root.handlers[:] = before
    root.setLevel(level)
    sys.excepthook = hook


def test_away_from_a_terminal_each_line_is_json(stream: io.StringIO) -> None:
    structlog.get_logger("a").info("job.leased", job_id="job-1", epoch=3)
    logging.getLogger("some.library").warning("it said %s", "so")
    ours, theirs = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (ours["event"], ours["job_id"], ours["level"]) == ("job.leased", "job-1", "info")
    assert (theirs["event"], theirs["logger"]) == ("it said so", "some.library")


def test_what_sounds_secret_is_hidden(stream: io.StringIO) -> None:
    structlog.get_logger("b").info("x", broker_password="geheim", Authorization="geheim", port=1)
    assert "geheim" not in stream.getvalue()
    assert json.loads(stream.getvalue())["port"] == 1


def test_an_exception_that_nobody_caught_is_logged(stream: io.StringIO) -> None:
    error = ValueError("oh")
    sys.excepthook(ValueError, error, None)
    said = json.loads(stream.getvalue())
    assert (said["event"], said["level"]) == ("process.crashed", "critical")
    assert said["exception"][0]["exc_value"] == "oh"


def test_a_crash_does_not_show_what_its_variables_held(stream: io.StringIO) -> None:
    def login(word: str) -> None:
        raise ValueError(f"refused after {len(word)} letters")

    try:
        login("geheim")
    except ValueError:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    assert "refused after 6 letters" in stream.getvalue()
    assert "login" in stream.getvalue()
    assert "'geheim'" not in stream.getvalue()


@pytest.mark.parametrize(("error", "lines"), [(BadStatusLine("GET"), 0), (ZeroDivisionError(), 1)])
def test_who_speaks_no_http_fills_no_log(stream: io.StringIO, error: Exception, lines: int) -> None:
    logging.getLogger("aiohttp.server").error("Error handling request", exc_info=error)
    assert len(stream.getvalue().splitlines()) == lines
