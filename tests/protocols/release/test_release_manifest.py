"""What a release says of itself, and where it may run."""

import json
from dataclasses import replace

import pytest

from protocols.errors import ReleaseUnfit
from protocols.release.manifest import (
    Machine,
    Manifest,
    Need,
    decoded,
    fits,
    is_version,
    numbers_of,
    order_of,
    project_of,
)

PI = Machine(python=(3, 11), platform="aarch64")
RELEASE = Manifest(
    version="0.2.0",
    protocol_min=1,
    protocol_max=1,
    files={"any/agent/__init__.py": "a" * 64},
    needs={"aiohttp": Need(lowest="3.12", below="4")},
)


def test_a_manifest_comes_back_as_it_was_written() -> None:
    assert decoded(RELEASE.encoded()) == RELEASE


@pytest.mark.parametrize(
    "change",
    [
        {"version": "../../etc"},
        {"version": "1"},
        {"protocol_min": "1"},
        {"files": {"any/../../x": "a" * 64}},
        {"files": {"any//x": "a" * 64}},
        {"files": {"/etc/x": "a" * 64}},
        {"files": {"elsewhere/x": "a" * 64}},
        {"files": {"any/x": "no hash"}},
        {"files": 1},
        {"needs": {"x": 1}},
        {"format": 2},
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(change: dict[str, object]) -> None:
    said = json.loads(RELEASE.encoded()) | change
    with pytest.raises(ReleaseUnfit):
        decoded(json.dumps(said).encode())


def test_what_is_no_json_is_no_manifest() -> None:
    for data in (b"", b"[]", b"\xff", b"null", b"{}"):
        with pytest.raises(ReleaseUnfit):
            decoded(data)


@pytest.mark.parametrize(
    ("release", "running", "major"),
    [
        (replace(RELEASE, python="3.12"), "0.1.0", 1),
        (replace(RELEASE, protocol_min=2, protocol_max=2), "0.1.0", 1),
        (RELEASE, "0.1.0", 2),
        (RELEASE, "0.3.0", 1),
        (replace(RELEASE, version="0.2.0rc1"), "0.2.0", 1),
    ],
)
def test_a_release_for_another_place_is_refused(
    release: Manifest, running: str, major: int
) -> None:
    with pytest.raises(ReleaseUnfit):
        release.require_fit(PI, running=running, major=major)


def test_an_older_release_follows_a_newer_one_only_where_that_was_signed() -> None:
    RELEASE.require_fit(PI, running="0.1.0", major=1)
    RELEASE.require_fit(PI, running="0+source", major=1)
    replace(RELEASE, downgrade=True).require_fit(PI, running="0.3.0", major=1)


def test_versions_are_ordered_as_people_count() -> None:
    versions = ["0+source", "0.2.0rc1", "0.2.0rc2", "0.2.0", "0.9.0", "0.10.0", "1.0.0"]
    assert sorted(versions, key=order_of) == versions
    assert not is_version("1.2")
    assert not is_version("1.2.3.dev4")
    assert is_version("1.2.3rc4")


def test_a_need_is_met_between_its_bounds() -> None:
    need = Need(lowest="3.12", below="4")
    met = ["3.12", "3.12.0", "3.13.1", "3.99"]
    assert [each for each in ["3.11.9", *met, "4.0", "4.0rc1", "x"] if need.is_met_by(each)] == met
    assert numbers_of("2.4.0.post1") == (2, 4)


@pytest.mark.parametrize(
    ("wheel", "it_fits"),
    [
        ("aiohttp-3.13.0-cp311-cp311-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", True),
        ("aiohttp-3.13.0-cp312-cp312-manylinux2014_aarch64.whl", False),
        ("aiohttp-3.13.0-cp311-cp311-manylinux2014_x86_64.whl", False),
        ("aiohttp-3.13.0-cp311-cp311-musllinux_1_2_aarch64.whl", False),
        ("aiomqtt-2.4.0-py3-none-any.whl", True),
        ("six-1.0-py2.py3-none-any.whl", True),
        ("x-1-cp39-abi3-manylinux_2_28_aarch64.whl", True),
        ("x-1-cp313-abi3-manylinux_2_28_aarch64.whl", False),
        ("x-1-2build-py3-none-any.whl", True),
        ("nonsense.whl", False),
    ],
)
def test_a_wheel_is_taken_where_it_runs(wheel: str, it_fits: bool) -> None:
    assert fits(f"wheels/{wheel}", PI) is it_fits


def test_a_wheels_name_tells_its_library() -> None:
    assert project_of("wheels/paho_mqtt-2.1.0-py3-none-any.whl") == ("paho-mqtt", "2.1.0")
