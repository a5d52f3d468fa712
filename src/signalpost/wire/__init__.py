"""The wire: bytes to typed frames and back, without sockets, clocks or rules (PROTOCOL.md)."""
