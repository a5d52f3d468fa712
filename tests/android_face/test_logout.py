"""A logout comes last, and what a program does inside a callback does not overtake it (SPEC M11)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from android_face.people import NO_TOKEN, WAIT, House, Recorder
from signalpost.client.settings import Settings

TEXTS = [str(number) for number in range(6)]


def waiting(house: House, account: str) -> None:
    """Somebody has sent six messages to this account, which is not logged in."""
    [sender] = house.enter("sender")
    for text in TEXTS:
        sender.api.messageInstantSend(account, 0, text, text)
        sender.gets("onMessageSendSuccess", text)


def _plain(api: Any) -> None:
    api.logout()


def _raising(api: Any) -> None:
    api.logout()
    raise ValueError("behind the logout")


def _twice(api: Any) -> None:
    api.logout()
    api.logout()


def _from_another_thread(api: Any) -> None:
    other = threading.Thread(target=api.logout)
    other.start()
    other.join(WAIT)


@pytest.mark.parametrize("at", [0, 3, 5])
@pytest.mark.parametrize(
    "leave", [_plain, _raising, _twice, _from_another_thread], ids=lambda each: each.__name__
)
def test_a_logout_inside_a_message_s_callback_loses_and_repeats_nothing(
    flat: House, leave: Callable[[Any], None], at: int
) -> None:
    """SPEC M11, M6: each once, over logins of this instance and of the next one."""
    waiting(flat, "bob")
    bob = flat.person("bob")

    def then(name: str, args: tuple[Any, ...]) -> None:
        if name == "onMessageInstantReceive" and args[2] == str(at) and bob.handler is first:
            leave(bob.api)

    bob.handler = first = Recorder(then)
    bob.api.callbackSet(first)
    bob.enter()
    for text in TEXTS[: at + 1]:
        bob.gets("onMessageInstantReceive", "sender", 0, text)
    bob.gets("onLogout", 101)
    bob.handler = Recorder()
    bob.api.callbackSet(bob.handler)
    bob.enter()
    for text in TEXTS[at + 1 :]:
        bob.gets("onMessageInstantReceive", "sender", 0, text)
    bob.heard_all()
    assert first.told.empty()
    bob.api.logout()
    bob.gets("onLogout", 101)
    [again] = flat.enter("bob")
    again.heard_all()


def test_a_login_inside_the_callback_behind_the_logout(flat: House) -> None:
    """SPEC M11, L8: the others come in the new session, once."""
    waiting(flat, "bob")
    bob = flat.person("bob")

    def then(name: str, args: tuple[Any, ...]) -> None:
        if name == "onMessageInstantReceive" and args[2] == "1":
            bob.api.logout()
            bob.api.login("", "bob", NO_TOKEN, 0, "")

    bob.handler = Recorder(then)
    bob.api.callbackSet(bob.handler)
    bob.enter()
    for text in TEXTS[:2]:
        bob.gets("onMessageInstantReceive", "sender", 0, text)
    bob.gets("onLogout", 101)
    bob.gets("onLoginSuccess", 0, 0)
    for text in TEXTS[2:]:
        bob.gets("onMessageInstantReceive", "sender", 0, text)
    bob.heard_all()


def test_logouts_of_another_thread_while_callbacks_run(flat: House) -> None:
    """SPEC M11, M6: whenever they come, each message is told once, in order."""
    [sender] = flat.enter("sender")
    bob = flat.person("bob").enter()
    for number in range(50):
        sender.api.messageInstantSend("bob", 0, str(number), "")
        if number % 5 == 4:
            bob.api.logout()
            bob.api.login("", "bob", NO_TOKEN, 0, "")
    told: list[str] = []
    while len(told) < 50:
        name, args = bob.handler.next(told)
        if name == "onMessageInstantReceive":
            told.append(args[2])
        else:
            assert name in ("onLogout", "onLoginSuccess", "onLoginFailed")
    assert told == [str(number) for number in range(50)]
    for _ in range(50):
        assert sender.handler.next()[0] == "onMessageSendSuccess"


def test_sends_and_a_logout_in_one_turn(flat: House) -> None:
    """SPEC M11: each has its own result, before the logout's."""
    ann, bob = flat.enter("ann", "bob")
    for number in range(20):
        ann.api.messageInstantSend("bob", 0, str(number), str(number))
    ann.api.logout()
    for number in range(20):
        ann.gets("onMessageSendSuccess", str(number))
    ann.gets("onLogout", 101)
    for number in range(20):
        bob.gets("onMessageInstantReceive", "ann", 0, str(number))


@pytest.mark.parametrize("state", [2, 3])
def test_what_nobody_answers_fails_before_the_logout_is_over(flat: House, state: int) -> None:
    """SPEC M11, L9, E1: with the code of its silence; a leave and an end have what they wanted."""
    relay = flat.relay()
    ann = flat.person("ann", url=relay.url, settings=Settings(logout_seconds=0.2)).enter()
    [bob] = flat.enter("bob")
    ann.join("room", "ann")
    ann.api.channelInviteUser("room", "bob", 0)
    bob.gets("onInviteReceived", "room", "ann", 0, "")
    ann.gets("onInviteReceivedByPeer", "room", "bob", 0)
    if state == 2:
        relay.silence()
    else:
        relay.shut()
        ann.gets("onReconnecting", 1)
    assert ann.api.getStatus() == state
    ann.api.messageInstantSend("nobody", 0, "x", "1")
    ann.api.setAttr("a", "b")
    ann.api.channelLeave("room")
    ann.api.channelInviteEnd("room", "bob", 0)
    ann.api.logout()
    told = []
    while not told or told[-1][0] != "onLogout":
        told.append(ann.handler.next(told))
    told = [each for each in told if each[0] != "onReconnecting"]
    assert told[:3] == [
        ("onChannelLeaved", ("room", 602)),
        ("onInviteEndByMyself", ("room", "bob", 0)),
        ("onMessageSendError", ("1", 401)),
    ]
    assert (told[3][0], told[3][1][:2]) == ("onError", ("set_attr", 1001))
    assert told[4:] == [("onLogout", (101,))]
    ann.api.destroy()
    bob.api.destroy()
