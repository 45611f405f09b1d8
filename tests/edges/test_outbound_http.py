"""The way to the outside, against servers on this machine and a resolver of its own."""

import socket
from collections.abc import AsyncIterator, Sequence

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from coordinator.adapters.outbound.guarded_http import GuardedHttp, guarded_http
from coordinator.adapters.outbound.reach import Reach, reach_of
from coordinator.errors import Refused, Unavailable
from coordinator.ports_outward import Question
from tests.fakes.http_target import HttpTarget, drop, hang, http_target, status


class Names(AbstractResolver):
    """Tells of each name what it is told to, another thing at each look-up; none other is known."""

    def __init__(self, **known: Sequence[str]) -> None:
        self.known = {name.replace("_", "."): list(told) for name, told in known.items()}
        self.looked_up: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.looked_up.append(host)
        if host not in self.known:
            raise OSError(None, "no such name")
        told = self.known[host]
        now = told.pop(0) if len(told) > 1 else told[0]
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0
            )
            for address in now.split()
        ]

    async def close(self) -> None:
        pass


HERE = reach_of("127.0.0.0/8")


@pytest.fixture
async def target() -> AsyncIterator[HttpTarget]:
    async with http_target() as served:
        yield served


def at(target: HttpTarget, **fields: object) -> Question:
    """A question to a name that leads to the target."""
    url = f"http://farm.test:{target.port}/hook"
    return Question(**{"method": "POST", "url": url, "body": b"{}", **fields})  # type: ignore[arg-type]


async def refusal(outside: GuardedHttp, question: Question) -> str:
    with pytest.raises(Refused) as caught:
        await outside.ask(question)
    assert caught.value.code == "address_not_allowed"
    return caught.value.message


async def silence(outside: GuardedHttp, question: Question) -> str:
    with pytest.raises(Unavailable) as caught:
        await outside.ask(question)
    assert caught.value.code == "no_answer"
    return caught.value.message


async def test_a_question_is_answered(target: HttpTarget) -> None:
    target.answer = status(202, x_kind="plain")
    async with guarded_http(HERE, resolver=Names(farm_test=["127.0.0.1"])) as outside:
        answer = await outside.ask(at(target, headers={"X-Word": "said"}))
    assert (answer.status, answer.headers["x-kind"], answer.body) == (202, "plain", b"")
    [asked] = target.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/hook", b"{}")
    assert asked.headers["x-word"] == "said"
    assert asked.headers["host"] == f"farm.test:{target.port}"


async def test_loopback_is_refused_by_number_and_by_name(target: HttpTarget) -> None:
    async with guarded_http(Reach(), resolver=Names(farm_test=["127.0.0.1"])) as outside:
        assert "127.0.0.1" in await refusal(outside, Question(method="GET", url=target.url))
        assert "farm.test leads to 127.0.0.1" in await refusal(outside, at(target))
    assert not target.asked


@pytest.mark.parametrize("address", ["169.254.169.254", "10.0.0.1", "0.0.0.0", "100.100.100.200"])
async def test_a_name_that_leads_to_a_forbidden_address_is_refused(address: str) -> None:
    async with guarded_http(HERE, resolver=Names(farm_test=[address])) as outside:
        assert address in await refusal(outside, Question(method="GET", url="http://farm.test/"))


async def test_one_forbidden_address_among_good_ones_is_enough(target: HttpTarget) -> None:
    names = Names(farm_test=["127.0.0.1 169.254.169.254"])
    async with guarded_http(HERE, resolver=names) as outside:
        assert "169.254.169.254" in await refusal(outside, at(target))
    assert not target.asked


async def test_a_name_is_looked_up_once_and_what_was_checked_is_asked(target: HttpTarget) -> None:
    """Rebinding: the first look-up is good, whatever comes later is not."""
    names = Names(farm_test=["127.0.0.1", "169.254.169.254"])
    async with guarded_http(HERE, resolver=names) as outside:
        assert (await outside.ask(at(target))).status == 204
        assert names.looked_up == ["farm.test"]
        assert "169.254.169.254" in await refusal(outside, at(target))
    assert len(target.asked) == 1


async def test_a_socket_is_not_made_for_an_address_that_slipped_through() -> None:
    """The last door: even what nobody looked up is checked when a socket is made for it."""
    async with guarded_http(Reach()) as outside:
        outside._reach = HERE  # type: ignore[assignment]  # the doors before it are open
        words = await refusal(outside, Question(method="GET", url="http://127.0.0.1:9/"))
    assert "127.0.0.1" in words


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_unless_that_is_wanted(
    target: HttpTarget, code: int
) -> None:
    target.answer = status(code, location="/elsewhere")
    async with guarded_http(HERE, resolver=Names(farm_test=["127.0.0.1"])) as outside:
        assert (await outside.ask(at(target))).status == code
    assert [asked.path for asked in target.asked] == ["/hook"]


async def test_a_redirect_is_checked_like_the_first_address(target: HttpTarget) -> None:
    names = Names(farm_test=["127.0.0.1"], evil_test=["169.254.169.254"])
    question = at(target, method="GET", body=b"", redirects_max=3)
    async with guarded_http(HERE, resolver=names) as outside:
        for there in (
            "http://169.254.169.254/latest",
            "http://evil.test/",
            "file:///etc/passwd",
            "//evil.test/x",
        ):
            target.answer = status(302, location=there)
            await refusal(outside, question)
        target.answer = status(302, location="/hook")
        assert "3 times" in await refusal(outside, question)


async def test_what_was_meant_for_one_house_is_not_shown_to_another(target: HttpTarget) -> None:
    async with http_target() as other:
        target.answer = status(302, location=f"http://other.test:{other.port}/there")
        names = Names(farm_test=["127.0.0.1"], other_test=["127.0.0.1"])
        headers = {"Authorization": "Bearer word"}
        question = at(target, method="GET", body=b"", redirects_max=1, headers=headers)
        async with guarded_http(HERE, resolver=names) as outside:
            assert (await outside.ask(question)).status == 204
    assert target.asked[0].headers["authorization"] == "Bearer word"
    assert "authorization" not in other.asked[0].headers


async def test_who_does_not_answer_in_time_is_given_up(target: HttpTarget) -> None:
    target.answer = hang
    async with guarded_http(HERE, resolver=Names(farm_test=["127.0.0.1"])) as outside:
        assert "within 0.2 s" in await silence(outside, at(target, within_s=0.2))


async def test_a_long_answer_is_read_only_so_far(target: HttpTarget) -> None:
    async def answer(request: web.Request, body: bytes) -> web.StreamResponse:
        return web.Response(body=b"x" * 5_000_000)

    target.answer = answer
    async with guarded_http(HERE, resolver=Names(farm_test=["127.0.0.1"])) as outside:
        answered = await outside.ask(at(target, answer_bytes_max=1000))
    assert (len(answered.body), answered.whole) == (1000, False)


async def test_what_goes_wrong_is_told_without_the_address(target: HttpTarget) -> None:
    names = Names(farm_test=["127.0.0.1"])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = taken.getsockname()[1]
    async with guarded_http(HERE, resolver=names) as outside:
        target.answer = drop
        said = [
            await silence(outside, at(target)),
            await silence(outside, at(target, url=f"http://farm.test:{closed}/secret")),
            await silence(outside, at(target, url="http://unknown.test/secret")),
            await silence(outside, at(target, url=f"https://farm.test:{target.port}/secret")),
        ]
    assert said[0] == "it hung up without an answer"
    assert said[2] == "its name is not known"
    assert not any("secret" in words or "farm.test" in words for words in said), said


async def test_the_proxies_of_the_environment_are_not_used(
    target: HttpTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with guarded_http(HERE, resolver=Names(farm_test=["127.0.0.1"])) as outside:
        assert (await outside.ask(at(target))).status == 204
