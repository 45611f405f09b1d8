"""An administrator's command goes on as the agent's own user.

What it writes is the agent's then, and what it may not use, the agent may not use either.
"""

import os
import pwd
from pathlib import Path


def step_down(state_dir: Path) -> None:
    """Become whom a state folder belongs to; nothing is done for anybody but root."""
    if os.geteuid() != 0 or not state_dir.is_dir():
        return
    owner = state_dir.stat()
    if owner.st_uid == 0:
        return
    try:
        os.initgroups(pwd.getpwuid(owner.st_uid).pw_name, owner.st_gid)
    except KeyError:
        os.setgroups([])
    os.setgid(owner.st_gid)
    os.setuid(owner.st_uid)
