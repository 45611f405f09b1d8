"""A process that has loaded a program, and forks for each start of it that a test wants.

Theory. Most of what a start costs are its imports. Here they are done once: what is forked is a
real process with its own id, arguments, environment, folder, files and end, but it finds its
modules loaded. We have no threads and no loop, of which a fork would take along a half. Who asks
is told, on a socket for each start, that it began and how it ended. Once nobody can ask any more,
even as who asked was killed, all that it forked is ended too.

`python -m tests.fakes.fork_server DESCRIPTOR MODULE`; `forked.py` asks.
"""

import gc
import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

# Standard input, output and error, and where it is told that it began and how it ended.
FILES = 4
REQUEST_BYTES_MAX = 1 << 17

# What `python -m` runs -> where its main function is, and what each start loads late.
PROGRAMS: dict[str, tuple[str, Sequence[str]]] = {
    "coordinator": (
        "coordinator.__main__",
        (
            "coordinator.adapters.outbound.late_trust",
            "coordinator.app",
            "coordinator.machine_wiring",
            "coordinator.setting_origins",
        ),
    ),
    "coordinator.cli.main": (
        "coordinator.cli.main",
        ("coordinator.cli.client", "coordinator.cli.output", "pydantic.type_adapter"),
    ),
    "agent": ("agent.__main__", ("agent.printers.registry", "agent.printers.marlin_serial")),
    "agent.simulator": ("agent.simulator.__main__", ()),
}


def main() -> Any:
    """Serve, and return 0 when nobody can ask any more; in a child, be the program."""
    descriptor, module = sys.argv[1:]
    asked = socket.socket(fileno=int(descriptor))
    where, late = PROGRAMS[module]
    program: Callable[[], Any] = import_module(where).main
    for name in late:
        import_module(name)
    # The garbage collector would write to every page, and so copy it.
    gc.collect()
    gc.freeze()
    threads = len(os.listdir("/proc/self/task"))
    assert threads == 1, f"{module} is loaded with {threads} threads"
    wanted = _serve(asked)
    if wanted is None:
        return 0
    _become(*wanted)
    return program()


def _serve(asked: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Fork for whoever asks, and tell of ends; returns the request and its files in a child."""
    running: dict[int, tuple[int, int]] = {}
    with selectors.DefaultSelector() as waiting:
        waiting.register(asked, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fd in running:
                    waiting.unregister(key.fd)
                    pid, told = running.pop(key.fd)
                    _, status = os.waitpid(pid, 0)
                    with suppress(BrokenPipeError):  # nobody waits for it any more
                        os.write(told, b"ended %d" % os.waitstatus_to_exitcode(status))
                    os.close(told)
                    os.close(key.fd)
                    continue
                data, files, _, _ = socket.recv_fds(asked, REQUEST_BYTES_MAX, FILES)
                if not data:
                    _end(running)
                    return None
                if (pid := os.fork()) == 0:
                    asked.detach()
                    return json.loads(data), files
                ends = os.pidfd_open(pid)
                running[ends] = (pid, files.pop())
                waiting.register(ends, selectors.EVENT_READ)
                for each in files:
                    os.close(each)


def _end(running: Mapping[int, tuple[int, int]]) -> None:
    """Kill what still runs, as `started` does at the end of its block."""
    for ends, (pid, _) in running.items():
        signal.pidfd_send_signal(ends, signal.SIGKILL)
        os.waitpid(pid, 0)


def _become(wanted: dict[str, Any], files: list[int]) -> None:
    """Take on what makes a process: session, files, folder, environment, arguments."""
    os.setsid()
    os.chdir(wanted["cwd"])
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
    os.environ.clear()
    os.environ.update(wanted["environment"])
    arguments = wanted["arguments"]
    sys.argv[:] = [sys.argv[0], *arguments]
    sys.orig_argv[:] = [sys.executable, "-m", wanted["module"], *arguments]
    sys.path[0] = wanted["cwd"]
    myself = os.pidfd_open(os.getpid())
    with socket.socket(fileno=files[3]) as told:
        socket.send_fds(told, [b"began %d" % os.getpid()], [myself])
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and os.path.exists(f"/proc/self/fd/{name}"):
            os.close(int(name))


if __name__ == "__main__":
    sys.exit(main())
