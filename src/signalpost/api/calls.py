"""Calls: ringing in somebody's name, looking at what rings, ending it (SPEC A2, §6).

An open call has an id that says which it is. One that is over has none any more.
"""

from __future__ import annotations

from typing import Final

import msgspec

from signalpost.api import types
from signalpost.api.cases import Asking
from signalpost.api.cursors import read, spelled
from signalpost.api.problems import Wrong
from signalpost.domain.calls import Call
from signalpost.domain.names import check_name
from signalpost.domain.refusals import Refusal

__all__ = ["end", "listed", "one", "ring"]

_ID: Final = msgspec.json.Decoder(tuple[str, str, str, str])


async def ring(asking: Asking) -> types.Call:
    """Ring somebody. An account that is online is in the call as if it had rung itself; in the name of one
    that is not, nobody is told what comes of it."""
    asked: types.NewCall = asking.body
    check_name(asked.caller, "account")
    calls = asking.cases.calls
    (session,) = await asking.cases.presence.of(asking.app_id, [asked.caller])
    deputy = asking.deputy(asked.caller, generation=0 if session is None else session.generation)
    channel = await calls.invite(deputy, asked.channel, asked.callee, asked.extra, request=asking.request)
    found = await calls.find(asking.app_id, channel, asked.caller, asked.callee)
    if found is None:
        raise Wrong(409, "the call is over already")
    return _told(found)


async def listed(asking: Asking) -> types.Calls:
    """The open calls of an account, or a page of the app's."""
    asked: types.CallPages = asking.query
    calls = asking.cases.calls
    if asked.account:
        return types.Calls([_told(call) for call in await calls.of(asking.app_id, asked.account)], "")
    found, cursor = await calls.page(asking.app_id, read(asked.cursor), asked.limit)
    return types.Calls([_told(call) for call in found], spelled(cursor))


async def one(asking: Asking) -> types.Call:
    """An open call."""
    return _told(await _find(asking))


async def end(asking: Asking) -> None:
    """End it; both are told as if the other had."""
    call = await _find(asking)
    if not await asking.cases.calls.close(asking.app_id, call, asking.body.extra):
        raise _over()


async def _find(asking: Asking) -> Call:
    try:
        channel, caller, callee, id = _ID.decode(read(asking.names["call"]))
    except (Refusal, msgspec.MsgspecError):
        raise _over() from None
    call = await asking.cases.calls.find(asking.app_id, channel, caller, callee)
    if call is None or call.id != id:
        raise _over()
    return call


def _over() -> Wrong:
    return Wrong(404, "there is no such call, or it is over")


def _told(call: Call) -> types.Call:
    names = (call.channel, call.caller, call.callee, call.id)
    return types.Call(
        id=spelled(msgspec.json.encode(names).decode()),
        channel=call.channel,
        caller=call.caller,
        callee=call.callee,
        extra=call.extra,
        state=call.state.name.lower(),
        invited=call.invited,
    )
