"""The use cases: facts from the engine, a rule's decision, a commit, then the telling.

A service knows ports and rules. It refuses to know sockets, frames, SQL or which engine it runs on.
"""
