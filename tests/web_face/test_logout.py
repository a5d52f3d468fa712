"""A logout comes last, and what an application does inside a callback does not overtake it (SPEC M11)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from signalpost.client.settings import Settings
from signalpost.web import Session
from support.relay import Relay
from web_face.people import House, User

TEXTS = [str(number) for number in range(6)]


async def waiting(web: House, account: str) -> User:
    """Somebody has sent six messages to this account, which is not logged in."""
    sender = await web.user("sender")
    for text in TEXTS:
        sender.session.messageInstantSend(account, text, sender.answer("cb"))
        await sender.expect("cb", False)
    return sender


def _plain(session: Session) -> None:
    session.logout()


def _raising(session: Session) -> None:
    session.logout()
    raise ValueError("behind the logout")


async def _coroutine(session: Session) -> None:
    await asyncio.sleep(0)
    session.logout()
    await asyncio.sleep(0.05)


async def _raising_coroutine(session: Session) -> None:
    session.logout()
    await asyncio.sleep(0)
    raise ValueError("behind the logout")


async def _cancelled(session: Session) -> None:
    session.logout()
    raise asyncio.CancelledError


def _twice(session: Session) -> None:
    session.logout()
    session.logout()


@pytest.mark.parametrize("at", [0, 3, 5])
@pytest.mark.parametrize(
    "leave",
    [_plain, _raising, _coroutine, _raising_coroutine, _cancelled, _twice],
    ids=lambda each: each.__name__,
)
async def test_a_logout_inside_a_message_s_callback_loses_and_repeats_nothing(
    web: House, leave: Callable[[Session], Any], at: int
) -> None:
    """SPEC M11, M6: each once, over logins of this process and of the next one."""
    await waiting(web, "bo")
    signal, told = web.signal(), []
    bo = web.enter("bo", signal=signal)

    def take(sender: str, uid: int, text: str) -> Any:
        told.append(text)
        return leave(bo.session) if text == str(at) else None

    bo.session.onMessageInstantReceive = take
    await bo.expect("onLoginSuccess", 0)
    await bo.expect("onLogout", 101)
    first = list(told)
    assert first[: at + 1] == TEXTS[: at + 1]
    if leave is not _coroutine:  # which lets the next one begin before it logs out
        assert first == TEXTS[: at + 1]
    again = await web.user("bo", signal=signal)
    for text in TEXTS[len(first) :]:
        await again.expect("onMessageInstantReceive", "sender", 0, text)
    await again.quiet()
    assert told == first
    again.session.logout()
    await again.expect("onLogout", 101)
    other = await web.user("bo")  # as another process would
    await other.quiet()


async def test_a_login_inside_the_callback_behind_the_logout(web: House) -> None:
    """SPEC M11, L8: the new session gets the others, the old one nothing more."""
    await waiting(web, "bo")
    signal, told = web.signal(), []
    sessions: list[User] = []
    bo = web.enter("bo", signal=signal)

    def take(sender: str, uid: int, text: str) -> None:
        told.append(text)
        bo.session.logout()
        sessions.append(web.enter("bo", signal=signal))

    bo.session.onMessageInstantReceive = take
    await bo.expect("onLoginSuccess", 0)
    await bo.expect("onLogout", 101)
    [again] = sessions
    await again.expect("onLoginSuccess", 0)
    for text in TEXTS[1:]:
        await again.expect("onMessageInstantReceive", "sender", 0, text)
    await again.quiet()
    assert told == ["0"]


async def test_a_logout_while_callbacks_of_several_messages_run(web: House) -> None:
    """SPEC M11: all that the application was told is acknowledged, though none has ended."""
    await waiting(web, "bo")
    signal, told = web.signal(), []
    bo = web.enter("bo", signal=signal)
    over = asyncio.Event()

    async def take(sender: str, uid: int, text: str) -> None:
        told.append(text)
        if text == TEXTS[-1]:
            bo.session.logout()
        await over.wait()

    bo.session.onMessageInstantReceive = take
    await bo.expect("onLoginSuccess", 0)
    await bo.expect("onLogout", 101)
    assert told == TEXTS
    again = await web.user("bo", signal=signal)
    await again.quiet()
    over.set()
    other = await web.user("bo")
    await again.expect("onLogout", 103)
    await other.quiet()


async def test_sends_and_a_logout_in_one_turn(web: House) -> None:
    """SPEC M11: each has its own result, before the logout's."""
    ada, bo = await web.user("ada"), await web.user("bo")
    room = await ada.join("room")
    for number in range(20):
        ada.session.messageInstantSend("bo", str(number), ada.answer(f"cb {number}"))
    ada.session.messageInstantSend("bo", "x" * 9000, ada.answer("too long"))
    room.channelSetAttr("a", "b", ada.answer("set"))
    ada.session.logout()
    ada.session.messageInstantSend("bo", "late", ada.answer("late"))
    told = [await ada.next() for _ in range(24)]
    results = {each[0]: each[1:] for each in told if each[0] != "onChannelAttrUpdated"}
    assert results["too long"][0] is True
    assert results["late"] == (True, {"code": 1003, "reason": "not logged in: log in first"})
    assert results["set"] == ()
    sends = [each for each in told if each[0].startswith("cb ")]
    assert sends == [(f"cb {number}", False) for number in range(20)]
    for number in range(20):
        await bo.expect("onMessageInstantReceive", "ada", 0, str(number))
    while told[-1] != ("onLogout", 101):
        told.append(await ada.next())
    assert told[-2] == ("onChannelLeaved", 603)
    assert max(told.index(each) for each in sends) < told.index(("onChannelLeaved", 603))


@pytest.mark.parametrize("state", [2, 3])
async def test_what_nobody_answers_fails_before_the_logout_is_over(
    web: House, relay: Relay, state: int
) -> None:
    """SPEC M11, L9, E1: with the code of its silence; a leave and an end have what they wanted."""
    quick = Settings(logout_seconds=0.2, retry_first=0.05, retry_most=0.1)
    ada = await web.user("ada", signal=web.signal(quick, relay.url))
    room = await ada.join("room")
    if state == 2:
        relay.silence()
    else:
        relay.shut()
        await ada.expect("onReconnecting", 1)
    assert ada.session.state == state
    ada.session.messageInstantSend("bo", "x", ada.answer("send"))
    ada.session.invoke("io.agora.signal.channel_query_num", {"name": "room"}, ada.answer("num"))
    room.channelSetAttr("a", "b", ada.answer("set"))
    room.channelLeave(ada.answer("leave"))
    ada.session.logout()
    told = [await ada.next() for _ in range(6)]
    while told[-1][0] != "onLogout":
        told.append(await ada.next())
    told = [each for each in told if each[0] != "onReconnecting"]
    assert [each[0] for each in told] == ["leave", "onChannelLeaved", "send", "num", "set", "onLogout"]
    assert told[0] == ("leave",)
    assert told[1] == ("onChannelLeaved", 0)
    assert told[2][2]["code"] == 401
    assert told[3][2]["code"] == 501
    assert told[4][1]["code"] == 1001
    assert told[5] == ("onLogout", 101)
    relay.reopen()
    relay.speak()
