"""`python -m slicing` as a child of the command: one request, progress, one answer."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from tempfile import TemporaryFile
from typing import Any

import typer

from coordinator.cli.exits import CommandFailed, UsageWrong
from coordinator.errors import Unavailable

# A child that was told to stop ends its slicer first, which takes no longer than this.
_STOP_S = 10.0

# The fault of whoever typed it; all other failures are the model's or the machine's.
_USAGE = frozenset({"profile_unknown", "setting_invalid", "engine_unknown", "request_invalid"})


def ask(
    request: Mapping[str, Any], on_progress: Callable[[float, str], None] = lambda _r, _s: None
) -> dict[str, Any]:
    """Return the result of one request to the slicing process.

    Raises:
        CommandFailed: the answer is no, with slicing's own code; or the process crashed.
        KeyboardInterrupt: the child was ended, and its slicer with it.
    """
    with (
        TemporaryFile() as errors,  # a pipe that nobody reads would hold it up
        subprocess.Popen(
            [sys.executable, "-m", "slicing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            # Ctrl-C reaches only the command, which ends the child in order.
            start_new_session=True,
        ) as child,
    ):
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            with suppress(BrokenPipeError):
                child.stdin.write(json.dumps(request).encode())
                child.stdin.close()
            answer: dict[str, Any] = {}
            for line in child.stdout:
                answer = json.loads(line)
                if answer["kind"] == "progress":
                    on_progress(answer["ratio"], answer["stage"])
            child.wait()
        except BaseException:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                child.kill()
            raise
        if answer.pop("kind", "") == "result":
            return answer
        if "code" in answer:
            kind = UsageWrong if answer["code"] in _USAGE else CommandFailed
            raise kind(answer["message"], code=answer["code"])
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace").strip().splitlines()
        raise CommandFailed(
            f"the slicing process ended with status {child.returncode}: "
            f"{said[-1] if said else 'it said nothing'}",
            code="slicer_crashed",
        )


def set_up_part(part: str) -> None:
    """Fetch an optional part, and print where it lies.

    Raises:
        CommandFailed: it can't be had; the reason is on standard error.
    """
    from coordinator.adapters.rendering import setting_up

    if part in setting_up.PARTS:
        try:
            places = setting_up.fetch(part)
        except Unavailable as error:
            raise CommandFailed(error.message, code=error.code) from error
        for place in places:
            typer.echo(place)
        return
    if part != "wasm":
        known = ", ".join(("wasm", *setting_up.PARTS))
        raise UsageWrong(f'there is no part "{part}"; there are: {known}', code="part_unknown")
    done = subprocess.run([sys.executable, "-m", "slicing.curawasm_setup"], check=False)
    if done.returncode:
        raise CommandFailed("the slicer could not be fetched", code="engine_missing")
