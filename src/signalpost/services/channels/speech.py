"""Speaking in a channel (SPEC C4, C5, C7)."""

from __future__ import annotations

from collections.abc import Callable

from signalpost.domain import channels as rules
from signalpost.domain.channels import MESSAGE, ChannelEvent
from signalpost.domain.inbox import too_fast
from signalpost.domain.limits import Limits
from signalpost.domain.names import check_text
from signalpost.domain.refusals import Refusal, TooMany
from signalpost.engine.ports import Clock, RateExceeded, Receipt, Unavailable
from signalpost.engine.ports.shared import Change, Changed, Keep, Rate, Shared
from signalpost.services.channels.changes import keep
from signalpost.services.inbox import Again, Inboxes
from signalpost.services.keys import request_key, topic_key
from signalpost.services.live import Live
from signalpost.services.stored import EVENT
from signalpost.wire.codes import ATTR_SENDMSG_LIMIT, CHANNEL_MESSAGE_BYTES, Code

__all__ = ["Speech"]

_RATE = "messages"


class Speech:
    """What is said in channels."""

    __slots__ = ("_clock", "_inboxes", "_limits", "_made", "_new_id", "_shared", "_wall")

    _made: tuple[Keep, tuple[Rate]]  # what was made of `_limits`

    def __init__(
        self, shared: Shared, inboxes: Inboxes, clock: Clock, wall: Clock, new_id: Callable[[], str]
    ) -> None:
        self._shared = shared
        self._inboxes = inboxes  # whose rate counts these, too (M8)
        self._clock = clock
        self._wall = wall  # what events are dated by
        self._new_id = new_id
        self._limits: Limits | None = None  # of the app that somebody spoke in last

    async def send(self, live: Live, channel: str, text: str, *, request: str = "") -> str:
        """Say something to all members, oneself included, as a member (C4); returns the message's id, `Again`
        if this request has said it before.

        Raises Refusal: 400 (not a member, rate), 1004, 1005.
        """
        rules.check_open_channel(channel)
        if not live.place_in(channel):
            if sent := await self._sent_before(live, channel, request):
                return sent
            raise Refusal(Code.SENDMESSAGE_E_OTHER, "not in channel")
        return await self.send_force(live, channel, text, request=request)

    async def send_force(self, live: Live, channel: str, text: str, *, request: str = "") -> str:
        """Say something to all members, being one or not (C5); into nowhere it succeeds as well."""
        rules.check_open_channel(channel)
        check_text(text, "message", CHANNEL_MESSAGE_BYTES)
        limits = live.app.limits
        now = self._clock()
        window = self._inboxes.window(live, now)
        if not window.take(now, limits.user_messages):
            if sent := await self._sent_before(live, channel, request):
                return sent
            raise too_fast(limits.user_messages)
        kept, rates = self._usual(limits)
        change = Change(
            topic_key(live.app_id, channel),
            (),
            EVENT.encode(ChannelEvent(MESSAGE, live.account, int(self._wall()), text)),
            kept,
            rates,
            request_key(live.key, request) if request else "",
            limits.request_memory,
        )
        try:
            (changed,) = await self._shared.commit(change)
        except Unavailable:
            window.give_back(now)
            raise
        except RateExceeded as exceeded:
            window.give_back(now)
            allowed = f"the channel takes {exceeded.limit} in any one second"
            raise TooMany(Code.SENDMESSAGE_E_OTHER, "messages", allowed) from None
        if changed.repeated:
            window.give_back(now)
            return Again(_message_id(changed))
        return _message_id(changed) if changed.offset else self._new_id()

    def _usual(self, limits: Limits) -> tuple[Keep, tuple[Rate]]:
        """What is the same for all messages of an app."""
        if limits is not self._limits:
            most = limits.channel_messages
            rate = Rate(_RATE, most, attribute=ATTR_SENDMSG_LIMIT, most=most)
            self._limits, self._made = limits, (keep(limits), (rate,))
        return self._made

    async def _sent_before(self, live: Live, channel: str, request: str) -> str:
        """The id of what this very request sent before (PROTOCOL §12), "" if it is new."""
        if not request:
            return ""
        ask = Receipt(topic_key(live.app_id, channel), request_key(live.key, request))
        (changed,) = await self._shared.load(ask)
        return "" if changed is None else Again(_message_id(changed))


def _message_id(changed: Changed) -> str:
    return f"{changed.epoch}-{changed.offset}"
