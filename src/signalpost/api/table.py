"""The table of the API: a row for each thing that can be asked (SPEC §11).

Method, path, types, scope and what may be refused make the routes, the validation and the document. A row's
function is a sentence; the rules are those of clients.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from signalpost.api import accounts, calls, channels, messages, operators, types, webhooks
from signalpost.api.cases import Asking
from signalpost.domain.keys import Scope

__all__ = ["ROWS", "Row"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that can be asked."""

    name: str  #: what clients that are made of the document call it
    method: str
    path: str
    run: Callable[[Asking], Coroutine[Any, Any, Any]]
    summary: str
    scope: Scope | None  #: None: any key of the app will do
    answer: type | None = None  #: None: 204
    body: type | None = None  #: what is sent, as JSON
    query: type | None = None
    once: bool = False  #: it takes an `Idempotency-Key`: twice is not the same as once
    refuses: dict[int, str] | None = None  #: statuses besides those that follow from all this, and why

    @property
    def of_app(self) -> bool:
        """Whether it concerns one app; else the server, and only an operator's key will do."""
        return "{app}" in self.path

    @property
    def tag(self) -> str:
        """What it is about: the noun that its use case is found under."""
        return self.run.__module__.rpartition(".")[2]


_APP: Final = "/v1/apps/{app}"
_ACCOUNT: Final = f"{_APP}/accounts/{{account}}"
_CHANNEL: Final = f"{_APP}/channels/{{channel}}"
_RATE: Final = "A bound is reached: the inbox is full, or too much that was sent waits."
_BOUND: Final = "A bound is reached: of attributes, or of channels."
_NO_WEBHOOK: Final = "There is no such app, or no such webhook."
_NO_CHANNEL: Final = "There is no such app, or no such channel."

ROWS: Final[tuple[Row, ...]] = (
    # --- messages
    Row(
        name="sendMessage",
        method="POST",
        path=f"{_APP}/messages",
        run=messages.send,
        summary="Send a message to an account",
        scope=Scope.SEND,
        body=types.NewMessage,
        answer=types.Sent,
        once=True,
        refuses={409: _RATE},
    ),
    Row(
        name="sendMessages",
        method="POST",
        path=f"{_APP}/messages/many",
        run=messages.send_many,
        summary="Send the same message to many accounts",
        scope=Scope.SEND,
        body=types.NewMessages,
        answer=types.SentMany,
        once=True,
    ),
    Row(
        name="readInbox",
        method="GET",
        path=f"{_ACCOUNT}/inbox",
        run=messages.look,
        summary="Look at what waits for an account",
        scope=Scope.READ,
        query=types.InboxPages,
        answer=types.Inbox,
    ),
    Row(
        name="clearInbox",
        method="DELETE",
        path=f"{_ACCOUNT}/inbox",
        run=messages.clear,
        summary="Take the messages away that wait for an account",
        scope=Scope.MANAGE,
        answer=types.Cleared,
    ),
    # --- accounts
    Row(
        name="listOnline",
        method="GET",
        path=f"{_APP}/online",
        run=accounts.online,
        summary="List the accounts that are online",
        scope=Scope.READ,
        query=types.Pages,
        answer=types.Online,
    ),
    Row(
        name="queryAccounts",
        method="POST",
        path=f"{_APP}/presence",
        run=accounts.query,
        summary="See which of many accounts are online",
        scope=Scope.READ,
        body=types.AccountQuery,
        answer=types.Accounts,
    ),
    Row(
        name="listBlocked",
        method="GET",
        path=f"{_APP}/blocked",
        run=accounts.blocked,
        summary="List the accounts that are blocked",
        scope=Scope.READ,
        answer=types.BlockedAccounts,
    ),
    Row(
        name="getAccount",
        method="GET",
        path=_ACCOUNT,
        run=accounts.one,
        summary="See how an account stands",
        scope=Scope.READ,
        answer=types.Account,
    ),
    Row(
        name="kickAccount",
        method="POST",
        path=f"{_ACCOUNT}/kick",
        run=accounts.kick,
        summary="End the session of an account (103)",
        scope=Scope.MANAGE,
        answer=types.Kicked,
    ),
    Row(
        name="blockAccount",
        method="PUT",
        path=f"{_ACCOUNT}/block",
        run=accounts.block,
        summary="Refuse the logins of an account for a time (201), and end its session",
        scope=Scope.MANAGE,
        body=types.Blocking,
        answer=types.Blocked,
        refuses={409: "As many accounts are blocked as may be."},
    ),
    Row(
        name="unblockAccount",
        method="DELETE",
        path=f"{_ACCOUNT}/block",
        run=accounts.unblock,
        summary="Let an account log in again",
        scope=Scope.MANAGE,
        answer=types.Unblocked,
    ),
    Row(
        name="revokeTokens",
        method="POST",
        path=f"{_ACCOUNT}/revoke",
        run=accounts.revoke,
        summary="Refuse the tokens of an account that were made until now (201), and end its session",
        scope=Scope.MANAGE,
        body=types.Revocation,
        answer=types.Revoked,
        refuses={409: "Of as many accounts are tokens revoked as may be."},
    ),
    Row(
        name="getAccountAttributes",
        method="GET",
        path=f"{_ACCOUNT}/attributes",
        run=accounts.attributes,
        summary="Get the attributes of an account",
        scope=Scope.READ,
        answer=types.Attributes,
    ),
    Row(
        name="getAccountAttribute",
        method="GET",
        path=f"{_ACCOUNT}/attributes/{{name}}",
        run=accounts.attribute,
        summary="Get an attribute of an account; empty if it was never set",
        scope=Scope.READ,
        answer=types.Attribute,
    ),
    Row(
        name="setAccountAttribute",
        method="PUT",
        path=f"{_ACCOUNT}/attributes/{{name}}",
        run=accounts.set_attribute,
        summary="Set an attribute of an account",
        scope=Scope.MANAGE,
        body=types.Attribute,
        refuses={409: _BOUND},
    ),
    # --- channels
    Row(
        name="listChannels",
        method="GET",
        path=f"{_APP}/channels",
        run=channels.page,
        summary="List the channels",
        scope=Scope.READ,
        query=types.Pages,
        answer=types.ChannelPage,
    ),
    Row(
        name="getChannel",
        method="GET",
        path=_CHANNEL,
        run=channels.one,
        summary="See a channel",
        scope=Scope.READ,
        answer=types.Channel,
        refuses={404: _NO_CHANNEL},
    ),
    Row(
        name="closeChannel",
        method="DELETE",
        path=_CHANNEL,
        run=channels.close,
        summary="Put everybody out of a channel (601), and end it with its attributes",
        scope=Scope.MANAGE,
        answer=types.Closed,
    ),
    Row(
        name="listMembers",
        method="GET",
        path=f"{_CHANNEL}/members",
        run=channels.members,
        summary="List the members of a channel",
        scope=Scope.READ,
        query=types.Pages,
        answer=types.Members,
    ),
    Row(
        name="putOut",
        method="DELETE",
        path=f"{_CHANNEL}/members/{{account}}",
        run=channels.put_out,
        summary="Put a member out of a channel (601)",
        scope=Scope.MANAGE,
        refuses={404: "There is no such app, or the account is not in the channel."},
    ),
    Row(
        name="sendChannelMessage",
        method="POST",
        path=f"{_CHANNEL}/messages",
        run=channels.send,
        summary="Say something in a channel",
        scope=Scope.SEND,
        body=types.NewChannelMessage,
        answer=types.Sent,
        once=True,
    ),
    Row(
        name="getChannelAttributes",
        method="GET",
        path=f"{_CHANNEL}/attributes",
        run=channels.attributes,
        summary="Get the attributes of a channel",
        scope=Scope.READ,
        answer=types.Attributes,
    ),
    Row(
        name="clearChannelAttributes",
        method="DELETE",
        path=f"{_CHANNEL}/attributes",
        run=channels.clear_attributes,
        summary="Delete the attributes of a channel, but those that begin with an underscore",
        scope=Scope.MANAGE,
    ),
    Row(
        name="getChannelAttribute",
        method="GET",
        path=f"{_CHANNEL}/attributes/{{name}}",
        run=channels.attribute,
        summary="Get an attribute of a channel",
        scope=Scope.READ,
        answer=types.Attribute,
        refuses={404: "There is no such app, no such channel, or no such attribute."},
    ),
    Row(
        name="setChannelAttribute",
        method="PUT",
        path=f"{_CHANNEL}/attributes/{{name}}",
        run=channels.set_attribute,
        summary="Set an attribute of a channel",
        scope=Scope.MANAGE,
        body=types.Attribute,
        refuses={409: _BOUND},
    ),
    Row(
        name="deleteChannelAttribute",
        method="DELETE",
        path=f"{_CHANNEL}/attributes/{{name}}",
        run=channels.delete_attribute,
        summary="Delete an attribute of a channel",
        scope=Scope.MANAGE,
    ),
    # --- calls
    Row(
        name="ring",
        method="POST",
        path=f"{_APP}/calls",
        run=calls.ring,
        summary="Ring an account in the name of another",
        scope=Scope.SEND,
        body=types.NewCall,
        answer=types.Call,
        once=True,
        refuses={409: "It rings already, the callee is offline, or a bound is reached: `code` says which."},
    ),
    Row(
        name="listCalls",
        method="GET",
        path=f"{_APP}/calls",
        run=calls.listed,
        summary="List open calls",
        scope=Scope.READ,
        query=types.CallPages,
        answer=types.Calls,
    ),
    Row(
        name="getCall",
        method="GET",
        path=f"{_APP}/calls/{{call}}",
        run=calls.one,
        summary="See an open call",
        scope=Scope.READ,
        answer=types.Call,
        refuses={404: "There is no such app, no such call, or it is over."},
    ),
    Row(
        name="endCall",
        method="POST",
        path=f"{_APP}/calls/{{call}}/end",
        run=calls.end,
        summary="End a call; both parties are told",
        scope=Scope.MANAGE,
        body=types.CallEnd,
        refuses={404: "There is no such app, no such call, or it is over."},
    ),
    # --- webhooks
    Row(
        name="listWebhooks",
        method="GET",
        path=f"{_APP}/webhooks",
        run=webhooks.listed,
        summary="List the webhooks",
        scope=Scope.READ,
        answer=types.Webhooks,
    ),
    Row(
        name="listFailedEvents",
        method="GET",
        path=f"{_APP}/webhooks/{{webhook}}/failed",
        run=webhooks.failed,
        summary="List the events that a webhook could not be told",
        scope=Scope.READ,
        query=types.Pages,
        answer=types.FailedEvents,
        refuses={404: _NO_WEBHOOK},
    ),
    Row(
        name="retryFailedEvents",
        method="POST",
        path=f"{_APP}/webhooks/{{webhook}}/retry",
        run=webhooks.retry,
        summary="Tell a webhook once more what it could not be told, and what happens from now on",
        scope=Scope.MANAGE,
        answer=types.Retried,
        refuses={404: _NO_WEBHOOK},
    ),
    # --- tokens, batches
    Row(
        name="makeToken",
        method="POST",
        path=f"{_APP}/tokens",
        run=operators.token,
        summary="Make a login token",
        scope=Scope.MANAGE,
        body=types.NewToken,
        answer=types.Token,
        refuses={409: "The app has no certificate."},
    ),
    Row(
        name="batch",
        method="POST",
        path=f"{_APP}/batch",
        run=operators.batch,
        summary="Do up to 100 requests, one after the other",
        scope=None,
        body=types.Batch,
        answer=types.BatchAnswers,
    ),
    # --- operators
    Row(
        name="getInfo",
        method="GET",
        path="/v1/info",
        run=operators.info,
        summary="See what runs here",
        scope=Scope.READ,
        answer=types.Info,
    ),
    Row(
        name="listApps",
        method="GET",
        path="/v1/apps",
        run=operators.apps,
        summary="List the apps",
        scope=Scope.READ,
        answer=types.Apps,
    ),
    Row(
        name="drain",
        method="POST",
        path="/v1/drain",
        run=operators.drain,
        summary="End this node as SIGTERM does; its clients go elsewhere",
        scope=Scope.ADMIN,
    ),
)
