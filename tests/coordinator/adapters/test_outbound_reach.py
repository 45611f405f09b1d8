"""Which addresses are asked, by the address alone."""

import pytest

from coordinator.adapters.outbound.reach import LAN, Reach, reach_of

PUBLIC = ("93.184.215.14", "1.1.1.1", "2606:4700::1111")
PRIVATE = ("10.1.2.3", "172.16.0.1", "192.168.1.5", "fd12:3456::1")
LOOPBACK = ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1")
NEVER = (
    "0.0.0.0",
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "100.100.100.200",
    "168.63.129.16",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
    "::",
)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_asked(address: str) -> None:
    assert Reach().objection(address) == ""


@pytest.mark.parametrize("address", [*PRIVATE, *LOOPBACK, "100.64.0.1", "::ffff:10.0.0.1"])
def test_what_is_not_public_is_asked_only_where_a_setting_names_it(address: str) -> None:
    assert "outbound_networks" in Reach().objection(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_the_lan_is_asked_where_the_setting_says_so(address: str) -> None:
    assert Reach(LAN).objection(address) == ""


@pytest.mark.parametrize("address", LOOPBACK)
def test_the_lan_is_not_this_machine(address: str) -> None:
    assert Reach(LAN).objection(address)


@pytest.mark.parametrize("address", NEVER)
def test_link_local_and_metadata_are_never_asked(address: str) -> None:
    every = reach_of("lan, 127.0.0.0/8, ::1/128, 100.64.0.0/11")
    assert "never" in every.objection(address)


@pytest.mark.parametrize("text", ["169.254.0.0/16", "0.0.0.0/0", "::/0", "fe80::/64", "nonsense"])
def test_a_setting_can_not_name_them_either(text: str) -> None:
    with pytest.raises(ValueError, match=r"never asked|no network"):
        reach_of(text)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://example.com/",
        "https://",
        "//example.com",
        "https://user:word@example.com/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://exa mple.com/",
        "http://[::1]/",
        "http://127.0.0.1:8150/api",
        "https://169.254.169.254/latest/meta-data",
        "https://example.com/" + "x" * 2000,
    ],
)
def test_what_is_wrong_with_an_address_as_it_is_written_is_told(url: str) -> None:
    assert Reach().objection_to_url(url)


def test_a_name_may_be_written() -> None:
    assert Reach().objection_to_url("https://hooks.example.com/farm?x=1") == ""
