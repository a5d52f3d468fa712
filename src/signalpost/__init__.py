"""Signalpost: a signaling server. Logins, messages, channels and calls over one WebSocket."""

__all__ = ["__version__"]

__version__ = "0.1.0"
