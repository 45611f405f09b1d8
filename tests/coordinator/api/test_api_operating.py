"""What who sees to the machine asks over HTTP: room on the disk, a backup of all there is."""

import io
import json
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
import pytest

from coordinator.api.app import build_app
from coordinator.api.operating import Machine
from coordinator.domain.access import Role
from coordinator.domain.backups import CONTENTS, HEAD
from coordinator.errors import Unavailable
from coordinator.log_ring import LogRing
from coordinator.machine_wiring import machine_of
from coordinator.ports_disk import KeptBackup, Room
from coordinator.setting_origins import origins
from coordinator.settings import load
from coordinator.usecases.controlling import cancel_job
from protocols.wire.vocabulary import JobId
from tests.coordinator.api.test_api_users import add
from tests.fakes.fake_farm import GCODE, order_gcode
from tests.fakes.fake_people import FakePeople
from tests.fakes.served_farm import ServedFarm, served

CLEANUP = "/api/v1/disk/cleanup"


async def ended_job(farm: ServedFarm) -> str:
    job = await order_gcode(farm.farm)
    await cancel_job(farm.farm, job.job_id, "user:anna")
    farm.clock.advance(3600.0)
    return str(job.job_id)


async def ask(session: aiohttp.ClientSession, **wanted: Any) -> tuple[int, Any]:
    async with session.post(CLEANUP, json=wanted) as response:
        return response.status, await response.json()


async def test_the_disk_tells_what_each_kind_of_file_takes(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await order_gcode(farm.farm)
    farm.artifacts.kept["f" * 64] = b"left behind"
    async with session.get("/api/v1/disk") as response:
        told = await response.json()
    assert told["artifacts"]["plate"] == {"files": 1, "size_bytes": len(GCODE)}
    assert told["artifacts"]["unknown"] == {"files": 1, "size_bytes": 11}
    assert told["artifacts"]["model"] == {"files": 0, "size_bytes": 0}
    assert told["database_bytes"] is None


async def test_a_cleanup_first_tells_then_removes_and_the_file_is_told_to_be_gone(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    job_id = await ended_job(farm)
    status, told = await ask(session, older_than_s=1800.0)
    assert (status, told["dry_run"], told["files"]) == (200, True, 1)
    [item] = told["items"]
    assert (item["kind"], item["name"], item["job_id"]) == ("plate", "part.gcode", job_id)
    assert farm.artifacts.kept, "nobody said that it is meant"
    status, again = await ask(session, older_than_s=1800.0, dry_run=False)
    assert again == {**told, "dry_run": False}
    async with session.get(f"/api/v1/artifacts/{item['sha256']}") as response:
        assert response.status == 410
        assert (await response.json())["code"] == "artifact_removed"
    async with session.get("/api/v1/disk") as response:
        assert (await response.json())["removed"] == 1


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ({"job_ids": ["job-none"]}, 404, "unknown_job"),
        ({"older_than_s": -1.0}, 422, "invalid_fields"),
        ({"older_than_days": 3}, 422, "invalid_fields"),
        ({"dry_run": 0}, 422, "invalid_fields"),
    ],
)
async def test_what_makes_no_sense_removes_nothing(
    farm: ServedFarm,
    session: aiohttp.ClientSession,
    wanted: dict[str, Any],
    status: int,
    code: str,
) -> None:
    await ended_job(farm)
    answered, told = await ask(
        session, **wanted, **({} if "dry_run" in wanted else {"dry_run": False})
    )
    assert (answered, told["code"]) == (status, code)
    assert farm.artifacts.kept


async def test_a_job_that_goes_on_keeps_its_files(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    job = await order_gcode(farm.farm, job_id=JobId("job-on"))
    status, told = await ask(session, job_ids=[job.job_id], dry_run=False)
    assert (status, told["code"]) == (409, "job_not_ended")


async def test_a_backup_is_a_tar_archive_that_tells_what_it_holds(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await order_gcode(farm.farm)
    async with session.get("/api/v1/backup") as response:
        assert (response.status, response.content_type) == (200, "application/x-tar")
        whole = await response.read()
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        names = archive.getnames()
        contents = json.load(archive.extractfile(CONTENTS) or io.BytesIO())
    assert (names[0], names[-1]) == (HEAD, CONTENTS)
    assert set(contents["files"]) == set(names) - {CONTENTS}
    [plate] = farm.artifacts.kept
    assert f"artifacts/{plate[:2]}/{plate}" in names
    assert farm.farm.live.backups == 0
    assert farm.store.tables.lines[-1].name == "backup.begun"


async def test_a_backup_that_finds_no_room_is_told_so_before_it_begins(
    farm: ServedFarm, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(to: object) -> None:
        raise Unavailable("disk_full", "no room")

    monkeypatch.setattr(farm.store, "snapshot", full)
    async with session.get("/api/v1/backup") as response:
        assert (response.status, (await response.json())["code"]) == (503, "disk_full")
    assert farm.farm.live.backups == 0


async def test_room_is_counted_as_the_disk_tells_it(tmp_path: Any) -> None:
    from coordinator.adapters.state_disk import StateDisk

    (tmp_path / "cache" / "ab").mkdir(parents=True)
    (tmp_path / "cache" / "ab" / "x").write_bytes(b"12345")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "p-1").write_bytes(b"123")
    (tmp_path / "db").write_bytes(b"1" * 100)
    (tmp_path / "db-wal").write_bytes(b"1" * 20)
    disk = StateDisk(folder=tmp_path, database=tmp_path / "db", cache=tmp_path / "cache")
    room = await disk.room()
    assert (room.database_bytes, room.cache_bytes, room.pictures_bytes) == (120, 5, 3)
    assert 0 < room.free_bytes <= room.total_bytes
    with pytest.raises(Unavailable, match="looked at"):
        await StateDisk(folder=tmp_path / "none").room()
    assert isinstance(room, Room)


async def test_the_settings_of_the_start_are_told_to_administrators_without_secrets(
    farm: ServedFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARMHAND_TOKEN", "a-secret-of-the-farm")
    told = origins(["--port", "0"])
    farm.app = build_app(
        farm.gate,
        upload_bytes_max=1,
        version="",
        machine=machine_of(load(["--port", "0"]), LogRing(), told),
    )
    viewer = {"Authorization": f"Bearer {await add(farm, 'vera', Role.OPERATOR)}"}
    async with served(farm) as session:
        async with session.get("/api/v1/settings") as response:
            items = (await response.json())["items"]
        async with session.get("/api/v1/settings", headers=viewer) as response:
            assert response.status == 403
    found = {each["name"]: each for each in items}
    assert (found["port"]["value"], found["port"]["origin"]) == (0, "flag --port")
    assert found["token"]["is_secret"]
    assert "a-secret-of-the-farm" not in str(items)


@dataclass
class Shelf:
    """Implements `coordinator.ports_disk.BackupShelf`."""

    place: str = "/mnt/backups"
    kept: list[KeptBackup] = field(default_factory=list)

    async def kept_backups(self) -> list[KeptBackup]:
        return self.kept

    async def put(self, parts: AsyncIterator[bytes], now: datetime) -> KeptBackup:
        size = sum([len(part) async for part in parts])
        self.kept.append(KeptBackup(name=f"b{len(self.kept)}", made_at=now, size_bytes=size))
        return self.kept[-1]

    async def read(self, name: str) -> AsyncGenerator[bytes, None]:
        yield name.encode()
        yield bytes(self.kept[0].size_bytes - len(name))


def with_machine(farm: ServedFarm, machine: Machine) -> ServedFarm:
    farm.app = build_app(farm.gate, upload_bytes_max=1000, version="1.2.3", machine=machine)
    return farm


async def test_a_backup_is_put_into_the_farms_own_folder_and_listed(farm: ServedFarm) -> None:
    shelf = Shelf()
    async with served(with_machine(farm, Machine(backups=shelf))) as session:
        for _ in range(2):
            async with session.post("/api/v1/backups") as response:
                made = await response.json()
                assert response.status == 201
        async with session.get("/api/v1/backups") as response:
            told = await response.json()
        assert told["folder"] == "/mnt/backups"
        assert [each["name"] for each in told["items"]] == ["b1", "b0"]
        assert made == told["items"][0]
        assert farm.store.tables.lines[-1].actor == "user:admin"
        farm.farm.live.backing_up = 7
        async with session.get("/api/v1/backups") as response:
            assert (await response.json())["making_bytes"] == 7
        async with session.post("/api/v1/backups") as response:
            assert (response.status, (await response.json())["code"]) == (409, "backup_on")


async def test_a_backup_of_the_folder_is_for_the_farms_own_token_and_its_taker_is_told_of(
    farm: ServedFarm,
) -> None:
    shelf = Shelf()
    admin = {"Authorization": f"Bearer {await add(farm, 'ada', Role.ADMIN)}"}
    async with served(with_machine(farm, Machine(backups=shelf))) as session:
        async with session.post("/api/v1/backups") as response:
            made = await response.json()
        async with session.get("/api/v1/backups/b0", headers=admin) as response:
            told = await response.json()
            assert (response.status, told["code"]) == (403, "secrets_within")
        async with session.get("/api/v1/backups/b7") as response:
            assert (response.status, (await response.json())["code"]) == (404, "unknown_backup")
        async with session.get("/api/v1/backups/b0") as response:
            assert (response.status, response.content_length) == (200, made["size_bytes"])
            assert (await response.read()).startswith(b"b0")
    line = farm.store.tables.lines[-1]
    assert (line.name, line.subject_id, line.actor) == ("backup.fetched", "b0", "user:admin")


async def test_without_a_folder_no_backup_is_put_anywhere(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    async with session.get("/api/v1/backups") as response:
        assert await response.json() == {"folder": None, "making_bytes": None, "items": []}
    async with session.post("/api/v1/backups") as response:
        assert (response.status, (await response.json())["code"]) == (422, "no_backup_folder")


async def test_a_test_notice_says_whether_it_was_taken(farm: ServedFarm) -> None:
    mail = FakePeople()
    async with served(with_machine(farm, Machine(people=[mail]))) as session:
        async with session.get("/api/v1/notices") as response:
            [way] = (await response.json())["items"]
        assert way == {"name": "email", "behind": 0, "failures": 0, "due_at": None}
        async with session.post("/api/v1/notices/email/test") as response:
            assert (response.status, await response.json()) == (200, {"name": "email"})
        assert "user:admin" in mail.sent[0].text
        mail.fails = True
        async with session.post("/api/v1/notices/email/test") as response:
            told = await response.json()
            assert (response.status, told["code"]) == (503, "mail_not_sent")
        assert told["detail"] == "the server is down"
        async with session.post("/api/v1/notices/pigeon/test") as response:
            assert (response.status, (await response.json())["code"]) == (404, "unknown_way")
