"""The calls of PROTOCOL §5 as a table: what each takes, what it does, what it costs.

A handler is a sentence: arguments in, a use case, fields of the answer out. Parsing, rates, repeated
requests and errors are the connection's, the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from signalpost.domain.calls import Input
from signalpost.domain.extras import check_answer_extra, check_dtmf
from signalpost.domain.names import whole_number
from signalpost.domain.refusals import Refusal
from signalpost.gateway.inbox import Inbox
from signalpost.services.attributes import Attributes
from signalpost.services.calls import Answer, Calls
from signalpost.services.channels import Channels, Joined, Sight
from signalpost.services.inbox import Inboxes
from signalpost.services.live import Live
from signalpost.services.rates import AccountRates
from signalpost.services.sessions import Sessions
from signalpost.wire import arguments as args
from signalpost.wire.arguments import name_text, text_of
from signalpost.wire.codec import Large, is_large
from signalpost.wire.codes import LIST_MEMBERS, Code

__all__ = ["COMMANDS", "Charge", "Command", "Context", "Services"]

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Services:
    """The use cases, as the gateway needs them."""

    sessions: Sessions
    inboxes: Inboxes
    channels: Channels
    calls: Calls
    attributes: Attributes
    rates: AccountRates


class Context(Protocol):
    """The connection that a command came on."""

    @property
    def services(self) -> Services:
        """The use cases."""
        ...

    @property
    def inbox(self) -> Inbox:
        """The session's inbox."""
        ...

    def joined(self, channel: str, joined: Joined) -> int:
        """After the answer: tell what was missed, then see the channel's events.

        Returns the number behind which the client is told them.
        """
        ...

    @property
    def sight(self) -> Sight:
        """What shows the session its channels."""
        ...

    def after(self, follow: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do this when the answer has been written."""
        ...

    def logged_out(self) -> None:
        """The connection has no session any more."""
        ...


Charge = Callable[[AccountRates, Live], float]
"""Counts a request against its rate; returns for how many seconds it has to wait. Raises TooMany."""

Handler = Callable[[Context, Live, Any], Coroutine[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the table; no tuple, as a slot is read eight times as fast."""

    decoder: msgspec.json.Decoder[Any]
    run: Handler
    failure: Code  #: the code of a failure that has none of its own (E1)
    charge: Charge | None  #: None for messages, which have rates of their own (M8)
    reads: bool  #: it leaves nothing behind but its answer
    pipelined: bool  #: the next request need not wait for this one's commit
    last: bool  #: it begins when all messages before it are answered (M11)


async def poll(context: Context, live: Live, asked: args.PollArgs) -> Fields:
    """`user_getmsg`"""
    answer = await context.inbox.poll(asked.ver_clear, asked.max)
    if context.inbox.polling:
        context.after(lambda: context.inbox.after_poll(answer))
    return answer


async def poll_by_id(context: Context, live: Live, asked: args.PollByIdArgs) -> Fields:
    """`user_getmsg2` belongs to a mode that is never switched on: answered, but nothing is there."""
    return {"msgs": []}


async def acknowledge(context: Context, live: Live, asked: args.AckArgs) -> Fields:
    """`user_ack`"""
    context.after(lambda: context.inbox.acknowledge(asked.ver_clear))
    return {}


def send(context: Context, live: Live, asked: args.SendArgs) -> Coroutine[Any, Any, str]:
    """`user_sendmsg`"""
    if asked.t != "instant":
        raise Refusal(Code.GENERAL_E_WRONG_PARAM, "t has to be instant: no other type may be sent")
    text = text_of(asked.content)
    return context.services.inboxes.send(live, name_text(asked.peer), text, request=asked.rid)


async def log_out(context: Context, live: Live, asked: args.Args) -> Fields:
    """`user_logout`"""
    context.logged_out()
    await context.services.sessions.logout(live)
    return {}


async def query_status(context: Context, live: Live, asked: args.AccountArgs) -> Fields:
    """`user_query_user_status`"""
    online = await context.services.sessions.is_online(live.app_id, name_text(asked.account))
    return {"status": int(online)}


async def set_user_attribute(context: Context, live: Live, asked: args.UserAttributeArgs) -> Fields:
    """`user_set_attr`"""
    await context.services.attributes.set(
        live, name_text(asked.name), text_of(asked.value), request=asked.rid
    )
    return {}


async def get_user_attribute(context: Context, live: Live, asked: args.UserAttributeNameArgs) -> Fields:
    """`user_get_attr`"""
    attributes = context.services.attributes
    return {"value": await attributes.get(live.app_id, name_text(asked.account), name_text(asked.name))}


async def get_user_attributes(context: Context, live: Live, asked: args.AccountArgs) -> Fields | Large:
    """`user_get_attr_all`"""
    found = await context.services.attributes.get_all(live.app_id, name_text(asked.account))
    if is_large(found.values()):
        return Large({"json": found}, nested=frozenset({"json"}))
    return {"json": msgspec.json.encode(found).decode()}


async def join(context: Context, live: Live, asked: args.ChannelNameArgs) -> Fields | Large:
    """`channel_join`"""
    channel = name_text(asked.name)
    joined = await context.services.channels.membership.join(live, channel, context.sight)
    number = context.joined(channel, joined)
    fields: Fields = {"list": _members(joined.members), "attrs": joined.attributes}
    if live.session.ours:
        fields |= {"epoch": joined.epoch, "id": number}
    return Large(fields) if is_large(joined.attributes.values()) else fields


async def leave(context: Context, live: Live, asked: args.ChannelNameArgs) -> Fields:
    """`channel_leave`"""
    await context.services.channels.membership.leave(
        live, name_text(asked.name), context.sight, request=asked.rid
    )
    return {}


def send_to_channel(context: Context, live: Live, asked: args.ChannelMessageArgs) -> Coroutine[Any, Any, str]:
    """`channel_sendmsg`"""
    speech = context.services.channels.speech
    say = speech.send_force if asked.force else speech.send
    return say(live, name_text(asked.name), text_of(asked.msg), request=asked.rid)


async def set_channel_attribute(context: Context, live: Live, asked: args.ChannelAttributeArgs) -> Fields:
    """`channel_set_attr`"""
    value = text_of(asked.value)
    await context.services.channels.attributes.set(
        live, name_text(asked.channel), name_text(asked.name), value, request=asked.rid
    )
    return {}


async def delete_channel_attribute(
    context: Context, live: Live, asked: args.ChannelAttributeNameArgs
) -> Fields:
    """`channel_del_attr`"""
    attributes = context.services.channels.attributes
    await attributes.delete(live, name_text(asked.channel), name_text(asked.name), request=asked.rid)
    return {}


async def clear_channel_attributes(context: Context, live: Live, asked: args.ChannelAttributesArgs) -> Fields:
    """`channel_clear_attr`"""
    await context.services.channels.attributes.clear(live, name_text(asked.channel), request=asked.rid)
    return {}


async def query_number(context: Context, live: Live, asked: args.ChannelNameArgs) -> Fields:
    """`channel_query_num`"""
    return {"num": await context.services.channels.membership.count(live, name_text(asked.name))}


async def query_is_in(context: Context, live: Live, asked: args.ChannelUserArgs) -> Fields:
    """`channel_query_user_isin`"""
    account = name_text(asked.account)
    return {
        "isin": int(await context.services.channels.membership.is_in(live, name_text(asked.name), account))
    }


async def query_list(context: Context, live: Live, asked: args.ChannelNameArgs) -> Fields:
    """`channel_query_userlist`"""
    found = await context.services.channels.membership.newest(live, name_text(asked.name), LIST_MEMBERS)
    return {"num": found.total, "list": _members(found.names)}


async def query_full_list(context: Context, live: Live, asked: args.ChannelListArgs) -> Fields | Large:
    """`channel_query_userlist_all`"""
    number = whole_number(asked.num) if isinstance(asked.num, str) else asked.num
    if number is None or number < 0:
        raise Refusal(Code.GENERAL_E_WRONG_PARAM, "num has to be a whole number, 0 or more")
    found = await context.services.channels.membership.newest(live, name_text(asked.name), number)
    fields: Fields = {"num": found.total, "list": _members(found.names)}
    return Large(fields) if is_large(found.names) else fields


async def invite(context: Context, live: Live, asked: args.CallArgs) -> Fields:
    """`voip_invite`"""
    channel, peer = name_text(asked.channelName), name_text(asked.peer)
    context.inbox.knows_call(channel, peer)
    channel = await context.services.calls.invite(
        live, channel, peer, text_of(asked.extra), request=asked.rid
    )
    return {"channelName": channel} if live.session.ours else {}


def answer(by_caller: Input | None, by_callee: Input | None, check: Callable[[str], None]) -> Handler:
    """`voip_invite_ack`, `_accept`, `_refuse`, `_msg`"""
    by = Answer(by_caller, by_callee)

    async def run(context: Context, live: Live, asked: args.CallArgs) -> Fields:
        extra = text_of(asked.extra)
        check(extra)
        channel, peer = name_text(asked.channelName), name_text(asked.peer)
        await context.services.calls.answer(live, channel, peer, by, extra, request=asked.rid)
        return {}

    return run


async def hang_up(context: Context, live: Live, asked: args.CallArgs) -> Fields:
    """`voip_invite_bye`: that there is nothing to end any more is no failure (K12)."""
    extra = text_of(asked.extra)
    check_answer_extra(extra)
    channel, peer = name_text(asked.channelName), name_text(asked.peer)
    await context.services.calls.end(live, channel, peer, extra, request=asked.rid)
    return {}


async def external_call(context: Context, live: Live, asked: args.Args) -> Fields:
    """`user_ext_call`: services of the discontinued cloud that this server has none of."""
    raise Refusal(Code.GENERAL_E_FAILED, "user_ext_call is not offered")


def _members(names: list[str]) -> list[tuple[str, int]]:
    return [(name, 0) for name in names]


def _row(
    type_: type[args.Args],
    run: Handler,
    failure: Code = Code.GENERAL_E_FAILED,
    *,
    charge: Charge = AccountRates.ask,
    reads: bool = False,
    last: bool = False,
) -> Command:
    return Command(
        msgspec.json.Decoder(type_),
        run,
        failure,
        charge=charge,
        reads=reads,
        pipelined=False,
        last=last,
    )


def _message(type_: type[args.Args], run: Handler) -> Command:
    """A message: it has rates and a memory of its own (M7, M8), and what `run` returns is its id."""
    return Command(
        msgspec.json.Decoder(type_),
        run,
        failure=Code.SENDMESSAGE_E_OTHER,
        charge=None,
        reads=False,
        pipelined=True,
        last=False,
    )


_KEEPS_UP = AccountRates.keep_up
_QUERY = Code.QUERYUSERNUM_E_OTHER

COMMANDS: dict[str, Command] = {
    "user_getmsg": _row(args.PollArgs, poll, charge=_KEEPS_UP),
    "user_getmsg2": _row(args.PollByIdArgs, poll_by_id, charge=_KEEPS_UP),
    "user_ack": _row(args.AckArgs, acknowledge, charge=_KEEPS_UP),
    "user_sendmsg": _message(args.SendArgs, send),
    "user_logout": _row(args.Args, log_out, charge=_KEEPS_UP, last=True),
    "user_query_user_status": _row(args.AccountArgs, query_status, reads=True),
    "user_set_attr": _row(args.UserAttributeArgs, set_user_attribute),
    "user_get_attr": _row(args.UserAttributeNameArgs, get_user_attribute, reads=True),
    "user_get_attr_all": _row(args.AccountArgs, get_user_attributes, reads=True),
    "channel_join": _row(args.ChannelNameArgs, join, Code.JOINCHANNEL_E_OTHER, last=True),
    "channel_leave": _row(args.ChannelNameArgs, leave, last=True),
    "channel_sendmsg": _message(args.ChannelMessageArgs, send_to_channel),
    "channel_set_attr": _row(args.ChannelAttributeArgs, set_channel_attribute),
    "channel_del_attr": _row(args.ChannelAttributeNameArgs, delete_channel_attribute),
    "channel_clear_attr": _row(args.ChannelAttributesArgs, clear_channel_attributes),
    "channel_query_num": _row(args.ChannelNameArgs, query_number, _QUERY, reads=True),
    "channel_query_user_isin": _row(args.ChannelUserArgs, query_is_in, _QUERY, reads=True),
    "channel_query_userlist": _row(args.ChannelNameArgs, query_list, _QUERY, reads=True),
    "channel_query_userlist_all": _row(
        args.ChannelListArgs, query_full_list, _QUERY, charge=AccountRates.ask_for_list, reads=True
    ),
    "voip_invite": _row(args.CallArgs, invite, Code.INVITE_E_OTHER),
    "voip_invite_ack": _row(
        args.CallArgs,
        answer(None, Input.CONFIRM, check_answer_extra),
        charge=AccountRates.confirm,
    ),
    "voip_invite_accept": _row(args.CallArgs, answer(None, Input.ACCEPT, check_answer_extra)),
    "voip_invite_refuse": _row(args.CallArgs, answer(None, Input.REFUSE, check_answer_extra)),
    "voip_invite_bye": _row(args.CallArgs, hang_up),
    "voip_invite_msg": _row(args.CallArgs, answer(Input.DTMF_BY_CALLER, Input.DTMF_BY_CALLEE, check_dtmf)),
    "user_ext_call": _row(args.Args, external_call),
}
