"""The engine that keeps in PostgreSQL what must survive: one database for all nodes.

What a node has gathered is done there in one call, so that much of it is in functions.sql.
"""

from __future__ import annotations

from signalpost.engine.postgres.kept import PostgresKept
from signalpost.engine.postgres.renewal import renew

__all__ = ["PostgresKept", "renew"]
