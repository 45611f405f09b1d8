"""amqtt as the embedded broker: the configuration we give it, and the process it runs in.

Here nothing of amqtt is loaded: it would cost every coordinator 3 MiB and a tenth of a second.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from coordinator.adapters.embedded_broker.entrance import Entrance, write_private
from coordinator.adapters.embedded_broker.listeners import Listener

_MODULE = "coordinator.adapters.embedded_broker.amqtt_process"


def command(folder: Path, *, listeners: Sequence[Listener], entrance: Entrance) -> list[str]:
    """Write the configuration into a folder and return the command that uses it.

    Raises:
        OSError: it can't be written.
    """
    entrance.write()
    told: dict[str, Any] = {
        "listeners": [
            {"host": each.host, "port": each.port, "tls": [str(path) for path in each.tls or ()]}
            for each in listeners
        ],
        "door": {
            "passwords": str(entrance.passwords),
            "full_users": entrance.full_users,
            "enrolled": entrance.enrolled,
            "programs": asdict(entrance.programs),
        }
        if entrance.closed
        else None,
    }
    configuration = folder / "amqtt.json"
    write_private(configuration, json.dumps(told) + "\n")
    return [sys.executable, "-m", _MODULE, str(configuration)]
