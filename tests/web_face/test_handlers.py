"""How callbacks are kept and called: late ones, coroutines, exceptions, acknowledgement (SPEC S6, M6)."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from signalpost.client import connect
from signalpost.web.delivery import Delivery
from support.waiting import until
from web_face.names import CALLBACKS
from web_face.people import QUICK, STATUS, WAIT, House, User


async def test_only_what_can_be_called_can_be_set(web: House) -> None:
    """SPEC S1: or None, which takes a callback away."""
    ada = await web.user("ada")
    things = {
        "Session": ada.session,
        "Channel": await ada.join("room"),
        "Call": ada.invite("room", "bo"),
    }
    for kind, names in CALLBACKS.items():
        for name in names:
            for bad in (5, "text", [], {}):
                with pytest.raises(TypeError, match=f"{name} takes a function"):
                    setattr(things[kind], name, bad)
            assert callable(getattr(things[kind], name))
            setattr(things[kind], name, None)
            assert getattr(things[kind], name) is None


async def test_callbacks_that_are_set_late(web: House) -> None:
    """SPEC S6: after the call has returned, and also in the turn of the loop behind it."""
    session = web.signal().login("ada", "any")
    got: asyncio.Queue[Any] = asyncio.Queue()
    session.onLoginSuccess = got.put_nowait
    assert await asyncio.wait_for(got.get(), WAIT) == 0
    room = session.channelJoin("room")
    await asyncio.sleep(0)
    room.onChannelJoined = lambda: setattr(room, "onChannelUserList", got.put_nowait)
    assert await asyncio.wait_for(got.get(), WAIT) == [["ada", 0]]
    call = session.channelInviteUser2("room", "")
    call.onInviteFailed = got.put_nowait
    assert "1004" in await asyncio.wait_for(got.get(), WAIT)
    session.onLogout = got.put_nowait
    session.logout()
    assert await asyncio.wait_for(got.get(), WAIT) == 101


async def test_nobody_has_to_listen(web: House) -> None:
    """SPEC S1: without any callback all goes on, and messages count as seen."""
    signal = web.signal()
    session, bo = signal.login("ada", "any"), await web.user("bo")
    session.channelJoin("room").messageChannelSend("x")
    bo.session.messageInstantSend("ada", "unread", bo.answer("cb"))
    await bo.expect("cb", False)
    bo.invite("room", "ada")
    await bo.expect("onInviteReceivedByPeer", "")
    over = asyncio.Event()
    session.onLogout = lambda code: over.set()
    session.logout()
    await asyncio.wait_for(over.wait(), WAIT)
    assert await bo.expect_failure(703)
    await (await web.user("ada")).quiet()


async def test_an_exception_harms_nothing(web: House, caplog: pytest.LogCaptureFixture) -> None:
    """SPEC S1: it is logged, the message counts as seen, the next one comes."""
    ada, bo = await web.user("ada"), await web.user("bo")

    def fail(account: str, uid: int, text: str) -> None:
        ada.told.put_nowait((text,))
        raise RuntimeError("the application's own")

    async def fail_later(account: str, uid: int, text: str) -> None:
        await asyncio.sleep(0)
        fail(account, uid, text)

    for number, callback in enumerate((fail, fail_later)):
        ada.session.onMessageInstantReceive = callback
        for text in (f"one {number}", f"two {number}"):
            bo.session.messageInstantSend("ada", text, fail)  # `cb` has two arguments too few
            await ada.expect(text)
    assert ada.session.state == 2
    await bo.quiet()
    complaints = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert {record.name for record in complaints} == {"signalpost.web"}
    assert len([record for record in complaints if "raised RuntimeError" in record.message]) == 4
    assert len([record for record in complaints if "raised TypeError" in record.message]) == 4
    ada.session.logout()
    await ada.expect("onLogout", 101)
    await (await web.user("ada")).quiet()  # nothing is offered again


async def test_a_wrong_number_of_arguments_is_such_an_exception(
    web: House, caplog: pytest.LogCaptureFixture
) -> None:
    """SPEC S1: in every callback."""
    ada = web.enter("ada")
    ada.session.onLoginSuccess = lambda: None
    ada.session.messageInstantSend("bo", "x", ada.answer("cb"))
    await ada.expect("cb", False)
    assert "raised TypeError" in caplog.text


async def test_no_callback_runs_inside_the_call_that_causes_it(web: House) -> None:
    """SPEC S6: whatever is wrong with it, and inside callbacks, too."""
    ada = await web.user("ada")
    inside = False

    def told(*args: Any) -> None:
        assert not inside
        ada.told.put_nowait(("told", *args))

    def do_it_all(*_: Any) -> None:
        nonlocal inside
        inside = True
        ada.session.messageInstantSend("", "x", told)
        ada.session.invoke("", {}, told)
        ada.session.channelJoin("").onChannelJoinFailed = told
        ada.session.channelInviteUser2("room", "").onInviteFailed = told
        ada.session.onError = told
        ada.session.messageInstantSend("", "x")
        ada.session.logout()
        inside = False

    ada.session.onLogout = told
    ada.session.invoke(STATUS, {"account": "bo"}, do_it_all)
    assert [len(await ada.next()) for _ in range(6)] == [3, 3, 2, 2, 4, 2]


# --- coroutines -----------------------------------------------------------------------------------


async def test_coroutines_start_in_order(web: House) -> None:
    """SPEC S1: each begins before the next event is told, and may end later."""
    ada, bo = await web.user("ada"), await web.user("bo")
    go_on = asyncio.Event()
    begun: list[str] = []
    ended: list[str] = []

    async def slowly(account: str, uid: int, text: str) -> None:
        begun.append(text)
        await go_on.wait()
        ended.append(text)

    ada.session.onMessageInstantReceive = slowly
    texts = [f"{number}" for number in range(20)]
    for text in texts:
        bo.session.messageInstantSend("ada", text, bo.answer("cb"))
    for _ in texts:
        await bo.expect("cb", False)
    await ada.quiet()
    assert (begun, ended) == (texts, [])
    go_on.set()

    async def all_ended() -> bool:
        return ended == texts

    await until(all_ended, "all have ended")


async def test_answers_may_be_coroutines(web: House) -> None:
    """SPEC E4: `cb`, too."""
    ada = await web.user("ada")
    room = await ada.join("room")

    async def answered(*args: Any) -> None:
        await asyncio.sleep(0)
        ada.told.put_nowait(("later", *args))

    room.channelSetAttr("a", "b", answered)
    told = [await ada.next(), await ada.next()]
    assert sorted(told) == [("later",), ("onChannelAttrUpdated", "a", "b", "update")]
    ada.session.messageInstantSend("bo", "x", answered)
    await ada.expect("later", False)


async def test_a_message_is_acknowledged_when_its_callback_has_ended(web: House) -> None:
    """SPEC M6: a process that dies before is offered it again, one that dies after is not."""
    bo = await web.user("bo")
    go_on = asyncio.Event()

    async def slowly(account: str, uid: int, text: str) -> None:
        ada.told.put_nowait(("began", text))
        await go_on.wait()
        ada.told.put_nowait(("ended", text))

    async def devices() -> User:
        one = web.enter("ada")
        one.session.onMessageInstantReceive = slowly
        await one.expect("onLoginSuccess", 0)
        return one

    ada = await devices()
    bo.session.messageInstantSend("ada", "hello", bo.answer("cb"))
    await bo.expect("cb", False)
    await ada.expect("began", "hello")
    await asyncio.sleep(QUICK.acknowledge_seconds * 2)  # time enough for an acknowledgement, if one came

    before, ada = ada, web.enter("ada")
    ada.session.onMessageInstantReceive = slowly
    await before.expect("onLogout", 103)
    assert [await ada.next(), await ada.next()] == [("onLoginSuccess", 0), ("began", "hello")]
    go_on.set()
    assert [await ada.next() for _ in range(2)] == [("ended", "hello")] * 2
    ada.session.logout()
    await ada.expect("onLogout", 101)
    await (await web.user("ada")).quiet()


class Inbox:
    """What is told, and what was seen."""

    def __init__(self) -> None:
        self.marks: list[int] = []  # that were told
        self.seen_marks: list[int] = []

    def holds(self, mark: int) -> bool:
        return True

    def told(self, mark: int) -> None:
        self.marks.append(mark)

    def seen(self, mark: int) -> None:
        self.seen_marks.append(mark)


async def test_at_most_a_thousand_coroutines_are_unfinished() -> None:
    """SPEC S1: then what comes next waits until one has ended."""
    inbox = Inbox()
    seen = inbox.seen_marks
    delivery = Delivery(inbox)
    gates: list[asyncio.Event] = []

    class Owner:
        async def callback(self, number: int) -> None:
            gates.append(asyncio.Event())
            await gates[number].wait()

    for number in range(1100):
        delivery.tell(Owner(), "callback", number, mark=number + 1)

    async def is_full() -> bool:
        return len(gates) == 1000

    await until(is_full, "a thousand have begun")
    for _ in range(10):
        await asyncio.sleep(0)
    assert (len(gates), seen) == (1000, [])
    gates[7].set()
    for _ in range(10):
        await asyncio.sleep(0)
    assert (len(gates), seen) == (1001, [8])
    for number in range(1100):

        async def has_begun(number: int = number) -> bool:
            return len(gates) > number

        await until(has_begun, "the next has begun")
        gates[number].set()

    async def is_done() -> bool:
        return len(seen) == 1100

    await until(is_done, "all have ended")
    assert sorted(seen) == list(range(1, 1101))


async def test_a_cancelled_coroutine_counts_as_finished() -> None:
    """SPEC S1: the application may cancel what it is called in."""
    inbox = Inbox()
    seen = inbox.seen_marks
    delivery = Delivery(inbox)

    class Owner:
        async def callback(self) -> None:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(0)

        def plain(self) -> None:
            raise asyncio.CancelledError

    delivery.tell(Owner(), "callback", mark=1)
    delivery.tell(Owner(), "plain", mark=2)

    async def is_done() -> bool:
        return sorted(seen) == [1, 2]

    await until(is_done, "both have ended")


async def test_whatever_a_callback_raises_its_message_is_acknowledged() -> None:
    """SPEC M11: what ends the program is handed on, and the message does not come again."""
    inbox = Inbox()
    delivery = Delivery(inbox)

    class Owner:
        def callback(self) -> None:
            raise KeyboardInterrupt

    delivery.tell(Owner(), "callback", mark=1)
    with pytest.raises(KeyboardInterrupt):
        delivery._run()
    assert inbox.marks == inbox.seen_marks == [1]


async def test_channel_events_are_left_out_when_callbacks_are_too_slow(
    web: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC C9, S6: what waits for callbacks has a bound; how many events were left out is told."""
    monkeypatch.setattr("signalpost.web.delivery._UNFINISHED", 2)
    monkeypatch.setattr("signalpost.web.delivery._CROWD", 5)
    ada = await web.user("ada")
    slow = await ada.join("room")
    told, goes_on = ada.answer("onMessageChannelReceive"), asyncio.Event()

    async def read(account: str, uid: int, msg: str) -> None:
        told(account, uid, msg)
        await goes_on.wait()

    slow.onMessageChannelReceive = slow.onChannelUserJoined = slow.onChannelUserLeaved = None
    heard: list[str] = []
    errors: list[tuple[Any, ...]] = []

    async def hear_until(last: str) -> None:
        name = ""
        while (name, heard[-1:]) != ("onMessageChannelReceive", [last]) and name != last:
            name, *args = await ada.next()
            if name == "onMessageChannelReceive":
                heard.append(args[2])
            elif name == "onError":
                errors.append(tuple(args))

    async with connect(web.url, app_id=web.app, account="bo", token="any") as bo, bo.join("room") as room:
        slow.onMessageChannelReceive = read
        for number in range(20):
            await room.send(str(number))
        await hear_until("1")
        assert await bo.is_online("ada")
        goes_on.set()
        ada.session.invoke(STATUS, {"account": "nobody"}, ada.answer("all that waited is told"))
        await hear_until("all that waited is told")
        await room.send("last")
        await hear_until("last")
    *before, _ = heard
    assert before == [str(number) for number in range(len(before))]
    assert 5 <= len(before) < 20
    lost = f"{20 - len(before)} events of the channel room were missed and are lost"
    assert errors == [("channel_join", 1000, lost)]
