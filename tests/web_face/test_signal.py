"""`Signal`, method by method, and what logging in twice means (SPEC §2)."""

from __future__ import annotations

import logging

import pytest

from signalpost.web import Signal
from support.relay import Relay
from web_face.people import QUICK, House


async def test_signal_login(web: House) -> None:
    """SPEC L1, S1: it gives a session at once, and one callback follows."""
    user = web.enter("ada")
    assert user.session.account == "ada"
    assert user.session.state == 1
    assert user.told.empty()
    await user.expect("onLoginSuccess", 0)
    assert user.session.state == 2


async def test_signal_setDoLog(
    web: House, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """SPEC S8: off in the beginning; then lines from a level on, to standard error and to `logging`."""
    caplog.set_level(logging.DEBUG)
    signal = web.signal()
    silent = await web.user("ada", token="a-secret-token", signal=signal)
    assert (capsys.readouterr().err, caplog.record_tuples) == ("", [])

    signal.setDoLog(True, "INFO")
    signal.login("ada", "a-secret-token")
    line = "ada: 208: login while logged in, nothing done"
    assert capsys.readouterr().err == f"signalpost INFO {line}\n"
    assert caplog.record_tuples == [("signalpost.web", logging.INFO, line)]
    await silent.expect("onLoginSuccess", 0)

    signal.setDoLog(True, "WARNING")
    signal.login("ada", "a-secret-token")
    await silent.expect("onLoginSuccess", 0)
    assert capsys.readouterr().err == ""

    signal.setDoLog(True)
    bo = await web.user("bo", token="a-secret-token", signal=signal)
    bo.session.messageInstantSend("ada", "a secret text", bo.answer("cb"))
    await bo.expect("cb", False)
    await silent.expect("onMessageInstantReceive", "bo", 0, "a secret text")
    written = capsys.readouterr().err
    assert "signalpost DEBUG bo: LoggedIn\n" in written
    assert "secret" not in written + caplog.text

    signal.setDoLog(False)
    bo.session.messageInstantSend("", "hello")
    await bo.expect("onError", "message_instant_send", 1004, bo_reason())
    assert capsys.readouterr().err == ""


def bo_reason() -> str:
    return "account is empty: 1 to 128 bytes are allowed"


@pytest.mark.parametrize("level", ["LOUD", "", None, 7, [], {}])
async def test_an_unknown_level_is_the_lowest(
    web: House, level: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """SPEC S8: what is no level counts as DEBUG, the default."""
    signal = web.signal()
    signal.setDoLog(True, level)
    await web.user("ada", signal=signal)
    assert "signalpost DEBUG ada: LoggedIn\n" in capsys.readouterr().err


def test_signal_getSDKVersion() -> None:
    """SPEC L14: outside of a loop, too."""
    assert Signal("app", "ws://127.0.0.1:1/").getSDKVersion() == "1.4.0"


# --- where the server is --------------------------------------------------------------------------


async def test_the_address_may_stand_in_the_environment(web: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """SPEC S1: the argument, else SIGNALPOST_URL."""
    monkeypatch.setenv("SIGNALPOST_URL", web.url)
    await web.user("ada", signal=Signal(web.app))


def test_without_an_address_there_is_no_signal() -> None:
    """SPEC S1: an address that is missing or none is said at once."""
    with pytest.raises(ValueError, match="SIGNALPOST_URL"):
        Signal("app")
    with pytest.raises(ValueError, match="ws://HOST:PORT/"):
        Signal("app", "here")


# --- twice, and again -----------------------------------------------------------------------------


async def test_a_second_login_makes_none(web: House, capsys: pytest.CaptureFixture[str]) -> None:
    """SPEC L8: in states 1 to 3 the session that exists and a log line 208; in state 2 it is told again."""
    signal = web.signal()
    signal.setDoLog(True, "INFO")
    user = web.enter("ada", signal=signal)
    assert signal.login("ada", "any") is user.session
    await user.expect("onLoginSuccess", 0)
    assert signal.login("ada", "any", 3, 4) is user.session
    assert user.told.empty()
    await user.expect("onLoginSuccess", 0)
    assert signal.login("ada", None) is user.session
    await user.expect("onLoginSuccess", 0)
    await user.quiet()
    assert capsys.readouterr().err.count("208") == 3


async def test_a_second_login_while_reconnecting_is_answered_by_the_reconnect(
    web: House, relay: Relay
) -> None:
    """SPEC L8, S7: not before."""
    signal = web.signal(QUICK, relay.url)
    user = await web.user("ada", signal=signal)
    relay.shut()
    await user.expect("onReconnecting", 1)
    assert user.session.state == 3
    assert signal.login("ada", "any") is user.session
    relay.reopen()
    told = await user.next()
    while told[0] == "onReconnecting":
        told = await user.next()
    assert told == ("onLoginSuccess", 0)
    await user.expect("onReconnected")


async def test_another_account_is_another_session(web: House) -> None:
    """SPEC L8: independent of the first."""
    signal = web.signal()
    ada = await web.user("ada", signal=signal)
    bo = await web.user("bo", signal=signal)
    bo.session.logout()
    await bo.expect("onLogout", 101)
    await ada.quiet()
    assert (ada.session.state, bo.session.state) == (2, 0)


async def test_logout_and_login_at_once(web: House) -> None:
    """SPEC L8: without waiting; the old session ends first, and the new one is another."""
    signal = web.signal()
    old = await web.user("ada", signal=signal)
    await old.join("room")
    old.session.logout()
    assert old.session.state == 0
    new = web.enter("ada", signal=signal)
    assert new.session is not old.session
    assert new.session.state == 1
    order: list[str] = []
    old.session.onLogout = lambda code: (order.append("old"), old.told.put_nowait(("onLogout", code)))
    new.session.onLoginSuccess = lambda uid: (order.append("new"), new.told.put_nowait(("in", uid)))
    await new.expect("in", 0)
    await old.expect("onChannelLeaved", 603)
    await old.expect("onLogout", 101)
    assert order == ["old", "new"]
    assert (old.session.state, new.session.state) == (0, 2)


async def test_the_old_session_can_do_nothing_more(web: House) -> None:
    """SPEC E2, L9: while the new one lives, too."""
    signal = web.signal()
    old = await web.user("ada", signal=signal)
    room = await old.join("room")
    old.session.logout()
    new = await web.user("ada", signal=signal)
    await old.expect("onChannelLeaved", 603)
    await old.expect("onLogout", 101)
    old.session.logout()
    old.session.messageInstantSend("bo", "hello", old.answer("cb"))
    await old.expect("cb", True, {"code": 1003, "reason": "not logged in: log in first"})
    room.channelLeave(old.answer("cb"))
    await old.expect("cb", {"code": 1003, "reason": "not logged in: log in first"})
    await old.expect("onError", "channel_leave", 1003, "not logged in: log in first")
    old.invite("room", "bo")
    await old.expect_failure(1003)
    await new.quiet()
    assert new.session.state == 2


async def test_in_and_out_many_times(web: House) -> None:
    """SPEC L1, L8: each session ends in its own callback, whatever came behind it."""
    signal = web.signal()
    first = await web.user("ada", signal=signal)
    first.session.logout()
    second = web.enter("ada", signal=signal)
    second.session.logout()
    third = web.enter("ada", signal=signal)
    assert len({id(user.session) for user in (first, second, third)}) == 3
    await third.expect("onLoginSuccess", 0)
    await first.expect("onLogout", 101)
    await second.expect("onLoginFailed", 203)


async def test_messages_come_once_over_sessions(web: House) -> None:
    """SPEC M6: what the old session was told, the new one is not."""
    signal = web.signal()
    ada, bo = await web.user("ada", signal=signal), await web.user("bo")
    for number in range(5):
        bo.session.messageInstantSend("ada", f"{number}", bo.answer("cb"))
        await bo.expect("cb", False)
        await ada.expect("onMessageInstantReceive", "bo", 0, f"{number}")
        ada.session.logout()
        before, ada = ada, await web.user("ada", signal=signal)
        await before.expect("onLogout", 101)
    await ada.quiet()
