"""The machine beside the printers, from trees of files with the kernel's own formats."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent import host as machine
from agent.core.watch_host import DISK_FREE_BYTES_MIN, HostWatch, watch_host
from agent.host import Host
from protocols.wire.from_agent import HostSample
from protocols.wire.vocabulary import Level

PI_4 = {
    "sys/devices/platform/soc/soc:firmware/get_throttled": "0\n",
    "sys/class/hwmon/hwmon0/name": "cpu_thermal\n",
    "sys/class/hwmon/hwmon1/name": "rpi_volt\n",
    "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "0\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "48312\n",
    "proc/meminfo": "MemTotal:         440616 kB\nMemFree:           65532 kB\n"
    "MemAvailable:     209408 kB\nBuffers:           14208 kB\n",
    "proc/loadavg": "0.52 0.58 0.59 1/612 21034\n",
}
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
PI_5 = "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"
ALARM = "sys/class/hwmon/hwmon1/in0_lcrit_alarm"


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


async def seen(root: Path) -> HostSample:
    """Return what the first look of a fresh agent sees."""
    return await Host(root, root=root).look()


async def test_a_sound_pi_tells_everything_and_nothing_is_wrong(tmp_path: Path) -> None:
    sample = await seen(tree(tmp_path, PI_4))
    assert (sample.under_voltage, sample.under_voltage_seen) == (False, False)
    assert (sample.throttled, sample.throttled_seen) == (False, False)
    assert sample.cpu_celsius == 48.312
    assert sample.memory_free_bytes == 209408 * 1024
    assert sample.load is not None
    assert sample.disk_free_bytes is not None
    assert [finding.rule for finding in sample.findings if "disk" not in finding.rule] == []


@pytest.mark.parametrize(
    ("bits", "now", "past", "rules"),
    [
        ("50005", (True, True), (True, True), ["under_voltage", "throttled"]),
        ("50000", (False, False), (True, True), []),
        ("80008", (False, True), (False, True), ["throttled"]),
        ("1", (True, False), (True, False), ["under_voltage"]),
    ],
)
@pytest.mark.parametrize("path", [THROTTLED, PI_5])
async def test_the_bits_of_the_firmware_tell_now_from_since_it_booted(
    tmp_path: Path,
    path: str,
    bits: str,
    now: tuple[bool, bool],
    past: tuple[bool, bool],
    rules: list[str],
) -> None:
    sample = await seen(tree(tmp_path, {path: f"{bits}\n"}))
    assert (sample.under_voltage, sample.throttled) == now
    assert (sample.under_voltage_seen, sample.throttled_seen) == past
    assert [finding.rule for finding in sample.findings if "disk" not in finding.rule] == rules


async def test_a_kernel_without_the_firmwares_file_tells_under_voltage_by_its_alarm(
    tmp_path: Path,
) -> None:
    files = {name: text for name, text in PI_4.items() if name != THROTTLED} | {ALARM: "1\n"}
    sample = await seen(tree(tmp_path, files))
    assert (sample.under_voltage, sample.under_voltage_seen) == (True, True)
    assert (sample.throttled, sample.throttled_seen) == (None, None)
    finding = sample.findings[0]
    assert (finding.rule, finding.level) == ("under_voltage", Level.ALARM)


async def test_where_only_the_program_tells_it_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    program = tools / "vcgencmd"
    program.write_text('#!/bin/sh\n[ "$1" = get_throttled ] && echo throttled=0x50005\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/bin:/usr/bin")
    assert (await seen(tmp_path)).throttled is None, "no Pi: nobody is asked"
    sample = await seen(tree(tmp_path, {"dev/vcio": ""}))
    assert (sample.under_voltage, sample.throttled) == (True, True)
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(machine, "VCGENCMD_S_MAX", 0.05)
    assert (await seen(tmp_path)).throttled is None, "one that hangs is not waited for"


async def test_another_machine_tells_nothing_and_that_is_no_trouble(tmp_path: Path) -> None:
    with capture_logs() as logs:
        sample = await seen(tmp_path)
    assert (sample.under_voltage, sample.throttled, sample.cpu_celsius) == (None, None, None)
    assert not [entry for entry in logs if "disk" not in str(entry)]


@pytest.mark.parametrize("text", ["", "soon\n", "0x\n", "-\n"])
async def test_files_that_say_something_else_are_as_if_they_were_not_there(
    tmp_path: Path, text: str
) -> None:
    sample = await seen(tree(tmp_path, dict.fromkeys(PI_4, text)))
    assert sample.under_voltage is None
    assert sample.throttled is None
    assert sample.cpu_celsius is None
    assert sample.memory_free_bytes is None
    assert sample.load is None


def test_a_sag_is_told_for_a_minute_and_remembered_for_good() -> None:
    memory, sag = watch_host(HostWatch(), HostSample(under_voltage=True, throttled=True), 100.0)
    assert [finding.rule for finding in sag.findings] == ["under_voltage", "throttled"]
    calm = HostSample(under_voltage=False, under_voltage_seen=False)
    memory, soon = watch_host(memory, calm, 130.0)
    assert [finding.evidence["ago_s"] for finding in soon.findings] == [30.0, 30.0]
    memory, later = watch_host(memory, calm, 161.0)
    assert later.findings == ()
    assert later.under_voltage_seen
    assert later.throttled_seen


def test_a_card_that_is_nearly_full_warns_before_a_plate_does_not_fit() -> None:
    for free, rules in ((DISK_FREE_BYTES_MIN, []), (DISK_FREE_BYTES_MIN - 1, ["disk_nearly_full"])):
        _, sample = watch_host(HostWatch(), HostSample(disk_free_bytes=free), 0.0)
        assert [finding.rule for finding in sample.findings] == rules
