"""How --help reads: words for people where the settings library prints names of its types."""

import argparse
import re

_WORDS = {
    "str": "TEXT",
    "int": "N",
    "float": "N",
    "Path": "PATH",
    "SecretStr": "SECRET",
    "list[str]": "TEXT",
    "list[JSON]": "JSON",
    "dict[str,SecretStr]": "JSON",
}
# A default that is empty, or a function that makes it, tells nobody anything.
_NO_DEFAULT = re.compile(r" ?\((default: (None|null)?|default factory: \w+)\)")


class HelpFormatter(argparse.HelpFormatter):
    """Formats the flags that pydantic-settings makes of a settings class."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return _NO_DEFAULT.sub("", action.help or "")

    def _format_args(self, action: argparse.Action, default_metavar: str) -> str:
        text = super()._format_args(action, default_metavar)
        return _WORDS.get(text, text)
