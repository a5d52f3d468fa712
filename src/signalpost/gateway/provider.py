"""What a provider of tokens publishes, fetched over HTTP: bounded in time and size, without redirects."""

from __future__ import annotations

from typing import Final

import aiohttp

from signalpost.gateway.key_sets import FetchError

__all__ = ["fetch"]

_TIME: Final = aiohttp.ClientTimeout(total=10.0)  # seconds, for everything
_MOST: Final = 256 * 1024  # bytes


async def fetch(url: str) -> bytes:
    """The body of the answer. Raises FetchError."""
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIME, cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.get(url, allow_redirects=False, headers={"Accept": "application/json"}) as answer,
        ):
            if answer.status != 200:
                raise FetchError(f"it answers {answer.status}")
            body = bytearray()
            async for piece in answer.content.iter_any():
                body += piece
                if len(body) > _MOST:
                    raise FetchError(f"it tells more than {_MOST} bytes")
            return bytes(body)
    except TimeoutError:
        raise FetchError("it has not answered in time") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise FetchError(f"it cannot be reached: {type(error).__name__}") from None
