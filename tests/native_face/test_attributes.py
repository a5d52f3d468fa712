"""Attributes and OwnAttributes, method by method."""

from __future__ import annotations

import pytest

from native_face.people import House
from signalpost.client import RequestError


async def test_attributes_get(native: House) -> None:
    """SPEC P2: "" for one that was never set."""
    ada, bo = await native.client("ada"), await native.client("bo")
    await ada.attributes.set("mood", "good")
    assert await bo.attributes_of("ada").get("mood") == "good"
    assert await bo.attributes_of("ada").get("other") == ""
    assert await bo.attributes_of("nobody").get("mood") == ""


async def test_attributes_all(native: House) -> None:
    """SPEC P2: by name."""
    ada, bo = await native.client("ada"), await native.client("bo")
    await ada.attributes.set("mood", "good")
    await ada.attributes.set("a number", "5")
    assert await bo.attributes_of("ada").all() == {"mood": "good", "a number": "5"}
    assert await bo.attributes.all() == {}


async def test_ownattributes_set(native: House) -> None:
    """SPEC P2, L11: at most 100; the grace time reads back clamped."""
    ada = await native.client("ada")
    await ada.attributes.set("_conn_timeout", "5")
    assert await ada.attributes.get("_conn_timeout") == "20"
    await ada.attributes.set("big", "x" * 8096)
    for number in range(98):
        await ada.attributes.set(f"{number}", "")
    with pytest.raises(RequestError, match="100 attributes") as raised:
        await ada.attributes.set("one more", "")
    assert raised.value.code == 1001
