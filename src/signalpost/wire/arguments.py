"""The arguments of each call, as types (PROTOCOL §5).

A name may come as a number and is taken as its decimal text; contents that are no text are taken as
their JSON text (SPEC §1). Every call may carry the session's line and our SDKs' request id.
"""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = [
    "AccountArgs",
    "AckArgs",
    "Args",
    "CallArgs",
    "ChannelAttributeArgs",
    "ChannelAttributeNameArgs",
    "ChannelAttributesArgs",
    "ChannelListArgs",
    "ChannelMessageArgs",
    "ChannelNameArgs",
    "ChannelUserArgs",
    "PollArgs",
    "PollByIdArgs",
    "SendArgs",
    "UserAttributeArgs",
    "UserAttributeNameArgs",
    "name_text",
    "text_of",
]

Name = str | int | float


def name_text(value: Name) -> str:
    """A name as text: numbers become their decimal text (SPEC §1)."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def text_of(value: Any) -> str:
    """Contents as text: what is no text becomes its JSON text (SPEC §1)."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


class Args(msgspec.Struct, kw_only=True):
    """What every call may carry."""

    line: str = ""
    rid: str = ""


class PollArgs(Args):
    """`user_getmsg`"""

    ver_clear: int = 0
    max: int = 30


class PollByIdArgs(Args):
    """`user_getmsg2`: mode 1, which is never switched on; answered without ids."""

    clear_msgs: list[Any] = []
    max: int = 30


class AckArgs(Args):
    """`user_ack`"""

    ver_clear: int


class SendArgs(Args):
    """`user_sendmsg`; the client's flag (its ttl) is not looked at (SPEC M3)."""

    peer: Name
    content: Any
    t: str = "instant"


class AccountArgs(Args):
    """`user_query_user_status`, `user_get_attr_all`"""

    account: Name


class UserAttributeArgs(Args):
    """`user_set_attr`"""

    name: Name
    value: Any


class UserAttributeNameArgs(Args):
    """`user_get_attr`"""

    account: Name
    name: Name


class ChannelNameArgs(Args):
    """`channel_join`, `channel_leave`, `channel_query_num`, `channel_query_userlist`"""

    name: Name


class ChannelListArgs(ChannelNameArgs):
    """`channel_query_userlist_all`"""

    num: int | str = 1_000_000


class ChannelUserArgs(ChannelNameArgs):
    """`channel_query_user_isin`"""

    account: Name


class ChannelMessageArgs(ChannelNameArgs):
    """`channel_sendmsg`"""

    msg: Any
    force: bool = False


class ChannelAttributesArgs(Args):
    """`channel_clear_attr`"""

    channel: Name


class ChannelAttributeNameArgs(ChannelAttributesArgs):
    """`channel_del_attr`"""

    name: Name


class ChannelAttributeArgs(ChannelAttributeNameArgs):
    """`channel_set_attr`"""

    value: Any


class CallArgs(Args):
    """`voip_invite` and its kin"""

    channelName: Name
    peer: Name
    extra: Any = ""
