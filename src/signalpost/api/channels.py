"""Channels: which there are, who is in them, what is said and set there (SPEC A2, §5)."""

from __future__ import annotations

from bisect import bisect_right

from signalpost.api import types
from signalpost.api.cases import Asking
from signalpost.api.cursors import read, spelled
from signalpost.api.problems import Wrong
from signalpost.domain.names import check_label, check_name
from signalpost.services.channels.register import Seen

__all__ = [
    "attribute",
    "attributes",
    "clear_attributes",
    "close",
    "delete_attribute",
    "members",
    "one",
    "page",
    "put_out",
    "send",
    "set_attribute",
]


async def page(asking: Asking) -> types.ChannelPage:
    """A page of channels."""
    asked: types.Pages = asking.query
    register = asking.cases.channels.register
    found, cursor = await register.page(asking.app_id, read(asked.cursor), asked.limit)
    return types.ChannelPage([types.ChannelSummary(*each) for each in found], spelled(cursor))


async def one(asking: Asking) -> types.Channel:
    """One channel."""
    seen = await _see(asking)
    return types.Channel(seen.channel, seen.members, seen.attributes)


async def members(asking: Asking) -> types.Members:
    """A page of the members, by name."""
    asked: types.Pages = asking.query
    found = await asking.cases.channels.register.members(asking.app_id, asking.channel)
    names = sorted(found or ())
    first = bisect_right(names, read(asked.cursor)) if asked.cursor else 0
    shown = names[first : first + asked.limit]
    more = first + asked.limit < len(names)
    return types.Members(len(names), shown, spelled(shown[-1]) if more else "")


async def send(asking: Asking) -> types.Sent:
    """Say something to all who are there; into nowhere it succeeds as well (C5)."""
    message: types.NewChannelMessage = asking.body
    check_name(message.sender, "account")
    deputy, speech = asking.deputy(message.sender), asking.cases.channels.speech
    sent = await speech.send_force(deputy, asking.channel, message.text, request=asking.request)
    return types.Sent(str(sent))


async def put_out(asking: Asking) -> None:
    """Put a member out: 601."""
    membership = asking.cases.channels.membership
    if not await membership.put_out(asking.app_id, asking.account, asking.channel):
        raise Wrong(404, "the account is not in the channel")


async def close(asking: Asking) -> types.Closed:
    """Put everybody out, and end the channel."""
    return types.Closed(await asking.cases.channels.membership.close(asking.app_id, asking.channel))


async def attributes(asking: Asking) -> types.Attributes:
    """All of a channel."""
    seen = await asking.cases.channels.register.see(asking.app_id, asking.channel)
    return types.Attributes({} if seen is None else seen.attributes)


async def attribute(asking: Asking) -> types.Attribute:
    """One of a channel."""
    name = asking.names["name"]
    check_label(name, "attribute name")
    found = (await _see(asking)).attributes.get(name)
    if found is None:
        raise Wrong(404, "the channel has no such attribute")
    return types.Attribute(value=found)


async def set_attribute(asking: Asking) -> None:
    """The members are told; nobody has caused it."""
    name, value = asking.names["name"], asking.body.value
    await asking.cases.channels.attributes.set(asking.deputy(), asking.channel, name, value)


async def delete_attribute(asking: Asking) -> None:
    """Likewise."""
    await asking.cases.channels.attributes.delete(asking.deputy(), asking.channel, asking.names["name"])


async def clear_attributes(asking: Asking) -> None:
    """Likewise, of all but those that begin with an underscore."""
    await asking.cases.channels.attributes.clear(asking.deputy(), asking.channel)


async def _see(asking: Asking) -> Seen:
    seen = await asking.cases.channels.register.see(asking.app_id, asking.channel)
    if seen is None:
        raise Wrong(404, "there is no such channel")
    return seen
