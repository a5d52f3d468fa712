"""The web-shaped face (SPEC S1): `Signal`, `Session`, `Call` and `Channel` as the Web API 1.4.0 names them.

It runs on the asyncio loop that `Signal.login` is called on, and stands on `signalpost.client`. What it adds
to that document, and what the document leaves open, is in docs/web-face.md.
"""

from signalpost.web.calls import Call
from signalpost.web.channels import Channel
from signalpost.web.session import Session
from signalpost.web.signal import Signal

__all__ = ["Call", "Channel", "Session", "Signal"]
