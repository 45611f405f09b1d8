"""Dependencies are pinned with hashes, and from no address."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
CAD = Path("coordinator/adapters/rendering/locks")
CAD_LOCKS = tuple(str(CAD / f"{name}.txt") for name in ("build123d", "cadquery"))
PACKAGES = Path("systemd/packages/locks")
PACKAGE_LOCKS = tuple(str(PACKAGES / f"{name}.txt") for name in ("agent", "coordinator"))
PIN = re.compile(r"^([a-z0-9-]+)==([^ ]+)")


def pins(lock: str) -> dict[str, str]:
    lines = (ROOT / lock).read_text().splitlines()
    return {found[1]: found[2] for line in lines if (found := PIN.match(line))}


@pytest.mark.parametrize("lock", [*LOCKS, *CAD_LOCKS, *PACKAGE_LOCKS])
def test_a_lock_names_no_address(lock: str) -> None:
    assert "://" not in (ROOT / lock).read_text()


@pytest.mark.parametrize("lock", [*LOCKS, *CAD_LOCKS, *PACKAGE_LOCKS])
def test_every_pin_has_a_hash(lock: str) -> None:
    text = (ROOT / lock).read_text()
    requirements = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(requirements) > 25
    assert [part for part in requirements if "--hash=sha256:" not in part] == []


def test_the_development_lock_holds_all_of_the_other_at_the_same_versions() -> None:
    run, development = pins(LOCKS[0]), pins(LOCKS[1])
    assert {name: development.get(name) for name in run} == run


@pytest.mark.parametrize("lock", PACKAGE_LOCKS)
def test_a_package_brings_the_versions_that_are_tested(lock: str) -> None:
    development = pins(LOCKS[1])
    assert {name: development.get(name) for name in pins(lock)} == pins(lock)


def test_the_page_is_pinned_by_hashes_and_from_no_address() -> None:
    lock = ROOT / "coordinator" / "dashboard" / "page" / "package-lock.json"
    packages = {
        name: each for name, each in json.loads(lock.read_text())["packages"].items() if name
    }
    assert len(packages) > 20
    assert [name for name, each in packages.items() if "integrity" not in each] == []
    assert [name for name, each in packages.items() if "resolved" in each] == []
