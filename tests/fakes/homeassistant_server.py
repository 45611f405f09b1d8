"""A real Home Assistant from the package index, as a process on loopback, with MQTT."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, Self

import aiohttp

from tests.benchmarks.installing import NotInstallable, environment
from tests.fakes.mosquitto import free_port

LOCKS = Path(__file__).parent.parent / "edges" / "homeassistant"
# On a loaded machine it imports for half a minute.
START_S_MAX = 180.0
LOOK_S = 0.1
CONFIG = """\
homeassistant:
  name: Farm
http:
  server_host: 127.0.0.1
  server_port: {port}
api:
config:
onboarding:
device_automation:
"""
CLIENT = "http://127.0.0.1/"


def newest_python() -> tuple[Path, Path]:
    """Return a Python that a Home Assistant of ours runs on, and the lock file that goes with it.

    Raises:
        NotInstallable: there is none.
    """
    candidates = [shutil.which("python3.13"), *_of_pyenv("3.13")]
    for each in candidates:
        if each and _version_of(each) >= (3, 13):
            return Path(each), LOCKS / "homeassistant-2025.4.lock"
    raise NotInstallable("Home Assistant 2025.4 wants Python 3.13, which is not here")


def _of_pyenv(version: str) -> list[str]:
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    return [str(path) for path in sorted(root.glob(f"versions/{version}.*/bin/python"))]


def _version_of(python: str) -> tuple[int, ...]:
    program = "import sys; print(*sys.version_info[:2])"
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
    return tuple(map(int, done.stdout.split())) if done.returncode == 0 else (0,)


class HomeAssistant:
    """One Home Assistant; `async with` starts it and lets us in.

    Attributes:
        log: what it wrote.
    """

    def __init__(self, folder: Path, broker_port: int, **broker: Any) -> None:
        """Take the folder of its configuration and the broker that it uses.

        Args:
            broker: more of what its MQTT integration is told: username, password.
        """
        python, lock = newest_python()
        self._programs = environment(lock, python)
        self._folder = folder / "homeassistant"
        self._folder.mkdir()
        self._port = free_port()
        (self._folder / "configuration.yaml").write_text(CONFIG.format(port=self._port))
        self.log = self._folder / "words"
        self._broker = {"broker": "127.0.0.1", "port": broker_port, **broker}
        self._process: subprocess.Popen[bytes] | None = None
        self._stack = AsyncExitStack()
        self._token = ""
        self._number = 0

    async def __aenter__(self) -> Self:
        connector = aiohttp.ClientSession(base_url=f"http://127.0.0.1:{self._port}")
        self._http = await self._stack.enter_async_context(connector)
        self._stack.callback(self.kill)
        await self.start()
        await self._come_in()
        await self._add_mqtt()
        await self._open_socket()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def start(self) -> None:
        """Start it, and return once it answers."""
        self._launch()
        await self.until(self._answers, "Home Assistant")

    def _launch(self) -> None:
        command = [self._programs / "hass", "-c", self._folder, "--skip-pip"]
        with self.log.open("ab") as words:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=words, stderr=words
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def restart(self) -> None:
        """End it in good order, and start it again."""
        assert self._process is not None
        self._process.terminate()
        await asyncio.to_thread(self._process.wait, 60)
        await self.start()
        await self._open_socket()

    async def until(
        self, holds: Callable[[], Any], what: str, within_s: float = START_S_MAX
    ) -> Any:
        """Return what `holds` returns once that is true."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while True:
            found = holds()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            assert loop.time() < until_s, f"{what} did not come:\n{self.log.read_text()[-3000:]}"
            await asyncio.sleep(LOOK_S)

    # ------------------------------------------------------------------ what it knows

    async def states(self) -> dict[str, dict[str, Any]]:
        """Return every state by entity id."""
        async with self._http.get("/api/states", headers=self._headers) as answer:
            return {each["entity_id"]: each for each in await answer.json()}

    async def state(self, unique_id: str) -> str:
        """Return the state of the entity with this unique id; empty where there is none."""
        found = await self.entity(unique_id)
        return found["state"] if found else ""

    async def shows(self, unique_id: str, *states: str, within_s: float) -> None:
        """Return once an entity has one of these states."""

        async def is_so() -> bool:
            return await self.state(unique_id) in states

        await self.until(is_so, f"{unique_id} {states}", within_s)

    async def entity(self, unique_id: str) -> dict[str, Any] | None:
        """Return the state and attributes of the entity with this unique id."""
        entity_id = await self.entity_id(unique_id)
        return (await self.states()).get(entity_id) if entity_id else None

    async def entity_id(self, unique_id: str) -> str:
        """Return what an entity is called; empty where there is none."""
        entries = await self.ask("config/entity_registry/list")
        found = [each["entity_id"] for each in entries if each["unique_id"] == unique_id]
        return found[0] if found else ""

    async def entities(self) -> dict[str, str]:
        """Return every entity of ours, by unique id."""
        entries = await self.ask("config/entity_registry/list")
        return {
            each["unique_id"]: each["entity_id"] for each in entries if each["platform"] == "mqtt"
        }

    async def devices(self) -> list[dict[str, Any]]:
        """Return every device that came by MQTT."""
        found = await self.ask("config/device_registry/list")
        return [each for each in found if any(kind == "mqtt" for kind, _ in each["identifiers"])]

    async def triggers(self, device_id: str) -> list[dict[str, Any]]:
        """Return what automations may begin with at a device, by MQTT."""
        found = await self.ask("device_automation/trigger/list", device_id=device_id)
        return [each for each in found if each["domain"] == "mqtt"]

    async def press(self, unique_id: str, service: str, **data: Any) -> None:
        """Call a service, `button.press` say, of the entity with this unique id."""
        domain, _, name = service.partition(".")
        body = {"entity_id": await self.entity_id(unique_id), **data}
        path = f"/api/services/{domain}/{name}"
        async with self._http.post(path, json=body, headers=self._headers) as answer:
            assert answer.status == 200, await answer.text()

    async def picture(self, unique_id: str) -> bytes:
        """Return what a camera shows."""
        entity_id = await self.entity_id(unique_id)
        path = f"/api/camera_proxy/{entity_id}"
        async with self._http.get(path, headers=self._headers) as answer:
            return await answer.read() if answer.status == 200 else b""

    async def ask(self, kind: str, **arguments: Any) -> Any:
        """Return the answer to one command of its WebSocket."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "type": kind, **arguments})
        while True:
            said = await self._socket.receive_json(timeout=30)
            if said["id"] == self._number and said["type"] == "result":
                assert said["success"], said
                return said["result"]

    async def fires(self, trigger: dict[str, Any]) -> AsyncIterator[None]:
        """Yield each time that an automation with this trigger would begin.

        The first is none: from then on all are.
        """
        socket = await self._admitted()
        asked = {name: value for name, value in trigger.items() if name != "metadata"}
        await socket.send_json({"id": 1, "type": "subscribe_trigger", "trigger": asked})
        async for message in socket:
            said = message.json()
            assert said.get("success", True), said
            yield

    async def changes(self) -> AsyncIterator[tuple[str, str]]:
        """Yield each state that changes, as soon as that is told: entity id, state.

        The first is empty: from then on all are.
        """
        socket = await self._admitted()
        wanted = {"id": 1, "type": "subscribe_events", "event_type": "state_changed"}
        await socket.send_json(wanted)
        async for message in socket:
            said = message.json()
            if said["type"] == "result":
                assert said["success"], said
                yield "", ""
            elif new := said["event"]["data"]["new_state"]:
                yield new["entity_id"], new["state"]

    def complaints(self) -> list[str]:
        """Return what it logged of MQTT as wrong."""
        lines = self.log.read_text(errors="replace").splitlines()
        wrong = [line for line in lines if " ERROR " in line or " WARNING " in line]
        return [line for line in wrong if "mqtt" in line.lower() or "template" in line.lower()]

    # ------------------------------------------------------------------ how we come in

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    async def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()[-3000:]
        with suppress(aiohttp.ClientError):
            async with self._http.get("/api/onboarding") as answer:
                return answer.status == 200
        return False

    async def _come_in(self) -> None:
        """Be the owner, as whoever opens its page first is."""
        person = {"name": "A", "username": "a", "password": "a", "language": "en"}
        body = {"client_id": CLIENT, **person}
        async with self._http.post("/api/onboarding/users", json=body) as answer:
            code = (await answer.json())["auth_code"]
        form = {"grant_type": "authorization_code", "code": code, "client_id": CLIENT}
        async with self._http.post("/auth/token", data=form) as answer:
            self._token = (await answer.json())["access_token"]

    async def _add_mqtt(self) -> None:
        """Add the integration, as a person does on its page."""
        flows, body = "/api/config/config_entries/flow", {"handler": "mqtt"}
        async with self._http.post(flows, json=body, headers=self._headers) as answer:
            flow = await answer.json()
        path = f"{flows}/{flow['flow_id']}"
        async with self._http.post(path, json=self._broker, headers=self._headers) as answer:
            made = await answer.json()
            assert made["type"] == "create_entry", made

    async def _open_socket(self) -> None:
        self._socket, self._number = await self._admitted(), 0

    async def _admitted(self) -> aiohttp.ClientWebSocketResponse:
        socket = await self._stack.enter_async_context(self._http.ws_connect("/api/websocket"))
        await socket.receive_json()
        await socket.send_json({"type": "auth", "access_token": self._token})
        said = await socket.receive_json()
        assert said["type"] == "auth_ok", said
        return socket
