"""The asyncio client: log in, write, meet in channels, call (SPEC S3).

async with connect("ws://127.0.0.1:8080/", app_id="demo", account="ada", token="any") as me:
    await me.send("bo", "hello")
"""

from signalpost.client.api.attributes import Attributes, OwnAttributes
from signalpost.client.api.call import Call, CallState, End, Outcome
from signalpost.client.api.channel import Channel, ChannelEvent, ChannelView
from signalpost.client.api.client import (
    Client,
    Connecting,
    Joining,
    Messages,
    SessionEvent,
    Status,
    connect,
)
from signalpost.client.api.streams import Stream
from signalpost.client.engine import Token
from signalpost.client.errors import (
    ArgumentError,
    CallError,
    ChannelLeft,
    JoinError,
    LoggedOut,
    LoginError,
    MessageError,
    NotLoggedIn,
    QueryError,
    RequestError,
    SignalpostError,
)
from signalpost.client.events import (
    AttributeChanged,
    CallAccepted,
    CallEnded,
    CallEvent,
    CallFailed,
    CallKeys,
    CallReceived,
    CallRefused,
    Change,
    ChannelMessage,
    EventsLost,
    MemberJoined,
    MemberLeft,
    Message,
    Problem,
    Reconnected,
    Reconnecting,
)
from signalpost.client.settings import Settings
from signalpost.wire.codes import Code

__all__ = [
    "ArgumentError",
    "AttributeChanged",
    "Attributes",
    "Call",
    "CallAccepted",
    "CallEnded",
    "CallError",
    "CallEvent",
    "CallFailed",
    "CallKeys",
    "CallReceived",
    "CallRefused",
    "CallState",
    "Change",
    "Channel",
    "ChannelEvent",
    "ChannelLeft",
    "ChannelMessage",
    "ChannelView",
    "Client",
    "Code",
    "Connecting",
    "End",
    "EventsLost",
    "JoinError",
    "Joining",
    "LoggedOut",
    "LoginError",
    "MemberJoined",
    "MemberLeft",
    "Message",
    "MessageError",
    "Messages",
    "NotLoggedIn",
    "Outcome",
    "OwnAttributes",
    "Problem",
    "QueryError",
    "Reconnected",
    "Reconnecting",
    "RequestError",
    "SessionEvent",
    "Settings",
    "SignalpostError",
    "Status",
    "Stream",
    "Token",
    "connect",
]
