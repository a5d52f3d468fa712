"""The edge: sockets, WebSocket and HTTP, and the commands that frames stand for."""
