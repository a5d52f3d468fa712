"""All orders in which things can happen: a play is done again and again, each time with other choices."""

from __future__ import annotations

import random
from collections.abc import Callable

__all__ = ["Choose", "every_order"]

Choose = Callable[[int], int]
"""Which of so many things happens next."""


class _Choices:
    """The first choices are given, the others are the first of what there is."""

    def __init__(self, given: list[int]) -> None:
        self._given = given
        self._made: list[tuple[int, int]] = []  # what was chosen, of how many

    def __call__(self, options: int) -> int:
        place = len(self._made)
        chosen = self._given[place] if place < len(self._given) else 0
        self._made.append((chosen, options))
        return chosen

    def next(self) -> list[int] | None:
        """What to give the next time; None if these were the last."""
        made = self._made
        while made and made[-1][0] + 1 == made[-1][1]:
            made.pop()
        if not made:
            return None
        return [*(chosen for chosen, _ in made[:-1]), made[-1][0] + 1]


def every_order(play: Callable[[Choose], None], *, most: int = 500, seed: int = 0) -> int:
    """Play in all orders, or if there are more in `most` of them and in as many that chance picks.

    Returns how often it was played.
    """
    given: list[int] = []
    for number in range(most):
        choices = _Choices(given)
        play(choices)
        following = choices.next()
        if following is None:
            return number + 1
        given = following
    chance = random.Random(seed)
    for _ in range(most):
        play(chance.randrange)
    return 2 * most
