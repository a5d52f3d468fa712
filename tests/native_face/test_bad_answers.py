"""Answers that say "ok" and lack what they have to say: an error with a code, whatever comes instead."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from native_face.people import House, soon
from signalpost.client import Client, MessageError, QueryError, RequestError, SignalpostError
from signalpost.client.api.attributes import Attributes
from signalpost.client.api.channel import Channel, ChannelView
from support.pretender import pretending

#: By method: what is asked for, the member that its answer has to have, and the error.
READS: dict[str, tuple[Callable[[Client, Channel], Awaitable[Any]], str, type[SignalpostError], int]] = {
    "Client.send": (lambda ada, room: ada.send("bo", "x"), "id", MessageError, 400),
    "Client.is_online": (lambda ada, room: ada.is_online("bo"), "status", RequestError, 1001),
    "Channel.send": (lambda ada, room: room.send("x"), "id", MessageError, 400),
    "ChannelView.force_send": (lambda ada, room: room.force_send("x"), "id", MessageError, 400),
    "ChannelView.count": (lambda ada, room: room.count(), "num", QueryError, 500),
    "ChannelView.has": (lambda ada, room: room.has("bo"), "isin", QueryError, 500),
    "ChannelView.latest_members": (lambda ada, room: room.latest_members(), "list", QueryError, 500),
    "ChannelView.all_members": (lambda ada, room: room.all_members(), "list", QueryError, 500),
    "Attributes.get": (lambda ada, room: ada.attributes.get("a"), "value", RequestError, 1001),
    "Attributes.all": (lambda ada, room: ada.attributes.all(), "json", RequestError, 1001),
}
MISSING = object()
INSTEAD: list[Any] = [MISSING, None, {}, True, 0.5]


@pytest.mark.parametrize("instead", INSTEAD, ids=["missing", "null", "object", "true", "0.5"])
@pytest.mark.parametrize("method", READS)
async def test_an_answer_that_lacks_what_it_has_to_say(method: str, instead: Any) -> None:
    """SPEC E1, E5: the error that the method's other failures are."""
    ask, member, error, code = READS[method]

    def answer(func: str, args: dict[str, Any]) -> Any:
        if func in ("login", "channel_join", "user_logout"):
            return []
        return "", {"result": "ok"} | ({} if instead is MISSING else {member: instead})

    async with pretending(answer) as url, House(url).connect("ada") as ada:
        room = await soon(ada.join("room"))
        with pytest.raises(error) as raised:
            await soon(ask(ada, room))
        assert raised.value.code == code
        assert member in raised.value.reason


async def test_what_is_none_in_a_list_or_an_object_is_left_out_or_empty() -> None:
    """PROTOCOL §5: as with the list and the attributes of a join."""

    def answer(func: str, args: dict[str, Any]) -> Any:
        match func:
            case "channel_query_userlist":
                return "", {"result": "ok", "list": [7, None, [], ["bo", 0], [None, 0], "cy"]}
            case "user_get_attr_all":
                return "", {"result": "ok", "json": '{"a": "1", "b": 2, "c": null, "d": true, "e": []}'}
        return []

    async with pretending(answer) as url, House(url).connect("ada") as ada:
        assert await soon(ada.channel("room").latest_members()) == ("bo", "")
        found = await soon(ada.attributes.all())
        assert found == {"a": "1", "b": "2", "c": "", "d": "true", "e": ""}


def test_every_method_that_reads_an_answer_is_met() -> None:
    """SPEC S3: nothing that gives back what the server said is left out."""
    asking = {
        f"{kind.__name__}.{name}"
        for kind in (Client, ChannelView, Channel, Attributes)
        for name, method in vars(kind).items()
        if inspect.iscoroutinefunction(method) and not name.startswith("_")
        if inspect.signature(method).return_annotation != "None"
    }
    assert asking - {"Client.invite"} == set(READS), "of an invitation the machine reads the answer"
