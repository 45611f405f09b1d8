"""What was heard last of a run that is lost, written down with it: telemetry lives in memory only.

Whoever settles it looks at a bed; how far the print had come, and when, tells what to look for.
"""

from dataclasses import replace

from coordinator.domain.effects import Effect, Effects, Save
from coordinator.domain.history import moment
from coordinator.domain.runs import Run, RunState
from coordinator.usecases.live import Live
from protocols.wire.to_agent import Scalar


def with_evidence(effects: Effects, live: Live) -> Effects:
    """Return effects in which each run that gets lost has its last telemetry, if any was heard."""
    return tuple(_with_evidence(effect, live) for effect in effects)


def _with_evidence(effect: Effect, live: Live) -> Effect:
    match effect:
        case Save(value=Run(state=RunState.LOST) as run):
            sample = live.sample(run.printer_id)
            if sample is None or sample.printer.run_id != run.run_id:
                return effect
            heard = sample.printer
            facts: dict[str, Scalar] = {
                "heard_at": moment(sample.seen_at),
                "progress": heard.progress,
            }
            return Save(
                replace(
                    run,
                    line=max(run.line, heard.line),
                    layer=max(run.layer, heard.layer),
                    facts={**facts, **run.facts},
                )
            )
        case _:
            return effect
