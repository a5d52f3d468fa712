"""RFC 6455's server side without a loop: the handshake, the frames we write, the frames we read."""

from __future__ import annotations

import base64
import hashlib
import struct

import pytest
from websockets.utils import apply_mask

from signalpost.gateway.websocket import (
    NO_CODE,
    FrameReader,
    HandshakeRefused,
    Kind,
    ProtocolError,
    Received,
    accept_answer,
    asks_websocket,
    begins_head,
    check_handshake,
    close_code,
    frame_binary,
    frame_close,
    frame_pieces,
    frame_ping,
    frame_pong,
    frame_text,
    read_head,
    refusal_answer,
)

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
MASK = b"\x37\xfa\x21\x3d"

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def client_frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """A frame as a lawful client sends it, but for what the arguments say."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    size = len(payload)
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 65536:
        head = struct.pack("!BBH", first, 0xFE, size)
    else:
        head = struct.pack("!BBQ", first, 0xFF, size)
    return head + MASK + apply_mask(payload, MASK)


def upgrade_headers(**changed: str | None) -> dict[str, str]:
    """A lawful handshake's headers; keywords replace them, None takes one away."""
    headers: dict[str, str | None] = {
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-version": "13",
        "sec-websocket-key": KEY,
    }
    headers.update({name.replace("_", "-"): value for name, value in changed.items()})
    return {name: value for name, value in headers.items() if value is not None}


def refused(**changed: str | None) -> HandshakeRefused:
    with pytest.raises(HandshakeRefused) as caught:
        check_handshake("GET", (1, 1), upgrade_headers(**changed))
    return caught.value


def failure(reader: FrameReader, data: bytes) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        reader.feed(data)
    return caught.value


class TestHandshake:
    """RFC 6455 §4.2."""

    def test_a_lawful_handshake_yields_its_key(self) -> None:
        assert check_handshake("GET", (1, 1), upgrade_headers()) == KEY

    @pytest.mark.parametrize("connection", ["keep-alive, Upgrade", "UPGRADE", "close ,\tupgrade"])
    def test_connection_may_hold_other_tokens_in_any_case(self, connection: str) -> None:
        assert check_handshake("GET", (1, 1), upgrade_headers(connection=connection)) == KEY

    @pytest.mark.parametrize("upgrade", ["WebSocket", "h2c, websocket"])
    def test_upgrade_may_hold_other_tokens_in_any_case(self, upgrade: str) -> None:
        assert check_handshake("GET", (1, 1), upgrade_headers(upgrade=upgrade)) == KEY

    def test_neither_host_nor_origin_is_looked_at(self) -> None:
        """PROTOCOL §1: Python sends a host that it does not connect to."""
        headers = upgrade_headers(host="127-0-0-1-sig-web.agora.io:1", origin="null")
        assert check_handshake("GET", (1, 1), headers) == KEY

    def test_another_method_is_not_allowed(self) -> None:
        with pytest.raises(HandshakeRefused) as caught:
            check_handshake("POST", (1, 1), upgrade_headers())
        assert (caught.value.status, caught.value.headers) == (405, {"Allow": "GET"})

    @pytest.mark.parametrize("version", ["8", "0", "13, 8", "", None])
    def test_another_version_is_told_which_one_is_spoken(self, version: str | None) -> None:
        error = refused(sec_websocket_version=version)
        assert error.status == 426
        assert error.headers["Sec-WebSocket-Version"] == "13"

    @pytest.mark.parametrize(
        "key", [None, "", "short", KEY[:-1], "A" * 24, f"{KEY}, {KEY}", "é" * 24, "!" * 24]
    )
    def test_a_key_that_is_missing_malformed_or_repeated_is_refused(self, key: str | None) -> None:
        assert refused(sec_websocket_key=key).status == 400

    def test_a_missing_connection_token_is_refused(self) -> None:
        assert refused(connection="keep-alive").status == 400

    def test_a_proxy_that_eats_the_upgrade_header_is_told_so(self) -> None:
        headers = upgrade_headers(upgrade=None)
        assert asks_websocket(headers)
        assert refused(upgrade=None).status == 426

    def test_http_1_0_cannot_upgrade(self) -> None:
        with pytest.raises(HandshakeRefused) as caught:
            check_handshake("GET", (1, 0), upgrade_headers())
        assert caught.value.status == 400

    @pytest.mark.parametrize("body", [{"content_length": "5"}, {"transfer_encoding": "chunked"}])
    def test_a_handshake_with_a_body_is_refused(self, body: dict[str, str]) -> None:
        assert refused(**body).status == 400

    @pytest.mark.parametrize("headers", [{}, {"upgrade": "h2c"}, {"connection": "upgrade"}])
    def test_ordinary_requests_ask_for_no_websocket(self, headers: dict[str, str]) -> None:
        assert not asks_websocket(headers)

    def test_the_answer_proves_that_the_key_was_understood(self) -> None:
        """RFC 6455 §1.3, whose example this is."""
        assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in accept_answer(KEY)

    def test_the_answer_negotiates_nothing(self) -> None:
        """PROTOCOL §1: no subprotocol, no extension."""
        assert accept_answer(KEY) == (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        )

    def test_the_answer_to_any_key_follows_the_rfc(self) -> None:
        key = base64.b64encode(bytes(range(16))).decode()
        digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
        assert base64.b64encode(digest) in accept_answer(key)

    def test_a_refusal_is_a_whole_http_answer(self) -> None:
        assert refusal_answer(429, "slow down", {"Retry-After": "1"}) == (
            b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Type: text/plain; charset=utf-8\r\n"
            b"Content-Length: 10\r\nConnection: close\r\n\r\nslow down\n"
        )


class TestHead:
    """RFC 9112 §2-§5, as far as telling WebSocket from HTTP needs it."""

    def test_a_head_is_read_with_names_in_lower_case_and_values_trimmed(self) -> None:
        head = read_head(b"GET /any?x=1 HTTP/1.1\r\nHost: a:1\r\nX-Empty:\r\nuPGRADE: \t websocket \t")
        assert head is not None
        assert head[:3] == ("GET", "/any?x=1", (1, 1))
        assert head.headers == {"host": "a:1", "x-empty": "", "upgrade": "websocket"}

    def test_repeated_fields_become_one_list(self) -> None:
        head = read_head(b"GET / HTTP/1.1\r\nConnection: keep-alive\r\nHost: a\r\nconnection: Upgrade")
        assert head is not None
        assert head.headers == {"connection": "keep-alive, Upgrade", "host": "a"}

    @pytest.mark.parametrize(
        "head",
        [
            b"",
            b"GET /",
            b"GET / HTTP/1.1\r\n folded: line",
            b"GET / HTTP/1.1\r\nno colon",
            b"GET / HTTP/1.1\r\nname : value",
            b"GET / HTTP/1.1\r\na: b\x00c",
            b"GET / HTTP/1.1\r\na: b\nc: d",
            b"GET  / HTTP/1.1",
            b"\r\nGET / HTTP/1.1",
            b"PRI * HTTP/2.0\r\n",
        ],
    )
    def test_what_is_not_plain_http_is_not_read(self, head: bytes) -> None:
        assert read_head(head) is None

    @pytest.mark.parametrize("data", [b"G", b"GET /", b"GET / HTTP/1.1\r\nHost"])
    def test_the_beginning_of_a_head_may_become_one(self, data: bytes) -> None:
        assert begins_head(data)

    @pytest.mark.parametrize("data", [b"\x16\x03\x01", b"\r\n", b"GET / HTTP/1.1\nHost: a", b"\n", b" GET"])
    def test_what_can_become_no_head_is_seen_at_once(self, data: bytes) -> None:
        assert not begins_head(data)


class TestWriting:
    """RFC 6455 §5.2: one unmasked frame a message, the length in its shortest form."""

    @pytest.mark.parametrize(
        ("size", "header"),
        [
            (0, b"\x81\x00"),
            (125, b"\x81\x7d"),
            (126, b"\x81\x7e\x00\x7e"),
            (65535, b"\x81\x7e\xff\xff"),
            (65536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
        ],
    )
    def test_a_text_has_the_shortest_length(self, size: int, header: bytes) -> None:
        assert frame_text(b"x" * size) == header + b"x" * size
        assert frame_pieces([b"x" * (size - size // 3), b"x" * (size // 3)]) == frame_text(b"x" * size)
        assert frame_binary(b"x" * size) == b"\x82" + header[1:] + b"x" * size

    def test_control_frames_carry_their_payload(self) -> None:
        assert (frame_ping(), frame_ping(b"a"), frame_pong(b"bc")) == (b"\x89\0", b"\x89\1a", b"\x8a\2bc")

    def test_a_close_carries_code_and_reason(self) -> None:
        assert frame_close(1012, "bye") == b"\x88\x05\x03\xf4bye"

    def test_a_close_without_a_code_is_empty(self) -> None:
        assert frame_close(NO_CODE, "never sent") == b"\x88\x00"

    def test_a_long_reason_is_cut_at_a_character(self) -> None:
        frame = frame_close(1000, "x" + "é" * 100)
        assert frame[1] == len(frame) - 2 == 2 + 123
        assert frame[4:].decode() == "x" + "é" * 61


class TestReading:
    """RFC 6455 §5-§8."""

    @pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 5000, 65535, 65536])
    def test_a_text_of_any_length_is_read(self, size: int) -> None:
        payload = b"x" * size
        assert FrameReader().feed(client_frame(TEXT, payload)) == [(Kind.TEXT, payload)]

    def test_a_binary_message_is_read(self) -> None:
        assert FrameReader().feed(client_frame(BINARY, b"\xff")) == [(Kind.BINARY, b"\xff")]

    @pytest.mark.parametrize("size", [1, 2, 125, 126, 300, 65535])
    def test_a_chunk_that_is_one_ascii_text_is_taken_whole(self, size: int) -> None:
        assert FrameReader().whole_text(client_frame(TEXT, b"x" * size)) == b"x" * size

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\x81",
            client_frame(TEXT, "é".encode()),
            client_frame(TEXT, b"\xff"),
            client_frame(TEXT, b"a") * 2,
            client_frame(TEXT, b"a" * 200) + b"\x81",
            client_frame(TEXT, b"a" * 200)[:-1],
            client_frame(TEXT, b"a", fin=False),
            client_frame(TEXT, b"a", rsv=4),
            client_frame(BINARY, b"a"),
            client_frame(PING, b"a"),
            client_frame(TEXT, b"a" * 65536),
            b"\x81\xfe\x00\x7d" + MASK + b"x" * 125,
            frame_text(b"unmasked"),
        ],
    )
    def test_every_other_chunk_goes_the_long_way(self, data: bytes) -> None:
        assert FrameReader().whole_text(data) is None

    def test_the_short_way_is_closed_inside_a_frame_a_message_and_after_a_close(self) -> None:
        text = client_frame(TEXT, b"late")
        for before in (b"\x81", client_frame(TEXT, b"a", fin=False), client_frame(CLOSE)):
            reader = FrameReader()
            reader.feed(before)
            assert reader.whole_text(text) is None

    def test_the_short_way_knows_the_limit(self) -> None:
        """SPEC E5."""
        assert FrameReader(max_message=200).whole_text(client_frame(TEXT, b"a" * 200)) == b"a" * 200
        assert FrameReader(max_message=199).whole_text(client_frame(TEXT, b"a" * 200)) is None

    def test_many_frames_in_one_chunk_come_in_order(self) -> None:
        payloads = [b"", b"a", b"b" * 126, "é".encode(), b"c" * 70000]
        data = b"".join(client_frame(TEXT, payload) for payload in payloads)
        assert FrameReader(max_message=70000).feed(data) == [(Kind.TEXT, payload) for payload in payloads]

    def test_a_stream_means_the_same_however_it_is_cut(self) -> None:
        stream = (
            client_frame(TEXT, "häu".encode()[:2], fin=False)
            + client_frame(PING, b"are you there")
            + client_frame(CONTINUATION, "häu".encode()[2:], fin=False)
            + client_frame(PONG)
            + client_frame(CONTINUATION)
            + client_frame(TEXT, b"x" * 300)
            + client_frame(BINARY, b"\xff\x00")
            + client_frame(CLOSE, b"\x03\xe8bye")
        )
        expected = [
            (Kind.PING, b"are you there"),
            (Kind.PONG, b""),
            (Kind.TEXT, "häu".encode()),
            (Kind.TEXT, b"x" * 300),
            (Kind.BINARY, b"\xff\x00"),
            (Kind.CLOSE, b"\x03\xe8bye"),
        ]
        for size in (*range(1, 20), len(stream)):
            reader = FrameReader()
            received: list[Received] = []
            for start in range(0, len(stream), size):
                received += reader.feed(stream[start : start + size])
            assert received == expected

    def test_a_chunk_boundary_inside_a_header_does_not_matter_behind_whole_frames(self) -> None:
        stream = client_frame(TEXT, b"a" * 130) * 2
        for cut in range(len(stream)):
            reader = FrameReader()
            assert len(reader.feed(stream[:cut]) + reader.feed(stream[cut:])) == 2

    def test_endless_empty_fragments_take_no_memory(self) -> None:
        reader = FrameReader()
        reader.feed(client_frame(TEXT, fin=False))
        for _ in range(1000):
            assert reader.feed(client_frame(CONTINUATION, fin=False) * 10) == []
        assert reader.feed(client_frame(CONTINUATION)) == [(Kind.TEXT, b"")]

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (client_frame(3), "opcode 3"),
            (client_frame(7), "opcode 7"),
            (client_frame(11), "opcode 11"),
            (client_frame(15), "opcode 15"),
            (client_frame(PING, fin=False), "fragmented"),
            (client_frame(CLOSE, fin=False), "fragmented"),
            (client_frame(PING, b"x" * 126), "at most 125"),
            (b"\x81\xfe\x00\x7d" + MASK, "shortest"),
            (b"\x81\xff" + (65535).to_bytes(8, "big") + MASK, "shortest"),
            (b"\x81\xff" + (1 << 63).to_bytes(8, "big") + MASK, "63 bits"),
            (client_frame(TEXT, rsv=4), "reserved bits"),
            (client_frame(TEXT, rsv=2), "reserved bits"),
            (client_frame(PING, rsv=1), "reserved bits"),
            (frame_text(b"a"), "masked"),
            (frame_ping(), "masked"),
            (client_frame(CONTINUATION), "continuation"),
            (client_frame(TEXT, fin=False) + client_frame(TEXT), "new message"),
            (client_frame(TEXT, fin=False) + client_frame(TEXT, b"abcdefgh"), "new message"),
            (client_frame(BINARY, fin=False) + client_frame(BINARY), "new message"),
            (client_frame(BINARY) + client_frame(CONTINUATION), "continuation"),
            (client_frame(CLOSE, b"\x03"), "half a code"),
            *(
                (client_frame(CLOSE, code.to_bytes(2, "big")), "must not be sent")
                for code in (0, 999, 1004, 1005, 1006, 1014, 1015, 1016, 2999, 5000, 65535)
            ),
        ],
    )
    def test_a_breach_of_the_protocol_is_1002(self, data: bytes, reason: str) -> None:
        error = failure(FrameReader(), data)
        assert error.code == 1002
        assert reason in error.reason

    @pytest.mark.parametrize(
        "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 4999]
    )
    def test_lawful_close_codes_are_taken(self, code: int) -> None:
        [(kind, payload)] = FrameReader().feed(client_frame(CLOSE, code.to_bytes(2, "big") + "é".encode()))
        assert (kind, close_code(payload)) == (Kind.CLOSE, code)

    def test_an_empty_close_has_no_code(self) -> None:
        assert FrameReader().feed(client_frame(CLOSE)) == [(Kind.CLOSE, b"")]
        assert close_code(b"") == NO_CODE

    @pytest.mark.parametrize(
        "data",
        [
            client_frame(TEXT, b"\xff"),
            client_frame(TEXT, b"\xc3"),
            client_frame(TEXT, b"\xed\xa0\x80"),
            client_frame(TEXT, b"\xc0\x80"),
            client_frame(TEXT, b"abcdefgh\xf8"),
            client_frame(TEXT, b"x" * 200 + b"\xff"),
            client_frame(TEXT, b"\xc3", fin=False) + client_frame(CONTINUATION, b"a", fin=False),
            client_frame(TEXT, b"\xc3", fin=False) + client_frame(CONTINUATION),
            client_frame(CLOSE, b"\x03\xe8\xff"),
        ],
    )
    def test_text_that_is_no_utf_8_is_1007(self, data: bytes) -> None:
        """SPEC E5; also in a fragment before the last, and in a close frame's reason."""
        assert failure(FrameReader(), data).code == 1007

    def test_binary_messages_need_no_utf_8(self) -> None:
        data = client_frame(BINARY, b"\xff", fin=False) + client_frame(CONTINUATION, b"\xfe")
        assert FrameReader().feed(data) == [(Kind.BINARY, b"\xff\xfe")]

    def test_a_message_of_the_limit_is_taken_and_one_byte_more_is_1009(self) -> None:
        """SPEC E5: 64 KiB."""
        assert FrameReader().feed(client_frame(TEXT, b"x" * 65536)) == [(Kind.TEXT, b"x" * 65536)]
        assert failure(FrameReader(), client_frame(TEXT, b"x" * 65537)).code == 1009

    def test_the_limit_is_judged_by_the_declared_length_before_any_payload(self) -> None:
        """SPEC E5."""
        assert failure(FrameReader(), client_frame(TEXT, b"x" * 65537)[:14]).code == 1009
        assert failure(FrameReader(), b"\x82\xff" + (1 << 62).to_bytes(8, "big")).code == 1009

    def test_the_limit_is_that_of_the_whole_message(self) -> None:
        """SPEC E5."""
        half = b"x" * 32768
        start = client_frame(TEXT, half, fin=False)
        assert FrameReader().feed(start + client_frame(CONTINUATION, half)) == [(Kind.TEXT, half * 2)]
        assert failure(FrameReader(), start + client_frame(CONTINUATION, half + b"x")).code == 1009

    def test_control_frames_do_not_count_against_the_message(self) -> None:
        start = client_frame(TEXT, b"x" * 65536, fin=False)
        received = FrameReader().feed(start + client_frame(PING, b"p" * 125) + client_frame(CONTINUATION))
        assert [kind for kind, _ in received] == [Kind.PING, Kind.TEXT]

    def test_what_came_whole_before_a_fault_is_not_lost(self) -> None:
        error = failure(FrameReader(), client_frame(TEXT, b"a") + client_frame(PING, b"b") + client_frame(3))
        assert error.received == [(Kind.TEXT, b"a"), (Kind.PING, b"b")]

    def test_after_a_fault_nothing_is_read(self) -> None:
        reader = FrameReader()
        failure(reader, client_frame(3))
        assert reader.feed(client_frame(TEXT, b"a")) == []

    def test_after_a_close_nothing_is_read(self) -> None:
        """RFC 6455 §5.5.1."""
        reader = FrameReader()
        assert reader.feed(client_frame(CLOSE) + client_frame(TEXT, b"a") + b"\xff") == [(Kind.CLOSE, b"")]
        assert reader.feed(client_frame(TEXT, b"a")) == []

    def test_an_idle_reader_holds_no_buffer(self) -> None:
        """10 000 idle sessions cost ≤ 6 KiB each: between frames there is nothing to keep."""
        reader = FrameReader()
        reader.feed(client_frame(TEXT, b"x" * 60000)[:100])
        reader.feed(client_frame(TEXT, b"x" * 60000)[100:])
        reader.feed(client_frame(TEXT, b"x", fin=False) + client_frame(CONTINUATION))
        assert (reader._buffer, reader._fragments, reader._decoder) == (None, None, None)
