"""The door of back ends and operators: an HTTP API over the same use cases that clients have (SPEC §11)."""
