"""The engine: memory and storage behind small generic ports.

It knows keys, bytes and numbers that it is told. It refuses to know what a channel, a call or a
user is; see `ports` for the contracts.
"""
