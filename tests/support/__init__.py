"""What the tests share: a raw client, a server process, and matching of frames."""
