"""What may be wrong with a coordinator's machine and settings: each finding with what mends it.

Looks from outside, whether or not a coordinator runs: settings, state folder, database, disk, TLS,
ports, broker, slicer, clock. Nothing is changed but one retained message, which is taken back.
"""

import asyncio
import platform
import shutil
import sqlite3
import ssl
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime

from coordinator.domain.backups import SECRET_FILES
from coordinator.errors import FarmError, SettingsInvalid
from coordinator.setting_origins import DEFAULT, origins
from coordinator.settings import Settings, load
from coordinator.tls import expiry_trouble, shown_by
from coordinator.usecases.disk_use import FREE_BYTES_MIN
from protocols.diagnosis import Finding, Level, fail, ok, warn

# Below this a start is refused, or soon will be.
FREE_BYTES_LEAST = 100 * 1024**2
# SQLite folds its log back after some thousand pages; more means that somebody reads for hours.
LOG_BYTES_MAX = 256 * 1024**2
_PUBLIC = frozenset({"tls/certificate.pem", "tls/authority.pem"})


Look = Callable[[Settings], Sequence[Finding]]


async def examine(arguments: Sequence[str]) -> AsyncIterator[Finding]:
    """Yield what there is to be found, as it is found.

    Args:
        arguments: settings as flags, as for `settings.load`.
    """
    # Late: they load libraries of the coordinator.
    from coordinator.cli import doctor_services

    try:
        settings = load(arguments)
    except SettingsInvalid as error:
        yield fail("settings", str(error), "farmhand config show --origin")
        return
    yield _settings(arguments)
    looks: tuple[tuple[str, Look], ...] = (
        ("machine", lambda _: [_machine()]),
        ("secrets", lambda settings: list(_secrets(settings, arguments))),
        ("state folder", _state_folder),
        ("disk", _disk),
        (
            "database",
            doctor_services.database if settings.database_url.get_secret_value() else _file,
        ),
        ("tls", _tls),
        ("clock", lambda _: [_clock()]),
    )
    for about, look in looks:
        for finding in await asyncio.to_thread(_looked, about, look, settings):
            yield finding
    async for finding in doctor_services.services(settings):
        yield finding


def _looked(about: str, look: Look, settings: Settings) -> Sequence[Finding]:
    try:
        return look(settings)
    except FarmError as error:
        return [fail(about, str(error), "see the text")]
    except OSError as error:
        return [fail(about, f"can't be looked at: {error}", "run it as the coordinator's user")]


def _settings(arguments: Sequence[str]) -> Finding:
    told = [each for each in origins(arguments) if each.origin != DEFAULT]
    files = sorted({str(each.file) for each in told if each.file is not None})
    where = f", files: {', '.join(files)}" if files else ""
    return ok("settings", f"{len(told)} differ from the defaults{where}")


def _machine() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return ok("machine", f"Python {version}, {platform.machine()}, {platform.platform(terse=True)}")


def _state_folder(settings: Settings) -> Sequence[Finding]:
    folder = settings.state_dir
    if not folder.exists():
        return [ok("state folder", f"{folder} will be made at the first start")]
    if not folder.is_dir():
        return [fail("state folder", f"{folder} is no folder", f"mv {folder} {folder}.old")]
    about = folder.stat()
    if about.st_mode & 0o022:
        return [fail("state folder", f"others may write to {folder}", f"chmod 700 {folder}")]
    if about.st_mode & 0o077:
        return [warn("state folder", f"others may look into {folder}", f"chmod 700 {folder}")]
    return [ok("state folder", str(folder))]


def _secrets(settings: Settings, arguments: Sequence[str]) -> Iterator[Finding]:
    names = [name for name in (*SECRET_FILES, "admin-password") if name not in _PUBLIC]
    paths = [settings.state_dir / name for name in names]
    told = [each for each in origins(arguments) if each.is_secret and each.value]
    paths += sorted({each.file for each in told if each.file is not None and each.file.is_file()})
    found = [path for path in paths if path.exists()]
    loose = [path for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077]
    for path in loose:
        yield fail("secrets", f"others may read {path}", f"chmod 600 {path}")
    if not loose:
        yield ok("secrets", f"{len(found)} files, nobody else reads them")
    if (settings.state_dir / "admin-password").exists():
        yield warn(
            "secrets",
            "the first administrator still has the password that was made",
            "farmhand user passwd admin",
        )


def _disk(settings: Settings) -> Sequence[Finding]:
    folder = next(
        path for path in (settings.state_dir, *settings.state_dir.parents) if path.exists()
    )
    free_bytes = shutil.disk_usage(folder).free
    words = f"{free_bytes / 1024**3:.1f} GiB are free"
    mend = "farmhand disk cleanup --older-than 30d"
    if free_bytes < FREE_BYTES_LEAST:
        return [fail("disk", words, mend)]
    return [warn("disk", words, mend) if free_bytes < FREE_BYTES_MIN else ok("disk", words)]


def _file(settings: Settings) -> Sequence[Finding]:
    """Look at SQLite's file, without changing anything."""
    path = settings.state_dir / "farm.sqlite3"
    if not path.exists():
        return [ok("database", "none yet: it is made at the first start")]
    mend = f"move {settings.state_dir} away, then: farmhand restore FILE --state-dir ..."
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            sound = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            journal = connection.execute("PRAGMA journal_mode").fetchone()[0]
    except sqlite3.Error as error:
        return [fail("database", f"{path} can't be read: {error}", mend)]
    if sound != "ok":
        return [fail("database", f"{path} is damaged: {sound}", mend)]
    found = [ok("database", f"{path} is sound, {path.stat().st_size / 1024**2:.1f} MiB")]
    if journal != "wal":
        found.append(warn("database", f"its journal mode is {journal}", "restart the coordinator"))
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        words = f"its log has grown to {log.stat().st_size / 1024**2:.0f} MiB: somebody reads long"
        found.append(warn("database", words, f"fuser {path}"))
    return found


def _tls(settings: Settings) -> Sequence[Finding]:
    shown = shown_by(settings)
    local = settings.host in ("localhost", "::1") or settings.host.startswith("127.")
    if shown is None:
        if local:
            return [ok("tls", "none, and none needed: only this machine reaches the API")]
        words = f"none, though the API listens on {settings.host}: tokens can be read on the way"
        return [warn("tls", words, "farmhand tls make")]
    now = datetime.now(UTC)
    try:
        shown.context()
    except (SettingsInvalid, ssl.SSLError) as error:
        return [fail("tls", str(error), "farmhand tls make")]
    trouble = expiry_trouble(shown, now)
    if not trouble:
        return [ok("tls", f"{shown.certificate} is good for a month and more")]
    made = fail if "has expired" in trouble else warn
    return [made("tls", trouble, "farmhand tls make")]


def _clock() -> Finding:
    """Ask the system whether its clock is set by others: leases do not need that, people do."""
    command = ["timedatectl", "show", "--property=NTPSynchronized", "--value"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ok("clock", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; nobody tells who sets it")
    said = done.stdout.strip()
    if said == "no":
        return warn("clock", "is not set by a time server", "sudo timedatectl set-ntp true")
    return ok("clock", "is set by a time server" if said == "yes" else "nobody tells who sets it")


def worst(findings: Sequence[Finding]) -> Level:
    """Return the gravest level of some findings."""
    grave = list(Level)
    return max((each.level for each in findings), key=grave.index, default=Level.OK)
