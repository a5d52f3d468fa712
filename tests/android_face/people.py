"""Users of the Android-shaped face: each has an instance, and a handler that keeps all that it is told.

What was told and nobody asked about is a failure, at the latest when the test is over.
"""

from __future__ import annotations

import queue
import threading
import uuid
from collections.abc import Callable
from typing import Any, Self

from signalpost.android import AgoraAPIOnlySignal, ICallBack
from signalpost.client.settings import Settings
from support.relay import Relay
from support.server import ServerProcess

__all__ = ["CALLBACKS", "NO_TOKEN", "House", "Person", "Recorder", "Told"]

NO_TOKEN = "_no_need_token"
WAIT = 20.0  # seconds after which a missing callback is a failure
CALLBACKS = [name for name in vars(ICallBack) if name.startswith("on")]

Told = tuple[str, tuple[Any, ...]]


class Recorder(ICallBack):
    """Keeps the callbacks in order; lines of the log apart. `then`: what to do inside each callback."""

    def __init__(self, then: Callable[[str, tuple[Any, ...]], object] | None = None) -> None:
        self.told: queue.Queue[Told] = queue.Queue()
        self.lines: list[str] = []
        self.threads: set[threading.Thread] = set()
        self._then = then

    def _take(self, name: str, *args: Any) -> None:
        self.threads.add(threading.current_thread())
        if name == "onLog":
            self.lines.append(args[0])
            return
        self.told.put((name, args))
        if self._then is not None:
            self._then(name, args)

    def next(self, what: object = "a callback") -> Told:
        """The next callback."""
        try:
            return self.told.get(timeout=WAIT)
        except queue.Empty:
            raise AssertionError(f"not within {WAIT:g} s: {what}; log: {self.lines}") from None


def _record(name: str) -> Callable[..., None]:
    def callback(self: Recorder, *args: Any) -> None:
        self._take(name, *args)

    return callback


for _name in CALLBACKS:
    setattr(Recorder, _name, _record(_name))


class Person:
    """One account's instance."""

    def __init__(self, url: str, app: str, account: str, settings: Settings | None = None) -> None:
        self.account = account
        self.api = AgoraAPIOnlySignal(app, url, settings)
        self.handler = Recorder()
        self.api.callbackSet(self.handler)
        self._markers = 0

    def enter(self, token: str = NO_TOKEN, *, seconds: float = 30, count: int = 15) -> Self:
        """Log in."""
        self.api.login2("", self.account, token, 0, None, seconds, count)
        self.gets("onLoginSuccess", 0, 0)
        return self

    def join(self, channel: str, *members: str, **attributes: str) -> Self:
        """Join a channel, which then has these members."""
        self.api.channelJoin(channel)
        self.gets("onChannelJoined", channel)
        self.gets("onChannelUserList", list(members), [0] * len(members))
        for name, value in attributes.items():
            self.gets("onChannelAttrUpdated", channel, name, value, "update")
        return self

    def gets(self, name: str, *args: Any) -> None:
        """The next callback is this one."""
        assert self.handler.next((name, args)) == (name, args)

    def gets_all(self, *expected: Told) -> None:
        """The next callbacks are these, in any order."""
        found = [self.handler.next(expected) for _ in expected]
        assert sorted(found, key=repr) == sorted(expected, key=repr)

    def fails(self, method: str, code: int, *own: Any) -> str:
        """The next callbacks are the method's own, if it has one, and onError; what that says."""
        if own:
            self.gets(*own)
        name, args = self.handler.next((method, code))
        assert (name, *args[:2]) == ("onError", method, code)
        assert args[2]
        return str(args[2])

    def invitation_fails(self, channel: str, peer: str, code: int, method: str = "") -> None:
        """The next callback says that the invitation failed; and onError of `method`, if it is given."""
        name, args = self.handler.next(("onInviteFailed", code))
        assert (name, *args[:4]) == ("onInviteFailed", channel, peer, 0, code)
        assert f'"code":{code}' in args[4]
        assert '"reason":"' in args[4]
        if method:
            self.fails(method, code)

    def logs(self, part: str) -> None:
        """The log has exactly one line with this in it, and nothing else was told."""
        self.settle()
        assert len([line for line in self.handler.lines if part in line]) == 1, self.handler.lines

    def settle(self) -> None:
        """All that came of earlier calls has been told, and it is nothing that nobody asked about."""
        self._markers += 1
        label = f"marker-{self._markers}"
        self.api.invoke("no such function", "", label)
        told, (name, args) = [], self.handler.next(label)
        while not (name == "onInvokeRet" and args[0] == label):
            told.append((name, args))
            name, args = self.handler.next(label)
        assert self.handler.next(label)[0] == "onError"
        assert told == []

    def heard_all(self) -> None:
        """The same, and the server has served all that was sent."""
        self._markers += 1
        name = f"marker-{self._markers}"
        self.api.queryUserStatus(name)
        self.gets("onQueryUserStatusResult", name, "0")


class House:
    """An app of one test's own, and the people in it."""

    def __init__(self, server: ServerProcess, app: str = "") -> None:
        self.server = server
        self.url = server.url
        self.app = app or f"app-{uuid.uuid4().hex}"
        self.people: list[Person] = []
        self.relays: list[Relay] = []

    def relay(self) -> Relay:
        """A way to the server that can be cut."""
        relay = Relay(self.server.port)
        self.relays.append(relay)
        return relay

    def person(self, account: str, *, url: str = "", settings: Settings | None = None) -> Person:
        """Somebody who is not logged in."""
        person = Person(url or self.url, self.app, account, settings)
        self.people.append(person)
        return person

    def enter(self, *accounts: str) -> list[Person]:
        """People who are logged in."""
        return [self.person(account).enter() for account in accounts]

    def close(self) -> None:
        """All go; what was told and nobody asked about is a failure."""
        try:
            for person in self.people:
                if person.api._destroyed:
                    continue
                if person.api.getStatus() == 2:
                    person.heard_all()
                elif person.api.getStatus() == 0:
                    person.settle()
        finally:
            for person in self.people:
                person.api.destroy()
            for relay in self.relays:
                relay.close()
