"""The frame reader and wsproto agree on what the messages are and on what is an error, for any bytes."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.utils import apply_mask
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage

from signalpost.gateway.websocket import FrameReader, Kind, ProtocolError, Received, close_code

NO_LIMIT = 1 << 63


class Verdict(NamedTuple):
    """What a reader made of a stream."""

    received: list[tuple[Kind, object]]
    error: int | None


# --- the two readers --------------------------------------------------------------------------


def ours(chunks: Sequence[bytes]) -> Verdict:
    """Ours, asked as `Socket` asks it: the short way first."""
    reader = FrameReader(max_message=NO_LIMIT)
    received: list[Received] = []
    for chunk in chunks:
        text = reader.whole_text(chunk)
        if text is not None:
            received.append((Kind.TEXT, text))
            continue
        try:
            received += reader.feed(chunk)
        except ProtocolError as error:
            return Verdict(_comparable(received + error.received), error.code)
    return Verdict(_comparable(received), None)


def _comparable(received: list[Received]) -> list[tuple[Kind, object]]:
    return [
        (kind, (close_code(payload), payload[2:].decode()) if kind is Kind.CLOSE else payload)
        for kind, payload in received
    ]


def theirs(chunks: Sequence[bytes]) -> Verdict:
    connection = Connection(ConnectionType.SERVER)
    received: list[tuple[Kind, object]] = []
    message = b""
    for chunk in chunks:
        connection.receive_data(chunk)
        for event in connection.events():
            match event:
                case TextMessage() | BytesMessage():
                    data = event.data.encode() if isinstance(event, TextMessage) else bytes(event.data)
                    message += data
                    if event.message_finished:
                        kind = Kind.TEXT if isinstance(event, TextMessage) else Kind.BINARY
                        received.append((kind, message))
                        message = b""
                case Ping():
                    received.append((Kind.PING, bytes(event.payload)))
                case Pong():
                    received.append((Kind.PONG, bytes(event.payload)))
                case CloseConnection() if connection.state is ConnectionState.REMOTE_CLOSING:
                    received.append((Kind.CLOSE, (event.code, event.reason or "")))
                    return Verdict(received, None)
                case CloseConnection():
                    return Verdict(received, event.code)
                case _:
                    raise AssertionError(f"an event that frames cannot cause: {event!r}")
    return Verdict(received, None)


def assert_agreement(chunks: Sequence[bytes]) -> None:
    our, their = ours(chunks), theirs(chunks)
    if our == their:
        return
    assert our.received == their.received
    if our.error is None:
        # wsproto decodes a text while its frame comes, we when it is there.
        assert their.error == 1007
    else:
        # We judge a frame's place in its message by its length, wsproto by the first byte behind the mask.
        assert (our.error, their.error) == (1002, None)
        assert theirs([*chunks, bytes(5)]).error == 1002


# --- streams ----------------------------------------------------------------------------------

texts = st.one_of(
    st.text(max_size=140).map(str.encode),
    st.text(max_size=140).map(str.encode),
    st.integers(120, 135).map(lambda size: b"x" * size),
    st.sampled_from([65535, 65536, *range(126, 140)]).map(lambda size: b"y" * size),
)
masks = st.binary(min_size=4, max_size=4)
codes = st.one_of(st.sampled_from([1000, 1001, 1004, 1005, 1006, 1012, 1014, 1015]), st.integers(0, 65535))


def encode(
    opcode: int, payload: bytes, mask: bytes | None, *, fin: bool = True, rsv: int = 0, form: int = 0
) -> bytes:
    """A frame, lawful or not; `form` forces a longer length than is needed."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    size = len(payload)
    masked = 0x80 if mask is not None else 0
    if size < 126 and form == 0:
        head = bytes((first, masked | size))
    elif size < 65536 and form < 2:
        head = struct.pack("!BBH", first, masked | 126, size)
    else:
        head = struct.pack("!BBQ", first, masked | 127, size)
    return head + (b"" if mask is None else mask + apply_mask(payload, mask))


control_frames = st.builds(encode, st.sampled_from([9, 10]), st.binary(max_size=125), masks)
close_frames = st.one_of(
    st.builds(encode, st.just(8), st.just(b""), masks),
    st.builds(
        lambda code, reason, mask: encode(8, code.to_bytes(2, "big") + reason.encode()[:120], mask),
        codes,
        st.text(max_size=20),
        masks,
    ),
)


@st.composite
def messages(draw: st.DrawFn) -> list[bytes]:
    """A text or binary message in fragments, cut anywhere, with control frames between them."""
    opcode = draw(st.sampled_from([1, 1, 2]))
    payload = draw(texts if opcode == 1 else st.binary(max_size=140))
    cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=4)))
    frames: list[bytes] = []
    for index, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(payload)], strict=True)):
        frames += draw(st.lists(control_frames, max_size=1)) if index else []
        kind = 0 if index else opcode
        frames.append(encode(kind, payload[start:end], draw(masks), fin=index == len(cuts)))
    return frames


@st.composite
def lawful_frames(draw: st.DrawFn) -> list[bytes]:
    parts = draw(st.lists(st.one_of(messages(), control_frames.map(lambda frame: [frame])), max_size=6))
    end = draw(st.lists(close_frames, max_size=1))
    return [frame for part in parts for frame in part] + end


odd_frames = st.builds(
    encode,
    st.one_of(st.sampled_from([0, 1, 2, 8, 9, 10]), st.integers(0, 15)),
    st.one_of(st.binary(max_size=130), texts),
    st.one_of(masks, masks, masks, st.none()),
    fin=st.booleans(),
    rsv=st.sampled_from([0, 0, 0, 0, 1, 2, 4]),
    form=st.sampled_from([0, 0, 0, 0, 1, 2]),
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A lawful stream with odd frames among its frames, and bytes changed, cut out or put in."""
    frames = draw(lawful_frames())
    for frame in draw(st.lists(odd_frames, max_size=3)):
        frames.insert(draw(st.integers(0, len(frames))), frame)
    data = bytearray(b"".join(frames))
    for _ in range(draw(st.integers(0, 3))):
        where = draw(st.integers(0, min(len(data), 400)))
        match draw(st.sampled_from(["change", "cut", "insert"])):
            case "change" if where < len(data):
                data[where] = draw(st.integers(0, 255))
            case "cut":
                del data[where : where + draw(st.integers(1, 20))]
            case _:
                data[where:where] = draw(st.binary(max_size=20))
    return bytes(data)


@st.composite
def cut(draw: st.DrawFn, streams: st.SearchStrategy[bytes]) -> list[bytes]:
    """A stream in chunks: one, a few anywhere, or small ones all along its first bytes."""
    data = draw(streams)
    match draw(st.sampled_from(["whole", "anywhere", "small"])):
        case "whole":
            points: list[int] = []
        case "anywhere":
            points = sorted(draw(st.lists(st.integers(0, len(data)), max_size=12)))
        case _:
            points = list(range(0, min(len(data), 500), draw(st.integers(1, 7))))
    return [data[start:end] for start, end in zip([0, *points], [*points, len(data)], strict=True)]


thorough = settings(
    max_examples=700,
    deadline=None,
    derandomize=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@thorough
@given(cut(lawful_frames().map(b"".join)))
def test_lawful_streams_mean_the_same(chunks: list[bytes]) -> None:
    """RFC 6455 §5-§8: frames that keep the rules (close codes apart), in any chunks."""
    assert_agreement(chunks)


@thorough
@given(cut(mutated()))
def test_broken_streams_break_the_same(chunks: list[bytes]) -> None:
    """RFC 6455 §5-§8: nearly lawful frames, in any chunks."""
    assert_agreement(chunks)


@thorough
@given(cut(st.one_of(st.binary(max_size=300), st.binary(max_size=60).map(lambda tail: b"\x81\x85" + tail))))
def test_arbitrary_bytes_mean_the_same(chunks: list[bytes]) -> None:
    """RFC 6455 §5-§8: whatever arrives, in any chunks."""
    assert_agreement(chunks)
