"""The files for containers name what there is, and the broker's script does what it says."""

import asyncio
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from coordinator.adapters.broker_files import BrokerFiles
from coordinator.settings import Settings
from protocols.wire.vocabulary import AgentId
from tests.fakes.enrolled_agents import credential_of, secret_of
from tests.fakes.made_certificates import certificates
from tests.fakes.mosquitto import free_port
from tests.fakes.processes import until

ROOM = Path(__file__).parents[2] / "configs" / "compose"


A = AgentId("pi-a")


async def entering(port: int) -> str:
    """Return why an agent does not come in; empty if it does."""
    try:
        async with aiomqtt.Client(
            "127.0.0.1", port, username=A, password=secret_of(A), timeout=1.0
        ):
            return ""
    except aiomqtt.MqttCodeError as error:
        return f"Error: {error}"
    except aiomqtt.MqttError:
        return "nobody listens"


@pytest.fixture(scope="module")
def services() -> Any:
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load((ROOM / "compose.yaml").read_text())["services"]


def test_what_the_coordinator_is_given_are_settings_and_secrets(services: Any) -> None:
    given = services["coordinator"]
    known = {f"FARMHAND_{name}".upper() for name in Settings.model_fields}
    # The last two are the command's, and systemd's, which containers imitate.
    assert given["environment"].keys() - known == {"FARMHAND_URL", "CREDENTIALS_DIRECTORY"}
    assert set(given["secrets"]) <= Settings.model_fields.keys()


def test_what_is_mounted_and_copied_is_there(services: Any) -> None:
    mounts = [each for service in services.values() for each in service["volumes"]]
    files = [each.partition(":")[0] for each in mounts if each[0] == "."]
    assert len(files) == 3
    assert all((ROOM / each).is_file() for each in files)
    build = services["coordinator"]["build"]
    assert (ROOM / build["context"] / build["dockerfile"]).samefile(ROOM / "Dockerfile")
    for lock in re.findall(r"-r /src/(\S+)", (ROOM / "Dockerfile").read_text()):
        assert (ROOM / build["context"] / lock).is_file()


def test_the_script_waits_for_the_coordinator_and_lets_in_who_comes_later(
    tmp_path: Path,
) -> None:
    program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("Mosquitto is not installed (Debian: mosquitto)")
    farm, files, port = tmp_path / "farm", tmp_path / "files", free_port()
    files.mkdir()
    (farm / "tls").mkdir(parents=True)
    door = BrokerFiles(farm / "broker", username="coordinator", password="long enough")
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    config = tmp_path / "farmhand.conf"
    text = (ROOM.parent / "mosquitto" / "farmhand.conf").read_text()
    config.write_text(f"user {user}\n{text}")
    environment = {"FARM": farm, "FILES": files, "CONFIG": config, "USER_OF_BROKER": user}
    environment |= {
        "PORT": free_port(),
        "OWN_PORT": port,
        "PATH": f"{os.environ['PATH']}:/usr/sbin",
    }
    script = subprocess.Popen(
        ["sh", ROOM / "mosquitto.sh"],
        env={name: str(value) for name, value in environment.items()},
        stderr=subprocess.DEVNULL,
    )

    try:
        certificates(farm / "tls", "localhost")
        asyncio.run(door.admit([]))
        until(lambda: "Error" in asyncio.run(entering(port)), "a broker that lets nobody in")
        assert not (files / "passwords").stat().st_mode & 0o077
        asyncio.run(door.admit([credential_of(A)]))
        until(lambda: not asyncio.run(entering(port)), "it to let in who came")
    finally:
        script.terminate()
        assert script.wait(20) == 0
