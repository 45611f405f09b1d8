"""One full example of every message: the source of the golden payloads."""

from datetime import UTC, datetime

from protocols.wire.codec import Message
from protocols.wire.from_agent import (
    CommandResult,
    FoundPlace,
    HostSample,
    Presence,
    PrinterDescription,
    PrinterSample,
    Refusal,
    Reported,
    RunEvent,
    RunReport,
    StagedReport,
    Telemetry,
    UpdateReport,
)
from protocols.wire.to_agent import (
    Acknowledged,
    Assignment,
    BedClearance,
    Command,
    CoordinatorStatus,
    Desired,
    PlateReference,
    StagedLease,
    Sync,
)
from protocols.wire.vocabulary import (
    AgentId,
    BedPolicy,
    Epoch,
    EventKind,
    Finding,
    JobId,
    JournalId,
    Level,
    Mode,
    Nonce,
    PrinterId,
    PrinterState,
    RunId,
    RunPhase,
    Temperature,
    Tuning,
    UpdatePhase,
)

AGENT = AgentId("pi-3")
PRINTER = PrinterId("mk4-07")
JOURNAL = JournalId("jrn-5f0c")
RUN = RunId("run-01")
JOB = JobId("job-01")
HEATERS = {"tool0": Temperature(214.6, 215.0), "bed": Temperature(59.9, 60.0)}

EXAMPLES: dict[str, Message] = {
    "desired": Desired(
        printer_id=PRINTER,
        epoch=Epoch(7),
        revision=41,
        assignment=Assignment(
            run_id=RUN,
            job_id=JOB,
            plate=PlateReference(
                sha256="a" * 64, size_bytes=482113, url="/api/v1/artifacts/" + "a" * 64, name="barn"
            ),
        ),
        mode=Mode.RUN,
        permit=Nonce("n-77"),
        cleared=BedClearance(journal_id=JOURNAL, occupation=6),
        acknowledged=Acknowledged(journal_id=JOURNAL, number=18),
        staged=(
            StagedLease(
                epoch=Epoch(8),
                assignment=Assignment(
                    run_id=RunId("run-02"),
                    job_id=JOB,
                    plate=PlateReference(
                        sha256="b" * 64,
                        size_bytes=482114,
                        url="/api/v1/artifacts/" + "b" * 64,
                        name="door",
                    ),
                ),
                permit=Nonce("n-78"),
            ),
        ),
    ),
    "command": Command(
        id="cmd-1",
        agent_id=AGENT,
        printer_id=PRINTER,
        name="send",
        arguments={"line": "G28 X", "loud": True, "times": 1},
        expires_s=5.0,
    ),
    "coordinator_status": CoordinatorStatus(up=True, coordinator_id="main"),
    "sync": Sync(id="sync-9", spread_s=30.0),
    "presence": Presence(
        agent_id=AGENT,
        online=True,
        boot_id="boot-1",
        connection_id="con-1",
        journal_id=JOURNAL,
        protocol_min=1,
        protocol_max=1,
        protocol_minor=3,
        build="0.1.0",
        update=UpdateReport(
            version="0.1.0", phase=UpdatePhase.ROLLED_BACK, words="it never settled"
        ),
        draining=True,
        printers=(
            PrinterDescription(
                printer_id=PRINTER,
                name="MK4 number seven",
                printer_class="prusa-mk4",
                driver="marlin_serial",
                material="PETG",
                commands=("send",),
                bed_policy=BedPolicy.SELF_CLEARING,
            ),
        ),
    ),
    "reported": Reported(
        agent_id=AGENT,
        printer_id=PRINTER,
        journal_id=JOURNAL,
        boot_id="boot-1",
        sequence=12,
        epoch=Epoch(7),
        revision=41,
        state=PrinterState.IDLE,
        run=RunReport(
            run_id=RUN,
            job_id=JOB,
            phase=RunPhase.READY,
            nonce=Nonce("n-77"),
            nonces_before=(Nonce("n-76"),),
            line_count=18211,
            layer_count=140,
            remaining_s=2710.5,
        ),
        temperatures=HEATERS,
        occupation=6,
        waits_for="a permit",
        refused=Refusal(epoch=Epoch(6), revision=40, reason="epoch 6 is over"),
        events_stored=18,
        findings=(
            Finding(
                rule="heater_stalled.bed",
                level=Level.ALARM,
                words="bed does not get warmer",
                evidence={"target_celsius": 60.0, "actual_celsius": 31.5, "stalled_s": 64.0},
            ),
        ),
        staged=(
            StagedReport(
                run_id=RunId("run-02"),
                epoch=Epoch(8),
                phase=RunPhase.READY,
                nonce=Nonce("n-78"),
                permitted=True,
            ),
        ),
        staged_epoch=Epoch(8),
        ejected=5,
    ),
    "run_event": RunEvent(
        agent_id=AGENT,
        printer_id=PRINTER,
        journal_id=JOURNAL,
        number=19,
        epoch=Epoch(7),
        run_id=RUN,
        job_id=JOB,
        event=EventKind.FINISHED,
        at=datetime(2026, 3, 1, 12, 30, 5, 250000, tzinfo=UTC),
        line=18211,
        layer=140,
        occupation=7,
        facts={"duration_s": 2801.2, "lines_sent": 18213, "resends": 2},
        boot_id="boot-1",
    ),
    "telemetry": Telemetry(
        agent_id=AGENT,
        at_unix_s=1772368205.25,
        printers=(
            PrinterSample(
                printer_id=PRINTER,
                state=PrinterState.PRINTING,
                run_id=RUN,
                temperatures=HEATERS,
                line=9000,
                line_count=18211,
                layer=70,
                layer_count=140,
                progress=0.5,
                remaining_s=1400.0,
                tuning=Tuning(
                    fan_ratio=0.5,
                    speed_ratio=1.1,
                    flow_ratio=0.95,
                    fan_rpm=4980.0,
                    hotend_fan_rpm=7012.0,
                ),
            ),
        ),
        host=HostSample(
            under_voltage=True,
            under_voltage_seen=True,
            throttled=False,
            throttled_seen=True,
            cpu_celsius=61.3,
            disk_free_bytes=3_105_546_240,
            memory_free_bytes=214_433_792,
            load=0.42,
            findings=(
                Finding(
                    rule="under_voltage",
                    level=Level.ALARM,
                    words="the supply is too weak",
                    evidence={"ago_s": 0.0},
                ),
            ),
        ),
    ),
    "command_result": CommandResult(
        id="cmd-1",
        agent_id=AGENT,
        ok=False,
        code="not_possible",
        message="the printer is busy",
        found=(
            FoundPlace(
                address="http://mk4.local",
                driver="prusalink",
                setting="url",
                names=("http://192.168.1.20",),
                firmware="PrusaLink 2.1.2",
                machine="mk4",
                baud_rate=115200,
                missing={"api_key": "?"},
                hint="at the printer, Settings > Network",
                trouble="nobody answers",
                printer_id="mk4-1",
            ),
        ),
    ),
}
