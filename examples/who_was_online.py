"""Who was online when: a line for each account that has gone, with when it came and for how long.

    python examples/who_was_online.py whsec_… [PORT] >> online.log

It lives on the promise that each `account.online` is followed by one `account.offline`, whatever crashes.
"""

import sys
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(sys.argv[1])
since: dict[str, datetime] = {}  # since when who is online
told: dict[str, int] = {}  # the `seq` of the latest event of each account: what is not above it is a repeat


def note(event: dict[str, Any]) -> None:
    """Act on one event."""
    account = event["data"].get("account", "")
    if event["type"] not in ("account.online", "account.offline") or event["seq"] <= told.get(account, 0):
        return
    told[account] = event["seq"]
    at = datetime.fromisoformat(event["timestamp"])
    if event["type"] == "account.online":
        since[account] = at
    elif account in since:
        came = since.pop(account)
        seconds = (at - came).total_seconds()
        print(f"{account} from {came:%F %T} for {seconds:.0f} s, {event['data']['reason']}", flush=True)


class Receiver(BaseHTTPRequestHandler):
    """One request: an event."""

    def do_POST(self) -> None:
        """Verify, act, then say so."""
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            note(webhook.verify(body, dict(self.headers)))
            self.send_response(204)
        except WebhookVerificationError:
            self.send_response(401)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing else."""


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 9000), Receiver)
print(f"listening on http://127.0.0.1:{server.server_port}/", file=sys.stderr, flush=True)
server.serve_forever()
