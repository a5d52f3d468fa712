"""The call flow of the FAQ through the asyncio API, with the times of the server made short (SPEC §6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from native_face.people import House, ring, soon, take
from signalpost.client import (
    CallAccepted,
    CallEnded,
    CallError,
    CallFailed,
    CallReceived,
    CallRefused,
    CallState,
    MemberJoined,
    Reconnected,
    RequestError,
    SignalpostError,
)
from support.call_apps import CALL_APPS, app_of, in_app
from support.relay import Relay
from support.server import ServerProcess, serving


@pytest.fixture(scope="module")
def dev_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("calls"), CALL_APPS) as server:
        yield server


@pytest.fixture
async def native(
    request: pytest.FixtureRequest, dev_server: ServerProcess, relay: Relay
) -> AsyncIterator[House]:
    """The app that the test names, else one in which nothing times out."""
    house = House(dev_server.url, app_of(request))
    yield house
    await house.close()


async def test_accepted(native: House) -> None:
    """SPEC K1 to K4: invited, received, accepted; both join the channel; the caller hangs up."""
    ada, bo = await native.client("ada-accepted"), await native.client("bo-accepted")
    call = await soon(ada.invite("bo-accepted", "room", extra={"video": True}, require_online=True))
    ringing = await take(bo.invites())
    assert isinstance(await take(aiter(call)), CallReceived)

    await ringing.accept("coming")
    answer = await soon(call.answered())
    assert isinstance(answer, CallAccepted)
    assert answer.extra == "coming"
    async with ada.join(call.channel) as hers, bo.join(ringing.channel) as his:
        assert his.members == ("ada-accepted", "bo-accepted")
        assert await take(aiter(hers)) == MemberJoined("room", "bo-accepted")

        await call.end("bye")
        end = await soon(ringing.ended())
        assert isinstance(end, CallEnded)
        assert (end.by_peer, end.extra) == (True, "bye")
        assert hers.joined  # the channel is another matter
        assert his.joined


async def test_refused(native: House) -> None:
    """SPEC K2: the caller is told why; nothing more comes."""
    ada, bo = await native.client("ada-refused"), await native.client("bo-refused")
    call, ringing = await ring(ada, bo)
    await ringing.refuse("busy")
    answer = await soon(call.answered())
    assert isinstance(answer, CallRefused)
    assert answer.extra == "busy"
    assert [event async for event in call] == [answer]


async def test_cancelled(native: House) -> None:
    """SPEC K3: the caller takes it back while it rings."""
    ada, bo = await native.client("ada-cancels"), await native.client("bo-cancels")
    call, ringing = await ring(ada, bo)
    await call.end("never mind")
    end = await soon(ringing.ended())
    assert isinstance(end, CallEnded)
    assert (end.by_peer, end.extra) == (True, "never mind")
    assert isinstance(await soon(call.answered()), CallEnded)
    with pytest.raises(RequestError) as raised:
        await ringing.accept()  # too late (K12)
    assert raised.value.code == 1001


async def test_cancelled_before_it_was_received(native: House) -> None:
    """SPEC K3: a callee that has not received the invitation never does."""
    ada = await native.client("ada-quick")
    call = await soon(ada.invite("bo-quick", "room"))
    await call.end()
    bo = await native.client("bo-quick")
    await soon(ada.invite("bo-quick", "other"))
    assert (await take(bo.invites())).channel == "other"


async def test_offline_peer_is_required_to_be_online(native: House) -> None:
    """SPEC K5: `_require_peer_online` 1: 703 at once."""
    ada = await native.client("ada-now")
    with pytest.raises(CallError) as raised:
        await soon(ada.invite("bo-now", "room", require_online=True))
    assert raised.value.code == 703


@in_app("peer")
async def test_offline_peer_does_not_come(native: House, app: str) -> None:
    """SPEC K5: 703 when the wait is over; who comes later hears nothing."""
    ada = await native.client("ada-waits")
    call = await soon(ada.invite("bo-waits", "room"))
    assert call.state is CallState.INVITED
    with pytest.raises(CallError) as raised:
        await soon(call.answered())
    assert raised.value.code == 703
    bo = await native.client("bo-waits")
    await soon(ada.invite("bo-waits", "other"))
    assert (await take(bo.invites())).channel == "other"


async def test_offline_peer_comes(native: House) -> None:
    """SPEC K5: the invitation waits for it."""
    ada = await native.client("ada-early")
    call = await soon(ada.invite("bo-late", "room"))
    bo = await native.client("bo-late")
    await (await take(bo.invites())).accept()
    assert isinstance(await soon(call.answered()), CallAccepted)


@in_app("ring")
async def test_nobody_answers(native: House, app: str) -> None:
    """SPEC K6: 704, and the callee's ringing ends."""
    ada, bo = await native.client("ada-rings"), await native.client("bo-rings")
    call, ringing = await ring(ada, bo)
    with pytest.raises(CallError) as raised:
        await soon(call.answered())
    assert raised.value.code == 704
    assert isinstance(await soon(ringing.ended()), CallEnded)


async def test_nobody_answers_in_the_time_that_the_caller_gives(native: House) -> None:
    """SPEC K6: `ring_seconds`."""
    ada, bo = await native.client("ada-second"), await native.client("bo-second")
    call, ringing = await ring(ada, bo, ring_seconds=3)
    end = await soon(call.ended())
    assert isinstance(end, CallFailed)
    assert end.code == 704
    assert isinstance(await soon(ringing.ended()), CallEnded)


@in_app("confirm")
async def test_the_peer_cannot_receive(native: House, app: str, dev_server: ServerProcess) -> None:
    """SPEC K7: 705, when the peer's SDK does not confirm."""
    ada, bo = await native.client("ada-confirm"), await dev_server.client("bo-confirm", app=app)
    call = await soon(ada.invite("bo-confirm", "room"))
    with pytest.raises(CallError) as raised:
        await soon(call.answered())
    assert raised.value.code == 705
    await bo.close()


async def test_a_telephone_without_a_gateway(native: House) -> None:
    """SPEC K13: 705 at once."""
    ada = await native.client("ada-phones")
    with pytest.raises(CallError) as raised:
        await soon(ada.invite("+123456789", "room", extra={"srcNum": "+198765432"}))
    assert raised.value.code == 705


async def test_both_call_each_other_at_once(native: House) -> None:
    """SPEC K8: the later one gets 701; the earlier one rings, and can be accepted."""
    people = {name: await native.client(name) for name in ("ada-glare", "bo-glare")}
    ada, bo = people.values()
    made = await soon(
        asyncio.gather(ada.invite("bo-glare", "room"), bo.invite("ada-glare", "room"), return_exceptions=True)
    )
    [call] = [each for each in made if not isinstance(each, BaseException)]
    [error] = [each for each in made if isinstance(each, SignalpostError)]
    assert isinstance(error, CallError)
    assert error.code == 701
    await (await take(people[call.peer].invites())).accept("you first")
    answer = await soon(call.answered())
    assert isinstance(answer, CallAccepted)
    assert answer.extra == "you first"


async def test_the_same_call_again_while_it_rings(native: House) -> None:
    """SPEC K8: 701, and the ringing call is unharmed; while it is accepted, it rings anew."""
    ada, bo = await native.client("ada-again"), await native.client("bo-again")
    call, ringing = await ring(ada, bo)
    with pytest.raises(CallError) as raised:
        await soon(ada.invite("bo-again", "room"))
    assert raised.value.code == 701
    await ringing.accept()
    assert isinstance(await soon(call.answered()), CallAccepted)

    again, _ = await ring(ada, bo)
    assert again.state is CallState.RINGING
    assert isinstance(await soon(call.ended()), CallEnded)
    assert isinstance(await soon(ringing.ended()), CallEnded)


async def test_the_callee_logs_out_while_it_rings(native: House) -> None:
    """SPEC K11: 703 for the caller."""
    ada, bo = await native.client("ada-left"), await native.client("bo-left")
    call, ringing = await ring(ada, bo)
    await bo.logout()
    with pytest.raises(CallError) as raised:
        await soon(call.answered())
    assert raised.value.code == 703
    assert isinstance(await soon(ringing.ended()), CallEnded)


async def test_the_caller_logs_out_while_it_rings(native: House) -> None:
    """SPEC K11: the ringing ends."""
    ada, bo = await native.client("ada-gone"), await native.client("bo-gone")
    call, ringing = await ring(ada, bo)
    await ada.logout()
    assert isinstance(await soon(call.answered()), CallEnded)
    end = await soon(ringing.ended())
    assert isinstance(end, CallEnded)
    assert end.by_peer


async def test_a_call_survives_a_broken_connection(native: House, relay: Relay) -> None:
    """SPEC K11: the objects of before go on."""
    ada, bo = await native.client("ada-breaks", url=relay.url), await native.client("bo-breaks")
    call, ringing = await ring(ada, bo)
    relay.cut()
    await ringing.accept()
    assert isinstance(await soon(call.answered()), CallAccepted)
    await take(ada.events())
    assert await take(ada.events()) == Reconnected(resumed=True)
    await call.end()
    assert isinstance(await soon(ringing.ended()), CallEnded)


async def test_the_callee_begins_anew_while_it_rings(native: House) -> None:
    """SPEC L17, K11: it rings on in the new client, twice over; the caller notices nothing of it."""
    ada, bo = await native.client("ada-reload"), await native.client("bo-reload")
    call, _ = await ring(ada, bo)
    for _ in range(2):
        bo = await native.client("bo-reload")
        ringing = await take(bo.invites())
        assert (ringing.peer, ringing.channel) == ("ada-reload", call.channel)
    await ringing.accept("at last")
    answer = await soon(call.answered())
    assert isinstance(answer, CallAccepted)
    assert answer.extra == "at last"


async def test_no_network_at_the_caller(native: House, relay: Relay) -> None:
    """SPEC K8, L19: 702 at once."""
    ada = await native.client("ada-cut", url=relay.url)
    relay.shut()
    await take(ada.events())
    with pytest.raises(CallError) as raised:
        await soon(ada.invite("bo-cut", "room"))
    assert raised.value.code == 702
    relay.reopen()


async def test_an_end_of_a_call_does_not_reach_the_one_that_follows_it(native: House) -> None:
    """SPEC K12, K8: the same pair, invited again and ended in one turn; the wire names both calls alike."""
    ada, bo = await native.client("ada-newer"), await native.client("bo-newer")
    old, ringing = await ring(ada, bo, "room")
    await soon(ringing.accept())
    await soon(old.answered())
    invited = asyncio.ensure_future(ada.invite("bo-newer", "room"))
    await asyncio.sleep(0)  # it is asked for first
    await soon(old.end())
    newer = await soon(invited)
    answered = await take(bo.invites())
    await soon(answered.accept())
    await soon(newer.answered())
    assert newer.state is answered.state is CallState.ACCEPTED
    assert old.state is ringing.state is CallState.OVER
