"""What goes into the API and what comes out of it, as types: the server's, the document's, the client's.

It knows shapes and how many there may be of something. What a text may be (bytes, characters) the rules say
that clients have, too.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

__all__ = [
    "Account",
    "AccountQuery",
    "Accounts",
    "App",
    "Apps",
    "Asked",
    "Attribute",
    "Attributes",
    "Batch",
    "BatchAnswer",
    "BatchAnswers",
    "BatchPart",
    "Blocked",
    "BlockedAccounts",
    "Blocking",
    "Call",
    "CallEnd",
    "CallPages",
    "Calls",
    "Channel",
    "ChannelPage",
    "ChannelSummary",
    "Cleared",
    "Closed",
    "Inbox",
    "InboxItem",
    "InboxPages",
    "Info",
    "Kicked",
    "Members",
    "NewCall",
    "NewChannelMessage",
    "NewMessage",
    "NewMessages",
    "NewToken",
    "Online",
    "OnlineAccount",
    "Pages",
    "Presence",
    "Problem",
    "Revocation",
    "Revoked",
    "Sent",
    "SentMany",
    "SentOne",
    "Token",
    "Unblocked",
]

Name = Annotated[
    str, Meta(min_length=1, max_length=128, description="1 to 128 bytes of UTF-8 without blanks and controls")
]
Label = Annotated[
    str,
    Meta(min_length=1, max_length=128, description="an attribute's name: as a name, but blanks are allowed"),
]
Instant = Annotated[str, Meta(max_length=8196, description="at most 8196 bytes of UTF-8, without NUL")]
Said = Annotated[str, Meta(max_length=8192, description="at most 8192 bytes of UTF-8, without NUL")]
Value = Annotated[str, Meta(max_length=8096, description="at most 8096 bytes of UTF-8, without NUL")]
Extra = Annotated[str, Meta(max_length=8192, description="at most 8 KiB")]
Cursor = Annotated[
    str,
    Meta(
        max_length=2048,
        pattern="^[A-Za-z0-9_-]*$",
        description="where to go on: from the page before; empty for the first",
    ),
]
Limit = Annotated[int, Meta(ge=1, le=1000, description="how many at most; a page may have fewer")]
UnixTime = Annotated[float, Meta(description="Unix seconds")]


class Asked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked: a name that is not known is a mistake."""


# --- in general ---------------------------------------------------------------------------------


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong (RFC 9457). `code` is one of Signalpost's where there is one, as clients get it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: int | None = None


class Pages(Asked, frozen=True):
    """Which page of a list."""

    cursor: Cursor = ""
    limit: Limit = 100


# --- messages -----------------------------------------------------------------------------------


class NewMessage(Asked, frozen=True, rename={"sender": "from"}):
    """A message for one account."""

    sender: Name
    to: Name
    text: Instant


class NewMessages(Asked, frozen=True, rename={"sender": "from"}):
    """The same message for many accounts."""

    sender: Name
    to: Annotated[list[Name], Meta(min_length=1, max_length=1000)]
    text: Instant


class Sent(Struct, frozen=True):
    """The message is kept, or said; its id is the one that receivers see."""

    id: str


class SentOne(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one of many: an id, or a code and a reason."""

    to: str
    id: str = ""
    code: int = 0
    reason: str = ""


class SentMany(Struct, frozen=True):
    """How many were sent, and what became of each, in the order in which they were asked for."""

    sent: int
    results: list[SentOne]


class InboxPages(Asked, frozen=True):
    """Which page of an inbox."""

    cursor: Cursor = ""
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class InboxItem(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"sender": "from"}):
    """What waits: a message (`kind` is `instant`), or an event of a call."""

    id: str
    kind: str
    sender: str
    time: int
    text: str
    channel: str = ""


class Inbox(Struct, frozen=True):
    """A page of what waits for an account, oldest first; looking takes nothing away."""

    items: list[InboxItem]
    cursor: str


class Cleared(Struct, frozen=True):
    """How many messages were taken out; events of calls stay."""

    messages: int


# --- accounts -----------------------------------------------------------------------------------


class Blocked(Struct, frozen=True):
    """The account may not log in."""

    until: UnixTime
    reason: str


class Account(Struct, frozen=True, kw_only=True):
    """How an account stands. `online` is what others see; it is not `connected` while its grace time runs."""

    account: str
    online: bool
    connected: bool
    channels: list[str]
    waiting: int  #: messages and events in its inbox
    blocked: Blocked | None


class AccountQuery(Asked, frozen=True):
    """Of whom to tell how they stand."""

    accounts: Annotated[list[Name], Meta(min_length=1, max_length=1000)]


class Presence(Struct, frozen=True):
    """How one of many stands."""

    account: str
    online: bool
    connected: bool


class Accounts(Struct, frozen=True):
    """How they stand, in the order in which they were asked for."""

    accounts: list[Presence]


class OnlineAccount(Struct, frozen=True):
    """An account that is online."""

    account: str
    connected: bool


class Online(Struct, frozen=True):
    """A page of those online, in no order. Who is online all the while is on one page at least; who comes or
    goes meanwhile may be missing. A page with a cursor is not the last one, even if nobody is on it."""

    accounts: list[OnlineAccount]
    cursor: str


class Kicked(Struct, frozen=True):
    """Whether there was a session to end."""

    kicked: bool


class Blocking(Asked, frozen=True):
    """For how long an account may not log in, and what it is told."""

    seconds: Annotated[float, Meta(gt=0, le=3.2e8)]
    reason: Annotated[str, Meta(max_length=256)] = ""


class BlockedAccounts(Struct, frozen=True):
    """All accounts that are blocked."""

    accounts: dict[str, Blocked]


class Unblocked(Struct, frozen=True):
    """Whether it was blocked."""

    unblocked: bool


class Revocation(Asked, frozen=True):
    """Which tokens are good no longer: those made until now. Of tokens that do not say when they were made,
    all that expire within `token_seconds`: the longest time for which the back end makes any."""

    token_seconds: Annotated[float, Meta(ge=1, le=3.2e8)] = 86_400.0


class Revoked(Struct, frozen=True):
    """Tokens that do not say when they were made are refused if they expire by then; whether a session was
    ended."""

    expires: UnixTime
    kicked: bool


# --- attributes ---------------------------------------------------------------------------------


class Attributes(Struct, frozen=True):
    """Values by name."""

    attributes: dict[str, str]


class Attribute(Asked, frozen=True):
    """A value."""

    value: Value


# --- channels -----------------------------------------------------------------------------------


class ChannelSummary(Struct, frozen=True):
    """A channel, and how many are in it."""

    channel: str
    members: int


class ChannelPage(Struct, frozen=True):
    """A page of channels, in no order, as the pages of those online are. Those that nobody has been in since
    the server began are not among them."""

    channels: list[ChannelSummary]
    cursor: str


class Channel(Struct, frozen=True):
    """A channel with its attributes."""

    channel: str
    members: int
    attributes: dict[str, str]


class Members(Struct, frozen=True):
    """A page of the members, by name."""

    total: int
    members: list[str]
    cursor: str


class NewChannelMessage(Asked, frozen=True, rename={"sender": "from"}):
    """A message for all who are in the channel; its sender need not be."""

    sender: Name
    text: Said


class Closed(Struct, frozen=True):
    """How many were put out."""

    members: int


# --- calls --------------------------------------------------------------------------------------


class NewCall(Asked, frozen=True, rename={"caller": "from", "callee": "to"}):
    """Ring somebody in the name of an account, which need not be online. An empty `channel` is given a name
    that is unique; `extra` is JSON text, as a client's invitation has it."""

    caller: Name
    callee: Name
    channel: Annotated[str, Meta(max_length=128)] = ""
    extra: Extra = ""


class Call(Struct, frozen=True, kw_only=True, rename={"caller": "from", "callee": "to"}):
    """An open call. `state`: waiting (for the callee to come), pushed, ringing, renewed (it rings in another
    session), accepted."""

    id: str
    channel: str
    caller: str
    callee: str
    extra: str
    state: str
    invited: UnixTime


class CallPages(Asked, frozen=True):
    """Which calls: of one account all, else a page of the app's."""

    account: Annotated[str, Meta(max_length=128)] = ""
    cursor: Cursor = ""
    limit: Limit = 100


class Calls(Struct, frozen=True):
    """Open calls, in no order, as the pages of those online are."""

    calls: list[Call]
    cursor: str


class CallEnd(Asked, frozen=True):
    """What both are told with the end of the call."""

    extra: Extra = ""


# --- webhooks -----------------------------------------------------------------------------------


class Webhook(Struct, frozen=True):
    """Whom the app's events are told. `gone`: it has said so (410), and is told nothing."""

    name: str
    events: list[str]
    gone: bool


class Webhooks(Struct, frozen=True):
    """The webhooks of an app."""

    webhooks: list[Webhook]


class FailedEvent(Struct, frozen=True):
    """An event that a webhook could not be told; `id` is its `webhook-id`."""

    id: str
    type: str
    time: UnixTime
    data: dict[str, Any]


class FailedEvents(Struct, frozen=True):
    """A page of them, the oldest first. `cursor`: of the next page, "" if this is the last."""

    events: list[FailedEvent]
    cursor: str


class Retried(Struct, frozen=True):
    """How many are told once more."""

    count: int


# --- tokens and batches -------------------------------------------------------------------------


class NewToken(Asked, frozen=True):
    """Who is to log in, and for how long the token is good."""

    account: Name
    seconds: Annotated[int, Meta(ge=1, le=315_360_000)] = 86_400


class Token(Struct, frozen=True):
    """A login token."""

    token: str
    expires: int


class BatchPart(Asked, frozen=True):
    """One request. `path` is behind `/v1/apps/APP`, with its query if it has one."""

    method: Annotated[str, Meta(pattern="^(GET|POST|PUT|DELETE)$")]
    path: Annotated[str, Meta(min_length=1, max_length=4096)]
    body: Any = None
    idempotency_key: Annotated[str, Meta(max_length=128)] = ""


class Batch(Asked, frozen=True):
    """Requests that are done one after the other; one that fails keeps no other from being done."""

    requests: Annotated[list[BatchPart], Meta(min_length=1, max_length=100)]


class BatchAnswer(Struct, frozen=True):
    """What each would have been answered alone."""

    status: int
    body: msgspec.Raw | Any


class BatchAnswers(Struct, frozen=True):
    """In the order of the requests."""

    answers: list[BatchAnswer]


# --- operators ----------------------------------------------------------------------------------


class Info(Struct, frozen=True, kw_only=True):
    """What runs here."""

    version: str
    node: str
    started: UnixTime
    ready: bool
    status: str  #: ok, or why no work should be sent here
    connections: int
    sessions: int


class App(Struct, frozen=True):
    """An app, and whether tokens can be made for it."""

    app: str
    tokens: bool


class Apps(Struct, frozen=True):
    """The apps that are configured."""

    apps: list[App]
