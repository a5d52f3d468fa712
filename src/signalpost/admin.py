"""The API of a server as an asyncio program sees it: an app's back end, or an operator (SPEC §11).

    async with Admin("http://127.0.0.1:8082", key, app="myapp") as admin:
        await admin.send("ada", "your taxi is here", sender="dispatch")

What comes back are the types of `signalpost.api.types`. Every request is repeated if its answer is lost, or
if the server says that it may be later; one that must not be done twice carries a key by which that is seen.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Protocol, TypeVar, cast
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
from yarl import URL

from signalpost.api import types

__all__ = ["Admin", "AdminError", "Unreachable"]

T = TypeVar("T")
P = TypeVar("P", bound="_Page")

_LATER: Final = frozenset({429, 503})
_UNDER_WAY: Final = 409  # with Retry-After: the same request is being done
_PAGE: Final = 1000


class AdminError(Exception):
    """The server says no: `status` as in HTTP, `code` one of Signalpost's (0: none), `detail` for people."""

    def __init__(self, status: int, detail: str, code: int = 0) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail
        self.code = code


class Unreachable(Exception):
    """The server gave no answer, as often as it was asked. What was asked may be done or not."""


class _Page(Protocol):
    @property
    def cursor(self) -> str: ...


class Admin:
    """One key, and the app that it is used for."""

    def __init__(self, url: str, key: str, app: str = "", *, timeout: float = 10.0, tries: int = 5) -> None:
        """`app`: "" for an operator who asks nothing of an app. `timeout`: seconds for one try."""
        self._base: Final = url.rstrip("/")
        self._app: Final = f"/v1/apps/{_quoted(app)}"
        self._tries: Final = tries
        self._headers: Final = {"Authorization": f"Bearer {key}"}
        self._timeout: Final = aiohttp.ClientTimeout(total=timeout)
        # Its connections; None outside `async with`.
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Admin:
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=self._timeout)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    # --- messages -------------------------------------------------------------------------------

    async def send(self, to: str, text: str, *, sender: str, once: str = "") -> str:
        """Send a message; returns its id. `once`: a key of your own, if you may call this again."""
        body = types.NewMessage(sender, to, text)
        return (await self._once("/messages", types.Sent, body, once)).id

    async def send_many(self, to: Sequence[str], text: str, *, sender: str, once: str = "") -> types.SentMany:
        """Send the same to up to 1000 accounts."""
        body = types.NewMessages(sender, list(to), text)
        return await self._once("/messages/many", types.SentMany, body, once)

    async def inbox(self, account: str) -> AsyncIterator[types.InboxItem]:
        """What waits for an account, oldest first."""
        path = f"/accounts/{_quoted(account)}/inbox"
        async for page in self._pages(path, types.Inbox, limit=500):
            for item in page.items:
                yield item

    async def clear_inbox(self, account: str) -> int:
        """Take the messages away that wait for an account; how many."""
        path = f"/accounts/{_quoted(account)}/inbox"
        return (await self._ask("DELETE", path, types.Cleared)).messages

    # --- accounts -------------------------------------------------------------------------------

    async def account(self, account: str) -> types.Account:
        """How an account stands."""
        return await self._ask("GET", f"/accounts/{_quoted(account)}", types.Account)

    async def presence(self, accounts: Sequence[str]) -> list[types.Presence]:
        """How up to 1000 accounts stand."""
        body = types.AccountQuery(list(accounts))
        return (await self._ask("POST", "/presence", types.Accounts, body)).accounts

    async def online(self) -> AsyncIterator[types.OnlineAccount]:
        """Who is online, each once."""
        seen: set[str] = set()
        async for page in self._pages("/online", types.Online):
            for each in page.accounts:
                if each.account not in seen:
                    seen.add(each.account)
                    yield each

    async def kick(self, account: str) -> bool:
        """End the session of an account (103); whether there was one."""
        return (await self._ask("POST", f"/accounts/{_quoted(account)}/kick", types.Kicked)).kicked

    async def block(self, account: str, seconds: float, reason: str = "") -> types.Blocked:
        """Refuse the logins of an account for a time, and end its session."""
        body = types.Blocking(seconds, reason)
        return await self._ask("PUT", f"/accounts/{_quoted(account)}/block", types.Blocked, body)

    async def unblock(self, account: str) -> bool:
        """Let an account log in again; whether it was blocked."""
        path = f"/accounts/{_quoted(account)}/block"
        return (await self._ask("DELETE", path, types.Unblocked)).unblocked

    async def blocked(self) -> dict[str, types.Blocked]:
        """The accounts that are blocked."""
        return (await self._ask("GET", "/blocked", types.BlockedAccounts)).accounts

    async def revoke(self, account: str, token_seconds: float = 86_400.0) -> types.Revoked:
        """Refuse the tokens of an account that were made until now, and end its session."""
        body = types.Revocation(token_seconds)
        return await self._ask("POST", f"/accounts/{_quoted(account)}/revoke", types.Revoked, body)

    async def attributes(self, account: str) -> dict[str, str]:
        """The attributes of an account."""
        path = f"/accounts/{_quoted(account)}/attributes"
        return (await self._ask("GET", path, types.Attributes)).attributes

    async def set_attribute(self, account: str, name: str, value: str) -> None:
        """Set an attribute of an account."""
        path = f"/accounts/{_quoted(account)}/attributes/{_quoted(name)}"
        await self._ask("PUT", path, None, types.Attribute(value))

    # --- channels -------------------------------------------------------------------------------

    async def channels(self) -> AsyncIterator[types.ChannelSummary]:
        """The channels, each once."""
        seen: set[str] = set()
        async for page in self._pages("/channels", types.ChannelPage):
            for each in page.channels:
                if each.channel not in seen:
                    seen.add(each.channel)
                    yield each

    async def channel(self, channel: str) -> types.Channel:
        """A channel. Raises AdminError 404."""
        return await self._ask("GET", f"/channels/{_quoted(channel)}", types.Channel)

    async def members(self, channel: str) -> AsyncIterator[str]:
        """Who is in a channel, by name."""
        async for page in self._pages(f"/channels/{_quoted(channel)}/members", types.Members):
            for member in page.members:
                yield member

    async def say(self, channel: str, text: str, *, sender: str, once: str = "") -> str:
        """Say something in a channel; returns the message's id."""
        body = types.NewChannelMessage(sender, text)
        return (await self._once(f"/channels/{_quoted(channel)}/messages", types.Sent, body, once)).id

    async def put_out(self, channel: str, account: str) -> None:
        """Put a member out of a channel (601). Raises AdminError 404."""
        await self._ask("DELETE", f"/channels/{_quoted(channel)}/members/{_quoted(account)}", None)

    async def close_channel(self, channel: str) -> int:
        """Put everybody out of a channel, and end it; how many that were."""
        return (await self._ask("DELETE", f"/channels/{_quoted(channel)}", types.Closed)).members

    async def channel_attributes(self, channel: str) -> dict[str, str]:
        """The attributes of a channel."""
        path = f"/channels/{_quoted(channel)}/attributes"
        return (await self._ask("GET", path, types.Attributes)).attributes

    async def set_channel_attribute(self, channel: str, name: str, value: str) -> None:
        """Set an attribute of a channel; its members are told."""
        path = f"/channels/{_quoted(channel)}/attributes/{_quoted(name)}"
        await self._ask("PUT", path, None, types.Attribute(value))

    async def delete_channel_attribute(self, channel: str, name: str) -> None:
        """Delete an attribute of a channel."""
        await self._ask("DELETE", f"/channels/{_quoted(channel)}/attributes/{_quoted(name)}", None)

    async def clear_channel_attributes(self, channel: str) -> None:
        """Delete the attributes of a channel, but those that begin with an underscore."""
        await self._ask("DELETE", f"/channels/{_quoted(channel)}/attributes", None)

    # --- calls ----------------------------------------------------------------------------------

    async def ring(
        self, callee: str, *, caller: str, channel: str = "", extra: str = "", once: str = ""
    ) -> types.Call:
        """Ring an account in the name of another."""
        return await self._once("/calls", types.Call, types.NewCall(caller, callee, channel, extra), once)

    async def calls(self, account: str = "") -> AsyncIterator[types.Call]:
        """The open calls of the app, or of one account, each once."""
        seen: set[str] = set()
        query = {"account": account} if account else {}
        async for page in self._pages("/calls", types.Calls, **query):
            for call in page.calls:
                if call.id not in seen:
                    seen.add(call.id)
                    yield call

    async def call(self, id: str) -> types.Call:
        """An open call. Raises AdminError 404 when it is over."""
        return await self._ask("GET", f"/calls/{_quoted(id)}", types.Call)

    async def end_call(self, id: str, extra: str = "") -> None:
        """End a call; both parties are told. Raises AdminError 404 when it is over."""
        await self._ask("POST", f"/calls/{_quoted(id)}/end", None, types.CallEnd(extra))

    # --- webhooks -------------------------------------------------------------------------------

    async def webhooks(self) -> list[types.Webhook]:
        """The app's webhooks."""
        return (await self._ask("GET", "/webhooks", types.Webhooks)).webhooks

    async def failed_events(self, webhook: str) -> AsyncIterator[types.FailedEvent]:
        """What a webhook could not be told, the oldest first."""
        async for page in self._pages(f"/webhooks/{_quoted(webhook)}/failed", types.FailedEvents):
            for event in page.events:
                yield event

    async def retry_events(self, webhook: str) -> int:
        """Tell it all of that once more; how many they are."""
        return (await self._ask("POST", f"/webhooks/{_quoted(webhook)}/retry", types.Retried)).count

    # --- tokens, batches, the server ------------------------------------------------------------

    async def token(self, account: str, seconds: int = 86_400) -> str:
        """A login token."""
        return (await self._ask("POST", "/tokens", types.Token, types.NewToken(account, seconds))).token

    async def batch(self, requests: Sequence[types.BatchPart]) -> list[types.BatchAnswer]:
        """Up to 100 requests, one after the other. One that must not be done twice needs a key of its own."""
        body = types.Batch(list(requests))
        return (await self._ask("POST", "/batch", types.BatchAnswers, body)).answers

    async def info(self) -> types.Info:
        """What runs there; for operators, as the next two."""
        return await self._ask("GET", "/v1/info", types.Info)

    async def apps(self) -> list[types.App]:
        """The apps that are configured."""
        return (await self._ask("GET", "/v1/apps", types.Apps)).apps

    async def drain(self) -> None:
        """End the server as SIGTERM does."""
        await self._ask("POST", "/v1/drain", None)

    # --- how it is asked ------------------------------------------------------------------------

    async def _once(self, path: str, answer: type[T], body: object, once: str) -> T:
        return await self._ask("POST", path, answer, body, once=once or uuid.uuid4().hex)

    async def _pages(self, path: str, answer: type[P], **query: Any) -> AsyncIterator[P]:
        cursor = ""
        while True:
            asked = urlencode({"limit": _PAGE, **query, "cursor": cursor})
            page = await self._ask("GET", f"{path}?{asked}", answer)
            yield page
            cursor = page.cursor
            if not cursor:
                return

    async def _ask(
        self, method: str, path: str, answer: type[T] | None, body: object = None, *, once: str = ""
    ) -> T:
        """The answer; of type None if there is none to be had."""
        url = URL(self._base + (path if path.startswith("/v1/") else self._app + path), encoded=True)
        headers = {"Idempotency-Key": once} if once else {}
        data = None
        if body is not None:
            data, headers["Content-Type"] = msgspec.json.encode(body), "application/json"
        wait, failure = 0.0, ""
        for number in range(self._tries):
            if number:
                await asyncio.sleep(wait or random.uniform(0.5, 1.0) * min(0.2 * 2**number, 5.0))
            try:
                status, retry, text = await self._try(method, url, headers, data)
            except (aiohttp.ClientError, TimeoutError) as error:
                wait, failure = 0.0, str(error) or "no answer in time"
                continue
            if status < 300:
                return _read(answer, text)
            problem = _problem(status, text)
            if not (status in _LATER or (status == _UNDER_WAY and retry)) or number == self._tries - 1:
                raise problem
            wait = float(retry or 0)
        raise Unreachable(f"{self._base}: {failure}")

    async def _try(
        self, method: str, url: URL, headers: Mapping[str, str], data: bytes | None
    ) -> tuple[int, str, bytes]:
        assert self._session is not None, "it is used in `async with`"
        async with self._session.request(method, url, headers=headers, data=data) as got:
            return got.status, got.headers.get("Retry-After", ""), await got.read()


def _read(answer: type[T] | None, text: bytes) -> T:
    read: Any = None if answer is None else msgspec.json.decode(text, type=answer)
    return cast(T, read)


def _problem(status: int, text: bytes) -> AdminError:
    try:
        problem = msgspec.json.decode(text, type=types.Problem)
    except msgspec.MsgspecError:
        return AdminError(status, "an answer that is not one of Signalpost's")
    return AdminError(status, problem.detail, problem.code or 0)


def _quoted(name: str) -> str:
    return quote(name, safe="")
