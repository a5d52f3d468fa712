"""A user's program that uses the whole API: type checkers have to understand it, and it runs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import assert_type

from signalpost.client import (
    ArgumentError,
    AttributeChanged,
    Attributes,
    Call,
    CallAccepted,
    CallEnded,
    CallError,
    CallEvent,
    CallFailed,
    CallKeys,
    CallReceived,
    CallRefused,
    CallState,
    Change,
    Channel,
    ChannelLeft,
    ChannelMessage,
    ChannelView,
    Client,
    Code,
    EventsLost,
    LoggedOut,
    LoginError,
    MemberJoined,
    MemberLeft,
    Message,
    MessageError,
    OwnAttributes,
    Problem,
    Reconnected,
    Reconnecting,
    RequestError,
    Settings,
    SignalpostError,
    Status,
    connect,
)
from signalpost.tokens import make_token


def fetch() -> str:
    return make_token("demo", "secret", "ada", ttl=60)


async def fetch_slowly() -> str:
    await asyncio.sleep(0)
    return fetch()


async def look_after(me: Client) -> None:
    async for event in me.events():
        match event:
            case Reconnecting(attempt=attempt):
                assert_type(attempt, int)
            case Reconnected(resumed=resumed):
                assert_type(resumed, bool)
            case Problem(code=code):
                assert_type(code, Code)


async def use_messages(me: Client) -> None:
    assert_type(await me.send("bo", "hello"), str)
    async for message in me.messages():
        assert_type(message, Message)
        assert_type((message.sender, message.text, message.id, message.time), tuple[str, str, str, int])
        me.messages().done()
        break
    assert_type(await me.is_online("bo"), bool)


async def use_attributes(me: Client) -> None:
    assert_type(me.attributes, OwnAttributes)
    await me.attributes.set("mood", "good")
    other: Attributes = me.attributes_of("bo")
    assert_type(await other.get("mood"), str)
    assert_type(await other.all(), dict[str, str])


async def use_channel(me: Client) -> None:
    view = me.channel("room")
    assert_type(view, ChannelView)
    assert_type(await view.count(), int)
    assert_type(await view.has("bo"), bool)
    assert_type(await view.latest_members(), tuple[str, ...])
    assert_type(await view.all_members(10), tuple[str, ...])
    assert_type(await view.force_send("x"), str)
    async with me.join("room") as room:
        assert_type(room, Channel)
        assert_type(room.members, tuple[str, ...])
        assert_type(room.attributes, Mapping[str, str])
        await room.set("topic", "x")
        await room.delete("topic")
        await room.clear()
        assert_type(await room.send("hello"), str)
        async for event in room:
            match event:
                case ChannelMessage(sender=sender, text=text):
                    assert_type((sender, text), tuple[str, str])
                    break
                case MemberJoined(account=account) | MemberLeft(account=account):
                    assert_type(account, str)
                case AttributeChanged(change=change):
                    assert_type(change, Change)
                case EventsLost(count=count):
                    assert_type(count, int)
    again = await me.join("room")
    assert_type(again, Channel)
    await again.leave()


async def use_calls(me: Client, peer: Client) -> None:
    call = await me.invite("bo", "room", extra={"video": True}, ring_seconds=20, require_online=True)
    assert_type(call, Call)
    assert_type((call.channel, call.peer, call.extra, call.incoming), tuple[str, str, str, bool])
    async for ringing in peer.invites():
        await ringing.accept("hello")
        await ringing.dtmf("1#")
        break
    outcome = await call.answered(timeout=5)
    assert_type(outcome, CallAccepted | CallRefused | CallEnded)
    await call.end()
    assert_type(await call.ended(timeout=5), CallRefused | CallEnded | CallFailed)
    async for event in call:
        assert_type(event, CallEvent)
        if isinstance(event, CallReceived | CallAccepted | CallKeys):
            print(event.extra)
    if call.state is CallState.OVER:
        print("over")


async def main(url: str) -> None:
    settings = Settings(request_seconds=5)
    try:
        async with (
            connect(url, app_id="demo", account="ada", token=fetch, settings=settings) as me,
            connect(url, app_id="demo", account="bo", token=fetch_slowly, retries=3, retry_seconds=5) as peer,
        ):
            assert_type(me, Client)
            assert_type(me.status, Status)
            watching = asyncio.create_task(look_after(me))
            await me.send("ada", "to myself")
            await use_messages(me)
            await use_attributes(me)
            await use_channel(me)
            await use_calls(me, peer)
        await watching
        me.close()
        other = await connect(url, app_id="demo", account="cy", token="any")
        await other.logout()
    except (
        ArgumentError,
        LoginError,
        LoggedOut,
        MessageError,
        ChannelLeft,
        CallError,
        RequestError,
    ) as error:
        assert_type(error.code, Code)
        print(error.reason)
        raise
    except SignalpostError as error:
        print(error)
        raise


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
