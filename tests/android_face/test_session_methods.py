"""Getting an instance, logging in and out, and what can be asked of the instance itself."""

from __future__ import annotations

import pytest

from android_face.people import NO_TOKEN, House, Recorder
from signalpost.android import AgoraAPIOnlySignal, ICallBack


def test_getInstance(flat: House) -> None:
    """SPEC S2: one a process: later calls return the first until destroy()."""
    first = AgoraAPIOnlySignal.getInstance(None, flat.app, url=flat.url)
    try:
        assert AgoraAPIOnlySignal.getInstance(object(), "another") is first
        second = AgoraAPIOnlySignal.createAgoraSDKInstance(None, flat.app, url=flat.url)
        second.destroy()  # has nothing to do with the first
        assert AgoraAPIOnlySignal.getInstance(None, "") is first
    finally:
        first.destroy()
    other = AgoraAPIOnlySignal.getInstance(None, "another", url=flat.url)
    assert other is not first
    other.destroy()


def test_createAgoraSDKInstance(flat: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """SPEC S2: a new one each call, independent of the others; SIGNALPOST_URL says where the server is."""
    monkeypatch.setenv("SIGNALPOST_URL", flat.url)
    instances = [AgoraAPIOnlySignal.createAgoraSDKInstance(None, flat.app) for _ in range(3)]
    handlers = [Recorder() for _ in instances]
    for number, (instance, handler) in enumerate(zip(instances, handlers, strict=True)):
        instance.callbackSet(handler)
        instance.login(None, f"user{number}", NO_TOKEN, 0, None)
        assert handler.next() == ("onLoginSuccess", (0, 0))
    assert len(set(instances)) == 3
    for instance in instances:
        instance.destroy()


def test_an_instance_needs_an_address() -> None:
    """SPEC S2: without an argument and SIGNALPOST_URL, and with what is no address, it says so."""
    with pytest.raises(ValueError, match="SIGNALPOST_URL"):
        AgoraAPIOnlySignal.getInstance(None, "app")
    with pytest.raises(ValueError, match="ws://HOST:PORT/"):
        AgoraAPIOnlySignal.createAgoraSDKInstance(None, "app", url="telephone")


def test_login(flat: House) -> None:
    """SPEC L1: login takes the instance's App ID for None and "", and numbers as accounts."""
    for account, app in (("ann", None), ("bob", ""), (17, flat.app)):
        person = flat.person(str(account))
        person.api.login(app, account, NO_TOKEN, 0, None)
        assert person.api.getStatus() in (1, 2)
        person.gets("onLoginSuccess", 0, 0)
        assert person.api.getStatus() == 2


def test_login_in_another_app(flat: House) -> None:
    """SPEC S9: an App ID of the login's own counts."""
    [ann] = flat.enter("ann")
    other = flat.person("bob")
    other.api.login(f"{flat.app}-other", "bob", NO_TOKEN, 0, "")
    other.gets("onLoginSuccess", 0, 0)
    ann.api.queryUserStatus("bob")
    ann.gets("onQueryUserStatusResult", "bob", "0")


def test_login_again_is_a_line_in_the_log(flat: House) -> None:
    """SPEC L8: in state 1 to 3 the session that exists goes on; log line 208, no callback."""
    [ann] = flat.enter("ann")
    ann.api.login("", "ann", NO_TOKEN, 0, "")
    ann.logs("208")
    ann.api.login2("", "", None, 0, "", 0, 0)  # not even its arguments are looked at
    ann.settle()
    assert ann.api.getStatus() == 2


def test_login2(flat: House) -> None:
    """SPEC L10: retries end with the count, or with the time; then onLoginFailed(201)."""
    relay = flat.relay()
    relay.shut()
    by_count = flat.person("ann", url=relay.url)
    by_count.api.login2("", "ann", NO_TOKEN, 0, "", 600, 1)
    by_time = flat.person("bob", url=relay.url)
    by_time.api.login2("", "bob", NO_TOKEN, 0, "", 4, 1000)
    assert by_time.api.getStatus() == 1
    for person in (by_count, by_time):
        person.gets("onLoginFailed", 201)
        assert person.api.getStatus() == 0


@pytest.mark.parametrize("nothing", [(0, 0), (-1, -1), (None, None)])
def test_login2_without_limits_has_the_default_ones(flat: House, nothing: tuple) -> None:
    """SPEC L10: 0, less or nothing is 30 s and 15 tries: a first try that fails is not the last."""
    relay = flat.relay()
    relay.shut()
    ann = flat.person("ann", url=relay.url)
    ann.api.login2("", "ann", NO_TOKEN, 0, "", *nothing)
    ann.settle()
    relay.reopen()
    ann.gets("onLoginSuccess", 0, 0)


def test_logout(flat: House) -> None:
    """SPEC L9: out of the channel with 603, then onLogout(101); the others see it."""
    ann, bob = flat.enter("ann", "bob")
    ann.join("room", "ann")
    bob.join("room", "ann", "bob")
    ann.gets("onChannelUserJoined", "bob", 0)
    bob.api.logout()
    assert bob.api.getStatus() == 0
    bob.gets("onChannelLeaved", "room", 603)
    bob.gets("onLogout", 101)
    ann.gets("onChannelUserLeaved", "bob", 0)
    ann.api.queryUserStatus("bob")
    ann.gets("onQueryUserStatusResult", "bob", "0")


def test_logout_without_a_login_is_a_line_in_the_log(flat: House) -> None:
    """SPEC L9: log line 108 only."""
    ann = flat.person("ann")
    ann.api.logout()
    ann.logs("108")


def test_logout_and_login_at_once(flat: House) -> None:
    """SPEC L8: `logout()` then `login()` works without waiting, also as somebody else."""
    relay = flat.relay()
    ann = flat.person("ann", url=relay.url).enter()
    relay.silence()  # bob is not in before the status was asked for
    ann.api.logout()
    ann.api.login("", "bob", NO_TOKEN, 0, "")
    assert ann.api.getStatus() == 1
    ann.api.getUserAttrAll("bob")
    relay.speak()
    ann.gets("onLogout", 101)
    ann.gets("onLoginSuccess", 0, 0)
    ann.gets("onUserAttrAllResult", "bob", "{}")


def test_logout_without_an_answer(flat: House) -> None:
    """SPEC L9: unanswered for 2 s: onLogout(101) all the same."""
    relay = flat.relay()
    ann = flat.person("ann", url=relay.url).enter()
    relay.silence()
    ann.api.logout()
    ann.gets("onLogout", 101)


def test_getStatus(flat: House) -> None:
    """SPEC L12: 0 to 3, and already new inside a callback."""
    relay = flat.relay()
    seen: list[tuple[str, int]] = []
    ann = flat.person("ann", url=relay.url)
    ann.handler = Recorder(then=lambda name, args: seen.append((name, ann.api.getStatus())))
    ann.api.callbackSet(ann.handler)
    assert ann.api.getStatus() == 0
    ann.enter()
    relay.shut()
    ann.gets("onReconnecting", 1)
    assert ann.api.getStatus() == 3
    assert ann.api.isOnline() == 0
    ann.api.logout()
    ann.gets("onLogout", 101)
    ann.settle()
    assert seen[0] == ("onLoginSuccess", 2)
    assert seen[1] == ("onReconnecting", 3)
    assert ("onLogout", 0) in seen


def test_isOnline(flat: House) -> None:
    """SPEC L12, K14: 1 in state 2, else 0."""
    ann = flat.person("ann")
    assert ann.api.isOnline() == 0
    ann.enter()
    assert ann.api.isOnline() == 1
    ann.api.logout()
    assert ann.api.isOnline() == 0
    ann.gets("onLogout", 101)


def test_getSdkVersion(flat: House) -> None:
    """SPEC L14: 1.1.4.4.0 in ten digits."""
    assert flat.person("ann").api.getSdkVersion() == 1010404000


def test_callbackSet(flat: House) -> None:
    """SPEC S2: the new handler gets what comes next; None: it waits for one."""
    ann, bob = flat.enter("ann", "bob")
    first, second = bob.handler, Recorder()
    ann.api.messageInstantSend("bob", 0, "one", "1")
    ann.gets("onMessageSendSuccess", "1")
    bob.gets("onMessageInstantReceive", "ann", 0, "one")
    bob.api.callbackSet(second)
    bob.handler = second
    ann.api.messageInstantSend("bob", 0, "two", "2")
    ann.gets("onMessageSendSuccess", "2")
    bob.gets("onMessageInstantReceive", "ann", 0, "two")
    assert first.told.empty()
    bob.api.callbackSet(None)
    assert type(bob.api.callbackGet()) is ICallBack
    ann.api.messageInstantSend("bob", 0, "three", "3")
    ann.gets("onMessageSendSuccess", "3")
    bob.api.callbackSet(second)
    bob.gets("onMessageInstantReceive", "ann", 0, "three")


def test_callbackSet_after_login(flat: House) -> None:
    """SPEC S2: what happens before the first handler waits for it, failures that come at once too."""
    late = AgoraAPIOnlySignal.createAgoraSDKInstance(None, flat.app, url=flat.url)
    late.login2("", "", NO_TOKEN, 0, "", 30, 15)
    late.login2("", "ann", NO_TOKEN, 0, "", 30, 15)
    handler = Recorder()
    handler_set = [handler.told.empty()]
    late.callbackSet(handler)
    assert handler_set == [True]
    assert handler.next() == ("onLoginFailed", (209,))
    assert handler.next()[1][:2] == ("login2", 1004)
    assert handler.next() == ("onLoginSuccess", (0, 0))
    late.destroy()


def test_callbackGet(flat: House) -> None:
    """SPEC S2: never None."""
    instance = AgoraAPIOnlySignal.createAgoraSDKInstance(None, flat.app, url=flat.url)
    assert isinstance(instance.callbackGet(), ICallBack)
    handler = ICallBack()
    instance.callbackSet(handler)
    assert instance.callbackGet() is handler
    instance.callbackSet(None)
    assert type(instance.callbackGet()) is ICallBack
    instance.destroy()
    assert isinstance(instance.callbackGet(), ICallBack)


def test_destroy(flat: House) -> None:
    """SPEC S9: logs out; nothing is told after it returned; twice is harmless; later calls do nothing."""
    ann, bob = flat.enter("ann", "bob")
    ann.api.destroy()
    ann.api.destroy()
    assert ann.api.getStatus() == ann.api.isOnline() == 0
    ann.api.login("", "ann", NO_TOKEN, 0, "")
    ann.api.messageInstantSend("bob", 0, "hi", "")
    ann.api.callbackSet(None)
    assert ann.handler.told.empty()
    bob.api.queryUserStatus("ann")
    bob.gets("onQueryUserStatusResult", "ann", "0")
