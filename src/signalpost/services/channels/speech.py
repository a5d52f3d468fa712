"""Speaking in a channel (SPEC C4, C5, C7)."""

from __future__ import annotations

from collections.abc import Callable

from signalpost.domain import channels as rules
from signalpost.domain.channels import MESSAGE, ChannelEvent
from signalpost.domain.inbox import too_fast
from signalpost.domain.names import check_text
from signalpost.domain.refusals import Refusal, TooMany
from signalpost.engine.ports import Change, Clock, Rate, RateExceeded, Topics, Unavailable
from signalpost.services.channels.changes import keep
from signalpost.services.keys import request_key, topic_key
from signalpost.services.live import Live
from signalpost.services.messages import Again, Messages
from signalpost.services.stored import EVENT
from signalpost.wire.codes import CHANNEL_MESSAGE_BYTES, Code

__all__ = ["Speech"]


class Speech:
    """What is said in channels."""

    __slots__ = ("_clock", "_messages", "_new_id", "_topics", "_wall")

    def __init__(
        self, topics: Topics, messages: Messages, clock: Clock, wall: Clock, new_id: Callable[[], str]
    ) -> None:
        self._topics = topics
        self._messages = messages  # whose rate counts these, too (M8)
        self._clock = clock
        self._wall = wall  # what events are dated by
        self._new_id = new_id

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
        topic = topic_key(live.app_id, channel)
        now = self._clock()
        window = self._messages.window(live, now)
        if not window.take(now, limits.user_messages):
            if sent := await self._sent_before(live, channel, request):
                return sent
            raise too_fast(limits.user_messages)
        limit = rules.message_limit(await self._topics.attributes(topic), limits)
        try:
            change = await self._topics.change(
                topic,
                event=EVENT.encode(ChannelEvent(MESSAGE, live.account, int(self._wall()), text)),
                keep=keep(limits),
                rates=(Rate(f"messages {topic}", limit),),
                dedupe=request_key(live.key, request) if request else "",
                dedupe_ttl=limits.request_memory,
            )
        except Unavailable:
            window.give_back(now)
            raise
        except RateExceeded:
            window.give_back(now)
            raise TooMany(
                Code.SENDMESSAGE_E_OTHER, "messages", f"the channel takes {limit} in any one second"
            ) from None
        if change.repeated:
            window.give_back(now)
            return Again(_message_id(change))
        return _message_id(change) if change.seq else self._new_id()

    async def _sent_before(self, live: Live, channel: str, request: str) -> str:
        """The id of what this very request sent before (PROTOCOL §12), "" if it is new."""
        if not request:
            return ""
        change = await self._topics.changed(topic_key(live.app_id, channel), request_key(live.key, request))
        return "" if change is None else Again(_message_id(change))


def _message_id(change: Change) -> str:
    return f"{change.epoch}-{change.seq}"
