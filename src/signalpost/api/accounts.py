"""Accounts: how they stand, their attributes, and putting them out (SPEC A2, §3)."""

from __future__ import annotations

from signalpost.api import types
from signalpost.api.cases import Asking
from signalpost.api.cursors import read, spelled
from signalpost.domain.names import check_name
from signalpost.services.bars import Block
from signalpost.services.keys import inbox_key

__all__ = [
    "attribute",
    "attributes",
    "block",
    "blocked",
    "kick",
    "one",
    "online",
    "query",
    "revoke",
    "set_attribute",
    "unblock",
]


async def one(asking: Asking) -> types.Account:
    """One account, which need never have been there."""
    cases, account = asking.cases, asking.account
    block = await cases.bars.of(asking.app_id, account)
    (session,) = await cases.presence.of(asking.app_id, [account])
    places = () if session is None else (*session.places, *session.kept)
    return types.Account(
        account=account,
        online=session is not None,
        connected=session is not None and session.attached,
        channels=[place.channel for place in places],
        waiting=await cases.inboxes.waiting(inbox_key(asking.app_id, account)),
        blocked=None if block is None else _blocked(block),
    )


async def query(asking: Asking) -> types.Accounts:
    """Many at once."""
    names: list[str] = asking.body.accounts
    for name in names:
        check_name(name, "account")
    sessions = await asking.cases.presence.of(asking.app_id, names)
    return types.Accounts(
        [
            types.Presence(name, session is not None, session is not None and session.attached)
            for name, session in zip(names, sessions, strict=True)
        ]
    )


async def online(asking: Asking) -> types.Online:
    """A page of those online."""
    asked: types.Pages = asking.query
    sessions, cursor = await asking.cases.presence.page(asking.app_id, read(asked.cursor), asked.limit)
    return types.Online(
        [types.OnlineAccount(session.account, session.attached) for session in sessions], spelled(cursor)
    )


async def kick(asking: Asking) -> types.Kicked:
    """End the session: 103."""
    return types.Kicked(await asking.cases.sessions.kick(asking.app_id, asking.account) is not None)


async def block(asking: Asking) -> types.Blocked:
    """Refuse logins for a time, and end the session; in this order, so that nobody slips in between."""
    asked: types.Blocking = asking.body
    bars, account = asking.cases.bars, asking.account
    block = await bars.block(asking.app_id, account, seconds=asked.seconds, reason=asked.reason)
    await asking.cases.sessions.kick(asking.app_id, account, reason="revoked")
    return _blocked(block)


async def unblock(asking: Asking) -> types.Unblocked:
    """Let it log in again."""
    return types.Unblocked(await asking.cases.bars.unblock(asking.app_id, asking.account))


async def blocked(asking: Asking) -> types.BlockedAccounts:
    """All that are blocked."""
    found = await asking.cases.bars.blocked(asking.app_id)
    return types.BlockedAccounts({account: _blocked(block) for account, block in found.items()})


async def revoke(asking: Asking) -> types.Revoked:
    """Refuse the tokens that were made until now, and end the session."""
    asked: types.Revocation = asking.body
    cases, account = asking.cases, asking.account
    expires = await cases.bars.revoke(asking.app_id, account, lifetime=asked.token_seconds)
    kicked = await cases.sessions.kick(asking.app_id, account, reason="revoked")
    return types.Revoked(expires, kicked is not None)


async def attributes(asking: Asking) -> types.Attributes:
    """All of an account."""
    return types.Attributes(await asking.cases.attributes.get_all(asking.app_id, asking.account))


async def attribute(asking: Asking) -> types.Attribute:
    """One of an account, "" if it was never set."""
    found = await asking.cases.attributes.get(asking.app_id, asking.account, asking.names["name"])
    return types.Attribute(value=found)


async def set_attribute(asking: Asking) -> None:
    """As the account itself would."""
    name, value = asking.names["name"], asking.body.value
    await asking.cases.sessions.set_attribute(asking.app, asking.app_id, asking.account, name, value)


def _blocked(block: Block) -> types.Blocked:
    return types.Blocked(block.until, block.reason)
