"""A session that is attached to this node: its record, as far as this node knows.

It is the node's cached copy of the record; who changes it goes through `Presence`, which finds out when
somebody else has changed it meanwhile.
"""

from __future__ import annotations

from signalpost.domain.apps import App
from signalpost.domain.sessions import Session

__all__ = ["Live"]


class Live:
    """One attached session."""

    __slots__ = ("app", "key", "rev", "session", "superseded")

    def __init__(self, app: App, key: str, session: Session, rev: int) -> None:
        self.app = app
        self.key = key  # the account's key: its inbox, its place among the attached
        self.session = session  # replaced on every change; Presence writes it
        self.rev = rev  # the record's revision that `session` is
        self.superseded = False  # it went elsewhere, or was ended, before its client was told of it

    @property
    def app_id(self) -> str:
        """The app that the session belongs to."""
        return self.session.app

    @property
    def account(self) -> str:
        """Whose session it is."""
        return self.session.account

    def place_in(self, channel: str) -> bool:
        """Whether it is a member of the channel, or its place there is kept (L17)."""
        session = self.session
        return any(place.channel == channel for place in session.places) or any(
            place.channel == channel for place in session.kept
        )
