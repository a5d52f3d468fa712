"""How many descriptors the process may have, and has: each connection takes one."""

from __future__ import annotations

import os
import resource

import structlog

__all__ = ["allowed", "in_use", "raise_allowed"]

_log = structlog.get_logger("signalpost.descriptors")

_PLENTY = 2**20  # where there is no limit, and more than one process can use


def allowed() -> int:
    """How many the process may have."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _PLENTY if soft == resource.RLIM_INFINITY else min(soft, _PLENTY)


def raise_allowed() -> None:
    """Have as many as the process may ask for; the usual default is meant for programs with few files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError) as error:  # a system whose hard limit is more than it gives
            _log.warning("descriptors not raised", allowed=soft, error=str(error))
            return
    _log.info("descriptors", allowed=allowed(), before=soft)


def in_use() -> int:
    """How many the process has."""
    return len(os.listdir("/dev/fd"))
