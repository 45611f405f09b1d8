"""`farmhand release` and `farmhand fleet` against a served farm."""

from pathlib import Path

from coordinator.cli.exits import Exit
from protocols.release.signing import digest_of, public_key, require_trusted
from tests.coordinator.cli.conftest import Farmhand
from tests.fakes.served_farm import ServedFarm


async def test_a_release_is_made_signed_given_to_the_farm_and_rolled_out(
    farm: ServedFarm, farmhand: Farmhand, tmp_path: Path
) -> None:
    await farm.printers_arrive("p-1")
    key, file = tmp_path / "key", tmp_path / "agent.zip"
    assert "farmhand fleet update" in (await farmhand("fleet", "show")).err
    assert "farmhand release make" in (await farmhand("release", "ls")).out
    made = await farmhand("release", "key", "--out", str(key))
    assert "update_keys" in made.out
    assert key.stat().st_mode & 0o077 == 0
    assert (await farmhand("release", "key", "--out", str(key))).code != Exit.OK
    made = await farmhand(
        *("release", "make", "--out", str(file), "--version", "9.0.0", "--words", "faster")
    )
    assert made.code == Exit.OK, made.err
    assert (await farmhand("release", "add", str(file))).code == Exit.FAILED  # not signed
    assert (await farmhand("release", "sign", str(file), "--key", str(key))).code == Exit.OK
    trusted = public_key(key.with_name("key.pub").read_text())
    signature = file.with_name("agent.zip.minisig").read_text()
    assert require_trusted(signature, digest_of([file.read_bytes()]), [trusted]) == trusted
    added = await farmhand("release", "add", str(file), "--json")
    assert (added.json["version"], added.json["signed_by"]) == ("9.0.0", trusted.name)
    assert "faster" in (await farmhand("release", "ls")).out
    begun = await farmhand("fleet", "update", "9.0.0", "--soak", "5")
    assert "canary" in begun.out, begun.err
    assert "planned" in (await farmhand("fleet", "show")).out
    assert "halted" in (await farmhand("fleet", "halt")).out
    assert "planned" in (await farmhand("fleet", "resume")).out
    await farmhand("fleet", "halt")
    assert "online" in (await farmhand("fleet", "ls")).out
    assert (await farmhand("release", "remove", "9.0.0")).code == Exit.OK


async def test_a_release_without_a_versions_name_or_with_a_bad_key_is_not_made(
    farmhand: Farmhand, tmp_path: Path
) -> None:
    file = tmp_path / "agent.zip"
    refused = await farmhand("release", "make", "--out", str(file), "--version", "new")
    assert refused.code != Exit.OK
    assert not file.exists()
    file.write_text("x")
    for text in ("", "nonsense\n", "untrusted comment: x\nRWQ=\n"):
        (tmp_path / "key").write_text(text)
        signed = await farmhand("release", "sign", str(file), "--key", str(tmp_path / "key"))
        assert signed.code != Exit.OK
        assert "Traceback" not in signed.err
