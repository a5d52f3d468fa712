"""The rules: what may happen, as pure functions of state, arguments and time.

Nothing here waits, reads a clock, draws a random number, logs or touches a socket. A rule gets `now`
and facts, and returns a decision or raises `Refusal`.
"""
