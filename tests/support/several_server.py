"""`signalpost` as several nodes in one process, as the environment's NODES says: see `support.several`.

The file that NODE_PORTS names has their ports when the first of them is told; a later run takes the same.
FAR_ENGINE says how far away from them is what they share.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import msgspec

from signalpost import app
from signalpost.__main__ import main
from signalpost.api.listener import ApiListener
from signalpost.config import Config
from support.several import Common


class Several:
    """As many servers as the environment says, where there is one otherwise."""

    def __init__(self, config: Config, **_: Any) -> None:
        self._file = Path(os.environ["NODE_PORTS"])
        self._common = Common(config, time.time, far=os.environ.get("FAR_ENGINE") or "none")
        count = int(os.environ["NODES"])
        ports = [config.port] + [0] * (count - 1)
        if self._file.exists():
            ports = [int(port) for port in self._file.read_text().split()]
        for port in ports:
            self._common.node(msgspec.structs.replace(config, port=port))
            config = msgspec.structs.replace(config, api=None)  # the first has it

    @property
    def api(self) -> ApiListener | None:
        """That of the first."""
        return self._common.nodes[0].server.api

    @property
    def port(self) -> int:
        """That of the first."""
        return self._common.nodes[0].server.port

    async def start(self) -> None:
        """Start all."""
        for node in self._common.nodes:
            await node.server.start()
        self._file.write_text(" ".join(str(node.server.port) for node in self._common.nodes))

    async def stop(self) -> None:
        """Stop them one after the other."""
        for node in self._common.nodes:
            node.server.listener.stop()
        for node in self._common.nodes:
            await node.server.stop()
        await self._common.close()


if __name__ == "__main__":
    app.Server = Several  # type: ignore[assignment,misc]
    raise SystemExit(main())
