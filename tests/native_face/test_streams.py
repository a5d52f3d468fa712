"""Stream: order, end, one consumer at a time, and what happens when nobody takes anything."""

from __future__ import annotations

import asyncio

import pytest

from native_face.people import House, soon, take
from signalpost.client import ChannelMessage, EventsLost, LoggedOut, Settings, Stream
from signalpost.client.errors import error_of
from signalpost.wire.codes import Code


async def test_stream_put() -> None:
    """SPEC S3: in order, and to who waits already."""
    stream: Stream[int] = Stream(10)
    waiting = asyncio.create_task(take(stream))
    await asyncio.sleep(0)
    for number in range(3):
        stream.put(number)
    assert await waiting == 0
    assert [await take(stream), await take(stream)] == [1, 2]


async def test_stream_close() -> None:
    """SPEC S3: after what is in it; the first end counts, and nothing comes after it."""
    stream: Stream[int] = Stream(10)
    stream.put(1)
    stream.close(error_of(Code.LOGOUT_E_KICKED, "elsewhere"))
    stream.close()
    stream.put(2)
    assert await take(stream) == 1
    for _ in range(2):
        with pytest.raises(LoggedOut):
            await take(stream)


async def test_stream_async_for() -> None:
    """SPEC S3: until it is closed, also for who waits then."""
    stream: Stream[int] = Stream(10)

    async def collect() -> list[int]:
        return [number async for number in stream]

    collecting = asyncio.create_task(collect())
    stream.put(1)
    await asyncio.sleep(0)
    stream.close()
    assert await soon(collecting) == [1]


async def test_one_consumer_at_a_time() -> None:
    """SPEC S3: the second is told; the first is not disturbed."""
    stream: Stream[int] = Stream(10)
    first = asyncio.create_task(take(stream))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="one consumer"):
        await anext(stream)
    stream.put(1)
    assert await first == 1
    stream.put(2)
    assert await take(stream) == 2


async def test_a_full_stream_drops_the_oldest() -> None:
    """SPEC S3: without a word, or with one, as its maker wants it."""
    silent: Stream[int] = Stream(2)
    telling: Stream[int] = Stream(2, lost=lambda count: -count)
    for stream in (silent, telling):
        for number in range(5):
            stream.put(number)
        stream.close()
    assert [number async for number in silent] == [3, 4]
    assert [number async for number in telling] == [-3, 3, 4]


async def test_a_channel_that_nobody_listens_to_says_how_much_is_lost(native: House) -> None:
    """SPEC C9: EventsLost comes first; 10 000 events are kept."""
    ada = await native.client("ada")
    room = await soon(ada.join("room"))
    for number in range(10_003):
        room.happened(ChannelMessage("room", "bo", f"{number}", "id", 0))
    assert await take(aiter(room)) == EventsLost("room", 3)
    assert (await take(aiter(room))).text == "3"  # type: ignore[union-attr]


async def test_messages_have_one_consumer_at_a_time(native: House) -> None:
    """SPEC S3, M6: the second neither takes nor acknowledges anything."""
    ada = await native.client("ada")
    first = asyncio.create_task(take(ada.messages()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="one consumer"):
        await anext(ada.messages())
    await ada.send("ada", "hello")
    assert (await first).text == "hello"


async def test_messages_that_nobody_takes_wait_at_the_server(native: House) -> None:
    """SPEC M3, M4: whatever the bound of the client is, none is dropped."""
    ada = await native.client("ada", settings=Settings(unread_items=2))
    for number in range(7):
        await ada.send("ada", f"{number}")
    assert [(await take(ada.messages())).text for _ in range(7)] == [f"{number}" for number in range(7)]
