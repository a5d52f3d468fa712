"""`signalpost` with as many workers as the environment's WORKERS says, each with an engine of its own.

The engines are in memory, so that the workers share nothing but the port: what is tried is how they live and
die.
"""

from __future__ import annotations

import os

from signalpost import __main__ as program


def _run() -> int:
    import msgspec

    from signalpost import app, cli
    from signalpost.config import Config

    run = app.run

    def run_workers(config: Config) -> int:
        workers = int(os.environ["WORKERS"])
        return run(msgspec.structs.replace(config, workers=workers, data=":memory:"))

    app.run = run_workers  # type: ignore[assignment]
    return cli.main()


if __name__ == "__main__":
    program._run = _run
    raise SystemExit(program.main())
