"""Threads: where callbacks run and in which order; destroy(), exceptions and slow callbacks (SPEC S2, S9)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from android_face.people import NO_TOKEN, WAIT, House, Person, Recorder
from android_face.phones import calls
from signalpost.android import AgoraAPIOnlySignal, ICallBack
from signalpost.android import threads as threads_module
from signalpost.client.settings import Settings
from support.server import ServerProcess


def ours() -> list[threading.Thread]:
    """The threads of instances."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("signalpost-")]


def comes_true(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def no_thread_is_left(flat: House) -> Iterator[None]:
    """SPEC S9: threads end."""
    before = ours()
    yield
    flat.close()
    flat.people.clear()
    comes_true(lambda: set(ours()) <= set(before), "threads are left")


class Gate:
    """Holds up the callback thread inside one callback, until it is opened."""

    def __init__(self, *names: str) -> None:
        self._names = names
        self._open = threading.Event()
        self.reached = threading.Event()

    def __call__(self, name: str, args: tuple[Any, ...]) -> None:
        if name in self._names and not self.reached.is_set():
            self.reached.set()
            assert self._open.wait(WAIT)

    def open(self) -> None:
        self._open.set()


def watched(house: House, account: str, then: Callable[[str, tuple[Any, ...]], object]) -> Person:
    """Somebody whose handler does this inside each callback."""
    person = house.person(account)
    person.handler = Recorder(then)
    person.api.callbackSet(person.handler)
    return person


# --- where and in which order -----------------------------------------------------------------


def test_callbacks_come_on_one_thread_that_is_not_the_caller_s(flat: House) -> None:
    """SPEC S2, S6: also those of calls made inside callbacks; and one loop thread an instance."""
    ann, bob = flat.enter("ann", "bob")
    calls(ann, bob)
    ann.api.setAttr("", "")
    ann.fails("set_attr", 1004)
    assert len(ann.handler.threads) == len(bob.handler.threads) == 1
    assert ann.handler.threads.isdisjoint(bob.handler.threads | {threading.current_thread()})
    assert all(thread.daemon for thread in ours())
    assert len([thread for thread in ours() if thread in ann.handler.threads]) == 1


def test_no_callback_runs_inside_the_call_that_causes_it(flat: House) -> None:
    """SPEC S6: not even inside a callback, and the callbacks keep the order of the calls."""
    inside: list[str] = []
    order: list[str] = []

    def then(name: str, args: tuple[Any, ...]) -> None:
        assert inside == []
        inside.append(name)
        if name == "onLoginSuccess":
            for number in range(100):
                ann.api.messageInstantSend("", 0, "", str(number))
        elif name == "onMessageSendError":
            order.append(args[0])
        inside.pop()

    ann = watched(flat, "ann", then)
    ann.enter()
    for number in range(100):
        ann.fails("message_instant_send", 1004, "onMessageSendError", str(number), 1004)
    assert order == [str(number) for number in range(100)]


def test_methods_inside_callbacks(flat: House) -> None:
    """SPEC S2: an answering machine: every method may be called there."""

    def then(name: str, args: tuple[Any, ...]) -> None:
        if name == "onMessageInstantReceive":
            bob.api.messageInstantSend(args[0], 0, f"echo {args[2]}", "")
        elif name == "onInviteReceived":
            bob.api.channelJoin(args[0])
            bob.api.channelInviteAccept(args[0], args[1], 0, "")
        elif name == "onLogout":
            bob.api.login("", "bob", NO_TOKEN, 0, "")

    bob = watched(flat, "bob", then)
    bob.enter()
    [ann] = flat.enter("ann")
    for number in range(10):
        ann.api.messageInstantSend("bob", 0, str(number), "")
    told = [ann.handler.next() for _ in range(20)]
    echoes = [args[2] for name, args in told if name == "onMessageInstantReceive"]
    assert echoes == [f"echo {number}" for number in range(10)]
    ann.api.channelInviteUser("room", "bob", 0)
    ann.gets("onInviteReceivedByPeer", "room", "bob", 0)
    ann.gets("onInviteAcceptedByPeer", "room", "bob", 0, "")
    bob.api.logout()
    ann.gets("onInviteEndByPeer", "room", "bob", 0, "")
    comes_true(lambda: bob.api.getStatus() == 2, "logged in again, from inside onLogout")
    while bob.handler.next()[0] != "onLogout":
        pass
    bob.gets("onLoginSuccess", 0, 0)


def test_calls_from_many_threads_at_once(flat: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """SPEC S2: each has its result, once; the calls of one thread keep their order."""
    monkeypatch.setattr(threads_module, "COMMANDS_WAITING", 5)  # callers wait for each other
    [ann] = flat.enter("ann")

    def work(name: str) -> None:
        for number in range(100):
            ann.api.messageInstantSend("", 0, "", f"{name} {number}")
            ann.api.getStatus()
            ann.api.callbackGet()

    workers = [threading.Thread(target=work, args=(str(worker),)) for worker in range(8)]
    for worker in workers:
        worker.start()
    told = [ann.handler.next() for _ in range(1600)]
    for worker in workers:
        worker.join()
    labels = [args[0] for name, args in told if name == "onMessageSendError"]
    assert len(labels) == len(set(labels)) == 800
    for worker in range(8):
        mine = [label for label in labels if label.startswith(f"{worker} ")]
        assert mine == [f"{worker} {number}" for number in range(100)]


def test_getInstance_from_many_threads_at_once(flat: House) -> None:
    """SPEC S2: one a process."""
    found: list[AgoraAPIOnlySignal] = []

    def work() -> None:
        found.append(AgoraAPIOnlySignal.getInstance(None, flat.app, url=flat.url))

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(set(found)) == 1
    found[0].destroy()


# --- handlers ---------------------------------------------------------------------------------


def test_callbackSet_takes_what_comes_next(flat: House) -> None:
    """SPEC S2: what waits goes to the new handler; what runs goes on with the old one."""
    gate = Gate("onMessageInstantReceive")
    bob = watched(flat, "bob", gate)
    bob.enter()
    [ann] = flat.enter("ann")
    for number in range(3):
        ann.api.messageInstantSend("bob", 0, str(number), str(number))
    ann.gets_all(*(("onMessageSendSuccess", (str(number),)) for number in range(3)))
    assert gate.reached.wait(WAIT)
    first, bob.handler = bob.handler, Recorder()
    bob.api.callbackSet(bob.handler)
    gate.open()
    bob.gets("onMessageInstantReceive", "ann", 0, "1")
    bob.gets("onMessageInstantReceive", "ann", 0, "2")
    assert first.next() == ("onMessageInstantReceive", ("ann", 0, "0"))
    assert first.told.empty()


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(1), KeyboardInterrupt()])
def test_an_exception_in_a_callback_is_logged(
    flat: House, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    """SPEC S2: it harms nothing: the message is seen, and the next callback comes."""

    def then(name: str, args: tuple[Any, ...]) -> None:
        if args[-1] == "1":
            raise error

    bob = watched(flat, "bob", then)
    bob.enter()
    [ann] = flat.enter("ann")
    with caplog.at_level(logging.ERROR, "signalpost.android"):
        for text in ("1", "2"):
            ann.api.messageInstantSend("bob", 0, text, text)
            bob.gets("onMessageInstantReceive", "ann", 0, text)
    ann.gets_all(("onMessageSendSuccess", ("1",)), ("onMessageSendSuccess", ("2",)))
    assert "an exception in onMessageInstantReceive" in caplog.text
    bob.heard_all()
    bob.api.logout()
    bob.gets("onLogout", 101)
    flat.enter("bob")  # and is not told again


def test_callbacks_wait_for_the_first_handler(flat: House) -> None:
    """SPEC S2: nothing is acknowledged before it is told."""
    [ann] = flat.enter("ann")
    bob = AgoraAPIOnlySignal.createAgoraSDKInstance(None, flat.app, url=flat.url)
    bob.login("", "bob", NO_TOKEN, 0, "")
    comes_true(lambda: bob.getStatus() == 2, "logged in without a handler")
    for number in range(20):
        ann.api.messageInstantSend("bob", 0, str(number), "")
        assert ann.handler.next()[0] == "onMessageSendSuccess"
    bob.destroy()
    [again] = flat.enter("bob")
    for number in range(20):
        again.gets("onMessageInstantReceive", "ann", 0, str(number))


def test_callbacks_wait_while_no_handler_is_set(flat: House) -> None:
    """SPEC S2, K7: between two screens: no message is acknowledged, no call is confirmed, nothing is lost."""
    ann, bob = flat.enter("ann", "bob")
    bob.api.callbackSet(None)
    ann.api.messageInstantSend("bob", 0, "one", "1")
    ann.gets("onMessageSendSuccess", "1")
    ann.api.channelInviteUser("room", "bob", 0)
    bob.api.messageInstantSend("ann", 0, "hi", "2")
    ann.gets("onMessageInstantReceive", "bob", 0, "hi")
    comes_true(lambda: bob.api._callbacks.waiting == 3, "all wait")
    ann.heard_all()  # and nothing of a call that has arrived
    assert bob.handler.told.empty()
    bob.handler = Recorder()
    bob.api.callbackSet(bob.handler)
    told = [bob.handler.next() for _ in range(3)]
    assert told[0] == ("onMessageInstantReceive", ("ann", 0, "one"))
    assert sorted(told[1:]) == [
        ("onInviteReceived", ("room", "ann", 0, "")),
        ("onMessageSendSuccess", ("2",)),
    ]
    ann.gets("onInviteReceivedByPeer", "room", "bob", 0)
    bob.api.channelInviteAccept("room", "ann", 0, "")
    ann.gets("onInviteAcceptedByPeer", "room", "bob", 0, "")


def test_no_handler_is_set_and_the_program_ends(flat: House) -> None:
    """SPEC S2, S9: what was not told comes to the next instance."""
    ann, bob = flat.enter("ann", "bob")
    bob.api.callbackSet(None)
    for text in ("1", "2"):
        ann.api.messageInstantSend("bob", 0, text, text)
        ann.gets("onMessageSendSuccess", text)
    bob.api.destroy()
    [again] = flat.enter("bob")
    for text in ("1", "2"):
        again.gets("onMessageInstantReceive", "ann", 0, text)


def test_no_handler_is_set_inside_a_callback(flat: House) -> None:
    """SPEC S2: this callback was the last; what it told is acknowledged."""

    def then(name: str, args: tuple[Any, ...]) -> None:
        if args[-1] == "1":
            bob.api.callbackSet(None)

    bob = watched(flat, "bob", then)
    bob.enter()
    [ann] = flat.enter("ann")
    for text in ("1", "2"):
        ann.api.messageInstantSend("bob", 0, text, text)
    ann.gets_all(("onMessageSendSuccess", ("1",)), ("onMessageSendSuccess", ("2",)))
    bob.gets("onMessageInstantReceive", "ann", 0, "1")
    comes_true(lambda: bob.api._callbacks.waiting == 1, "the second one waits")
    assert bob.handler.told.empty()
    bob.api.destroy()
    [again] = flat.enter("bob")
    again.gets("onMessageInstantReceive", "ann", 0, "2")


@pytest.mark.parametrize("room", [30, 20_000])
def test_without_a_handler_no_more_waits_than_has_room(
    flat: House, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """SPEC S2: results of the program's own calls are left out then; messages and calls never."""
    assert threads_module.CALLBACKS_WAITING == 20_000
    monkeypatch.setattr(threads_module, "CALLBACKS_WAITING", room)
    ann, bob = flat.enter("ann", "bob")
    bob.api.callbackSet(None)
    for number in range(room):
        bob.api.messageInstantSend("", 0, "", str(number))  # onMessageSendError and onError each
    for text in ("1", "2"):
        ann.api.messageInstantSend("bob", 0, text, text)
        ann.gets("onMessageSendSuccess", text)
    comes_true(lambda: bob.api._callbacks.waiting == room + 2, "both came in, besides those that had room")
    bob.api.callbackSet(bob.handler)
    told = [bob.handler.next() for _ in range(room + 2)]
    assert [name for name, _ in told[:room]] == ["onMessageSendError", "onError"] * (room // 2)
    assert [args[2] for _, args in told[room:]] == ["1", "2"]
    bob.api.messageInstantSend("", 0, "", "later")
    bob.fails("message_instant_send", 1004, "onMessageSendError", "later", 1004)


# --- messages are acknowledged when the callback has returned ----------------------------------


async def test_a_message_is_acknowledged_when_its_callback_has_returned(
    flat: House, dev_server: ServerProcess
) -> None:
    """SPEC M6: what the application was dealing with is offered to the next device."""
    gate = Gate("onMessageInstantReceive")
    bob = flat.person("bob", settings=Settings(acknowledge_seconds=0))
    bob.handler = Recorder(gate)
    bob.api.callbackSet(bob.handler)
    bob.enter()
    [ann] = flat.enter("ann")
    for text in ("1", "2"):
        ann.api.messageInstantSend("bob", 0, text, text)
    ann.gets_all(("onMessageSendSuccess", ("1",)), ("onMessageSendSuccess", ("2",)))
    assert gate.reached.wait(WAIT)
    bob.api.queryUserStatus("ann")  # an acknowledgement would have been served before
    comes_true(lambda: bob.api._callbacks.waiting == 2, "the second message and the answer wait")
    other = await dev_server.client("bob", app=flat.app, device="signalpost-python", polled=False)
    assert [line.content for _, line in await other.poll()] == ["1", "2"]
    gate.open()
    await other.close()
    bob.gets("onMessageInstantReceive", "ann", 0, "1")
    bob.gets("onMessageInstantReceive", "ann", 0, "2")
    bob.gets("onQueryUserStatusResult", "ann", "1")
    bob.gets("onLogout", 103)


def test_destroy_leaves_what_was_not_told_to_the_next_instance(flat: House) -> None:
    """SPEC M6, S9: nothing lost and nothing twice: what was told is seen, the rest waits at the server."""

    def then(name: str, args: tuple[Any, ...]) -> None:
        if args[-1] == "1":
            comes_true(lambda: ann.handler.told.qsize() == 3, "all were sent")
            bob.api.destroy()

    [ann] = flat.enter("ann")
    bob = watched(flat, "bob", then)
    bob.enter()
    for number in range(3):
        ann.api.messageInstantSend("bob", 0, str(number), "")
    bob.gets("onMessageInstantReceive", "ann", 0, "0")
    bob.gets("onMessageInstantReceive", "ann", 0, "1")
    comes_true(bob.api._ended.is_set, "destroyed")
    for _ in range(3):
        assert ann.handler.next()[0] == "onMessageSendSuccess"
    [again] = flat.enter("bob")
    again.gets("onMessageInstantReceive", "ann", 0, "2")


# --- destroy ----------------------------------------------------------------------------------


def test_destroy_inside_a_callback(flat: House) -> None:
    """SPEC S9: none after that callback, also of what waits already; the threads end."""

    def then(name: str, args: tuple[Any, ...]) -> None:
        if name == "onLoginSuccess":
            for _ in range(10):
                bob.api.channelJoin("")
            bob.api.destroy()
            bob.api.destroy()
            assert bob.api.getStatus() == 0

    [ann] = flat.enter("ann")
    bob = watched(flat, "bob", then)
    bob.api.login("", "bob", NO_TOKEN, 0, "")
    bob.gets("onLoginSuccess", 0, 0)
    comes_true(lambda: not any(thread.is_alive() for thread in bob.handler.threads), "the thread has ended")
    assert bob.handler.told.empty()
    ann.api.queryUserStatus("bob")
    ann.gets("onQueryUserStatusResult", "bob", "0")


def test_destroy_waits_for_the_callback_that_runs(flat: House) -> None:
    """SPEC S9: no callback after it returns, from several threads at once as well."""
    gate = Gate("onLoginSuccess")
    ann = watched(flat, "ann", gate)
    ann.api.login("", "ann", NO_TOKEN, 0, "")
    assert gate.reached.wait(WAIT)
    ann.api.channelJoin("")  # waits in the queue
    enders = [threading.Thread(target=ann.api.destroy) for _ in range(3)]
    for ender in enders:
        ender.start()
    enders[0].join(0.2)
    assert all(ender.is_alive() for ender in enders)
    gate.open()
    for ender in enders:
        ender.join(WAIT)
        assert not ender.is_alive()
    ann.gets("onLoginSuccess", 0, 0)
    assert ann.handler.told.empty()


def test_destroy_elsewhere_and_inside_the_callback_that_runs(flat: House) -> None:
    """SPEC S9: neither waits for the other for ever."""
    elsewhere = threading.Thread(target=lambda: ann.api.destroy())

    def then(name: str, args: tuple[Any, ...]) -> None:
        elsewhere.start()
        comes_true(lambda: ann.api._destroyed, "the other one has begun")
        ann.api.destroy()

    ann = watched(flat, "ann", then)
    ann.api.login("", "ann", NO_TOKEN, 0, "")
    ann.gets("onLoginSuccess", 0, 0)
    comes_true(ann.api._ended.is_set, "both have ended")
    elsewhere.join(WAIT)
    assert not elsewhere.is_alive()


@pytest.mark.parametrize(
    "when", ["new", "connecting", "no connection", "reconnecting", "silent", "logging out"]
)
def test_destroy_in_every_state(flat: House, when: str) -> None:
    """SPEC S9: it ends soon, whatever goes on; the logout waits 2 s for its answer."""
    relay = flat.relay()
    ann = flat.person("ann", url=relay.url)
    match when:
        case "connecting":
            relay.silence()
            ann.api.login("", "ann", NO_TOKEN, 0, "")
        case "no connection":
            relay.shut()
            ann.api.login("", "ann", NO_TOKEN, 0, "")
        case "reconnecting":
            ann.enter()
            relay.shut()
            ann.gets("onReconnecting", 1)
        case "silent":
            ann.enter()
            relay.silence()
        case "logging out":
            ann.enter()
            ann.api.logout()
            ann.api.login("", "ann", NO_TOKEN, 0, "")
            ann.api.logout()
    begun = time.monotonic()
    ann.api.destroy()
    assert time.monotonic() - begun < 9  # nothing was given up for want of patience
    assert ann.api.getStatus() == 0


def test_calls_after_destroy_are_logged(flat: House, caplog: pytest.LogCaptureFixture) -> None:
    """SPEC S9: nothing else happens."""
    [ann] = flat.enter("ann")
    ann.api.destroy()
    with caplog.at_level(logging.INFO, "signalpost.android"):
        ann.api.login2("", "ann", NO_TOKEN, 0, "", 1, 1)
        ann.api.logout()
        ann.api.messageInstantSend("bob", 0, "hi", "")
        ann.api.channelInviteAccept("room", "bob", 0, "")
        ann.api.getAttr("")
        ann.api.callbackSet(ICallBack())
    assert caplog.text.count("the instance is destroyed") == 6
    assert ann.handler.told.empty()


def test_calls_from_many_threads_during_destroy(flat: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """SPEC S9: nobody is left waiting."""
    monkeypatch.setattr(threads_module, "COMMANDS_WAITING", 3)
    [ann] = flat.enter("ann")
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            ann.api.queryUserStatus("")
            ann.api.login("", "ann", NO_TOKEN, 0, "")

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    comes_true(lambda: not ann.handler.told.empty(), "they work")
    ann.api.destroy()
    count = ann.handler.told.qsize()
    stop.set()
    for worker in workers:
        worker.join(WAIT)
        assert not worker.is_alive()
    assert ann.handler.told.qsize() == count


# --- slow callbacks -----------------------------------------------------------------------------


def test_the_loop_does_not_wait_for_callbacks(flat: House) -> None:
    """SPEC S2: while a callback takes its time, methods do their work."""
    gate = Gate("onLoginSuccess")
    ann = watched(flat, "ann", gate)
    [bob] = flat.enter("bob")
    ann.api.login("", "ann", NO_TOKEN, 0, "")
    assert gate.reached.wait(WAIT)
    ann.api.messageInstantSend("bob", 0, "hi", "1")
    bob.gets("onMessageInstantReceive", "ann", 0, "hi")
    ann.api.logout()
    assert ann.api.getStatus() == 0
    gate.open()
    ann.gets("onLoginSuccess", 0, 0)
    ann.gets("onMessageSendSuccess", "1")
    ann.gets("onLogout", 101)


def test_slow_callbacks_lose_channel_events_only_and_say_so(
    flat: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC M6, C9: the queue is bounded: messages to the account are all told, lost events are counted."""
    monkeypatch.setattr(threads_module, "CALLBACKS_WAITING", 30)
    gate = Gate("onMessageInstantReceive")
    ann = watched(flat, "ann", gate)
    ann.enter()
    senders = flat.enter("bob", "eve")
    ann.join("room", "ann")
    for sender in senders:
        for number in range(25):
            sender.api.messageChannelSendForce("room", str(number), "")
            sender.api.messageInstantSend("ann", 0, str(number), "")
        for _ in range(50):
            assert sender.handler.next()[0] == "onMessageSendSuccess"
    assert gate.reached.wait(WAIT)
    comes_true(lambda: ann.api._session._gaps != {}, "events were left out")
    ann.api.queryUserStatus("bob")  # its result comes behind all that came before
    comes_true(lambda: ann.api._callbacks.waiting >= 30, "the queue is full")
    gate.open()
    counts = {"onMessageInstantReceive": 0, "onMessageChannelReceive": 0}
    lost = 0
    while True:
        name, args = ann.handler.next(counts)
        if name == "onQueryUserStatusResult":
            break
        if name == "onError":
            assert args[:2] == ("channel_events", 1000)
            lost += int(args[2].split(" ")[0])
        else:
            counts[name] += 1
    assert counts["onMessageInstantReceive"] == 50
    assert lost > 0
    assert counts["onMessageChannelReceive"] + lost == 50
    senders[0].api.messageChannelSendForce("room", "later", "")
    assert senders[0].handler.next()[0] == "onMessageSendSuccess"
    ann.gets("onMessageChannelReceive", "room", "bob", 0, "later")


def test_more_messages_than_are_kept_wait_at_the_server(flat: House) -> None:
    """SPEC M6: the inbox is lossless however slow the callbacks are."""
    gate = Gate("onMessageInstantReceive")
    ann = flat.person("ann", settings=Settings(unread_items=5))
    ann.handler = Recorder(gate)
    ann.api.callbackSet(ann.handler)
    ann.enter()
    [bob] = flat.enter("bob")
    for number in range(40):
        bob.api.messageInstantSend("ann", 0, str(number), "")
    for _ in range(40):
        assert bob.handler.next()[0] == "onMessageSendSuccess"
    assert gate.reached.wait(WAIT)
    assert ann.api._callbacks.waiting <= 5
    gate.open()
    for number in range(40):
        ann.gets("onMessageInstantReceive", "bob", 0, str(number))
