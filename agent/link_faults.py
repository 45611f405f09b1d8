"""Why a connection to the broker failed, in words a person can act on."""

from aiomqtt.exceptions import MqttConnectError

from agent.tls import trouble_in

# Bad user name or password, not authorised: MQTT 3.1.1, 3.2.2.3, and as paho translates them.
_REFUSED = (4, 5, 134, 135)


def reason_of(error: Exception, where: str, username: str | None) -> str:
    """Return one sentence.

    Args:
        where: the broker, `farm.local:8883`.
        username: what it was shown, None for nothing.
    """
    # Errors of other classes have numbers of paho's own.
    if isinstance(error, MqttConnectError) and getattr(error.rc, "value", error.rc) in _REFUSED:
        return _refused(where, username)
    return trouble_in(error, where) or str(error) or type(error).__name__


def _refused(where: str, username: str | None) -> str:
    if username is None:
        return f"the broker {where} lets in only agents that have enrolled: farmhand-agent enroll"
    return (
        f"the broker {where} does not let in {username}: if it was revoked or rotated, enrol again "
        f"(`farmhand agent token --for {username}`), else check mqtt_username and mqtt_password"
    )
