"""What writing code costs: at most, and as it was. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from coordinator.adapters.providers.coding.answers import Answer
from coordinator.adapters.providers.coding.options import CodingOptions
from coordinator.adapters.providers.coding.prompting import tokens_of
from coordinator.domain.providing import Cost

_MILLION = Decimal(1_000_000)
# What a correction says besides the code: the complaints.
_CORRECTION_TOKENS = 1500


def at_most(options: CodingOptions, asked_tokens: int) -> Cost | None:
    """Return what all rounds cost at most, None where there is no price.

    Args:
        asked_tokens: of the first question.
    """
    if not options.price_in and not options.price_out:
        return None
    total = sum(
        (round_at_most(options, asked_tokens, number) for number in range(options.rounds_max)),
        Decimal(0),
    )
    if options.cost_max is not None:
        total = min(total, options.cost_max)
    return Cost(amount=total, unit=options.currency)


def round_at_most(options: CodingOptions, asked_tokens: int, number: int) -> Decimal:
    """Return what one round costs at most; `number` counts from 0, which has nothing to mend."""
    mending = options.tokens_max + _CORRECTION_TOKENS if number else 0
    return (
        (asked_tokens + mending) * options.price_in + options.tokens_max * options.price_out
    ) / _MILLION


class Spent:
    """What the rounds so far have cost."""

    def __init__(self, options: CodingOptions) -> None:
        """Begin with nothing."""
        self._options = options
        self.amount = Decimal(0)
        self.tokens_in = self.tokens_out = 0

    def add(self, answer: Answer, asked: Sequence[str]) -> None:
        """Count an answer: by its cost, else by its tokens, else by its length.

        Args:
            asked: the texts of the question.
        """
        tokens_in = answer.tokens_in or sum(map(tokens_of, asked))
        tokens_out = answer.tokens_out or tokens_of(answer.text)
        self.tokens_in += tokens_in
        self.tokens_out += tokens_out
        options = self._options
        by_tokens = (tokens_in * options.price_in + tokens_out * options.price_out) / _MILLION
        self.amount += by_tokens if answer.cost is None else answer.cost

    def allows(self, asked_tokens: int, number: int) -> bool:
        """Whether a further round stays within `cost_max`."""
        most = self._options.cost_max
        if most is None:
            return True
        return self.amount + round_at_most(self._options, asked_tokens, number) <= most

    @property
    def charged(self) -> Cost | None:
        """What it has cost, None where it costs nothing."""
        if not self.amount and not self._options.price_in and not self._options.price_out:
            return None
        return Cost(amount=self.amount, unit=self._options.currency, exact=True)
