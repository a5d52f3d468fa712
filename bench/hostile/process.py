"""The process of a server on this machine: what it holds in memory and what it has written, from /proc."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from wire import Closed

__all__ = ["megabytes", "serving", "written"]


def serving(url: str) -> Path:
    """The directory in /proc of the process that listens on the URL's port."""
    port = urlsplit(url).port or 80
    listening = {
        fields[9]
        for table in ("tcp", "tcp6")
        for fields in map(str.split, Path(f"/proc/net/{table}").read_text().splitlines()[1:])
        if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port
    }
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = str(descriptor.readlink())
        except OSError:  # it is gone, or another user's
            continue
        if target.startswith("socket:[") and target[8:-1] in listening:
            return descriptor.parent.parent
    raise Closed(f"no process of ours listens on port {port} of this machine")


def megabytes(process: Path) -> float:
    """What it holds in memory."""
    return _number(process / "status", "VmRSS:") / 1000


def written(process: Path) -> float:
    """How many megabytes it has had written to disks since it began."""
    return _number(process / "io", "write_bytes:") / 1e6


def _number(file: Path, name: str) -> int:
    for line in file.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise Closed(f"{file} does not say {name}")
