"""Sessions of one account on different nodes, one engine: node and connection are fences (SPEC §2, N1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from services.house import Device, House, refused
from signalpost.domain.refusals import Superseded
from signalpost.engine.ports import Unavailable
from signalpost.services.keys import session_key
from signalpost.services.notes import Kicked, Moved
from signalpost.services.presence import Presence
from signalpost.services.sessions import Sessions
from signalpost.wire.codes import CHANNEL_EVENTS, CHANNEL_USER_ONLINE


@pytest.fixture
def there(house: House) -> House:
    """Another node."""
    return house.neighbour()


def elsewhere(device: Device, there: House) -> Device:
    """The same person at another node."""
    other = there.device(device.account, ours=device.ours)
    other.line = device.line
    return other


def test_a_login_on_another_node_kicks_the_first(house: House, there: House) -> None:
    """SPEC L7, L18, N1."""
    ada = house.login("ada")
    again = there.device("ada")
    assert not again.login().resumed
    assert ada.kicked
    assert ada.live is None
    assert there.online("ada")
    assert house.online("ada")
    with refused(207):
        ada.resume()
    assert again.live is not None


@pytest.mark.parametrize("attached", [False, True])
def test_a_session_goes_on_on_another_node(house: House, there: House, attached: bool) -> None:
    """SPEC L11, L17, N1: without a kick, even if the old connection looks alive."""
    ada = house.login("ada")
    ada.join("room")
    if not attached:
        ada.breaks()
    moved = elsewhere(ada, there)
    assert moved.resume().resumed
    assert ada.replaced is attached
    assert not ada.kicked
    assert house.members("room") == ["ada"]
    session, _ = there.run(there.presence.find(ada.key)) or (None, 0)
    assert session is not None
    assert session.node == there.shared.nodes.me
    assert there.run(there.shared.nodes.records_of(there.shared.nodes.me)) == [session_key(ada.key)]
    assert there.run(there.shared.nodes.records_of(house.shared.nodes.me)) == []
    moved.leave("room")
    moved.logout()
    assert not house.online("ada")


def test_a_session_that_moved_cannot_be_detached_by_the_node_that_it_left(house: House, there: House) -> None:
    """ENGINE: node and connection are fences."""
    ada = house.login("ada")
    live = ada.release()  # its node does not hear of the move
    assert live is not None
    moved = elsewhere(ada, there)
    moved.resume()
    house.run(house.sessions.detach(live))
    house.run(house.sessions.logout(live))
    with pytest.raises(Superseded):
        house.run(house.channels.membership.join(live, "room", ada))
    house.advance(1000.0)
    assert house.online("ada")
    assert moved.live is not None
    moved.join("room")


@pytest.mark.parametrize("leave", ["breaks", "logout"])
def test_what_another_node_drops_of_a_session_kicks_nobody(house: House, there: House, leave: str) -> None:
    """ENGINE: a revision may be stale; a save that conflicts reads again and decides (`_drop_kept`)."""
    ada = house.original("ada")
    ada.join("room")
    ada.breaks()
    again = house.device("ada", ours=False)
    again.login()
    assert again.session.place_in("room")
    there.clock.advance(120.0)
    there.run(there.sessions.due(session_key(ada.key)))  # the other node is first
    assert house.members("room") == []
    assert not again.session.place_in("room"), "it was told"
    again.join("hall")
    assert house.members("hall") == ["ada"]
    getattr(again, leave)()
    house.advance(120.0)
    assert not house.online("ada")
    assert house.members("hall") == []


@pytest.mark.parametrize("leave", ["breaks", "logout", "join"])
def test_a_session_that_others_changed_unheard_leaves_no_ghost(
    house: House, there: House, monkeypatch: pytest.MonkeyPatch, leave: str
) -> None:
    """ENGINE: `detach` never returns silently; notes may be lost."""
    ada = house.original("ada")
    ada.join("room")
    ada.breaks()
    again = house.device("ada", ours=False)
    again.login()

    async def lost(self: Any, node: str, note: Any) -> None:
        """Stand in for a network that loses it."""

    with monkeypatch.context() as patch:
        patch.setattr(type(there.shared.nodes), "send", lost)
        there.clock.advance(120.0)
        there.run(there.sessions.due(session_key(ada.key)))
    assert again.session.place_in("room"), "it does not know"
    if leave == "join":
        again.join("hall")
        assert house.members("hall") == ["ada"]
        assert again.live is not None
        again.breaks()
    else:
        getattr(again, leave)()
    house.advance(120.0)
    assert not house.online("ada")
    assert house.members("hall") == house.members("room") == []
    assert house.armed("session") == []


async def test_of_twenty_logins_at_once_one_stays(house: House, there: House) -> None:
    """SPEC L7: whichever nodes they are on; all of them succeed, and all but the last end."""
    devices = [(house if number % 2 else there).device("ada") for number in range(20)]
    for device in devices:
        device.begin_login()
    left = [device for device in devices if device.live is not None]
    assert len(left) == 1
    assert sum(device.kicked for device in devices) == 19
    assert house.run(house.presence.find(left[0].key))[0].line == left[0].line  # type: ignore[index]


def test_a_reminder_that_comes_as_a_connection_breaks_disarms_nothing(
    house: House, there: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC L11: what it has read may be over before it says so."""
    ada = house.login("ada")
    find, broken = Presence.find, False

    async def late(self: Presence, key: str) -> Any:
        nonlocal broken
        found = await find(self, key)
        if not broken:
            broken = True
            ada.breaks()
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Presence, "find", late)
        there.run(there.sessions.due(session_key(ada.key)))
    assert house.armed("session") == [session_key(ada.key)]
    house.advance(120.0)
    assert not house.online("ada")


def test_who_watches_the_app_from_another_node_misses_nothing(house: House, there: House) -> None:
    """SPEC P4, N1: though nobody watched before, as far as this node knew."""
    house.login("bo").join("room")
    eye = there.login("eye")
    for channel in (CHANNEL_USER_ONLINE, CHANNEL_EVENTS):
        eye.join(channel)
    eye.heard()
    ada = house.login("ada")
    ada.join("room")
    ada.join("hall")
    ada.leave("hall")
    ada.logout()
    told = [(one.what["event"], one.what.get("channel", "")) for one in eye.heard()]
    assert told == [
        ("online", ""),
        ("join", "room"),
        ("leave", "room"),
        ("join", "hall"),
        ("leave", "hall"),
        ("offline", ""),
    ]


# --- a store that does not answer ---------------------------------------------------------------------


def failing(fail: Callable[[], bool]) -> Any:
    """A commit of the shared half that fails while `fail` says so."""
    commit = Presence.commit

    async def attempt(self: Presence, *args: Any) -> Any:
        if fail():
            raise Unavailable("the store is away")
        return await commit(self, *args)

    return attempt


def test_a_break_that_could_not_be_stored_is_stored_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC L11, N6: nobody is online for ever whose node could not say that his connection broke."""
    ada = house.login("ada")
    away = True
    monkeypatch.setattr(Presence, "commit", failing(lambda: away))
    live = ada.release()
    assert live is not None
    with pytest.raises(Unavailable):
        house.run(house.sessions.detach(live))
    house.janitor.sweep()
    assert [str(error) for error in house.reported] == ["the store is away"]
    house.reported.clear()
    house.advance(1000.0)
    assert house.online("ada")
    away = False
    house.janitor.sweep()
    house.advance(119.0)
    assert house.online("ada")
    house.advance(1.0)
    assert not house.online("ada")
    house.janitor.sweep()


def test_a_logout_that_could_not_be_stored_counts_as_a_break(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC L9, L11, N6: its connection has no session any more."""
    ada = house.login("ada")
    live = ada.release()
    assert live is not None
    with monkeypatch.context() as patch:

        async def end(self: Sessions, *args: Any) -> None:
            raise Unavailable("the store is away")

        patch.setattr(Sessions, "_end", end)
        with pytest.raises(Unavailable):
            house.run(house.sessions.logout(live))
    house.janitor.sweep()
    house.advance(120.0)
    assert not house.online("ada")


def test_a_break_that_is_owed_is_forgotten_when_the_session_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC L11."""
    ada = house.login("ada")
    with monkeypatch.context() as patch:
        patch.setattr(Presence, "commit", failing(lambda: True))
        live = ada.release()
        assert live is not None
        with pytest.raises(Unavailable):
            house.run(house.sessions.detach(live))
    ada.resume()
    house.janitor.sweep()
    house.advance(1000.0)
    assert house.online("ada")
    assert ada.live is not None


# --- notes ------------------------------------------------------------------------------------------


def test_a_note_of_a_session_that_is_no_longer_here_does_nothing(house: House, there: House) -> None:
    """SPEC L7, L18: whenever it comes."""
    ada = house.login("ada")
    line = ada.line
    ada.logout()
    ada.login()
    for note in (Kicked(ada.key, line), Moved(ada.key, line, 9), Moved(ada.key, ada.line, 1)):
        there.run(there.shared.nodes.send(house.shared.nodes.me, note))
    assert not ada.kicked
    assert not ada.replaced
    there.run(there.shared.nodes.send(house.shared.nodes.me, Moved(ada.key, ada.line, 2)))
    assert ada.replaced
