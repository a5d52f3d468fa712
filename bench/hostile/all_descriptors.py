"""One address opens connections without a login until no descriptor is left for anybody else (SPEC L16, E5).

Whoever comes meanwhile logs in, whatever the others have said, and whoever is logged in stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from urllib.parse import urlsplit

from wire import Closed, Watch, Wire, fresh, run

MOST = 12_000  # connections, or as many as this process may have: more than a server keeps without a login
_HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2lnbmFscG9zdC1ob3N0aQ==\r\n\r\n"
)
KINDS = {
    "silent": b"",
    "half a head": _HANDSHAKE[:60],
    "asked over HTTP": b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    "a body to come": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\nx",
    "refused": b"\x16\x03\x01\x02\x00\x01",
    "WebSocket": _HANDSHAKE,
}


async def attack(url: str) -> tuple[bool, str]:
    most = min(MOST, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 100)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most + 100, most + 100))
    told = []
    good = True
    async with Watch(url) as watch:
        for kind, said in KINDS.items():
            came = await newcomers(url, said, most)
            good &= came == "all in"
            told.append(f"{kind}: {came}")
    return good and watch.worst < float("inf"), f"{most} of each, newcomers: " + ", ".join(
        told
    ) + f"; {watch}"


async def newcomers(url: str, said: bytes, most: int) -> str:
    """What becomes of those who come after every tenth of the crowd."""
    crowd: list[socket.socket] = []
    try:
        for number in range(most):
            crowd.append(await one_more(url, said))
            if number % (most // 10) == most // 10 - 1:
                wire = await Wire.open(url)
                answer = await wire.login(fresh("newcomer"))
                wire.cut()
                if answer["result"] != "ok":
                    return f"{answer['reason']} after {number + 1}"
    except (Closed, OSError) as error:
        return f"{error} after {len(crowd)}"
    finally:
        for link in crowd:
            link.close()
    return "all in"


async def one_more(url: str, said: bytes) -> socket.socket:
    """A connection that says this, and nothing else."""
    parts = urlsplit(url)
    link = socket.socket()
    link.setblocking(False)
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(30):
        await loop.sock_connect(link, (parts.hostname or "127.0.0.1", parts.port or 80))
        with contextlib.suppress(ConnectionError):  # it may have had to go already
            await loop.sock_sendall(link, said)
    return link


run(attack)
