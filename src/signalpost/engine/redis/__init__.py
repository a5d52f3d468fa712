"""The shared half of a cluster, in Redis or Valkey, without persistence.

All that a node has to ask and to do in one tick is one call of one program, which runs in the store at one
instant: `program/*.lua`. It knows data structures and no rules, as the ports do.
"""

from __future__ import annotations

from signalpost.engine.redis.address import Address, AddressError
from signalpost.engine.redis.shared import RedisShared

__all__ = ["Address", "AddressError", "RedisShared"]
