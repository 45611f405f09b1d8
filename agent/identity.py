"""What the agent got when it enrolled: kept in the state folder, readable by its owner only."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import SecretStr

from agent.errors import SettingsInvalid
from agent.settings import AgentSettings

FILE = "credential.json"
AUTHORITY_FILE = "authority.pem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who this agent is to the farm, and where the farm is.

    Attributes:
        secret: shown to the broker beside the agent's name, and to the coordinator.
    """

    agent_id: str
    secret: str
    mqtt_url: str
    coordinator_url: str

    @property
    def token(self) -> str:
        """What the coordinator's API is shown."""
        return f"agent_{self.agent_id}_{self.secret}"


def read(state_dir: Path) -> Identity | None:
    """Return what was kept, None where nobody enrolled here.

    Raises:
        SettingsInvalid: it is damaged, or not ours to read.
    """
    path = state_dir / FILE
    try:
        return Identity(**json.loads(path.read_text()))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SettingsInvalid(
            f"{path} can't be read ({error.strerror}): it belongs to whoever ran "
            "`farmhand-agent enroll`; give it to the user that the agent runs as"
        ) from error
    except (ValueError, TypeError) as error:
        raise SettingsInvalid(
            f"{path} is damaged: remove it and enrol again with a token made by "
            "`farmhand agent rotate`"
        ) from error


def keep(state_dir: Path, identity: Identity, authority: str) -> None:
    """Keep it through a power cut; the authority's certificate lies beside it.

    Raises:
        OSError: it can't be written.
    """
    if authority:
        write_private(state_dir / AUTHORITY_FILE, authority)
    else:
        (state_dir / AUTHORITY_FILE).unlink(missing_ok=True)
    write_private(state_dir / FILE, json.dumps(asdict(identity)) + "\n")


def with_identity(settings: AgentSettings) -> AgentSettings:
    """Return the settings, completed by what was kept; what is set anywhere wins.

    Raises:
        SettingsInvalid: `agent_id` is set to another name than the farm knows, or as `read`.
    """
    identity = read(settings.state_dir)
    if identity is None:
        return settings
    given = settings.model_fields_set
    if "agent_id" in given and settings.agent_id != identity.agent_id:
        raise SettingsInvalid(
            f"agent_id is {settings.agent_id!r}, but the farm knows this agent as "
            f"{identity.agent_id!r} ({settings.state_dir / FILE}): take agent_id out of the "
            "settings, or enrol again with a token for the other name"
        )
    authority = settings.state_dir / AUTHORITY_FILE
    found = {
        "agent_id": identity.agent_id,
        "mqtt_url": identity.mqtt_url,
        "mqtt_password": SecretStr(identity.secret),
        "coordinator_url": identity.coordinator_url,
        "token": SecretStr(identity.token),
        "ca_file": authority if authority.is_file() else None,
    }
    missing = {name: value for name, value in found.items() if name not in given}
    return settings.model_copy(update=missing)


def write_private(path: Path, text: str) -> None:
    """Write a file whole, durably, and readable by the folder's owner only.

    Raises:
        OSError: it can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if os.geteuid() == 0:  # typed by an administrator, for the service's own user
        owner = path.parent.stat()
        os.chown(draft, owner.st_uid, owner.st_gid)
    draft.replace(path)
