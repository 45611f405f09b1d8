"""Rules over the machine beside the printers: its supply, its heat, its card.

A supply that sags for a moment resets boards on the USB, and the kernel forgets it within seconds:
so a finding about it stays for a minute. What was seen once is remembered until the machine boots.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from protocols.wire.from_agent import HostSample
from protocols.wire.vocabulary import Finding, Level

SAGS_TOLD_S = 60.0
# A large plate takes 200 MB, and a journal that can't be written holds every decision.
DISK_FREE_BYTES_MIN = 500 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class HostWatch:
    """What the rules remember; a value. Times are monotonic, None: never."""

    under_voltage_at_s: float | None = None
    throttled_at_s: float | None = None


def watch_host(memory: HostWatch, host: HostSample, now_s: float) -> tuple[HostWatch, HostSample]:
    """Return what to remember, and the sample with what was seen before and all findings."""
    if host.under_voltage:
        memory = replace(memory, under_voltage_at_s=now_s)
    if host.throttled:
        memory = replace(memory, throttled_at_s=now_s)
    # The kernel's own driver clears what the firmware has seen each time that it asks.
    host = replace(
        host,
        under_voltage_seen=_seen(host.under_voltage_seen, memory.under_voltage_at_s),
        throttled_seen=_seen(host.throttled_seen, memory.throttled_at_s),
    )
    return memory, replace(host, findings=tuple(_findings(memory, host, now_s)))


def _seen(told: bool | None, at_s: float | None) -> bool | None:
    return True if at_s is not None else told


def _findings(memory: HostWatch, host: HostSample, now_s: float) -> Iterator[Finding]:
    heat = {} if host.cpu_celsius is None else {"cpu_celsius": host.cpu_celsius}
    if (ago_s := _lately(memory.under_voltage_at_s, now_s)) is not None:
        yield Finding(
            rule="under_voltage",
            level=Level.ALARM,
            words="the supply of the machine beside the printers is too weak: it may reset boards",
            evidence={"ago_s": ago_s},
        )
    if (ago_s := _lately(memory.throttled_at_s, now_s)) is not None:
        yield Finding(
            rule="throttled",
            level=Level.WARNING,
            words="the machine beside the printers is slowed down by heat or by its supply",
            evidence={"ago_s": ago_s, **heat},
        )
    if host.disk_free_bytes is not None and host.disk_free_bytes < DISK_FREE_BYTES_MIN:
        free = host.disk_free_bytes
        yield Finding(
            rule="disk_nearly_full",
            level=Level.WARNING,
            words=f"{free / 1024**2:.0f} MiB are left for journal and plates",
            evidence={"disk_free_bytes": free, "disk_free_bytes_min": DISK_FREE_BYTES_MIN},
        )


def _lately(at_s: float | None, now_s: float) -> float | None:
    """Return how long ago it was, None where that is too long ago or never."""
    if at_s is None or now_s - at_s > SAGS_TOLD_S:
        return None
    return round(now_s - at_s, 1)
