"""A session that is attached to this node: its record, as far as this node knows.

It is the node's cached copy of the record; who changes it goes through `Presence`, which finds out when
somebody else has changed it meanwhile.
"""

from __future__ import annotations

from enum import Enum

from signalpost.domain.apps import App
from signalpost.domain.sessions import Session

__all__ = ["Gone", "Live"]


class Gone(Enum):
    """What has become of a session on this connection."""

    KICKED = "kicked"  #: another login has ended it (L7)
    REPLACED = "replaced"  #: it goes on elsewhere (L17)


class Live:
    """One attached session, or one whose login is under way."""

    __slots__ = ("app", "channels", "gone", "key", "rev", "session")

    def __init__(self, app: App, key: str, session: Session, rev: int) -> None:
        self.app = app
        self.key = key  # the account's key: its inbox, its place among the attached
        self.session = session  # replaced on every change; Presence writes it
        self.rev = rev  # the record's revision that `session` is; 0 before it is stored
        self.channels: tuple[str, ...] | None = None  # patterns of those that may be joined (J5); None: any
        self.gone: Gone | None = None  # what became of it while its login was under way; None if nothing did

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
