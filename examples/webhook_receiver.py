"""A receiver of webhooks: it verifies what comes, leaves out what it knows already, and prints the rest.

    python examples/webhook_receiver.py whsec_… [PORT]

The secret is that of `[apps.ID.webhooks.NAME]` in the server's configuration, and so is the address:
`url = "http://127.0.0.1:9000/"`.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(sys.argv[1])
seen: set[str] = set()  # in earnest: a table of your database, written in the transaction that acts


class Receiver(BaseHTTPRequestHandler):
    """One request: an event."""

    def do_POST(self) -> None:
        """Verify, act, then say so: whoever answers first and acts then may lose an event."""
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            event = webhook.verify(body, dict(self.headers))
        except WebhookVerificationError:
            self.answer(401)
            return
        if self.headers["webhook-id"] not in seen:
            seen.add(self.headers["webhook-id"])
            print(event["timestamp"], event["type"], json.dumps(event["data"]), flush=True)
        self.answer(204)

    def answer(self, status: int) -> None:
        """An answer without a body."""
        self.send_response(status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing else."""


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 9000), Receiver)
print(f"listening on http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()
