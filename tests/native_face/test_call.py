"""Call, method by method; how a call goes is in test_call_flow.py."""

from __future__ import annotations

import pytest

from native_face.people import House, ring, soon, take
from signalpost.client import (
    CallAccepted,
    CallEnded,
    CallKeys,
    CallReceived,
    CallRefused,
    CallState,
    RequestError,
)


async def test_call_channel(native: House) -> None:
    """SPEC K10: given, or made by the server; known to both."""
    ada, bo = await native.client("ada"), await native.client("bo")
    call, ringing = await ring(ada, bo, "room")
    assert call.channel == ringing.channel == "room"
    call, ringing = await ring(ada, bo, "")
    assert call.channel == ringing.channel != ""


async def test_call_peer(native: House) -> None:
    """SPEC K1: the other account."""
    call, ringing = await ring(await native.client("ada"), await native.client("bo"))
    assert (call.peer, ringing.peer) == ("bo", "ada")


async def test_call_extra(native: House) -> None:
    """SPEC K1, K9: JSON text, as it came."""
    call, ringing = await ring(await native.client("ada"), await native.client("bo"), extra={"a": 1})
    assert call.extra == ringing.extra == '{"a":1}'


async def test_call_incoming(native: House) -> None:
    """SPEC K1: whether the peer has called."""
    call, ringing = await ring(await native.client("ada"), await native.client("bo"))
    assert (call.incoming, ringing.incoming) == (False, True)


async def test_call_state(native: House) -> None:
    """SPEC K1 to K3: how far it has come."""
    ada = await native.client("ada")
    call = await soon(ada.invite("bo", "room"))
    assert call.state is CallState.INVITED
    bo = await native.client("bo")
    assert isinstance(await take(aiter(call)), CallReceived)
    ringing = await take(bo.invites())
    assert call.state is ringing.state is CallState.RINGING
    await ringing.accept()
    await soon(call.answered())
    assert call.state is ringing.state is CallState.ACCEPTED
    await call.end()
    await soon(ringing.ended())
    assert call.state is ringing.state is CallState.OVER


async def test_call_accept(native: House) -> None:
    """SPEC K2: with any text; too late is RequestError."""
    call, ringing = await ring(await native.client("ada"), await native.client("bo"))
    await soon(ringing.accept("not {json"))
    answer = await soon(call.answered())
    assert isinstance(answer, CallAccepted)
    assert answer.extra == "not {json"
    call, ringing = await ring(native.clients[0], native.clients[1], "other")
    await call.end()
    with pytest.raises(RequestError):
        await ringing.accept()


async def test_call_refuse(native: House) -> None:
    """SPEC K2: with any text; it is over for both."""
    call, ringing = await ring(await native.client("ada"), await native.client("bo"))
    await soon(ringing.refuse("busy"))
    for side in (call, ringing):
        end = await soon(side.ended())
        assert isinstance(end, CallRefused)
        assert end.extra == "busy"
    with pytest.raises(RequestError):
        await ringing.refuse()


async def test_call_dtmf(native: House) -> None:
    """SPEC K4: in an accepted call, both ways."""
    call, ringing = await ring(await native.client("ada"), await native.client("bo"))
    with pytest.raises(RequestError):
        await call.dtmf("1")
    await ringing.accept()
    await take(aiter(call))
    await call.dtmf("0123456789*#ABCD")
    await ringing.dtmf("9")
    there, here = await take(aiter(ringing)), await take(aiter(call))
    assert isinstance(there, CallKeys)
    assert isinstance(here, CallKeys)
    assert (there.keys, here.keys) == ("0123456789*#ABCD", "9")


async def test_call_end(native: House) -> None:
    """SPEC K3: by either side, with any text; a second time it does nothing."""
    call, ringing = await ring(await native.client("ada"), await native.client("bo"))
    await ringing.accept()
    await soon(ringing.end("bye"))
    end = await soon(call.ended())
    assert isinstance(end, CallEnded)
    assert (end.by_peer, end.extra) == (True, "bye")
    mine = await soon(ringing.ended())
    assert isinstance(mine, CallEnded)
    assert not mine.by_peer
    await call.end()
    await ringing.end()


async def test_call_answered(native: House) -> None:
    """SPEC K2: both sides can ask, at any time; when the time is over the call goes on ringing."""
    call, ringing = await ring(await native.client("ada"), await native.client("bo"))
    with pytest.raises(TimeoutError):
        await call.answered(timeout=0.01)
    assert call.state is CallState.RINGING
    await ringing.accept("coming")
    for _ in range(2):
        assert isinstance(await soon(call.answered()), CallAccepted)
        assert isinstance(await soon(ringing.answered()), CallAccepted)
    await call.end()
    assert isinstance(await soon(call.answered()), CallAccepted)


async def test_call_ended(native: House) -> None:
    """SPEC K3: why it is over; when the time is over the call goes on."""
    call, ringing = await ring(await native.client("ada"), await native.client("bo"))
    with pytest.raises(TimeoutError):
        await call.ended(timeout=0.01)
    await call.end()
    for side in (call, ringing):
        assert isinstance(await soon(side.ended()), CallEnded)
    assert isinstance(await soon(ringing.answered()), CallEnded)


async def test_call_async_for(native: House) -> None:
    """SPEC K1: what happens, once each, until it is over."""
    ada, bo = await native.client("ada"), await native.client("bo")
    call = await soon(ada.invite("bo", "room"))
    ringing = await take(bo.invites())
    await ringing.accept()
    await ringing.dtmf("1")
    await ringing.end()
    assert [type(event) async for event in call] == [CallReceived, CallAccepted, CallKeys, CallEnded]
    assert [type(event) async for event in ringing] == [CallEnded]
