"""What is said of a printer, made from what is remembered and seen. No IO, no clock."""

from agent.core.ahead import ejected, permit_for
from agent.core.memory import Memory
from agent.core.observation import Observation
from agent.core.run import Run
from agent.core.situation import Ahead
from protocols.wire.from_agent import PrinterSample, Refusal, Reported, RunReport, StagedReport
from protocols.wire.to_agent import Desired
from protocols.wire.vocabulary import UNTUNED, PrinterId, RunPhase


def report(
    memory: Memory,
    observed: Observation,
    *,
    boot_id: str,
    sequence: int,
    waits_for: str,
    events_acknowledged: int,
    refused: Refusal | None,
    ahead: Ahead,
    desired: Desired | None,
) -> Reported:
    """Return the whole report of a printer."""
    return Reported(
        agent_id=memory.agent_id,
        printer_id=memory.printer_id,
        journal_id=memory.journal_id,
        boot_id=boot_id,
        sequence=sequence,
        epoch=memory.epoch,
        revision=memory.revision,
        state=observed.state,
        run=_run(memory.run, observed) if memory.run else None,
        temperatures=observed.temperatures,
        message=observed.message,
        occupation=memory.occupation,
        waits_for=waits_for,
        foreign=memory.foreign,
        refused=refused,
        events_stored=memory.events_stored,
        events_acknowledged=events_acknowledged,
        findings=observed.findings,
        staged=tuple(_staged(run, ahead, desired) for run in memory.staged),
        staged_epoch=memory.staged_epoch,
        ejected=ejected(memory),
        ejecting=ahead.ejecting,
    )


def gist(reported: Reported) -> tuple[object, ...]:
    """Return what makes a report worth saying at once; numbers that creep are left out."""
    run = reported.run
    return (
        reported.epoch,
        reported.revision,
        reported.state,
        reported.message,
        reported.occupation,
        reported.waits_for,
        reported.foreign,
        reported.refused,
        reported.events_stored,
        tuple(finding.rule for finding in reported.findings),
        reported.staged,
        reported.ejected,
        reported.ejecting,
        run and (run.run_id, run.phase, run.nonce, run.reason),
    )


def sample(printer_id: PrinterId, observed: Observation) -> PrinterSample:
    """Return one printer's part of the telemetry."""
    run = observed.run
    tuning = observed.tuning if observed.tuning != UNTUNED else None
    if run is None:
        return PrinterSample(
            printer_id=printer_id,
            state=observed.state,
            temperatures=observed.temperatures,
            tuning=tuning,
        )
    return PrinterSample(
        printer_id=printer_id,
        state=observed.state,
        run_id=run.run_id,
        temperatures=observed.temperatures,
        line=run.line,
        line_count=run.line_count,
        layer=run.layer,
        layer_count=run.layer_count,
        progress=run.progress,
        remaining_s=run.remaining_s,
        tuning=tuning,
    )


def _staged(run: Run, ahead: Ahead, desired: Desired | None) -> StagedReport:
    """Return what is said of a staged run; what an earlier process armed it with is not said."""
    nonce = run.nonce if run.nonce in ahead.nonces else None
    return StagedReport(
        run_id=run.run_id,
        epoch=run.epoch,
        phase=run.phase,
        nonce=nonce,
        permitted=nonce is not None and permit_for(desired, run) == nonce,
    )


def _run(run: Run, observed: Observation) -> RunReport:
    seen = observed.run if observed.run and observed.run.run_id == run.run_id else None
    return RunReport(
        run_id=run.run_id,
        job_id=run.job_id,
        phase=run.phase,
        nonce=run.nonce if run.phase is RunPhase.READY else None,
        nonces_before=run.nonces_before,
        line=seen.line if seen else 0,
        line_count=seen.line_count if seen else 0,
        layer=seen.layer if seen else 0,
        layer_count=seen.layer_count if seen else 0,
        progress=seen.progress if seen else 0.0,
        remaining_s=seen.remaining_s if seen else None,
        reason=run.reason,
    )
