"""Klipper as Moonraker sees it: its Unix-socket API before a machine that takes its time.

After www.klipper3d.org, "API server" and "Status reference". It reads files from the folder of
plates like `virtual_sdcard`, takes as long as their G4 say, and breaks when a test says so. It has
a thread and a loop of its own, so that tests and processes alike may use it.
"""

import asyncio
import json
import os
import threading
import time
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

END = b"\x03"
STATUS_S = 0.1  # Klipper tells every 0.25 s
PLANNER_S = 0.3  # motion goes on so long after the last line was read
X_MM_MAX = 220.0
ENDPOINTS = [
    "info", "emergency_stop", "list_endpoints", "register_remote_method", "gcode/script",
    "gcode/restart", "gcode/firmware_restart", "gcode/subscribe_output", "objects/list",
    "objects/query", "objects/subscribe", "pause_resume/pause", "pause_resume/resume",
    "pause_resume/cancel",
]  # fmt: skip


class Refused(Exception):
    """Klipper's word for no."""


class Klippy:
    """One printer.

    Attributes:
        begun: every file that began to be printed: the judge of "exactly once".
        said: lines that came from outside of files.
        process_id: what it calls its process; another after each `boot`.
    """

    def __init__(self, socket: Path, plates: Path) -> None:
        self.begun: list[str] = []
        self.said: list[str] = []
        self.process_id = os.getpid()
        self._socket, self._plates = socket, plates
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._tasks: set[asyncio.Task[None]] = set()
        self._clients: dict[asyncio.StreamWriter, dict[str, Any]] = {}
        self._server: asyncio.Server | None = None
        self._hurry = asyncio.Event()
        self._printing: asyncio.Task[None] | None = None
        self._reset()

    def _reset(self) -> None:
        self._state, self._message = "ready", "Printer is ready"
        self._mutex = asyncio.Lock()
        self._run = asyncio.Event()
        self._moves_until_s = 0.0
        self._status: dict[str, dict[str, Any]] = {
            "webhooks": {"state": "ready", "state_message": self._message},
            "configfile": {"config": {"virtual_sdcard": {"path": str(self._plates)}}},
            "pause_resume": {"is_paused": False},
            "print_stats": {"state": "standby", "filename": "", "message": "",
                            "total_duration": 0.0, "print_duration": 0.0, "filament_used": 0.0,
                            "info": {"current_layer": None, "total_layer": None}},
            "virtual_sdcard": {"progress": 0.0, "file_position": 0, "is_active": False},
            "display_status": {"progress": 0.0, "message": ""},
            "idle_timeout": {"state": "Idle"},
            "toolhead": {"axis_minimum": [0, 0, 0, 0], "axis_maximum": [X_MM_MAX, 220, 250, 0]},
            "heaters": {"available_heaters": ["extruder", "heater_bed"],
                        "available_sensors": ["extruder", "heater_bed"]},
            "extruder": {"temperature": 21.0, "target": 0.0},
            "heater_bed": {"temperature": 20.0, "target": 0.0},
            "fan": {"speed": 0.0, "rpm": None},
            "gcode_move": {"speed_factor": 1.0, "extrude_factor": 1.0},
        }  # fmt: skip

    # ------------------------------------------------------------------ what a test does with it

    def boot(self) -> None:
        """Come up; another process each time."""
        self.process_id += 1
        self._do(self._open())

    def kill(self) -> None:
        """Be gone, and all that it knew."""
        self._do(self._close())

    def restart(self) -> None:
        """Begin anew in the same process, as RESTART does."""
        self._do(self._again())

    def shut_down(self, message: str = "MCU 'mcu' shutdown: Timer too close") -> None:
        """Stop as after an error of the board."""
        self._do(self._shut_down(message))

    def hurry(self) -> None:
        """Wait at no G4 any more, until `dawdle`."""
        self._loop.call_soon_threadsafe(self._hurry.set)

    def dawdle(self) -> None:
        """Wait at G4 again."""
        self._loop.call_soon_threadsafe(self._hurry.clear)

    def script(self, *lines: str) -> None:
        """A person at the printer's own screen says lines."""
        self._do(self._script("\n".join(lines)))

    @property
    def ready(self) -> bool:
        return self._server is not None and self._state == "ready"

    def status(self, item: str) -> dict[str, Any]:
        return dict(self._status[item])

    def close(self) -> None:
        """End its thread."""
        self.kill()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, act: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(act, self._loop).result(timeout=10)

    # ------------------------------------------------------------------ its life

    async def _open(self) -> None:
        self._reset()
        self._moves_until_s = 0.0
        self._server = await asyncio.start_unix_server(
            self._serve, path=self._socket, limit=1 << 20
        )
        self._spawn(self._tell_on())

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for writer in list(self._clients):
            writer.close()
        self._clients.clear()
        if self._server is not None:
            self._server.close()
            self._server = None
        self._socket.unlink(missing_ok=True)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _again(self) -> None:
        await self._close()
        await self._open()

    def _spawn(self, act: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(act)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _shut_down(self, message: str) -> None:
        self._state, self._message = "shutdown", message
        self._moves_until_s = 0.0  # its board forgets what it was to move
        self._status["webhooks"] = {"state": "shutdown", "state_message": message}
        if self._printing is not None and not self._printing.done():
            self._printing.cancel()
            self._status["print_stats"] |= {"state": "error", "message": message}

    # ------------------------------------------------------------------ its socket

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients[writer] = {}
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                told = json.loads((await reader.readuntil(END))[:-1])
                self._spawn(self._answer(writer, told))
        self._clients.pop(writer, None)
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, told: dict[str, Any]) -> None:
        try:
            result = await self._obey(writer, told["method"], told.get("params") or {})
            answer = {"result": result}
        except Refused as refusal:
            answer = {"error": {"error": "CommandError", "message": str(refusal)}}
        self._send(writer, {"id": told["id"], **answer})

    def _send(self, writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
        if writer in self._clients:
            writer.write(json.dumps(message).encode() + END)

    async def _obey(
        self, writer: asyncio.StreamWriter, method: str, params: dict[str, Any]
    ) -> dict[str, Any]:
        match method:
            case "info":
                return self._info()
            case "list_endpoints":
                return {"endpoints": ENDPOINTS}
            case "emergency_stop":
                await self._shut_down("Shutdown due to webhooks request")
            case "gcode/subscribe_output":
                self._clients[writer]["output"] = params["response_template"]
            case "gcode/script":
                await self._script(params["script"])
            case "objects/list":
                return {"objects": list(self._status)}
            case "objects/query" | "objects/subscribe":
                wanted = {item: fields for item, fields in params["objects"].items()
                          if item in self._status}  # fmt: skip
                shown = {item: self._fields(item, fields) for item, fields in wanted.items()}
                if method == "objects/subscribe":
                    template = params.get("response_template", {})
                    self._clients[writer]["status"] = (template, wanted, json.dumps(shown))
                return {"eventtime": time.monotonic(), "status": shown}
            case "pause_resume/pause" | "pause_resume/resume" | "pause_resume/cancel":
                verb = method.rpartition("/")[2]
                await self._script("CANCEL_PRINT" if verb == "cancel" else verb.upper())
        return {}

    def _info(self) -> dict[str, Any]:
        return {
            "state": self._state, "state_message": self._message, "hostname": "printer",
            "klipper_path": "/klipper", "python_path": "/klipper/python",
            "process_id": self.process_id, "user_id": 1, "group_id": 1,
            "log_file": "/klipper/klippy.log", "config_file": "",
            "software_version": "v0.13.0", "cpu_info": "1 core",
        }  # fmt: skip

    def _fields(self, item: str, fields: list[str] | None) -> dict[str, Any]:
        status = self._status[item]
        return {name: status[name] for name in fields or status if name in status}

    async def _tell_on(self) -> None:
        """Tell what has changed, again and again."""
        while True:
            await asyncio.sleep(STATUS_S)
            moves = time.monotonic() < self._moves_until_s
            self._status["idle_timeout"]["state"] = "Printing" if moves else "Ready"
            for heater in (self._status["extruder"], self._status["heater_bed"]):
                heater["temperature"] = heater["target"] or 21.0
            stats = self._status["print_stats"]
            if stats["state"] == "printing":
                stats["total_duration"] = round(stats["total_duration"] + STATUS_S, 3)
            for writer, client in list(self._clients.items()):
                if "status" in client:
                    template, wanted, before = client["status"]
                    now = {item: self._fields(item, fields) for item, fields in wanted.items()}
                    client["status"] = (template, wanted, json.dumps(now))
                    if changes := _changes(json.loads(before), now):
                        told = {"eventtime": time.monotonic(), "status": changes}
                        self._send(writer, {**template, "params": told})

    def _respond(self, line: str) -> None:
        for writer, client in list(self._clients.items()):
            if "output" in client:
                self._send(writer, {**client["output"], "params": {"response": line}})

    # ------------------------------------------------------------------ its printer

    async def _script(self, script: str) -> None:
        async with self._mutex:
            for line in script.splitlines():
                self.said.append(line)
                await self._line(line)

    async def _line(self, line: str) -> None:
        name, *words = line.partition(";")[0].split() or [""]
        if self._state != "ready" and not name.endswith("RESTART"):
            raise Refused(f"Printer is {self._state}")
        values = {word[0].upper(): float(word[1:]) for word in words if _is_value(word)}
        stats = self._status["print_stats"]
        match name.upper():
            case "SDCARD_PRINT_FILE":
                self._begin(line.partition("=")[2].strip('"'))
            case "SDCARD_RESET_FILE":
                stats |= {"state": "standby", "filename": "", "message": "", "total_duration": 0.0}
            case "PAUSE" if stats["state"] == "printing":
                self._run.clear()
                stats["state"] = "paused"
            case "RESUME" if stats["state"] == "paused":
                self._run.set()
                stats["state"] = "printing"
            case "PAUSE" | "RESUME":
                self._respond("Print is not " + ("printing" if name == "PAUSE" else "paused"))
            case "CANCEL_PRINT":
                self._end("cancelled")
            case "TURN_OFF_HEATERS":
                self._heat("extruder", 0)
                self._heat("heater_bed", 0)
            case "M104" | "M109":
                self._heat("extruder", values.get("S", 0))
            case "M140" | "M190":
                self._heat("heater_bed", values.get("S", 0))
            case "M106":
                self._status["fan"]["speed"] = values.get("S", 255) / 255
            case "M220":
                self._status["gcode_move"]["speed_factor"] = values.get("S", 100) / 100
            case "M105":
                self._respond("B:20.0 /0.0 T0:21.0 /0.0")
            case "FIRMWARE_RESTART" | "RESTART":
                self._loop.create_task(self._again())
            case "G4":
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._hurry.wait(), values.get("P", 0) / 1000)
            case "G0" | "G1":
                if values.get("X", 0) > X_MM_MAX:
                    raise Refused("Move out of range: " + line)
                self._moves_until_s = time.monotonic() + PLANNER_S
                self._status["idle_timeout"]["state"] = "Printing"

    def _heat(self, heater: str, celsius: float) -> None:
        self._status[heater]["target"] = celsius

    def _begin(self, name: str) -> None:
        stats = self._status["print_stats"]
        if stats["state"] == "printing":
            raise Refused("SD busy")
        if not (self._plates / name).is_file():
            raise Refused("Unable to open file")
        self.begun.append(name)
        stats |= {"state": "printing", "filename": name, "message": "", "total_duration": 0.0}
        self._run.set()
        if self._printing is not None:
            self._printing.cancel()
        self._printing = self._spawn(self._print((self._plates / name).read_bytes()))

    def _end(self, state: str, message: str = "") -> None:
        if self._printing is not None and self._printing is not asyncio.current_task():
            self._printing.cancel()
        if self._status["print_stats"]["state"] in ("printing", "paused"):
            self._status["print_stats"] |= {"state": state, "message": message}
        self._status["virtual_sdcard"] = {"progress": 0.0, "file_position": 0, "is_active": False}

    async def _print(self, content: bytes) -> None:
        position = 0
        for line in content.splitlines(keepends=True):
            await self._run.wait()
            try:
                async with self._mutex:
                    await self._line(line.decode())
            except Refused as refusal:
                self._end("error", str(refusal))
                self._respond(f"!! {refusal}")
                return
            position += len(line)
            done = {"progress": position / len(content), "file_position": position}
            self._status["virtual_sdcard"] |= {"is_active": True, **done}
            self._status["display_status"]["progress"] = done["progress"]
        self._end("complete")


def _is_value(word: str) -> bool:
    with suppress(ValueError):
        float(word[1:])
        return True
    return False


def _changes(
    before: dict[str, dict[str, Any]], now: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    found = {
        item: {name: value for name, value in fields.items() if before[item].get(name) != value}
        for item, fields in now.items()
    }
    return {item: fields for item, fields in found.items() if fields}
