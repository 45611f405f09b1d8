"""What a language model is told: the rules, the libraries that are there, what was said. Pure."""

from collections.abc import Sequence
from pathlib import Path

from coordinator.domain.providing import Said, Wish

_PROMPTS = Path(__file__).with_name("prompts")
# Of what stands before, this much is said again; the code as it stands tells the rest.
_SAID_BEFORE_MAX = 12
_FEEDBACK_CHARACTERS_MAX = 3000


def rules(language: str, libraries: Sequence[str], *, tokens_max: int) -> str:
    """Return how code is to be written, and as much on its libraries as there is room for.

    Sections of a prompt that bear the name of a library are told where it is there; the first part
    always.
    """
    first, *sections = (_PROMPTS / f"{language}.md").read_text().split("\n## ")
    told = [first]
    room = tokens_max - tokens_of(first)
    for section in sections:
        title = section.partition("\n")[0]
        named = " " in title or title in libraries
        if named and tokens_of(section) <= room:
            told.append(section)
            room -= tokens_of(section)
    return "\n## ".join(told)


def conversation(wish: Wish, *, role: str, told: str, fence: str) -> list[dict[str, str]]:
    """Return the messages of a wish: the rules, what was said, the code as it stands.

    Args:
        role: who tells the rules.
        fence: how a block of the language is marked.
    """
    before = [_message(each) for each in wish.conversation[-_SAID_BEFORE_MAX:]]
    asked = wish.prompt
    if wish.size_mm is not None:
        asked += f"\nIts longest side is to be {wish.size_mm:g} mm."
    if wish.parameters:
        values = ", ".join(f"{name} = {value}" for name, value in wish.parameters.items())
        asked += f"\nThe user has chosen these values, make them the defaults: {values}"
    if wish.code:
        asked = f"The program as it stands:\n{block(wish.code, fence)}\nChange it: {asked}"
    return [{"role": role, "content": told}, *before, {"role": "user", "content": asked}]


def correction(code: str, problem: str, *, fence: str) -> list[dict[str, str]]:
    """Return the messages that ask for code to be mended."""
    written = block(code, fence) if code else "(no program)"
    return [
        {"role": "assistant", "content": written},
        {
            "role": "user",
            "content": f"That did not work:\n{problem[:_FEEDBACK_CHARACTERS_MAX]}\n"
            "Mend it, and answer with the whole program.",
        },
    ]


def block(code: str, fence: str) -> str:
    """Return code as a block."""
    return f"```{fence}\n{code.rstrip()}\n```"


def tokens_of(text: str) -> int:
    """Return how many tokens a text has at most, for all that is usual."""
    return int(len(text.encode()) / 2.5) + 8


def _message(said: Said) -> dict[str, str]:
    return {"role": "assistant" if said.speaker == "assistant" else "user", "content": said.text}
