"""`farmhand backup` and `restore` with real processes: a lost farm goes on from its backup."""

import json
import tarfile
from pathlib import Path
from urllib.parse import urlsplit

from tests.edges.test_enrolment import enroll, printing, prints, token
from tests.fakes.processes import Coordinator, coordinator, run, stop, until


def port(url: str) -> str:
    return str(urlsplit(url).port)


def restored(file: Path, folder: Path) -> None:
    done = run("coordinator.cli.main", "restore", file, "--state-dir", folder)
    assert done.code == 0, done.err
    assert "all proved" in done.out


def printer(farm: Coordinator) -> dict[str, object]:
    found: dict[str, object] = farm.ask("printers/mk3")[1]
    return found


def test_a_lost_farm_goes_on_from_its_backup_with_the_agents_it_had(tmp_path: Path) -> None:
    file, state = tmp_path / "farm.tar", tmp_path / "pi-3"
    with coordinator(tmp_path / "farm", "--agents", "enrolled") as farm:
        assert enroll(farm, state, token(farm, "--for", "pi-3")).code == 0
        ports = ("--port", port(farm.url), "--broker-port", port(str(farm.facts["mqtt_url"])))
        with printing(tmp_path, state, "mk3"):
            prints(farm, tmp_path, "mk3")
            made = farm.farmhand("backup", file, "--json")
            assert made.code == 0, made.err
            assert made.json["secrets"]
            assert file.stat().st_mode & 0o077 == 0
            # What the backup knows nothing of.
            prints(farm, tmp_path, "mk3")
            before = farm.token
            assert stop(farm.process, within_s=30) == 0
            restored(file, tmp_path / "new")
            with coordinator(tmp_path / "new", "--agents", "enrolled", *ports) as farm:
                assert farm.token == before
                assert len(farm.jobs()) == 1
                until(lambda: printer(farm)["quarantine"], "the printer that knows more than we")
                assert farm.farmhand("printer", "service", "mk3", "off").code == 0
                prints(farm, tmp_path, "mk3")
                assert [job["state"] for job in farm.jobs()] == ["finished", "finished"]
                verified = farm.farmhand("events", "verify")
                assert verified.code == 0, verified.err


def test_who_asks_with_a_key_gets_no_secrets_of_the_machine(tmp_path: Path) -> None:
    file = tmp_path / "farm.tar"
    with coordinator(tmp_path / "farm") as farm:
        made = farm.farmhand("key", "create", "ci", "--user", "admin", "--json")
        assert made.code == 0, made.err
        done = run(
            "coordinator.cli.main",
            "backup",
            file,
            "--url",
            farm.url,
            FARMHAND_TOKEN=made.json["key"],
        )
        assert done.code == 0, done.err
        again = farm.farmhand("backup", file)
        assert (again.code, "there already" in again.err) == (2, True)
        events = farm.ask("events?last=1")[1]["items"]
        assert (events[0]["name"], events[0]["actor"]) == ("backup.begun", "key:admin/ci")
    with tarfile.open(file) as archive:
        names = archive.getnames()
        told = archive.extractfile(names[0])
        assert told is not None
        assert json.load(told)["secrets"] is False
    assert not [name for name in names if name.startswith("secrets/")]
