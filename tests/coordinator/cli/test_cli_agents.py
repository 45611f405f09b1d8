"""`farmhand agent`, `farmhand broker` and `farmhand tls`, as they are typed."""

import stat
from pathlib import Path

import pytest

from coordinator.adapters.certificates import names_in
from coordinator.cli.exits import Exit
from tests.coordinator.cli.conftest import Farmhand
from tests.fakes.served_farm import ServedFarm


async def test_a_token_is_all_that_is_printed_and_what_to_do_with_it_goes_to_the_person(
    farmhand: Farmhand,
) -> None:
    made = await farmhand("agent", "token", "--for", "pi-3", "--ttl", "30m")
    assert made.code == Exit.OK, made.err
    assert made.out.startswith("enroll_")
    assert len(made.out.split()) == 1
    assert f"farmhand-agent enroll {made.out.strip()} --coordinator http://" in made.err
    assert "30" in made.err.split("until ")[1]


@pytest.mark.parametrize("ttl", ["", "1", "1w", "h", "-1h", "1 h"])
async def test_a_time_that_is_none_is_a_matter_of_typing(farmhand: Farmhand, ttl: str) -> None:
    assert (await farmhand("agent", "token", "--ttl", ttl)).code == Exit.USAGE


async def test_agents_are_listed_with_what_they_are_to_the_farm(
    farm: ServedFarm, farmhand: Farmhand
) -> None:
    assert "farmhand agent token` lets one in" in (await farmhand("agent", "ls")).out
    await farm.printers_arrive("mk3")
    listed = await farmhand("agent", "ls")
    assert listed.out.split()[-4:] == ["pi-1", "no", "online", "1"]
    [agent] = (await farmhand("agent", "ls", "--json")).json
    assert (agent["id"], agent["enrolled"], agent["printers"]) == ("pi-1", False, 1)


@pytest.mark.parametrize("verb", ["revoke", "rotate"])
async def test_an_agent_that_never_enrolled_is_said_not_to_be_there(
    farmhand: Farmhand, verb: str
) -> None:
    ended = await farmhand("agent", verb, "pi-9")
    assert (ended.code, "'pi-9'" in ended.err) == (Exit.FAILED, True)


async def test_broker_files_want_a_user_for_the_coordinator(
    farmhand: Farmhand, tmp_path: Path
) -> None:
    ended = await farmhand("broker", "files", "--out", str(tmp_path / "out"))
    assert ended.code == Exit.FAILED
    assert "set broker_username and broker_password first" in ended.err
    assert not (tmp_path / "out").exists()


async def test_tls_is_made_once_for_all_names_and_renewed_with_the_same_authority(
    farmhand: Farmhand, tmp_path: Path
) -> None:
    state = ("--state-dir", str(tmp_path / "farm"))
    first = await farmhand("tls", "make", "--name", "farm.example", *state)
    assert first.code == Exit.OK, first.err
    folder = tmp_path / "farm" / "tls"
    authority, certificate = (folder / "authority.pem").read_bytes(), folder / "certificate.pem"
    before = certificate.read_bytes()
    assert {"farm.example", "localhost", "127.0.0.1"} <= set(names_in(certificate))
    for secret in ("authority-key.pem", "key.pem"):
        assert stat.S_IMODE((folder / secret).stat().st_mode) == 0o600
    again = await farmhand("tls", "make", "--name", "farm.local", *state)
    assert again.code == Exit.OK, again.err
    assert certificate.read_bytes() != before
    assert {"farm.example", "farm.local"} <= set(names_in(certificate))
    assert (folder / "authority.pem").read_bytes() == authority
    (folder / "authority-key.pem").write_text("damaged")
    ended = await farmhand("tls", "make", *state)
    assert ended.code == Exit.FAILED
    assert "move both away to have a new one made" in ended.err
