"""The numbers that a deployment may change, with the product's defaults.

It knows no unit but seconds, bytes and counts. What may not be changed (names' length, messages'
size) is in `wire.codes`, generated from `protocol/codes.toml`.
"""

from __future__ import annotations

import msgspec

__all__ = ["Limits"]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of one app; the configuration's `[limits]` and `[apps.ID.limits]`.

    Many fields: one a setting.
    """

    user_messages: int = 60  #: messages a second of one user, instant and channel together (M8)
    channel_messages: int = 200  #: messages a second into one channel, at most (C7)
    requests: int = 100  #: other requests a second of one account, sustained (M10)
    requests_burst: int = 1_000  #: other requests of one account at once (M10)
    list_requests: int = 10  #: `channel_query_userlist_all` a second of one account (M10)
    logins: int = 2  #: logins a second of one account, sustained (L16)
    logins_burst: int = 60  #: logins of one account at once (L16)
    inbox_messages: int = 10_000  #: messages that an inbox holds (M9)
    inbox_bytes: int = 16 * 1024 * 1024  #: bytes of contents that an inbox holds (M9)
    inbox_call_reserve: int = 2_000  #: room for call events above `inbox_messages` (M9)
    inbox_seconds: float = 86_400.0  #: how long a message waits (M3)
    untaken_messages: int = 10_000  #: messages of one account that wait in inboxes, 0: no bound (E6)
    untaken_bytes: int = 64 * 1024 * 1024  #: bytes of their contents, 0: no bound (E6)
    attribute_seconds: float = 86_400.0  #: how long user attributes outlive their user's presence (P3)
    grace_min: float = 20.0  #: least `_conn_timeout` in seconds (L11)
    grace_max: float = 120.0  #: greatest and default `_conn_timeout` in seconds (L11)
    open_calls: int = 1_000  #: calls of one account that ring or are accepted, as caller and callee (K12)
    open_calls_with_one: int = 100  #: of these, with one other account (K12)
    peer_wait: float = 20.0  #: how long an invitation waits for an offline peer (K5)
    confirm_wait: float = 20.0  #: how long a pushed invitation waits for its confirmation (K7)
    ring_max: float = 30.0  #: greatest and default `_timeout` of an invitation (K6)
    request_memory: float = 120.0  #: how long a request id is remembered (M7)
    history_seconds: float = 120.0  #: how long a channel's events are kept (C9)
    history_events: int = 24_000  #: how many events of a channel are kept (C9)
    history_bytes: int = 16 * 1024 * 1024  #: how many bytes of a channel's events are kept (C9)
    channel_seconds: float = 7_200.0  #: default `_channel_ttl` (C8)
    deserted_channels: int = 100  #: channels of one account in which nobody is; 0: no bound (E6)
    set_attribute_bytes: int = 16 * 1024 * 1024  #: attributes of one account in channels; 0: no bound (E6)
    api_messages: int = 1_000  #: messages a second that the API sends, instant and channel together (E6)
    api_untaken_messages: int = 100_000  #: messages of the API that wait in inboxes, 0: no bound (E6)
    api_untaken_bytes: int = 256 * 1024 * 1024  #: bytes of their contents, 0: no bound (E6)
    api_deserted_channels: int = 10_000  #: channels that the API has made and nobody is in; 0: no bound (E6)
    channel_attribute_bytes: int = 256 * 1024 * 1024  #: attributes of all channels; 0: no bound (E6)
    webhook_events: int = 100_000  #: that wait for one webhook (W3)
    webhook_bytes: int = 64 * 1024 * 1024  #: and their bytes
    webhook_offline_delay: float = 0.0  #: seconds until it is told that an account is offline (W2)
