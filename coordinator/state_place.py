"""Where a coordinator keeps its state when nobody says where."""

import os
from pathlib import Path

# Of the one that systemd runs (systemd/farmhand-coordinator.service).
SERVICE = Path("/var/lib/farmhand/coordinator")


def state_dir_default() -> Path:
    """Return the folder: the user's own; an administrator means the service, where there is one."""
    if os.geteuid() == 0 and SERVICE.is_dir():
        return SERVICE
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "farmhand"
