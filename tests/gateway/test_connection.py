"""One client's connection without a network: order, answers, and the end of a session (PROTOCOL §2-§5)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from signalpost.app import Server
from signalpost.config import Config
from signalpost.domain.apps import App
from signalpost.domain.limits import Limits
from signalpost.engine.ports import Pending, Unavailable
from signalpost.gateway.commands import COMMANDS
from signalpost.gateway.connection import Connection
from signalpost.services.inbox import Inboxes
from signalpost.services.presence import Presence
from signalpost.wire import codec
from signalpost.wire.codes import Code
from support.waiting import until
from support.wiring import Wire

APPS = {
    "app": App(any_token=True),
    "strict": App(certificate="secret"),
    "slow": App(
        any_token=True, limits=Limits(requests=1, requests_burst=3, list_requests=1, user_messages=2)
    ),
    "busy": App(any_token=True, limits=Limits(user_messages=10_000)),
    "flag": App(any_token=True, lines="flag"),
}


class Desk:
    """A server that listens nowhere, and connections to it."""

    def __init__(self) -> None:
        self.server = Server(
            Config(
                data=":memory:",
                apps=APPS,
                connections_per_second=3,
                failed_logins_per_minute=3,
            )
        )

    def connect(self) -> Client:
        return Client(self)


class Client:
    """A connection, and what it has sent and got."""

    def __init__(self, desk: Desk) -> None:
        self.wire = Wire()
        self.connection = Connection(desk.server._gate, self.wire)  # type: ignore[arg-type]
        self.number = 0
        self.line = ""

    def send(self, frame: Any) -> None:
        """Send a frame; who has heard about it is up to the test."""
        self.connection.text((frame if isinstance(frame, str) else json.dumps(frame)).encode())

    def got(self) -> list[Any]:
        """What came since the last look, bodies parsed."""
        return [self._unfold(frame) for frame in self.wire.tick()]

    @staticmethod
    def _unfold(frame: Any) -> Any:
        match frame:
            case ["call2-ret", [call_id, "", body]]:
                return call_id, json.loads(body)
            case ["login_ret", [err, body]]:
                return err, json.loads(body)
        return frame

    def login(
        self, account: str = "ada", app: str = "app", device: str = "websdk", **more: Any
    ) -> dict[str, Any]:
        """Log in; the body of the answer."""
        fields = {"vid": app, "account": account, "token": "t", "device": device, **more}
        self.send(["login", fields])
        [(err, body)] = self.got()
        assert err == ""
        self.line = body["line"]
        told: dict[str, Any] = body
        return told

    def ask(self, func: str, **args: Any) -> int:
        """Call; the id."""
        self.number += 1
        self.send(["call2", [func, self.number, {"line": self.line, **args}]])
        return self.number

    def call(self, func: str, **args: Any) -> dict[str, Any]:
        """Call something that is answered at once, and alone."""
        call_id = self.ask(func, **args)
        [(answered, body)] = self.got()
        assert answered == call_id
        told: dict[str, Any] = body
        return told


async def ticks(count: int) -> None:
    """Let the loop go on."""
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    yield desk
    desk.server.listener.stop()


class Gate:
    """A command that waits until the test lets it go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, func: str) -> None:
        self.pending = Pending()
        self.ran: list[Any] = []
        command = COMMANDS[func]

        async def run(context: Any, live: Any, asked: Any) -> Any:
            await self.pending
            self.ran.append(asked)
            return await command.run(context, live, asked)

        monkeypatch.setitem(COMMANDS, func, replace(command, run=run))

    def open(self) -> None:
        self.pending.settle()


# --- order ------------------------------------------------------------------------------------


async def test_requests_wait_behind_one_that_waits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """PROTOCOL §5: served in the order in which they came."""
    client = desk.connect()
    client.login()
    gate = Gate(monkeypatch, "user_set_attr")
    client.ask("user_set_attr", name="mood", value="fine")
    client.ask("user_get_attr", account="ada", name="mood")
    client.send(["ping", 7])
    assert client.got() == []
    gate.open()
    assert client.got() == [
        (1, {"result": "ok"}),
        (2, {"result": "ok", "value": "fine"}),
        ["pong", 7],
    ]


async def test_messages_make_nobody_wait(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """PROTOCOL §5: they are begun in order, and answered when they are stored."""
    client = desk.connect()
    client.login()
    gate = Gate(monkeypatch, "user_sendmsg")
    for text in ("one", "two"):
        client.ask("user_sendmsg", peer="bo", content=text)
    client.ask("channel_query_num", name="room")
    assert client.got() == [(3, {"result": "ok", "num": 0})]
    gate.open()
    assert [call_id for call_id, _ in client.got()] == [1, 2]
    assert [asked.content for asked in gate.ran] == ["one", "two"]


class Stamps:
    """A `user_sendmsg` each of which waits until the test lets it go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pendings: list[Pending] = []
        self.done: list[str] = []
        send = COMMANDS["user_sendmsg"]

        async def run(context: Any, live: Any, asked: Any) -> str:
            pending = Pending()
            self.pendings.append(pending)
            await pending
            self.done.append(asked.content)
            return await send.run(context, live, asked)

        monkeypatch.setitem(COMMANDS, "user_sendmsg", replace(send, run=run))

    def settle(self, *numbers: int) -> None:
        for number in numbers:
            self.pendings[number].settle()


def send(client: Client, *texts: str) -> None:
    for text in texts:
        client.ask("user_sendmsg", peer="bo", content=text)


async def test_messages_are_answered_in_their_order_whichever_is_stored_first(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PROTOCOL §5: also one that is refused at once, or fails."""
    client = desk.connect()
    client.login(app="slow")
    stamps = Stamps(monkeypatch)
    send(client, "a", "b")
    client.ask("user_sendmsg", peer="bo", content="x", rid="r" * 129)
    client.ask("channel_sendmsg", name="nowhere", msg="x")
    send(client, "c")
    assert client.got() == []
    stamps.settle(1)
    stamps.pendings[2].settle(Unavailable("disk full"))
    assert client.got() == []
    stamps.settle(0)
    answers = client.got()
    assert [call_id for call_id, _ in answers] == [1, 2, 3, 4, 5]
    assert [body.get("code") for _, body in answers] == [None, None, 1005, 400, 400]


@pytest.mark.parametrize(
    ("func", "more"),
    [("user_logout", {}), ("channel_leave", {"name": "room"}), ("channel_join", {"name": "hall"})],
)
async def test_what_ends_something_waits_for_the_messages_before_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, func: str, more: dict[str, str]
) -> None:
    """SPEC M11: n sends and a logout, and what stands behind it, are answered in the order of the requests,
    each by its own result."""
    client = desk.connect()
    client.login(device="signalpost-web")
    client.call("channel_join", name="room")
    stamps = Stamps(monkeypatch)
    send(client, "a", "b", "c")
    client.ask("channel_sendmsg", name="room", msg="d")
    client.ask(func, rid="r", **more)
    send(client, "late")
    for number in (2, 1):
        stamps.settle(number)
    assert [one for one in client.got() if isinstance(one, tuple)] == []
    stamps.settle(0)
    if func != "user_logout":
        stamps.settle(3)
    answers = [one for one in client.got() if isinstance(one, tuple)]
    assert [call_id for call_id, _ in answers] == [2, 3, 4, 5, 6, 7]
    late = 1003 if func == "user_logout" else None
    assert [body.get("code") for _, body in answers] == [None] * 5 + [late]
    assert stamps.done == ["c", "b", "a"] + ([] if late else ["late"])


async def test_messages_under_way_have_a_bound(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """PROTOCOL §5: 256 of a connection; the next ones wait as requests do, and nobody is left behind."""
    client = desk.connect()
    client.login(app="busy")
    stamps = Stamps(monkeypatch)
    send(client, *map(str, range(256 + 63)))
    assert (len(stamps.pendings), client.wire.held) == (256, 0)
    send(client, "one more")
    assert (len(stamps.pendings), client.wire.held) == (256, 1)
    stamps.settle(0)
    assert len(stamps.pendings) == 257
    for number in range(1, 320):
        stamps.settle(number)
    assert [call_id for call_id, _ in client.got()] == list(range(1, 321))
    assert client.wire.went_on == 1
    assert client.call("channel_query_num", name="room")["num"] == 0


async def test_a_kick_comes_behind_the_answers_to_what_was_begun(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC M11, L7: what is done is not reported as failed; what was not begun is not done."""
    old, new = desk.connect(), desk.connect()
    old.login()
    stamps = Stamps(monkeypatch)
    gate = Gate(monkeypatch, "user_set_attr")
    send(old, "a", "b")
    old.ask("user_set_attr", name="mood", value="fine")
    send(old, "never begun")
    new.login()
    assert old.got() == []
    send(old, "too late")
    old.send(["login", {"vid": "app", "account": "ada", "token": "t", "device": "websdk"}])
    stamps.settle(0)
    gate.open()
    assert [call_id for call_id, _ in old.got()] == [1, 3]
    stamps.settle(1)
    (answered, body), *farewell = old.got()
    assert (answered, body["result"], farewell) == (2, "ok", [["kick", ""], ["close", ""]])
    assert old.wire.closed == (1000, "another login of this account")
    assert stamps.done == ["a", "b"]
    assert new.call("user_get_attr", account="ada", name="mood")["value"] == "fine"


async def test_a_closing_server_answers_first_what_has_come(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC §9, M11: what waits in the queue, too, one commit after the other; then 1012."""
    client = desk.connect()
    client.login()
    stamps = Stamps(monkeypatch)
    gate = Gate(monkeypatch, "user_set_attr")
    send(client, "a")
    client.ask("user_set_attr", name="mood", value="fine")
    send(client, "b")
    client.ask("user_logout")
    client.connection.part(1012, "the server restarts")
    assert client.wire.closed is None
    stamps.settle(0)
    gate.open()
    assert client.wire.closed is None
    stamps.settle(1)
    assert [call_id for call_id, _ in client.got()] == [1, 2, 3, 4]
    assert client.wire.closed == (1012, "the server restarts")
    idle = desk.connect()
    idle.connection.part(1012, "the server restarts")
    assert idle.wire.closed == (1012, "the server restarts")


async def test_a_client_that_asks_too_much_is_not_read_from(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PROTOCOL §5: 64 requests wait at most; half of them done, and it may go on."""
    client = desk.connect()
    client.login()
    gate = Gate(monkeypatch, "user_set_attr")
    client.ask("user_set_attr", name="a", value="b")
    for _ in range(63):
        client.ask("user_getmsg", ver_clear=0, max=30)
    assert client.wire.held == 0
    client.ask("user_getmsg", ver_clear=0, max=30)
    for _ in range(36):  # what had been read already
        client.ask("user_getmsg", ver_clear=0, max=30)
    assert (client.wire.held, client.wire.went_on) == (1, 0)
    gate.open()
    assert client.wire.went_on == 1
    assert [call_id for call_id, _ in client.got()] == list(range(1, 102))


async def test_what_follows_an_answer_comes_behind_it(desk: Desk) -> None:
    """PROTOCOL §6, §11.9: the nudge behind the poll, the channel behind the join."""
    friend, client = desk.connect(), desk.connect()
    friend.login("friend")
    friend.call("user_sendmsg", peer="ada", content="hi")
    client.login(device="javasdk")
    client.ask("user_getmsg", ver_clear=0, max=30)
    client.ask("channel_join", name="room")
    client.ask("channel_sendmsg", name="room", msg="x")
    kinds = [frame[1][0] if frame[0] == "notify" else frame[0] for frame in client.got()]
    assert kinds[:3] == [1, "msg", 2]
    assert sorted(map(str, kinds[3:])) == ["3", "channel2"]


# --- answers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("raised", [ValueError("a defect"), KeyError("another"), RecursionError()])
async def test_a_defect_costs_a_request_and_not_the_connection(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    """SPEC E5: the answer says so, with the code of the function, and the session goes on."""
    client = desk.connect()
    client.login()
    _replace(monkeypatch, "channel_query_num", _raising(raised))
    body = client.call("channel_query_num", name="room")
    assert (body["code"], body["reason"]) == (Code.QUERYUSERNUM_E_OTHER, "server error")
    assert client.call("channel_query_userlist", name="room")["result"] == "ok"


async def test_a_store_that_fails_costs_a_request(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """SPEC M5: what could not be stored is not said to be sent."""
    client = desk.connect()
    client.login()
    _replace(monkeypatch, "user_sendmsg", _raising(Unavailable("disk full")))
    body = client.call("user_sendmsg", peer="bo", content="x")
    assert (body["result"], body["code"]) == ("failed", Code.SENDMESSAGE_E_OTHER)
    assert "disk full" not in json.dumps(body)


def _raising(error: Exception) -> Callable[..., Coroutine[Any, Any, Any]]:
    async def run(context: Any, live: Any, asked: Any) -> Any:
        raise error

    return run


def _replace(
    monkeypatch: pytest.MonkeyPatch, func: str, run: Callable[..., Coroutine[Any, Any, Any]]
) -> None:
    monkeypatch.setitem(COMMANDS, func, replace(COMMANDS[func], run=run))


@pytest.mark.parametrize(("func", "name"), [("channel_leave", "room"), ("channel_join", "hall")])
async def test_a_leave_that_fails_leaves_nobody_deaf(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, func: str, name: str
) -> None:
    """SPEC C2, C3, M5: who could not leave is in the channel, and sees it, what came meanwhile too."""
    client, friend = desk.connect(), desk.connect()
    client.login()
    client.call("channel_join", name="room")
    friend.login("friend")
    friend.call("channel_join", name="room")
    assert len(client.got()) == 1, "the friend's coming"
    pending = Pending()
    commit = Presence.commit

    async def slow(self: Any, live: Any, session: Any, *steps: Any) -> Any:
        await pending
        return await commit(self, live, session, *steps)

    monkeypatch.setattr(Presence, "commit", slow)
    client.ask(func, name=name)
    friend.ask("channel_sendmsg", name="room", msg="meanwhile")
    pending.settle(Unavailable("disk full"))
    friend.ask("channel_sendmsg", name="room", msg="and after")
    answers, events = _sorted(client.got())
    assert [body["reason"] for _, body in answers] == ["the server could not store it"]
    assert len(events) == 2
    assert "meanwhile" in events[0]
    assert "and after" in events[1]
    friend.got()
    assert friend.call("channel_query_user_isin", name="room", account="ada")["isin"] == 1

    monkeypatch.setattr(Presence, "commit", commit)
    client.ask(func, name=name)
    friend.ask("channel_sendmsg", name="room", msg="without you")
    answers, events = _sorted(client.got())
    assert ([body["result"] for _, body in answers], events) == (["ok"], []), "not its own leave either"
    _, events = _sorted(friend.got())
    assert "channel_user_leave" in events[0]


def _sorted(frames: list[Any]) -> tuple[list[Any], list[str]]:
    """Answers, and the other frames as texts."""
    answers = [frame for frame in frames if isinstance(frame, tuple)]
    return answers, [json.dumps(frame) for frame in frames if not isinstance(frame, tuple)]


async def test_rates_of_requests(desk: Desk) -> None:
    """SPEC M10, M8: 1001 for requests, 400 for messages; what SDKs send by themselves is free."""
    client = desk.connect()
    client.login(app="slow")
    codes = [client.call("channel_query_num", name="room").get("code") for _ in range(5)]
    assert codes == [None, None, None, Code.GENERAL_E_FAILED, Code.GENERAL_E_FAILED]
    codes = [client.call("user_sendmsg", peer="bo", content="x").get("code") for _ in range(3)]
    assert codes == [None, None, Code.SENDMESSAGE_E_OTHER]
    assert client.call("user_getmsg", ver_clear=0, max=30)["result"] == "ok"
    other = desk.connect()
    other.login("bo", app="slow")
    codes = [other.call("channel_query_userlist_all", name="room").get("code") for _ in range(2)]
    assert codes == [None, Code.GENERAL_E_FAILED]


@pytest.mark.parametrize(
    "frame",
    [
        ["call2", ["no_such_function", 7, {}]],
        ["call2", ["channel_query_num", 7, {"name": "room"}]],
        ["call2", ["channel_query_num", 7, {}]],
        ["call2", ["user_sendmsg", 7, {"peer": "bo", "content": "x"}]],
        ["call2", ["user_sendmsg", 7, {"peer": "", "content": "x"}]],
        '["call2",["channel_query_num",7,{"name":"\\ud800"}]]',
        ["call2", 7],
        ["nothing", 7],
        ["login", {}],
        ["ping", 7],
        ["call2", ["user_sendmsg", 7, {"peer": "bo", "content": "x", "rid": "again"}]],
        ["call2", ["channel_sendmsg", 7, {"name": "room", "msg": "x", "rid": "again"}]],
    ],
    ids=str,
)
async def test_who_is_refused_without_end_is_read_more_slowly_and_answered_all_the_same(
    desk: Desk, frame: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC E5, M10: a flood of what is refused costs little, too, or of what has no rate."""
    client = desk.connect()
    client.login(app="slow")
    client.call("channel_join", name="room")
    client.send(["call2", ["channel_sendmsg", 7, {"name": "room", "msg": "x", "rid": "again"}]])
    client.got()
    rates = desk.server.services.rates
    now = rates._clock()
    monkeypatch.setattr(rates, "_clock", lambda: now)
    for _ in range(100):
        client.send(frame)
    answers = client.got()
    assert 30 <= len(answers) <= 34, "what is allowed, and ten times as much that is not"
    assert client.wire.held == 1
    monkeypatch.undo()
    while len(answers) < 100:
        await asyncio.sleep(0.01)
        answers += client.got()
    assert client.wire.went_on == 1
    client.send(["ping", 1])
    assert client.got() in ([], [["pong", 1]])


async def test_who_has_no_session_and_asks_without_end_is_read_more_slowly(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC E5: whatever connections of one address it comes on."""
    monkeypatch.setattr(desk.server.services.rates, "_clock", lambda: 100.0)
    one, other = desk.connect(), desk.connect()
    for _ in range(10_000):
        one.send(["call2", ["channel_query_num", 7, {"name": "room"}]])
    assert len(one.got()) == 10_000
    for client in (one, other):
        for _ in range(100):
            client.send(["call2", ["channel_query_num", 7, {"name": "room"}]])
    assert one.wire.held == other.wire.held == 1


async def test_what_happens_while_a_connection_closes_is_told_to_who_comes_back(desk: Desk) -> None:
    """SPEC C9, N7: nothing follows a close frame, though the session is there until its peer has answered."""
    client, friend = desk.connect(), desk.connect()
    client.login()
    friend.login("bo")
    client.call("channel_join", name="room")
    friend.call("channel_join", name="room")
    client.got()
    client.connection.closing()
    client.wire.close(1012)
    friend.ask("channel_sendmsg", name="room", msg="meanwhile")
    client.connection.lost(0.0, 0)
    again = desk.connect()
    again.login()
    again.ask("channel_join", name="room")
    await ticks(5)
    assert [frame for frame in again.got() if "meanwhile" in json.dumps(frame)]


async def test_a_connection_that_is_lost_while_it_rests_leaves_its_session_detached(desk: Desk) -> None:
    """SPEC L11: not attached for ever."""
    client = desk.connect()
    client.login(app="slow", device="signalpost-test")
    for _ in range(60):
        client.send(["nothing"])
    client.connection.lost(0.0, 0)

    async def detached() -> bool:
        return not client.connection.is_logged_in

    await until(detached, "the session is detached")


async def test_the_line_of_another_session_is_refused(desk: Desk) -> None:
    """PROTOCOL §2: 1003 if it is there and not the session's; it may be left out."""
    client = desk.connect()
    client.login()
    assert client.call("channel_query_num", name="room", line="another")["code"] == Code.GENERAL_E_NOT_LOGIN
    assert client.call("channel_query_num", name="room", line="")["result"] == "ok"


async def test_a_request_with_a_known_rid_is_answered_from_memory(desk: Desk) -> None:
    """PROTOCOL §12: acted upon once, failures included."""
    client = desk.connect()
    client.login(device="signalpost-web")
    friend = desk.connect()
    friend.login("friend", device="signalpost-web")
    call = {"channelName": "room", "extra": ""}

    def refuse(*rids: str) -> list[str]:
        return [client.call("voip_invite_refuse", peer="friend", rid=rid, **call)["result"] for rid in rids]

    friend.call("voip_invite", peer="ada", **call)
    assert refuse("a", "a", "b", "b", "") == ["ok", "ok", "failed", "failed", "failed"]
    friend.call("voip_invite", peer="ada", **call)
    assert refuse("b", "a", "c", "c") == ["failed", "ok", "ok", "ok"]


async def test_a_rid_repeated_on_a_new_connection_is_done_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PROTOCOL §12: the first is still under way on the connection that broke."""
    old, new = desk.connect(), desk.connect()
    body = old.login(device="signalpost-web")
    gate = Gate(monkeypatch, "user_set_attr")
    old.ask("user_set_attr", name="mood", value="fine", rid="a")
    old.connection.lost(0.0, 0)
    new.login(device="signalpost-web", line=body["line"])
    new.ask("user_set_attr", name="mood", value="fine, too", rid="a")
    new.ask("user_get_attr", account="ada", name="mood")
    assert new.got() == []
    gate.open()
    assert new.got() == [(1, {"result": "ok"}), (2, {"result": "ok", "value": "fine"})]


async def test_a_repeat_does_what_the_first_could_not(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """PROTOCOL §12: it lost its session to the very connection that repeats, which is not kicked for it."""
    old, new, friend = desk.connect(), desk.connect(), desk.connect()
    friend.login("friend")
    body = old.login(device="signalpost-web")
    old.call("channel_join", name="room")
    gate = Gate(monkeypatch, "channel_leave")
    old.ask("channel_leave", name="room", rid="a")
    new.login(device="signalpost-web", line=body["line"])
    new.ask("channel_leave", name="room", rid="a")
    gate.open()
    assert new.got() == [(1, {"result": "ok"})]
    assert new.wire.closed is None
    assert len(gate.ran) == 2
    assert friend.call("channel_query_num", name="room")["num"] == 0


# --- logins -----------------------------------------------------------------------------------


async def test_who_has_no_session_is_a_guest_of_the_listener(desk: Desk) -> None:
    """PROTOCOL §2, §5: with a login it is none any more, and after a logout it is one again."""
    client = desk.connect()
    assert client.wire.is_guest
    client.login()
    assert not client.wire.is_guest
    assert client.call("user_logout") == {"result": "ok"}
    assert client.wire.closed is None
    assert client.wire.is_guest


async def test_a_refused_login_is_answered_and_closed(desk: Desk) -> None:
    """PROTOCOL §4, §11.8: the reason in both places, then 1000."""
    client = desk.connect()
    client.send(["login", {"vid": "nowhere", "account": "ada", "token": "t", "device": "websdk"}])
    [(err, body)] = client.got()
    assert body == {"result": "failed", "reason": err, "code": Code.LOGIN_E_NET}
    assert client.wire.closed == (1000, "login refused")


async def test_an_address_that_fails_too_often_has_to_wait(desk: Desk) -> None:
    """SPEC L16: 201, whatever it says then."""
    for _ in range(3):
        client = desk.connect()
        client.send(["login", {"vid": "strict", "account": "ada", "token": "wrong", "device": "websdk"}])
        assert client.got()[0][1]["code"] == Code.LOGIN_E_TOKENWRONG
    client = desk.connect()
    client.send(["login", {"vid": "app", "account": "ada", "token": "t", "device": "websdk"}])
    [(_, body)] = client.got()
    assert (body["code"], "too many" in body["reason"]) == (Code.LOGIN_E_NET, True)


async def test_who_logs_in_again_and_again_on_one_connection_counts_as_many(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC L16, M10: as other accounts, of other apps; nothing of it counts as a failed login."""
    monkeypatch.setattr(desk.server.listener, "now", lambda: 100.0)
    client = desk.connect()
    client.login("ada-0")
    for number in range(1, 4):
        client.call("user_logout")
        client.login(f"ada-{number}", app=("app", "slow")[number % 2])
    client.call("user_logout")
    client.send(["login", {"vid": "app", "account": "ada-4", "token": "t", "device": "signalpost-python"}])
    [(reason, body)] = client.got()
    assert reason.startswith("too many connections")
    assert "second" in reason
    assert (body["code"], body["retry_ms"]) == (201, 1000)
    assert client.wire.closed is not None
    assert desk.server.counters.logins_failed == 0
    desk.connect().login("ada-4")


@pytest.mark.parametrize("step", ["attach", "encode"])
async def test_a_defect_behind_a_login_leaves_nobody_online_for_ever(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """SPEC L11: the client is told, the session is detached, and the next login is a login."""
    client, friend = desk.connect(), desk.connect()
    friend.login("friend")
    body = client.login(device="signalpost-web")
    client.call("channel_join", name="room")
    client.connection.lost(0.0, 0)
    owner, name = {
        "attach": (type(desk.server.fanout), "attach"),
        "encode": (codec, "login_ok"),
    }[step]

    def defect(*args: Any, **options: Any) -> None:
        raise RuntimeError("a defect")

    again = desk.connect()
    fields = {"vid": "app", "account": "ada", "token": "t", "device": "signalpost-web", "line": body["line"]}
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, defect)
        again.send(["login", fields])
    assert again.got()[-1][1]["code"] == Code.LOGIN_E_NET
    assert again.wire.closed == (1000, "login refused")
    again.connection.lost(0.0, 0)
    assert len(desk.server.fanout) == 1
    session, _ = await desk.server.services.sessions._presence.find("app\x1fada")  # type: ignore[misc]
    assert not session.attached
    third = desk.connect()
    assert third.login(device="signalpost-web", line=body["line"])["resumed"] is True


async def test_a_login_while_logged_in_changes_nothing(desk: Desk) -> None:
    """PROTOCOL §2: an error frame, for line_login as well."""
    client = desk.connect()
    client.login()
    for frame in (["login", {"vid": "app", "account": "eve"}], ["line_login", {"line": client.line}]):
        client.send(frame)
        [(name, told)] = client.got()
        assert (name, told["code"]) == ("error", Code.GENERAL_E_WRONG_PARAM)
    assert client.wire.closed is None
    assert client.call("user_query_user_status", account="ada")["status"] == 1


async def test_a_kick_is_right_for_all(desk: Desk) -> None:
    """PROTOCOL §3: kick, close, and the socket's end; nothing reaches the old session any more."""
    old, new = desk.connect(), desk.connect()
    old.login()
    old.ask("channel_join", name="room")
    old.got()
    new.login()
    assert old.got() == [["kick", ""], ["close", ""]]
    assert old.wire.closed == (1000, "another login of this account")
    old.connection.lost(0.0, 0)
    assert new.call("user_query_user_status", account="ada")["status"] == 1


async def test_a_resume_closes_the_old_connection_without_a_kick(desk: Desk) -> None:
    """SPEC L17: even if it looks alive."""
    old, new = desk.connect(), desk.connect()
    body = old.login(device="signalpost-web")
    old.ask("channel_join", name="room")
    old.got()
    resumed = new.login(device="signalpost-web", line=body["line"])
    assert (resumed["resumed"], resumed["line"]) == (True, body["line"])
    assert old.got() == []
    assert old.wire.closed == (1000, "the session goes on elsewhere")
    old.connection.lost(0.0, 0)
    new.ask("channel_sendmsg", name="room", msg="still in")
    assert {frame[0] for frame in new.got()} == {1, "notify"}


async def test_a_read_that_waits_tells_the_next_session_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC M2: an inbox is its account's, though the connection has another session when it is read."""
    client, friend = desk.connect(), desk.connect()
    friend.login("friend")
    friend.call("user_sendmsg", peer="ada", content="for ada alone")
    read, slow = Inboxes.read, Pending()

    async def found_late(self: Any, live: Any, **options: Any) -> Any:
        found = await read(self, live, **options)
        await slow
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Inboxes, "read", found_late)
        client.login(device="signalpost-web", inbox=["", 0])
    client.call("user_logout")
    client.login("bo", device="signalpost-web", inbox=["", 0])
    slow.settle()
    assert client.got() == []
    client.call("user_logout")
    client.login()
    assert len(client.call("user_getmsg", ver_clear=0, max=30)["msgs"]) == 1


@pytest.mark.parametrize("channels", [["room"], ["room", "__agora_user_online"]], ids=["one", "several"])
async def test_the_flag_changes_the_lines_of_channels_that_are_seen_already(
    desk: Desk, channels: list[str]
) -> None:
    """PROTOCOL §6 policy (b): v3 to a connection that sent set_flag, v2 to every other."""
    flagged, plain = desk.connect(), desk.connect()
    for client, account in ((flagged, "ada"), (plain, "bo")):
        client.login(account, app="flag")
        for name in channels:
            client.call("channel_join", name=name)
    flagged.got()
    flagged.send(["set_flag", {"binary": 1}])
    plain.ask("channel_sendmsg", name="room", msg="hello")
    kinds = [
        [frame[1][3][:6] for frame in client.got() if frame[0] == "notify"] for client in (flagged, plain)
    ]
    assert kinds == [["msg-v3"], ["msg-v2"]]


# --- losses -----------------------------------------------------------------------------------


async def test_a_lost_connection_leaves_its_session(desk: Desk) -> None:
    """SPEC L11: online, in its channel, and with its inbox."""
    client, friend = desk.connect(), desk.connect()
    client.login()
    client.ask("channel_join", name="room")
    client.connection.lost(0.0, 0)
    friend.login("friend")
    assert friend.call("user_query_user_status", account="ada")["status"] == 1
    assert friend.call("channel_query_user_isin", name="room", account="ada")["isin"] == 1


async def test_what_was_asked_before_the_loss_is_done(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """PROTOCOL §5: in order, one a tick, though nobody hears the answers; then the session is detached."""
    client, friend = desk.connect(), desk.connect()
    friend.login("friend")
    client.login()
    gate = Gate(monkeypatch, "user_set_attr")
    client.ask("user_set_attr", name="mood", value="in a hurry")
    client.ask("channel_join", name="room")
    client.ask("user_query_user_status", account="friend")
    client.ask("user_sendmsg", peer="friend", content="bye")
    client.connection.lost(0.0, 0)
    gate.open()
    await ticks(4)
    assert client.got() == []
    assert friend.call("user_get_attr", account="ada", name="mood")["value"] == "in a hurry"
    assert friend.call("channel_query_user_isin", name="room", account="ada")["isin"] == 1
    assert len(friend.call("user_getmsg", ver_clear=0, max=30)["msgs"]) == 1
    again = desk.connect()
    again.login()
    assert client.got() == [], "its session was detached, so that nobody is kicked"


async def test_a_login_that_comes_too_late_for_its_connection(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC L11: the session is there, detached, and the connection says nothing any more."""
    client, friend = desk.connect(), desk.connect()
    friend.login("friend")
    sessions = desk.server.services.sessions
    login, pending = type(sessions).login, Pending()

    async def slow(self: Any, request: Any) -> Any:
        await pending
        return await login(self, request)

    monkeypatch.setattr(type(sessions), "login", slow)
    client.send(["login", {"vid": "app", "account": "ada", "token": "t", "device": "websdk"}])
    client.connection.lost(0.0, 0)
    pending.settle()
    assert client.got() == []
    assert friend.call("user_query_user_status", account="ada")["status"] == 1
    assert len(desk.server.fanout) == 1


async def test_nothing_is_said_on_a_connection_that_is_not_json(desk: Desk) -> None:
    """SPEC E5: closed with 1008, and the session is detached, not ended."""
    client, friend = desk.connect(), desk.connect()
    friend.login("friend")
    client.login()
    client.send("no json")
    assert client.wire.closed is not None
    code, reason = client.wire.closed
    assert (code, reason.startswith("not JSON")) == (1008, True)
    client.connection.lost(0.0, 0)
    assert friend.call("user_query_user_status", account="ada")["status"] == 1
