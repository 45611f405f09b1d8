"""A bare machine becomes an agent: real processes, a real broker, real TLS."""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.processes import Coordinator, Ended, coordinator, run, started, until

PLATE = "M104 S200\nG28\n" + "".join(f"G1 X{10 + n} Y20 E{n} F6000\n" for n in range(20))
# Beyond this machine, as far as the settings know.
ABROAD = ("--host", "0.0.0.0", "--broker-host", "0.0.0.0", "--agents", "enrolled")


def make_tls(folder: Path) -> None:
    assert run("coordinator.cli.main", "tls", "make", "--state-dir", folder).code == 0


def token(farm: Coordinator, *options: str) -> str:
    made = farm.farmhand("agent", "token", *options)
    assert made.code == 0, made.err
    return made.out.strip()


def enroll(farm: Coordinator, state: Path, text: str, *flags: str) -> Ended:
    where = ("--coordinator", farm.url, "--state-dir", state)
    return run("agent", "enroll", text, *where, *flags, cwd=state.parent)


@contextmanager
def printing(folder: Path, state: Path, name: str, **settings: str) -> Iterator[Path]:
    """Run a simulated printer and an agent that knows nothing but it; lend the agent's log."""
    port, config, log = folder / f"{name}-port", folder / f"{name}.toml", folder / f"{name}.log"
    more = "".join(f'{key} = "{value}"\n' for key, value in settings.items())
    config.write_text(
        f'state_dir = "{state}"\n{more}[[printers]]\nid = "{name}"\n'
        f'printer_class = "farmhand-220"\nmaterial = "PLA"\nsettings = {{ port = "{port}" }}\n'
    )
    speed = ("--pty", port, "--speed", "50")
    with (
        started("agent.simulator", *speed, log=folder / f"{name}-printer.log"),
        started("agent", "--config", config, log=log),
    ):
        yield log


def prints(farm: Coordinator, folder: Path, printer_id: str) -> None:
    """A plate is printed there, from the upload to the last line."""
    plate = folder / "plate.gcode"
    plate.write_text(PLATE)
    until(lambda: farm.ask(f"printers/{printer_id}/clear", method="POST")[0] == 200, "the printer")
    done = farm.farmhand("job", "submit", plate, "--class", "farmhand-220")
    assert done.code == 0, done.err
    until(lambda: farm.jobs()[-1]["state"] == "finished", "the print")


@pytest.mark.parametrize("broker", ["mosquitto", "amqtt"])
def test_a_bare_machine_enrols_over_tls_with_nothing_but_the_token_and_prints(
    tmp_path: Path, broker: str
) -> None:
    make_tls(tmp_path / "farm")
    with coordinator(tmp_path / "farm", *ABROAD, "--broker", broker) as farm:
        assert farm.url.startswith("https://")
        text, state = token(farm, "--for", "pi-3"), tmp_path / "pi-3"
        done = enroll(farm, state, text)
        assert done.code == 0, done.err
        assert "enrolled as pi-3; the broker is mqtts://127.0.0.1:" in done.out
        assert stat.S_IMODE((state / "credential.json").stat().st_mode) == 0o600
        assert not (state / "enrolling.json").exists()
        assert enroll(farm, tmp_path / "thief", text).code == 1
        with printing(tmp_path, state, "mk3") as log:
            prints(farm, tmp_path, "mk3")
            secret = json.loads((state / "credential.json").read_text())["secret"]
            assert secret not in log.read_text()
        [listed] = farm.farmhand("agent", "ls", "--json").json
        assert (listed["id"], listed["enrolled"], listed["printers"]) == ("pi-3", True, 1)
        assert secret not in farm.log.read_text()


def test_an_agent_with_a_token_in_its_settings_enrols_by_itself_and_only_once(
    tmp_path: Path,
) -> None:
    with coordinator(tmp_path / "farm", *ABROAD) as farm:
        state = tmp_path / "pi"
        settings = {"enroll_token": token(farm), "coordinator_url": farm.url, "agent_id": "pi-9"}
        with printing(tmp_path, state, "mk4", **settings):
            until(lambda: farm.ask("printers/mk4")[0] == 200, "the printer")
        kept = (state / "credential.json").read_bytes()
        with printing(tmp_path, state, "mk4", **settings):
            until(lambda: farm.ask("printers/mk4")[1]["status"] != "offline", "it to come back")
        assert (state / "credential.json").read_bytes() == kept


def test_a_revoked_agent_is_out_at_once_and_rotating_gives_it_another_secret(
    tmp_path: Path,
) -> None:
    with coordinator(tmp_path / "farm", *ABROAD) as farm:
        state = tmp_path / "pi"
        assert enroll(farm, state, token(farm), "--agent-id", "pi-1").code == 0
        with printing(tmp_path, state, "mk3"):
            until(lambda: farm.ask("printers/mk3")[1].get("status") == "needs_clearing", "mk3")
            assert farm.farmhand("agent", "revoke", "pi-1").code == 0
            until(lambda: farm.ask("printers/mk3")[1]["status"] == "offline", "it to be out")
        before = json.loads((state / "credential.json").read_text())["secret"]
        renewed = farm.farmhand("agent", "rotate", "pi-1", "--ttl", "5m")
        assert enroll(farm, state, renewed.out.strip()).code == 0
        assert json.loads((state / "credential.json").read_text())["secret"] != before
        with printing(tmp_path, state, "mk3"):
            until(lambda: farm.ask("printers/mk3")[1]["status"] == "needs_clearing", "it to be in")


def test_a_shared_user_goes_on_where_others_have_enrolled(tmp_path: Path) -> None:
    shared = {"FARMHAND_BROKER_USERNAME": "farm", "FARMHAND_BROKER_PASSWORD": "a long password"}
    with coordinator(tmp_path / "farm", *ABROAD, **shared) as farm:
        old = {
            "mqtt_url": farm.facts["mqtt_url"],
            "mqtt_username": "farm",
            "mqtt_password": "a long password",
            "coordinator_url": farm.url,
            "token": farm.token,
            "agent_id": "pi-old",
        }
        state = tmp_path / "pi-new"
        assert enroll(farm, state, token(farm), "--agent-id", "pi-new").code == 0
        with (
            printing(tmp_path, tmp_path / "pi-old", "mk-old", **old),
            printing(tmp_path, state, "mk-new"),
        ):
            for each in ("mk-old", "mk-new"):
                prints(farm, tmp_path, each)
                assert farm.farmhand("printer", "service", each, "on").code == 0


def test_a_farm_with_another_authority_is_refused_in_a_sentence(tmp_path: Path) -> None:
    for name in ("farm", "impostor"):
        make_tls(tmp_path / name)
    with coordinator(tmp_path / "farm", *ABROAD) as farm:
        text = token(farm)
    with coordinator(tmp_path / "impostor", *ABROAD) as farm:
        done = enroll(farm, tmp_path / "pi", text)
        assert done.code == 1
        assert "is not the farm that this token is from" in done.sentence("farmhand-agent")
        # Its own kind of token says nothing of an authority, so the system's list decides.
        bare = token(farm).partition(".")[0]
        done = enroll(farm, tmp_path / "pi", bare)
        assert "from an authority that is not known here: set ca_file" in done.err
        authority = tmp_path / "impostor" / "tls" / "authority.pem"
        assert enroll(farm, tmp_path / "pi", bare, "--ca-file", str(authority)).code == 0


def test_a_command_tells_what_to_do_about_an_unknown_authority(tmp_path: Path) -> None:
    make_tls(tmp_path / "farm")
    with coordinator(tmp_path / "farm") as farm:
        assert farm.farmhand("printer", "ls").code == 0
        elsewhere = {"FARMHAND_URL": farm.url, "FARMHAND_TOKEN": farm.token, "HOME": str(tmp_path)}
        done = run("coordinator.cli.main", "printer", "ls", **elsewhere)
        assert done.code == 3
        assert "set FARMHAND_CA_FILE to the file with the authority" in done.err
        known = {"FARMHAND_CA_FILE": str(tmp_path / "farm" / "tls" / "authority.pem")}
        assert run("coordinator.cli.main", "printer", "ls", **elsewhere, **known).code == 0


@pytest.mark.slow
def test_a_mosquitto_elsewhere_obeys_the_files_that_are_written_for_it(tmp_path: Path) -> None:
    from tests.fakes.mosquitto import free_port

    port, out = free_port(), tmp_path / "broker"
    farm_user = {"FARMHAND_BROKER_USERNAME": "farm", "FARMHAND_BROKER_PASSWORD": "a long password"}
    url = f"mqtt://127.0.0.1:{port}"
    with coordinator(tmp_path / "farm", "--broker-url", url, **farm_user) as farm:
        state = tmp_path / "pi"
        done = enroll(farm, state, token(farm), "--agent-id", "pi-1")
        assert done.code == 0, done.err
        assert farm.farmhand("broker", "files", "--out", out).code == 0
        for each in ("passwords", "access", "farmhand.conf"):
            assert stat.S_IMODE((out / each).stat().st_mode) == 0o600
        config = tmp_path / "mosquitto.conf"
        user = f"user {os.environ.get('USER', 'root')}\n" if os.geteuid() == 0 else ""
        config.write_text(
            f"{user}include_dir {out}\nlistener {port} 127.0.0.1\npersistence false\n"
        )
        program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program is not None
        broker = subprocess.Popen([program, "-c", str(config)], stdout=sys.stderr)
        try:
            with printing(tmp_path, state, "mk3"):
                prints(farm, tmp_path, "mk3")
        finally:
            broker.kill()
            broker.wait()
