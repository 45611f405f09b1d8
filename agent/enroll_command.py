"""`farmhand-agent enroll TOKEN --coordinator URL`, and the same unasked at the first start."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import structlog

from agent.enrolling import Wish, enrol, is_in_the_clear
from agent.errors import EnrolmentFailed, SettingsInvalid
from agent.identity import read
from agent.settings import AgentSettings, host_as_id, load
from agent.supervisor import Supervisor

log = structlog.get_logger(__name__)

EXIT_FAILED = 1
RETRY_S_MIN, RETRY_S_MAX = 2.0, 60.0


def enroll(arguments: Sequence[str], say: Callable[[str], None]) -> int:
    """Enrol once, now; returns 0, or 1 where it failed.

    Raises:
        SettingsInvalid: the settings are wrong.
    """
    parser = argparse.ArgumentParser(
        prog="farmhand-agent enroll",
        description="Make this machine an agent of a farm. Other flags are settings: --config, "
        "--state-dir, --agent-id ...",
        allow_abbrev=False,
    )
    parser.add_argument("token", help="from `farmhand agent token`; - reads it from the input")
    parser.add_argument("--coordinator", metavar="URL", default="", help="https://farm.local:8150")
    known, flags = parser.parse_known_args(arguments)
    settings = load(flags)
    token = sys.stdin.readline().strip() if known.token == "-" else known.token
    wish = _wish(settings, token, known.coordinator)
    if is_in_the_clear(wish.coordinator_url):
        say("warning: without TLS whoever listens on this network learns the secret;")
        say("         `farmhand tls make` on the coordinator ends that")
    try:
        identity = enrol(wish)
    except EnrolmentFailed as error:
        sys.stderr.write(f"farmhand-agent: {error}\n")
        return EXIT_FAILED
    say(f"enrolled as {identity.agent_id}; the broker is {identity.mqtt_url}")
    say(f"kept in {settings.state_dir}; (re)start the agent, it needs no further settings for this")
    return 0


def enrol_at_first_start(settings: AgentSettings, supervisor: Supervisor) -> bool:
    """Enrol with the token of the settings where nobody did yet, however long that takes.

    Returns whether it did. The supervisor is told that all is well: waiting is what is wanted.

    Raises:
        SettingsInvalid: the coordinator refuses; the text says what to do.
    """
    token = settings.enroll_token.get_secret_value()
    if not token or read(settings.state_dir) is not None:
        return False
    wait_s, told = RETRY_S_MIN, ""
    while True:
        supervisor.ready(f"waits to be let into the farm: {told}" if told else "")
        try:
            identity = enrol(_wish(settings, token, ""))
        except EnrolmentFailed as error:
            if not error.retry:
                raise SettingsInvalid(f"enroll_token: {error}") from error
            if told != (told := str(error)):
                log.warning("enrolment.waits", reason=told)
            _wait(wait_s, supervisor)
            wait_s = min(2 * wait_s, RETRY_S_MAX)
            continue
        log.info("agent.enrolled", agent_id=identity.agent_id, broker=identity.mqtt_url)
        return True


def _wait(wait_s: float, supervisor: Supervisor) -> None:
    """Wait, and say that this is no hanging."""
    until_s = time.monotonic() + wait_s
    while (left_s := until_s - time.monotonic()) > 0:
        supervisor.beat()
        time.sleep(min(left_s, supervisor.beat_s or left_s))
    supervisor.beat()


def _wish(settings: AgentSettings, token: str, coordinator_url: str) -> Wish:
    """Return who wants to enrol where.

    Raises:
        SettingsInvalid: that is no address.
    """
    url = coordinator_url or settings.coordinator_url
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsInvalid(f"{url!r} is no address: write https://HOST:8150")
    return Wish(
        token=token,
        coordinator_url=url,
        state_dir=settings.state_dir,
        agent_id=settings.agent_id if "agent_id" in settings.model_fields_set else None,
        host_name=host_as_id(),
        ca_file=settings.ca_file,
    )
