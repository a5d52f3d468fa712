"""How clients come and go: closing, logging out, cancelling, and what must not stay behind."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine
from itertools import product
from typing import Any

import pytest

from native_face.people import PROMPT, House, ring, soon, take
from signalpost.client import (
    CallEnded,
    CallState,
    Client,
    LoggedOut,
    NotLoggedIn,
    Settings,
    SignalpostError,
    Status,
)
from support.relay import Relay
from support.waiting import until

ENDS: dict[str, Callable[[Client], Awaitable[None]]] = {
    "logout": lambda client: client.logout(),
    "close": lambda client: _close(client),
}


async def _close(client: Client) -> None:
    client.close()


async def begun(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """A task that waits for something by now."""
    task = asyncio.create_task(work)
    for _ in range(3):
        await asyncio.sleep(0)
    assert not task.done()
    return task


async def cancelled(task: asyncio.Task[Any]) -> None:
    """Cancel it; it ends by that."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await soon(task)


async def in_the_very_tick(condition: Callable[[], bool]) -> None:
    """Return in the tick of the loop in which it begins to hold."""
    deadline = asyncio.get_running_loop().time() + 20
    while not condition():  # an event would wake us a tick too late
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0)


# --- the end ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(product(ENDS, repeat=2)), ids="-".join)
async def test_ends_in_any_order(native: House, order: tuple[str, str]) -> None:
    """SPEC L9, S9: twice, one after the other, in either order; none hangs."""
    ada = await native.client("ada")
    await soon(ada.join("room"))
    for end in order:
        await soon(ENDS[end](ada))
        assert ada.status is Status.LOGGED_OUT


async def test_two_logouts_at_once(native: House) -> None:
    """SPEC L9: both return."""
    ada = await native.client("ada")
    await soon(asyncio.gather(ada.logout(), ada.logout()))
    assert ada.status is Status.LOGGED_OUT


async def test_close_while_logging_out(native: House, relay: Relay) -> None:
    """SPEC L9: the logout returns."""
    ada = await native.client("ada", url=relay.url)
    relay.silence()
    leaving = await begun(ada.logout())
    ada.close()
    await soon(leaving)


async def test_logout_without_an_answer(native: House, relay: Relay) -> None:
    """SPEC L9: after its time it is over all the same."""
    ada = await native.client("ada", url=relay.url, settings=Settings(logout_seconds=0.1))
    relay.silence()
    await soon(ada.logout())
    assert ada.status is Status.LOGGED_OUT


async def test_logout_while_reconnecting(native: House, relay: Relay) -> None:
    """SPEC L9: at once."""
    ada = await native.client("ada", url=relay.url)
    relay.shut()
    await take(ada.events())
    await soon(ada.logout())
    assert await soon(_collected(ada.messages())) == []


async def test_logout_when_the_session_is_lost(native: House) -> None:
    """SPEC L7: nothing is left to do; leaving an `async with` raises nothing."""
    async with native.connect("ada") as ada:
        await native.client("ada")
        with pytest.raises(LoggedOut):
            await take(ada.messages())
    await soon(ada.logout())
    ada.close()


@pytest.mark.parametrize("end", ENDS)
async def test_what_waits_ends_with_the_client(native: House, relay: Relay, end: str) -> None:
    """SPEC E2, M11: requests fail, iterations end, calls are over; nothing hangs."""
    ada = await native.client("ada", url=relay.url, settings=Settings(logout_seconds=0.1))
    bo = await native.client("bo")
    call, _ = await ring(ada, bo)
    room = await soon(ada.join("room"))
    relay.silence()
    asked = [
        await begun(each)
        for each in (
            ada.send("bo", "x"),
            _awaited(ada.join("other")),
            ada.invite("bo", "new"),
            room.set("a", "b"),
        )
    ]
    iterated = [
        await begun(_collected(each)) for each in (ada.messages(), ada.invites(), ada.events(), aiter(room))
    ]
    answer, over = await begun(call.answered()), await begun(call.ended())
    hanging_up = await begun(call.end())
    await soon(ENDS[end](ada))
    codes = []
    for task in asked:
        with pytest.raises(SignalpostError) as failed:
            await soon(task)
        codes.append(int(failed.value.code))
    assert codes == ([401, 300, 702, 1001] if end == "logout" else [1003] * 4)
    for task in iterated:
        assert await soon(task) == []
    assert isinstance(await soon(answer), CallEnded)
    assert isinstance(await soon(over), CallEnded)
    assert call.state is CallState.OVER
    if end == "close":
        with pytest.raises(NotLoggedIn):
            await soon(hanging_up)
    else:
        await soon(hanging_up)
    relay.speak()


async def _collected(stream: Any) -> list[Any]:
    return [item async for item in stream]


async def _awaited(value: Any) -> Any:
    return await value


async def test_closed_while_a_block_leaves_its_channel(native: House, relay: Relay) -> None:
    """SPEC C3: it is out of the channel, which is what it wanted."""
    ada = await native.client("ada", url=relay.url)
    room = await soon(ada.join("room"))
    relay.silence()
    leaving = await begun(_entered(room))
    ada.close()
    await soon(leaving)
    relay.speak()


async def _entered(room: Any) -> None:
    async with room:
        pass


async def test_two_tasks_end_a_call(native: House) -> None:
    """SPEC K3: it is over, which is what both wanted."""
    call, ringing = await ring(await native.client("ada"), await native.client("bo"))
    await soon(asyncio.gather(call.end(), call.end()))
    await soon(ringing.ended())


@pytest.mark.parametrize("end", ENDS)
async def test_nothing_runs_after_the_end(native: House, end: str) -> None:
    """SPEC S3: no task, no timer that holds the client, no connection."""
    import weakref

    before = asyncio.all_tasks()
    ada = await soon(native.connect("ada"))
    room = await soon(ada.join("room"))
    await ENDS[end](ada)
    found = weakref.ref(ada)
    del ada, room

    async def gone() -> bool:
        gc.collect()
        return found() is None and asyncio.all_tasks() <= before

    await until(gone, "nothing is left")


# --- cancelling ---------------------------------------------------------------------------------------


async def test_cancelled_connect(native: House, relay: Relay) -> None:
    """SPEC S3: it lets go of the connection, in whatever state that is."""
    bo = await native.client("bo")
    relay.silence()
    connecting = await begun(_awaited(native.connect("ada", url=relay.url)))
    await until(lambda: _true(relay.asked > 0), "the login is under way")
    await cancelled(connecting)
    relay.speak()
    assert not await bo.is_online("ada")


async def _true(value: bool) -> bool:
    return value


async def test_cancelled_while_the_token_is_fetched(native: House) -> None:
    """SPEC S3: so is the function that fetches it."""
    fetching, ended = asyncio.Event(), asyncio.Event()

    async def fetch() -> str:
        fetching.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ""

    connecting = asyncio.create_task(_awaited(native.connect("ada", token=fetch)))
    await soon(fetching.wait())
    await cancelled(connecting)
    await soon(ended.wait())


async def test_cancelled_send(native: House, relay: Relay) -> None:
    """SPEC S3: it may have been sent; the client goes on."""
    ada = await native.client("ada", url=relay.url)
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    relay.silence()
    sending = await begun(ada.send("ada", "one"))
    await cancelled(sending)
    relay.speak()
    await soon(ada.send("ada", "two"))
    assert complaints == []
    assert [(await take(ada.messages())).text for _ in range(2)] == ["one", "two"]


async def test_cancelled_iteration_loses_nothing(native: House) -> None:
    """SPEC M6: what comes in the very tick is there for the next one."""
    ada = await native.client("ada")
    waiting = await begun(_awaited(anext(ada.messages())))
    await cancelled(waiting)
    for number in range(20):
        waiting = await begun(_awaited(anext(ada.messages())))
        sending = asyncio.create_task(ada.send("ada", f"{number}"))
        await in_the_very_tick(lambda: ada.messages()._stream._waiter.done())  # type: ignore[union-attr]
        await cancelled(waiting)
        assert (await take(ada.messages())).text == f"{number}"
        await sending


async def test_cancelled_join_leaves(native: House, relay: Relay) -> None:
    """SPEC C3: who is cancelled while joining is not in the channel in the end."""
    ada, bo = await native.client("ada", url=relay.url), await native.client("bo")
    watched = await soon(bo.join("room"))
    relay.silence()
    joining = await begun(_awaited(ada.join("room")))
    await cancelled(joining)
    relay.speak()
    assert [type(await take(aiter(watched))).__name__ for _ in range(2)] == ["MemberJoined", "MemberLeft"]
    assert ada._joining == {}


async def test_cancelled_join_in_the_tick_of_the_answer_leaves(native: House) -> None:
    """SPEC C3: the channel that nobody got is left."""
    ada, bo = await native.client("ada"), await native.client("bo")
    watched = await soon(bo.join("room"))
    joining = await begun(_awaited(ada.join("room")))
    await in_the_very_tick(lambda: bool(ada._channels))
    await cancelled(joining)
    assert [type(await take(aiter(watched))).__name__ for _ in range(2)] == ["MemberJoined", "MemberLeft"]


async def test_cancelled_join_behind_another_changes_nothing(native: House, relay: Relay) -> None:
    """SPEC C2: who is in the channel stays in it, with the object that it has."""
    ada = await native.client("ada", url=relay.url)
    room = await soon(ada.join("room"))
    relay.silence()
    joining = await begun(_awaited(ada.join("room")))
    await cancelled(joining)
    relay.speak()
    await soon(ada.is_online("ada"))
    assert room.joined
    await room.send("still here")
    assert (await take(aiter(room))).text == "still here"  # type: ignore[union-attr]


@pytest.mark.parametrize("which", [(True, False), (False, True), (True, True), (False, False)])
async def test_two_joins_of_which_some_are_cancelled(
    native: House, relay: Relay, which: tuple[bool, bool]
) -> None:
    """SPEC C2, C3: in the channel is who was not cancelled."""
    ada = await native.client("ada", url=relay.url)
    relay.silence()
    joins = [await begun(_awaited(ada.join("room"))) for _ in which]
    for join, is_cancelled in zip(joins, which, strict=True):
        if is_cancelled:
            await cancelled(join)
    relay.speak()
    rooms = [await soon(join) for join, gone in zip(joins, which, strict=True) if not gone]
    await soon(ada.is_online("ada"))
    assert await ada.channel("room").has("ada") is bool(rooms)
    assert [room.joined for room in rooms] == [False, True][-len(rooms) :] if rooms else True
    assert ada._joining == {}


@pytest.mark.parametrize("channel", ["room", ""])
async def test_cancelled_invite_cancels_the_call(native: House, relay: Relay, channel: str) -> None:
    """SPEC K3, K10: also if the server has not said yet what the channel is called."""
    ada, bo = await native.client("ada", url=relay.url), await native.client("bo")
    relay.silence()
    inviting = await begun(ada.invite("bo", channel))
    await cancelled(inviting)
    ringing = await take(bo.invites())
    relay.speak()
    end = await soon(ringing.ended())
    assert isinstance(end, CallEnded)
    assert end.by_peer
    await until(lambda: _true(not ada._calls), "the call is forgotten")
    again, there = await ring(ada, bo, "after")
    await there.accept()
    await soon(again.answered())


async def test_cancelled_waiting_for_an_answer_leaves_the_call_alone(native: House) -> None:
    """SPEC K1: it rings on, and can be waited for again."""
    ada, bo = await native.client("ada"), await native.client("bo")
    call, ringing = await ring(ada, bo)
    for waiting in (call.answered(), call.ended(), anext(aiter(call))):
        await cancelled(await begun(_awaited(waiting)))
    await ringing.accept()
    await soon(call.answered())


async def test_calls_and_channels_that_are_over_are_forgotten(native: House) -> None:
    """SPEC S3: a client that runs for long does not grow."""
    ada, bo = await native.client("ada"), await native.client("bo")
    for end in ("refuse", "end"):
        call, ringing = await ring(ada, bo)
        await getattr(ringing, end)()
        await soon(call.ended())
        await soon(ringing.ended())
    async with ada.join("room"):
        pass
    for client in (ada, bo):
        assert (client._calls, client._channels, client._joining, client._inviting) == ({}, {}, {}, {})


# --- what is acknowledged -------------------------------------------------------------------------------


async def test_acknowledged_when_the_next_is_asked_for(native: House) -> None:
    """SPEC M6: what a program was working on when it crashed comes again, what it was done with does not."""
    ada, bo = await native.client("ada"), await native.client("bo", settings=PROMPT)
    for text in "abc":
        await ada.send("bo", text)
    assert [(await take(bo.messages())).text for _ in range(2)] == ["a", "b"]
    await bo.is_online("bo")  # the acknowledgement of "a" has been served
    bo.close()
    bo = await native.client("bo")
    assert [(await take(bo.messages())).text for _ in range(2)] == ["b", "c"]


async def test_acknowledged_by_a_logout_in_good_order(native: House) -> None:
    """SPEC M6: what was taken does not come again, what was not does."""
    ada = await native.client("ada")
    async with native.connect("bo") as bo:
        for text in "abc":
            await ada.send("bo", text)
        async for message in bo.messages():
            if message.text == "b":
                break
    bo = await native.client("bo")
    assert (await take(bo.messages())).text == "c"


async def test_not_acknowledged_when_the_work_raised(native: House) -> None:
    """SPEC M6: what could not be dealt with comes again, although the client logged out."""
    ada = await native.client("ada")
    await ada.send("bo", "a")

    async def work() -> None:
        async with native.connect("bo") as bo:
            async for _ in bo.messages():
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await soon(work())
    bo = await native.client("bo")
    assert (await take(bo.messages())).text == "a"


async def test_calls_hold_no_message_back(native: House) -> None:
    """SPEC M6: an invitation is dealt with when it has come, whether anybody takes it or not."""
    ada, bo = await native.client("ada"), await native.client("bo", settings=PROMPT)
    call = await soon(ada.invite("bo", "room"))
    await take(aiter(call))
    await ada.send("bo", "one")
    await take(bo.messages())
    bo.messages().done()
    await bo.is_online("bo")  # the acknowledgement has been served
    bo.close()
    await ada.send("bo", "two")
    bo = await native.client("bo")
    assert (await take(bo.messages())).text == "two"


async def sent(native: House, account: str, *texts: str) -> None:
    """Somebody has sent these to an account that is not logged in."""
    sender = await native.client("sender")
    for text in texts:
        await soon(sender.send(account, text))


async def test_who_iterates_on_after_the_logout_is_given_nothing_more(native: House) -> None:
    """SPEC M11: the message in hand is acknowledged, the others come at the next login, once."""
    await sent(native, "bo", "0", "1", "2", "3")
    bo = await soon(native.connect("bo"))
    told = []
    async for message in bo.messages():
        told.append(message.text)
        if message.text == "1":
            await soon(bo.logout())
    assert told == ["0", "1"]
    assert [message async for message in bo.messages()] == []
    again = await native.client("bo")
    assert [(await take(again.messages())).text for _ in range(2)] == ["2", "3"]
    again.messages().done()
    await soon(again.logout())
    last = await native.client("bo")
    await soon(last.send("bo", "end"))
    assert (await take(last.messages())).text == "end"


async def test_who_iterates_while_another_task_logs_out_is_given_nothing_more(native: House) -> None:
    """SPEC M11: nothing is given between the logout and its answer, either."""
    await sent(native, "bo", "0", "1", "2")
    bo = await soon(native.connect("bo"))
    first = await take(bo.messages())
    leaving = asyncio.create_task(bo.logout())
    await asyncio.sleep(0)
    assert [message async for message in bo.messages()] == []
    await soon(leaving)
    again = await native.client("bo")
    assert first.text == "0"
    assert [(await take(again.messages())).text for _ in range(2)] == ["1", "2"]


async def test_a_break_acknowledges_nothing_and_gives_nothing_more(native: House) -> None:
    """SPEC M11: `close` is no logout; what was in hand comes again."""
    await sent(native, "bo", "0", "1")
    bo = await soon(native.connect("bo"))
    assert (await take(bo.messages())).text == "0"
    bo.close()
    assert [message async for message in bo.messages()] == []
    again = await native.client("bo")
    assert [(await take(again.messages())).text for _ in range(2)] == ["0", "1"]


async def test_sends_and_a_logout_in_one_turn(native: House) -> None:
    """SPEC M11: what was asked before the logout is answered before it."""
    ada, bo = await soon(native.connect("ada")), await native.client("bo")
    sends = [ada.send("bo", str(number)) for number in range(20)]
    *ids, _ = await soon(asyncio.gather(*sends, ada.logout()))
    assert len(set(ids)) == 20
    assert [(await take(bo.messages())).text for _ in range(20)] == [str(number) for number in range(20)]


async def test_a_logout_while_reconnecting_fails_what_waits_with_its_code(
    native: House, relay: Relay
) -> None:
    """SPEC M11, E1."""
    ada = await native.client("ada", url=relay.url, retries=1000)
    room = await soon(ada.join("room"))
    relay.shut()
    while ada.status is not Status.RECONNECTING:
        await take(ada.events())
    asked = [await begun(each) for each in (ada.send("bo", "x"), room.set("a", "b"), room.count())]
    leaving = await begun(room.leave())
    await soon(ada.logout())
    codes = []
    for task in asked:
        with pytest.raises(SignalpostError) as failed:
            await soon(task)
        codes.append(int(failed.value.code))
    assert codes == [401, 1001, 501]
    await soon(leaving)
    assert not room.joined
    relay.reopen()


async def test_ending_a_call_that_is_over(native: House) -> None:
    """SPEC K12: returns, in every state, and touches no newer call of the same pair."""
    ada, bo = await native.client("ada"), await native.client("bo")
    call, ringing = await ring(ada, bo)
    await soon(ringing.refuse())
    await soon(call.ended())
    newer, rings_again = await ring(ada, bo)
    for each in (call, ringing):
        await soon(each.end())
        await soon(each.end("again"))
    await soon(asyncio.gather(newer.end(), newer.end()))
    assert isinstance(await soon(newer.ended()), CallEnded)
    assert isinstance(await soon(rings_again.ended()), CallEnded)
    await soon(bo.logout())
    await soon(rings_again.end())


async def test_leaving_a_channel_twice_at_once(native: House) -> None:
    """SPEC C3: both return."""
    ada = await native.client("ada")
    room = await soon(ada.join("room"))
    await soon(asyncio.gather(room.leave(), room.leave()))
    await soon(room.leave())
    assert not room.joined
