"""One account, several devices: who stays, who is kicked, who goes on (SPEC L6-L9, L11, L17, L18)."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from signalpost.wire.tokens import make_token
from support.client import RawClient
from support.house import House
from support.server import ServerProcess, serving
from support.waiting import until
from support.web import metrics

GRACE_MIN, GRACE_MAX = 0.4, 2.5  # seconds of the apps below; the others have the product's
LATE = 15  # seconds: what is over by then had no time of the product's, which are longer
BRIEF = ["brief-kept", "brief-over", "brief-grace"]

CONFIG = "".join(
    f"""
[apps.{name}]
allow_no_token = true
[apps.{name}.limits]
grace_min = {GRACE_MIN}
grace_max = {GRACE_MAX}
"""
    for name in BRIEF
)
CONFIG += f"""
[apps.brief-short]
allow_no_token = true
[apps.brief-short.limits]
grace_min = {GRACE_MIN}
"""
OURS, WEB, PYTHON = "signalpost-python", "websdk", "javasdk"
DEVICES = [OURS, WEB, PYTHON]
every_device = pytest.mark.parametrize("device", DEVICES)
attached_or_not = pytest.mark.parametrize("attached", [True, False], ids=["attached", "detached"])


@pytest.fixture(scope="module")
def dev_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("devices"), CONFIG) as server:
        yield server


class Watch:
    """Somebody who sees what becomes of ada: in her channel, and among all who come and go."""

    def __init__(self, client: RawClient) -> None:
        self.client = client

    async def saw(self, kind: str, account: str = "ada") -> None:
        """The next event of the channel is this one."""
        line = (await self.client.event("room"))[1]
        assert (line.type, line.json["account"]) == (kind, account)

    async def saw_nothing(self) -> None:
        """Nothing has happened, and ada counts as online."""
        assert (await self.client.ok("user_query_user_status", account="ada"))["status"] == 1
        await self.client.quiet()


async def watch(house: House) -> Watch:
    client = await house.client("eve")
    await client.ok("channel_join", name="room")
    await client.ok("channel_join", name="__agora_user_online")
    return Watch(client)


async def settle_in(house: House, device: str, watching: Watch) -> RawClient:
    """Ada logs in and joins the room."""
    client = await house.client("ada", device=device)
    await client.ok("channel_join", name="room")
    await watching.client.event("__agora_user_online")
    await watching.saw("channel_user_join")
    return client


async def kicked(client: RawClient) -> None:
    """The client is told in the form that suits every kind, then the connection ends (PROTOCOL §3)."""
    code, _ = await client.gone()
    assert code == 1000
    assert client.frames == [["kick", ""], ["close", ""]]
    client.frames.clear()


async def members(client: RawClient) -> list[str]:
    answer = await client.ok("channel_query_userlist", name="room")
    return [account for account, _ in answer["list"]]


# --- another login ------------------------------------------------------------------------------


@every_device
@pytest.mark.parametrize("new", DEVICES)
async def test_a_second_login_ends_the_first_which_leaves_its_channel(
    house: House, device: str, new: str
) -> None:
    """SPEC L7, L17: over an attached session without its line; presence shows no gap."""
    watching = await watch(house)
    old = await settle_in(house, device, watching)
    client = await house.client("ada", device=new)
    await kicked(old)
    await watching.saw("channel_user_leave")
    await watching.saw_nothing()
    assert client.line != old.line
    assert await members(client) == ["eve"]
    await client.refused("channel_sendmsg", 400, name="room", msg="not a member any more")
    await client.ok("channel_join", name="room")
    await watching.saw("channel_user_join")
    await watching.saw_nothing()


@every_device
async def test_our_sdk_without_a_line_takes_over_a_detached_session(house: House, device: str) -> None:
    """SPEC L17: a new session; the old one leaves its channel at once, presence shows no gap."""
    watching = await watch(house)
    old = await settle_in(house, device, watching)
    await old.close()
    await watching.saw_nothing()
    client = await house.client("ada", device=OURS)
    await watching.saw("channel_user_leave")
    await watching.saw_nothing()
    assert await members(client) == ["eve"]
    await client.quiet()


@every_device
@pytest.mark.parametrize("new", [WEB, PYTHON])
async def test_an_original_sdk_finds_the_place_of_its_broken_session(
    house: House, device: str, new: str
) -> None:
    """SPEC L17: the place is kept; when it joins again the missed events follow the answer, once."""
    watching = await watch(house)
    old = await settle_in(house, device, watching)
    await watching.client.ok("channel_sendmsg", name="room", msg="heard")
    await old.event("room")
    await watching.client.event("room")
    await old.close()
    for text in ("missed 1", "missed 2"):
        await watching.client.ok("channel_sendmsg", name="room", msg=text)
        await watching.client.event("room")
    client = await house.client("ada", device=new)
    assert sorted(await members(client)) == ["ada", "eve"]
    await watching.client.ok("channel_sendmsg", name="room", msg="missed 3")
    await watching.client.event("room")
    await client.quiet()
    answer = await client.ok("channel_join", name="room")
    assert sorted(answer["list"]) == [["ada", 0], ["eve", 0]]
    assert answer["list"][-1] == ["ada", 0]
    await watching.client.ok("channel_sendmsg", name="room", msg="live")
    await watching.client.event("room")
    events = [await client.event("room") for _ in range(4)]
    assert [line.json["msg"] for _, line in events] == ["missed 1", "missed 2", "missed 3", "live"]
    numbers = [number for number, _ in events]
    assert numbers == sorted(set(numbers))
    await client.quiet()
    await watching.saw_nothing()


@every_device
async def test_a_kept_place_is_given_up_for_another_channel(house: House, device: str) -> None:
    """SPEC L17, C2: one ordinary channel at a time."""
    watching = await watch(house)
    old = await settle_in(house, device, watching)
    await old.close()
    client = await house.client("ada", device=WEB)
    await watching.saw_nothing()
    await client.ok("channel_join", name="elsewhere")
    await watching.saw("channel_user_leave")
    await watching.saw_nothing()


async def test_a_place_is_kept_no_longer_than_the_break_allows(house: House) -> None:
    """SPEC L17, L11: if the fresh session does not join, the place ends with the old session's grace time.

    Its own node may hear of that a moment after the members do.
    """
    eve = await house.client("eve", app="brief-kept")
    await eve.ok("channel_join", name="kept")
    old = await house.client("ada", app="brief-kept")
    await old.ok("channel_join", name="kept")
    await eve.event("kept")
    broken = time.monotonic()
    await old.close()
    client = await house.client("ada", app="brief-kept")
    await eve.quiet()
    line = (await eve.event("kept"))[1]
    assert line.type == "channel_user_leave"
    assert GRACE_MAX - 0.1 <= time.monotonic() - broken <= LATE

    async def out() -> bool:
        return (await client.call("channel_sendmsg", name="kept", msg="too late"))["result"] != "ok"

    await until(out, "it is in no longer")
    eve.frames.clear()
    await client.ok("channel_join", name="kept")
    await eve.wait(lambda frame: "channel_user_join" in str(frame), "the join")
    await client.quiet()


# --- a resume -----------------------------------------------------------------------------------


async def resume(house: House, account: str, line: str, **more: Any) -> RawClient:
    client = await house.open()
    body = await client.login(account, device=OURS, **{"app": house.app, "line": line, **more})
    assert body["resumed"] is True
    assert body["line"] == line
    return client


@attached_or_not
async def test_the_current_line_resumes_the_session(house: House, attached: bool) -> None:
    """SPEC L17: even if the old connection looks alive, which is closed without a kick."""
    watching = await watch(house)
    old = await settle_in(house, OURS, watching)
    if not attached:
        await old.close()
    client = await resume(house, "ada", old.line)
    if attached:
        code, _ = await old.gone()
        assert code == 1000
    assert old.frames == [], "neither kick nor close: it would end the session that goes on"
    await watching.saw_nothing()
    await watching.client.ok("channel_sendmsg", name="room", msg="to the new connection")
    assert (await client.event("room"))[1].json["msg"] == "to the new connection"
    await client.ok("channel_sendmsg", name="room", msg="still a member")
    await client.ok("user_logout")


async def test_a_resume_again_and_again_is_one_session(house: House) -> None:
    """SPEC L17: the line stays good; nothing is delivered twice or on an old connection."""
    watching = await watch(house)
    client = await settle_in(house, OURS, watching)
    for number in range(5):
        old, client = client, await resume(house, "ada", client.line, inbox=["", 0])
        await old.gone()
        assert old.frames == []
        await watching.client.ok("user_sendmsg", peer="ada", t="instant", content=str(number))
        version, line = await client.pushed()
        assert line.content == str(number)
        await client.ok("user_ack", ver_clear=version)
        await client.quiet()
    await watching.saw_nothing()


async def test_of_many_resumes_at_once_one_connection_stays(house: House) -> None:
    """SPEC L17: each goes on where the one before was; none is kicked, and the session is one."""
    watching = await watch(house)
    ada = await settle_in(house, OURS, watching)
    clients = [await house.open() for _ in range(20)]
    bodies = await asyncio.gather(
        *(client.login("ada", app=house.app, device=OURS, line=ada.line) for client in clients)
    )
    assert {(body["resumed"], body["line"]) for body in bodies} == {(True, ada.line)}

    async def one_is_left() -> bool:
        return sum(client.closed is None for client in clients) == 1

    await until(one_is_left, "all the others are closed")
    (survivor,) = [client for client in clients if client.closed is None]
    assert all(client.frames == [] for client in clients)
    await survivor.ok("channel_sendmsg", name="room", msg="still in")
    await survivor.event("room")
    await watching.client.event("room")
    await watching.saw_nothing()


async def test_what_the_old_connection_still_says_is_not_heard(house: House) -> None:
    """SPEC L17, E5: a request that was under way on the superseded connection changes nothing."""
    watching = await watch(house)
    old = await settle_in(house, OURS, watching)
    client = await resume(house, "ada", old.line)
    assert old.closed is None or old.closed[0] == 1000
    await old.gone()
    await client.ok("channel_leave", name="room")
    await watching.saw("channel_user_leave")
    await watching.saw_nothing()


async def test_a_line_that_is_over_opens_a_fresh_session(house: House) -> None:
    """SPEC L11, PROTOCOL §12: after the grace time, and after a logout, `resumed` is false."""
    ada = await house.client("ada", app="brief-over", device=OURS)
    eve = await house.client("eve", app="brief-over")

    async def offline() -> bool:
        return bool((await eve.ok("user_query_user_status", account="ada"))["status"] == 0)

    await ada.close()
    await until(offline, "the grace time is over")
    client = await house.open()
    body = await client.login("ada", app="brief-over", device=OURS, line=ada.line)
    assert body["resumed"] is False
    assert body["line"] != ada.line
    assert body["channels"] == {}
    await client.ok("user_logout")
    again = await house.open()
    body = await again.login("ada", app="brief-over", device=OURS, line=body["line"])
    assert body["resumed"] is False


async def test_a_line_is_good_for_its_own_account_only(house: House) -> None:
    """SPEC L17, L8: somebody else's line resumes nothing and ends nothing."""
    ada = await house.client("ada", device=OURS)
    bo = await house.open()
    body = await bo.login("bo", app=house.app, device=OURS, line=ada.line)
    assert body["resumed"] is False
    await ada.ok("user_query_user_status", account="bo")
    await ada.quiet()


# --- superseded lines ---------------------------------------------------------------------------


@attached_or_not
@every_device
async def test_a_superseded_line_is_refused_as_a_kick(house: House, device: str, attached: bool) -> None:
    """SPEC L18: with the reason `kick`, for good; the session that superseded it notices nothing."""
    watching = await watch(house)
    stale = await settle_in(house, OURS, watching)
    current = await house.client("ada", device=device)
    await kicked(stale)
    await watching.saw("channel_user_leave")
    await current.ok("channel_join", name="room")
    await watching.saw("channel_user_join")
    if not attached:
        await current.close()
    for _ in range(3):
        client = await house.open()
        err, body = await client.try_login("ada", app=house.app, device=OURS, line=stale.line)
        assert (err, body["reason"], body["code"]) == ("kick", "kick", 207)
        assert (await client.gone())[0] == 1000
        assert client.frames == []
    await watching.saw_nothing()
    if attached:
        await current.ok("channel_sendmsg", name="room", msg="still here")
        await current.event("room")
        await current.quiet()


async def test_two_devices_cannot_kick_each_other_for_ever(house: House) -> None:
    """SPEC L18: each reconnects with its line; the one that lost stays out, also when the other is away."""
    first = await house.client("ada", device=OURS)
    second = await house.client("ada", device=OURS)
    await kicked(first)

    async def refused(client: RawClient) -> bool:
        again = await house.open()
        err, _ = await again.try_login("ada", app=house.app, device=OURS, line=client.line)
        return bool(err == "kick")

    assert await refused(first)
    await second.close()
    assert await refused(first)
    second = await resume(house, "ada", second.line)
    assert await refused(first)
    await second.ok("user_logout")
    assert not await refused(first), "no session is there: a fresh login"
    third = await house.client("ada", device=OURS)
    assert third.line not in (first.line, second.line)
    await third.quiet()


@every_device
async def test_of_many_logins_at_once_one_session_stays(house: House, device: str) -> None:
    """SPEC L7, §1: at most one session an account; all the others are kicked, presence shows no gap."""
    watching = await watch(house)
    clients = [await house.open() for _ in range(20)]
    await asyncio.gather(*(client.login("ada", app=house.app, device=device) for client in clients))
    assert len({client.line for client in clients}) == 20

    async def one_is_left() -> bool:
        return sum(client.closed is None for client in clients) == 1

    await until(one_is_left, "all the others are closed")
    (survivor,) = [client for client in clients if client.closed is None]
    for client in clients:
        if client is not survivor:
            await kicked(client)
    await survivor.ok("channel_join", name="room")
    await watching.saw("channel_user_join")
    await watching.client.event("__agora_user_online")
    await watching.saw_nothing()


# --- logging in and out -------------------------------------------------------------------------


@every_device
async def test_logout_then_login_at_once_works(house: House, device: str) -> None:
    """SPEC L8, L9: offline at once, and a fresh session without waiting."""
    watching = await watch(house)
    lines = set()
    for _ in range(5):
        client = await settle_in(house, device, watching)
        lines.add(client.line)
        await client.ok("user_logout")
        await watching.saw("channel_user_leave")
        event = (await watching.client.event("__agora_user_online"))[1].json["msg"]
        assert '"offline"' in event
        assert (await watching.client.ok("user_query_user_status", account="ada"))["status"] == 0
        assert client.closed is None, "the client closes, not the server (PROTOCOL §5)"
        await client.close()
    assert len(lines) == 5
    await watching.client.quiet()


async def test_another_account_is_an_independent_session(house: House) -> None:
    """SPEC L8: two accounts of one program do not touch each other."""
    ada, bo = await house.client("ada", device=OURS), await house.client("bo", device=OURS)
    await ada.ok("user_logout")
    assert (await bo.ok("user_query_user_status", account="bo"))["status"] == 1
    await bo.quiet()


async def test_a_connection_carries_one_session_after_the_other(house: House) -> None:
    """SPEC L8: a second login on a connection that has a session is refused and harms nothing."""
    ada = await house.client("ada")
    await ada.send(["login", {"vid": house.app, "account": "bo", "token": "t", "device": WEB}])
    frame = await ada.wait(lambda frame: frame[0] == "error", "error")
    assert frame[1]["code"] == 1004
    assert (await ada.ok("user_query_user_status", account="bo"))["status"] == 0
    await ada.ok("user_logout")
    await ada.login("bo", app=house.app)
    assert (await ada.ok("user_query_user_status", account="bo"))["status"] == 1
    assert (await ada.ok("user_query_user_status", account="ada"))["status"] == 0


# --- the grace time -----------------------------------------------------------------------------


async def test_a_connection_that_breaks_without_a_word_detaches_its_session(house: House) -> None:
    """SPEC L10, L11: TCP that is reset counts as a break, too."""
    watching = await watch(house)
    ada = await settle_in(house, OURS, watching)
    before = metrics(house.server.http)["signalpost_connections"]
    await ada.cut()

    async def noticed() -> bool:
        return metrics(house.server.http)["signalpost_connections"] < before

    await until(noticed, "the server has seen the break")
    await watching.saw_nothing()
    client = await resume(house, "ada", ada.line)
    await client.ok("channel_sendmsg", name="room", msg="still a member")


async def test_a_detached_session_lives_for_its_grace_time(house: House) -> None:
    """SPEC L11: online, in its channel, messages wait; then offline and out, once."""
    eve = await house.client("eve", app="brief-grace")
    await eve.ok("channel_join", name="grace")
    await eve.ok("channel_join", name="__agora_user_online")
    ada = await house.client("ada", app="brief-grace")
    await eve.event("__agora_user_online")
    await ada.ok("channel_join", name="grace")
    await eve.event("grace")
    broken = time.monotonic()
    await ada.close()
    assert (await eve.ok("user_query_user_status", account="ada"))["status"] == 1
    assert (await eve.ok("channel_query_user_isin", name="grace", account="ada"))["isin"] == 1
    await eve.ok("user_sendmsg", peer="ada", t="instant", content="meanwhile")
    await eve.quiet()
    assert (await eve.event("grace"))[1].type == "channel_user_leave"
    assert GRACE_MAX - 0.1 <= time.monotonic() - broken <= LATE
    assert '"offline"' in (await eve.event("__agora_user_online"))[1].json["msg"]
    assert (await eve.ok("user_query_user_status", account="ada"))["status"] == 0
    assert (await eve.ok("channel_query_user_isin", name="grace", account="ada"))["isin"] == 0
    await eve.quiet()
    ada = await house.client("ada", app="brief-grace", polled=False)
    assert [line.content for _, line in await ada.poll()] == ["meanwhile"]


@pytest.mark.parametrize(
    ("asked", "kept"), [(0, "20"), ("19", "20"), (20, "20"), (77, "77"), (120, "120"), ("121", "120")]
)
async def test_conn_timeout_reads_back_clamped(house: House, asked: object, kept: str) -> None:
    """SPEC L11: 20 to 120 seconds."""
    ada = await house.client("ada")
    await ada.ok("user_set_attr", name="_conn_timeout", value=asked)
    assert (await ada.ok("user_get_attr", account="ada", name="_conn_timeout"))["value"] == kept


async def test_conn_timeout_shortens_the_grace_time_of_this_and_later_sessions(house: House) -> None:
    """SPEC L11, P3: the attribute stays, and so does its effect."""
    eve = await house.client("eve", app="brief-short")
    await eve.ok("channel_join", name="__agora_user_online")

    async def offline_after(broken: float) -> float:
        event = await eve.event("__agora_user_online")
        assert '"offline"' in event[1].json["msg"]
        return time.monotonic() - broken

    for first in (True, False):
        ada = await house.client("ada", app="brief-short")
        assert '"online"' in (await eve.event("__agora_user_online"))[1].json["msg"]
        if first:
            await ada.ok("user_set_attr", name="_conn_timeout", value=0)
        broken = time.monotonic()
        await ada.close()
        assert GRACE_MIN - 0.1 <= await offline_after(broken) < LATE


# --- tokens -------------------------------------------------------------------------------------

TOKENS = """
[apps.app]
certificate = "secret"
"""


async def test_a_token_that_expires_ends_no_session_and_takes_over_its_own(directory: Path) -> None:
    """SPEC L6: the very token that opened a session may take it over; any other expired one is 204."""
    with ServerProcess(directory, config=TOKENS) as server:
        expiry = int(time.time()) + 6
        token = make_token("app", "secret", "ada", expiry)
        other = make_token("app", "secret", "ada", expiry - 1)

        async def login(account: str, token: str, **more: object) -> tuple[RawClient, str]:
            client = await server.open()
            err, body = await client.try_login(account, token=token, **more)
            client.line = body.get("line", "")
            return client, err

        first, err = await login("ada", token, device=OURS)
        assert err == ""

        numbers = itertools.count()

        async def expired() -> bool:
            account = f"bo{next(numbers)}"
            return (await login(account, make_token("app", "secret", account, expiry)))[
                1
            ] == "TokenErrorExpired"

        await until(expired, "the token has expired")
        assert (await first.ok("user_query_user_status", account="ada"))["status"] == 1
        assert (await login("ada", other, device=OURS))[1] == "TokenErrorExpired"
        assert (await login("ada", other, device=OURS, line=first.line))[1] == "TokenErrorExpired"
        await first.quiet()
        second, err = await login("ada", token, device=OURS, line=first.line)
        assert err == ""
        assert second.line == first.line
        assert (await first.gone())[0] == 1000
        third, err = await login("ada", token, device=WEB)
        assert err == ""
        await kicked(second)
        wrong = token[:-1] + ("0" if token[-1] != "0" else "1")
        assert (await login("ada", wrong, device=WEB))[1].startswith("TokenErrorWrong")
        await third.ok("user_logout")
        refused, err = await login("ada", token, device=WEB)
        assert err == "TokenErrorExpired"
        assert (await refused.gone())[0] == 1000
        await third.close()
        assert await server.stopped() == 0
