"""Rules over what a printer reports: what a person should look at, with the evidence.

Theory. Firmwares protect themselves, but not all of them do, nor is every fault fatal. A rule looks
at how things are and at what was remembered since something began; it never acts. A finding lasts
as long as its cause: whoever performs this tells it once when it appears and once when it goes.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from protocols.wire.vocabulary import Finding, Level, Temperature

RULES = frozenset(
    {
        "heater_stalled",
        "thermal_runaway",
        "temperature_silence",
        "resends",
        "planner_starved",
        "head_out_of_place",
    }
)

RESENDS_LINES_MIN = 100  # fewer lines say nothing about a ratio
_OFF_CELSIUS = 40.0  # a target below this is warmth, no heating


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """When something is wrong. Each with its reason.

    Attributes:
        silence_s: printers report every 2 to 5 s, and not at all while an old one homes or probes.
        stall_s: a bed on mains power gains a degree in 10 s, a cold big one in 30.
        stall_celsius: what has to be gained in that time.
        reached_celsius: so near its target a heater has arrived.
        fall_celsius: below a target that had been reached; fans and cold filament cost 10.
        fall_s: a fan that starts lets the temperature dip for some seconds.
        excess_celsius: above the target; a controller overshoots by less than 10.
        excess_s: how long it may.
        resends_warning, resends_alarm: share of lines that had to be repeated.
        dry_per_minute: moves that came too late; a head that stops ten times a minute leaves marks.
        dry_times: and so many of them; after a pause or a long command one or two are usual.
    """

    silence_s: float = 120.0
    stall_s: float = 60.0
    stall_celsius: float = 2.0
    reached_celsius: float = 5.0
    fall_celsius: float = 20.0
    fall_s: float = 20.0
    excess_celsius: float = 20.0
    excess_s: float = 20.0
    resends_warning: float = 0.01
    resends_alarm: float = 0.10
    dry_per_minute: float = 10.0
    dry_times: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Dryness:
    """How often, of late, moves came onto a planner that had run empty.

    Attributes:
        per_minute: of the time that was looked at.
        gap_ms: the longest that the head waited, estimated.
        times: how many were seen.
    """

    per_minute: float
    gap_ms: float
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is seen at one moment.

    Attributes:
        now_s: monotonic.
        readings: heater -> last reading.
        read_at_s: when the last of them came; None: none ever.
        connected: the printer answers.
        lines_sent, resends: of the present run, or since the connection.
        dryness: of the firmware's planner, None where nobody can say.
        out_of_place: axis -> where the head is and where the plate has it, in mm, if they differ.
    """

    now_s: float
    readings: Mapping[str, Temperature]
    read_at_s: float | None
    connected: bool = True
    lines_sent: int = 0
    resends: int = 0
    dryness: Dryness | None = None
    out_of_place: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heating:
    """What is remembered of one heater since its target was set.

    Attributes:
        best_celsius, best_at_s: the last real gain and when it was made.
        reached: it has been at its target.
        amiss_since_s: since when it is too far from it, None while it is not.
    """

    target_celsius: float
    best_celsius: float
    best_at_s: float
    reached: bool = False
    amiss_since_s: float | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """What the rules remember; a value."""

    heaters: Mapping[str, Heating] = field(default_factory=dict)


def watch(
    memory: Watch, look: Look, patience: Patience | None = None
) -> tuple[Watch, tuple[Finding, ...]]:
    """Return what to remember, and everything that is wrong now."""
    patience = patience or Patience()
    if not look.connected:
        return Watch(), ()
    heaters = {
        name: _follow(memory.heaters.get(name), reading, look.now_s, patience)
        for name, reading in look.readings.items()
        if reading.target_celsius is not None
    }
    findings = [
        *_silence(look, patience),
        *(
            finding
            for name, heating in heaters.items()
            for finding in _heater(name, heating, look, patience)
        ),
        *_resends(look, patience),
        *_starved(look, patience),
        *_out_of_place(look),
    ]
    return Watch(heaters), tuple(findings)


def calls_for_stop(finding: Finding, stop_on: Collection[str]) -> bool:
    """Whether a person named this rule as one that ends a run.

    Lines that had to be repeated end one only as an alarm: a warning costs time, and no print.
    """
    rule = finding.rule.partition(".")[0]
    return rule in stop_on and (rule != "resends" or finding.level is Level.ALARM)


def words_of_place(out_of_place: Mapping[str, tuple[float, float]]) -> str:
    """Return in words where the head is and where the plate has it; empty where they agree."""
    wrong = [
        f"{axis}{here:g} instead of {axis}{there:g}"
        for axis, (here, there) in sorted(out_of_place.items())
    ]
    return f"the head is not where the plate has it: {', '.join(wrong)}" if wrong else ""


def _follow(
    before: Heating | None, reading: Temperature, now_s: float, patience: Patience
) -> Heating:
    """Return what is known of a heater after one more reading."""
    target, actual = reading.target_celsius or 0.0, reading.actual_celsius
    if before is None or before.target_celsius != target:
        before = Heating(target_celsius=target, best_celsius=actual, best_at_s=now_s)
    if actual >= before.best_celsius + patience.stall_celsius:
        before = replace(before, best_celsius=actual, best_at_s=now_s)
    if abs(actual - target) <= patience.reached_celsius:
        before = replace(before, reached=True)
    fallen = before.reached and actual < target - patience.fall_celsius
    excess = before.reached and actual > target + patience.excess_celsius
    if target < _OFF_CELSIUS or not (fallen or excess):
        return replace(before, amiss_since_s=None)
    since_s = before.amiss_since_s
    return replace(before, amiss_since_s=now_s if since_s is None else since_s)


def _heater(name: str, heating: Heating, look: Look, patience: Patience) -> Iterator[Finding]:
    target, actual = heating.target_celsius, look.readings[name].actual_celsius
    if target < _OFF_CELSIUS:
        return
    evidence = {"target_celsius": target, "actual_celsius": actual}
    stalled_s = look.now_s - heating.best_at_s
    below = actual < target - patience.reached_celsius
    if not heating.reached and below and stalled_s > patience.stall_s:
        words = f"{name} does not get warmer: {actual:.0f} °C of {target:.0f} for {stalled_s:.0f} s"
        yield Finding(
            rule=f"heater_stalled.{name}",
            level=Level.ALARM,
            words=words,
            evidence={**evidence, "stalled_s": stalled_s},
        )
    if heating.amiss_since_s is None:
        return
    amiss_s = look.now_s - heating.amiss_since_s
    if amiss_s > (patience.fall_s if actual < target else patience.excess_s):
        yield Finding(
            rule=f"thermal_runaway.{name}",
            level=Level.ALARM,
            words=f"{name} is at {actual:.0f} °C instead of {target:.0f} for {amiss_s:.0f} s",
            evidence={**evidence, "amiss_s": amiss_s},
        )


def _silence(look: Look, patience: Patience) -> Iterator[Finding]:
    hot = any((reading.target_celsius or 0) >= _OFF_CELSIUS for reading in look.readings.values())
    if look.read_at_s is None or not hot:
        return
    silent_s = look.now_s - look.read_at_s
    if silent_s > patience.silence_s:
        yield Finding(
            rule="temperature_silence",
            level=Level.WARNING,
            words=f"no temperature for {silent_s:.0f} s while something heats",
            evidence={"silent_s": silent_s},
        )


def _resends(look: Look, patience: Patience) -> Iterator[Finding]:
    if look.lines_sent < RESENDS_LINES_MIN:
        return
    ratio = look.resends / look.lines_sent
    if ratio < patience.resends_warning:
        return
    alarm = ratio >= patience.resends_alarm
    yield Finding(
        rule="resends",
        level=Level.ALARM if alarm else Level.WARNING,
        words=f"{ratio:.1%} of the lines arrive broken: look at cable and interference",
        evidence={"lines_sent": look.lines_sent, "resends": look.resends, "ratio": ratio},
    )


def _starved(look: Look, patience: Patience) -> Iterator[Finding]:
    dry = look.dryness
    if dry is None or dry.times < patience.dry_times or dry.per_minute < patience.dry_per_minute:
        return
    yield Finding(
        rule="planner_starved",
        level=Level.WARNING,
        words=f"moves come too late {dry.per_minute:.0f} times a minute, and the head waits: "
        "the line is too slow for this plate",
        evidence={"dry_per_minute": dry.per_minute, "gap_ms": dry.gap_ms, "times": dry.times},
    )


def _out_of_place(look: Look) -> Iterator[Finding]:
    if not look.out_of_place:
        return
    evidence: dict[str, float] = {}
    for axis, (here, there) in sorted(look.out_of_place.items()):
        evidence[f"{axis.lower()}_told_mm"] = here
        evidence[f"{axis.lower()}_plate_mm"] = there
    yield Finding(
        rule="head_out_of_place",
        level=Level.ALARM,
        words=words_of_place(look.out_of_place),
        evidence=evidence,
    )
