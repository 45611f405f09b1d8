"""Code is written, rendered, and what was wrong with it told to who wrote it, a few times over."""

from dataclasses import dataclass, field

from coordinator.adapters.providers.coding import prompting
from coordinator.adapters.providers.coding.answers import Answer, code_in, words_in
from coordinator.adapters.providers.coding.llm import Llm
from coordinator.adapters.providers.coding.options import CodingOptions
from coordinator.adapters.providers.coding.spending import Spent
from coordinator.adapters.rendering.values import Rendered, Renderer, Unrendered
from coordinator.adapters.sandbox.limits import Limits
from coordinator.domain.providing import Blame, ProviderFault, Wish
from coordinator.ports_providers import Told

# Of the time a round takes, this much is writing.
_WRITING = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a language's blocks are marked, and its files end."""

    marks: tuple[str, ...]
    suffix: str


@dataclass(slots=True, kw_only=True)
class Written:
    """What became of all rounds.

    Attributes:
        rendered: None where no round gave geometry; `fault` tells why then.
        said: what was said with the last code.
    """

    spent: Spent
    code: str = ""
    said: str = ""
    model: str = ""
    rounds: int = 0
    rendered: Rendered | None = None
    fault: ProviderFault | None = None
    problems: list[str] = field(default_factory=list)


class Rounds:
    """Writes code for wishes, with one model and one renderer."""

    def __init__(
        self, llm: Llm, renderer: Renderer, options: CodingOptions, dialect: Dialect, limits: Limits
    ) -> None:
        """Take what writes, what renders, and how often and how long at most."""
        self._llm = llm
        self._renderer = renderer
        self._options = options
        self._dialect = dialect
        self._limits = limits

    def asked(self, wish: Wish) -> list[dict[str, str]]:
        """Return the messages of the first question."""
        told = prompting.rules(
            self._renderer.language,
            self._renderer.libraries,
            tokens_max=self._options.prompt_tokens_max,
        )
        return prompting.conversation(
            wish, role=self._options.system_role, told=told, fence=self._dialect.marks[0]
        )

    def asked_tokens(self, wish: Wish) -> int:
        """Return how many tokens the first question has at most."""
        return sum(prompting.tokens_of(each["content"]) for each in self.asked(wish))

    async def write(self, wish: Wish, told: Told) -> Written:
        """Return code that renders, or the last of the code that does not.

        Raises:
            ProviderFault: nothing was written at all, so nothing was charged.
        """
        written = Written(spent=Spent(self._options))
        first = self.asked(wish)
        tokens = self.asked_tokens(wish)
        messages = first
        for number in range(self._options.rounds_max):
            if not written.spent.allows(tokens, number):
                written.problems.append("a further round would cost more than cost_max")
                break
            told(number / self._options.rounds_max, f"writing, round {number + 1}")
            try:
                answer = await self._answer(messages, wish, number, told)
            except ProviderFault as fault:
                if number == 0:
                    raise
                written.fault = fault
                return written
            written.spent.add(answer, [each["content"] for each in messages])
            problem = await self._tried(answer, written, number, told)
            if not problem:
                return written
            written.problems.append(problem)
            messages = [
                *first,
                *prompting.correction(written.code, problem, fence=self._dialect.marks[0]),
            ]
        written.fault = _given_up(written)
        return written

    async def _answer(
        self, messages: list[dict[str, str]], wish: Wish, number: int, told: Told
    ) -> Answer:
        def heard(characters: int) -> None:
            expected = self._options.tokens_max * 3
            part = number + _WRITING * min(1.0, characters / expected)
            told(part / self._options.rounds_max, f"writing, round {number + 1}")

        return await self._llm.complete(messages, seed=wish.seed, heard=heard)

    async def _tried(self, answer: Answer, written: Written, number: int, told: Told) -> str:
        """Render what was written; return what is wrong with it, empty where nothing is."""
        written.rounds = number + 1
        written.model = answer.model or self._options.model
        written.said = words_in(answer.text)
        if answer.finish == "length":
            return (
                f"The answer was longer than {self._options.tokens_max} tokens and was cut off. "
                "Write a shorter program, and think less."
            )
        written.code = code_in(answer.text, self._dialect.marks)
        if not written.code:
            return "There was no program in the answer."
        told((number + _WRITING) / self._options.rounds_max, f"rendering, round {number + 1}")
        found = await self._renderer.render(written.code, {}, self._limits)
        if isinstance(found, Unrendered):
            return str(found)
        written.rendered = found
        return ""


def _given_up(written: Written) -> ProviderFault:
    last = written.problems[-1] if written.problems else "nothing was written"
    return ProviderFault(
        Blame.PROVIDER_FAILED,
        "code_not_rendered",
        f"after {written.rounds} rounds the code still fails: {last[:600]}",
    )
