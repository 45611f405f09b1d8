"""What a power cut may leave of a SQLite database in WAL mode that was killed a moment before.

With `synchronous=FULL` a commit has returned only once its frames in the log were fsynced: they
stay. Not so what was written behind the last commit, by a transaction that was not finished: that
may be missing, in part or wholly, or be anything, and the file may have grown without its content.
Nor the database's own pages of which the log holds a copy: they are fsynced only before the log
begins anew, and until then a page may be partly the old and partly the new one, sector by sector.
The index beside the log (-shm) is memory. Formats: https://www.sqlite.org/fileformat2.html, 4.
"""

from pathlib import Path
from random import Random

SECTOR_BYTES = 512
_LOG_HEADER_BYTES, _FRAME_HEADER_BYTES = 32, 24


def tear(database: Path, random: Random) -> str:
    """Have the power fail for a database that nobody has open; return what is torn, in words."""
    database.with_name(database.name + "-shm").unlink(missing_ok=True)
    log = database.with_name(database.name + "-wal")
    data = log.read_bytes() if log.exists() else b""
    if len(data) < _LOG_HEADER_BYTES:
        return "no log"
    size, pages, end = _committed(data)
    done = _tear_tail(log, data, end, random)
    mixed = [number for number in sorted(pages) if random.random() < 0.5]
    with database.open("r+b") as file:
        for number in mixed:
            for start in range(0, size, SECTOR_BYTES):
                if random.random() < 0.5:
                    file.seek((number - 1) * size + start)
                    file.write(pages[number][start : start + SECTOR_BYTES])
    return f"{done} of {len(data) - end} bytes behind the last commit, {len(mixed)} pages mixed"


def _committed(data: bytes) -> tuple[int, dict[int, bytes], int]:
    """Return the page size, the newest committed copy of each page, and where that part ends."""
    size, salts = int.from_bytes(data[8:12], "big"), data[16:24]
    pages: dict[int, bytes] = {}
    pending: dict[int, bytes] = {}
    at = end = _LOG_HEADER_BYTES
    while at + _FRAME_HEADER_BYTES + size <= len(data) and data[at + 8 : at + 16] == salts:
        number = int.from_bytes(data[at : at + 4], "big")
        is_commit = data[at + 4 : at + 8] != bytes(4)
        at += _FRAME_HEADER_BYTES
        pending[number] = data[at : at + size]
        at += size
        if is_commit:
            pages |= pending
            pending, end = {}, at
    return size, pages, end


def _tear_tail(log: Path, data: bytes, end: int, random: Random) -> str:
    tail = data[end:]
    match random.randrange(4):
        case 0:
            log.write_bytes(data[:end] + tail[: random.randint(0, len(tail))])
            return "some"
        case 1:
            kept = random.randint(0, len(tail))
            log.write_bytes(data[:end] + tail[:kept] + random.randbytes(len(tail) - kept))
            return "garbage in part"
        case 2:
            log.write_bytes(data + bytes(random.randint(1, 16) * 4096))
            return "all and zeros behind"
        case _:
            log.write_bytes(data[:end])
            return "none"
