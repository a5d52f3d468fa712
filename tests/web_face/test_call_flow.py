"""The call flow of the FAQ through the web-shaped face, with the times of the server made short (SPEC §6)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator

import pytest

from support.call_apps import CALL_APPS, app_of, in_app
from support.relay import Relay
from support.server import ServerProcess, serving
from web_face.people import House


@pytest.fixture(scope="module")
def dev_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("calls"), CALL_APPS) as server:
        yield server


@pytest.fixture
async def web(
    request: pytest.FixtureRequest, dev_server: ServerProcess, relay: Relay
) -> AsyncIterator[House]:
    """The app that the test names, else one in which nothing times out."""
    house = House(dev_server.url, app_of(request))
    yield house
    await house.close()


async def test_accepted(web: House) -> None:
    """SPEC K1 to K4: invited, received, accepted; both join the channel; the caller hangs up."""
    ada, bo = await web.user("ada-accepted"), await web.user("bo-accepted")
    call = ada.invite("room", "bo-accepted", '{"_require_peer_online":1}')
    ringing = await bo.rings("room", "ada-accepted", '{"_require_peer_online":1}')
    await ada.expect("onInviteReceivedByPeer", "")

    ringing.channelInviteAccept("coming")
    await ada.expect("onInviteAcceptedByPeer", "coming")
    await ada.join("room")
    await bo.join("room", "ada-accepted")
    await ada.expect("onChannelUserJoined", "bo-accepted", 0)

    call.channelInviteEnd()
    await ada.expect("onInviteEndByMyself", "")
    await bo.expect("onInviteEndByPeer", "")
    await ada.quiet()  # the channel is another matter: both are in it still
    await bo.quiet()


async def test_refused(web: House) -> None:
    """SPEC K2: the caller is told why; nothing more comes."""
    ada, bo = await web.user("ada-refused"), await web.user("bo-refused")
    ada.invite("room", "bo-refused")
    ringing = await bo.rings("room", "ada-refused")
    await ada.expect("onInviteReceivedByPeer", "")
    ringing.channelInviteRefuse("busy")
    await ada.expect("onInviteRefusedByPeer", "busy")


async def test_cancelled(web: House) -> None:
    """SPEC K3: the caller takes it back while it rings."""
    ada, bo = await web.user("ada-cancels"), await web.user("bo-cancels")
    call = ada.invite("room", "bo-cancels")
    ringing = await bo.rings("room", "ada-cancels")
    await ada.expect("onInviteReceivedByPeer", "")
    call.channelInviteEnd("never mind")
    await ada.expect("onInviteEndByMyself", "")
    await bo.expect("onInviteEndByPeer", "never mind")
    ringing.channelInviteAccept()  # too late: nothing (K12)


async def test_cancelled_before_it_was_received(web: House) -> None:
    """SPEC K3: a callee that has not received the invitation never does."""
    ada = await web.user("ada-quick")
    call = ada.invite("room", "bo-quick")
    call.channelInviteEnd()
    await ada.expect("onInviteEndByMyself", "")
    bo = await web.user("bo-quick")
    await bo.quiet()


async def test_offline_peer_is_required_to_be_online(web: House) -> None:
    """SPEC K5: `_require_peer_online` 1: 703 at once."""
    ada = await web.user("ada-now")
    ada.invite("room", "bo-now", {"_require_peer_online": 1})
    assert await ada.expect_failure(703)


@in_app("peer")
async def test_offline_peer_does_not_come(web: House, app: str) -> None:
    """SPEC K5: 703 when the wait is over; who comes later hears nothing."""
    ada = await web.user("ada-waits")
    ada.invite("room", "bo-waits", {"_require_peer_online": 0})
    assert await ada.expect_failure(703)
    bo = await web.user("bo-waits")
    await bo.quiet()


async def test_offline_peer_comes(web: House) -> None:
    """SPEC K5: the invitation waits for it."""
    ada = await web.user("ada-early")
    ada.invite("room", "bo-late")
    await ada.quiet()
    bo = await web.user("bo-late")
    ringing = await bo.rings("room", "ada-early")
    await ada.expect("onInviteReceivedByPeer", "")
    ringing.channelInviteAccept()
    await ada.expect("onInviteAcceptedByPeer", "")


@in_app("ring")
async def test_nobody_answers(web: House, app: str) -> None:
    """SPEC K6: 704, and the callee's ringing ends."""
    ada, bo = await web.user("ada-rings"), await web.user("bo-rings")
    ada.invite("room", "bo-rings", {"_timeout": 30})
    await bo.rings("room", "ada-rings", '{"_timeout":30}')
    await ada.expect("onInviteReceivedByPeer", "")
    assert await ada.expect_failure(704)
    await bo.expect("onInviteEndByPeer", "")


async def test_nobody_answers_in_the_time_that_the_caller_gives(web: House) -> None:
    """SPEC K6: `_timeout` in the extra."""
    ada, bo = await web.user("ada-second"), await web.user("bo-second")
    ada.invite("room", "bo-second", '{"_timeout":"3"}')
    await bo.rings("room", "ada-second", '{"_timeout":"3"}')
    await ada.expect("onInviteReceivedByPeer", "")
    assert await ada.expect_failure(704)
    await bo.expect("onInviteEndByPeer", "")


@in_app("confirm")
async def test_the_peer_cannot_receive(web: House, app: str, dev_server: ServerProcess) -> None:
    """SPEC K7: 705, when the peer's SDK does not confirm."""
    ada, bo = await web.user("ada-confirm"), await dev_server.client("bo-confirm", app=app)
    ada.invite("room", "bo-confirm")
    assert await ada.expect_failure(705)
    await bo.close()


async def test_a_telephone_without_a_gateway(web: House) -> None:
    """SPEC K13: 705 at once; without a country code 1004."""
    ada = await web.user("ada-phones")
    ada.invite("room", "+123456789", {"srcNum": "+198765432"})
    assert await ada.expect_failure(705)


async def test_both_call_each_other_at_once(web: House) -> None:
    """SPEC K8: the later one gets 701; the earlier one rings, and can be accepted."""
    ada, bo = await web.user("ada-glare"), await web.user("bo-glare")
    ada.invite("room", "bo-glare")
    bo.invite("room", "ada-glare")
    told = {user: await user.next() for user in (ada, bo)}
    first, later = (ada, bo) if told[ada] == ("onInviteReceivedByPeer", "") else (bo, ada)
    assert told[first] == ("onInviteReceivedByPeer", "")
    both = dict([told[later], await later.next()])  # in either order
    assert both.keys() == {"onInviteReceived", "onInviteFailed"}
    assert json.loads(both["onInviteFailed"])["code"] == 701
    both["onInviteReceived"].channelInviteAccept("you first")
    await first.expect("onInviteAcceptedByPeer", "you first")


async def test_the_same_call_again_while_it_rings(web: House) -> None:
    """SPEC K8: 701, and the ringing call is unharmed."""
    ada, bo = await web.user("ada-again"), await web.user("bo-again")
    ada.invite("room", "bo-again")
    ringing = await bo.rings("room", "ada-again")
    await ada.expect("onInviteReceivedByPeer", "")
    ada.invite("room", "bo-again")
    assert await ada.expect_failure(701)
    ringing.channelInviteAccept()
    await ada.expect("onInviteAcceptedByPeer", "")

    ada.invite("room", "bo-again")  # while it is accepted: the old one ends, and it rings anew
    await ada.expect("onInviteEndByMyself", "")
    await bo.expect("onInviteEndByPeer", "")
    await bo.rings("room", "ada-again")
    await ada.expect("onInviteReceivedByPeer", "")


async def test_the_callee_logs_out_while_it_rings(web: House) -> None:
    """SPEC K11: 703 for the caller."""
    ada, bo = await web.user("ada-left"), await web.user("bo-left")
    ada.invite("room", "bo-left")
    await bo.rings("room", "ada-left")
    await ada.expect("onInviteReceivedByPeer", "")
    bo.session.logout()
    await bo.expect("onInviteEndByMyself", "")
    await bo.expect("onLogout", 101)
    assert await ada.expect_failure(703)


async def test_the_caller_logs_out_while_it_rings(web: House) -> None:
    """SPEC K11: the ringing ends."""
    ada, bo = await web.user("ada-gone"), await web.user("bo-gone")
    ada.invite("room", "bo-gone")
    await bo.rings("room", "ada-gone")
    await ada.expect("onInviteReceivedByPeer", "")
    ada.session.logout()
    await ada.expect("onInviteEndByMyself", "")
    await ada.expect("onLogout", 101)
    await bo.expect("onInviteEndByPeer", "")


async def test_a_call_survives_a_broken_connection(web: House, relay: Relay) -> None:
    """SPEC K11: the objects of before go on."""
    ada, bo = await web.user("ada-breaks", url=relay.url), await web.user("bo-breaks")
    call = ada.invite("room", "bo-breaks")
    ringing = await bo.rings("room", "ada-breaks")
    await ada.expect("onInviteReceivedByPeer", "")
    relay.cut()
    ringing.channelInviteAccept()
    assert [(await ada.next())[0] for _ in range(4)] == [
        "onReconnecting",
        "onLoginSuccess",
        "onReconnected",
        "onInviteAcceptedByPeer",
    ]
    call.channelInviteEnd()
    await ada.expect("onInviteEndByMyself", "")
    await bo.expect("onInviteEndByPeer", "")


async def test_the_callee_begins_anew_while_it_rings(web: House) -> None:
    """SPEC L17, K11: a reloaded page, or a second tab; the caller hears of one confirmation in all."""
    ada, bo = await web.user("ada-reload"), await web.user("bo-reload")
    ada.invite("room", "bo-reload")
    ringing = await bo.rings("room", "ada-reload")
    await ada.expect("onInviteReceivedByPeer", "")
    for _ in range(2):
        old, bo = bo, await web.user("bo-reload")
        ringing = await bo.rings("room", "ada-reload")
        while (await old.next())[0] != "onLogout":
            continue
    ringing.channelInviteAccept("at last")
    await ada.expect("onInviteAcceptedByPeer", "at last")


async def test_no_network_at_the_caller(web: House, relay: Relay) -> None:
    """SPEC K8, L19: 702 at once."""
    ada = await web.user("ada-cut", url=relay.url)
    relay.shut()
    await ada.expect("onReconnecting", 1)
    ada.invite("room", "bo-cut")
    assert (await ada.next())[0] in ("onInviteFailed", "onReconnecting")
    ada.session.logout()
    while (told := await ada.next()) != ("onLogout", 101):
        assert told[0] in ("onInviteFailed", "onReconnecting")
