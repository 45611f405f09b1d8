"""How --help reads: what people need first comes first, in words for people where the settings
library prints names of its types.
"""

import argparse
import re
from collections.abc import Iterable

# By how the names of settings begin; the first that fits, and what fits none comes last.
SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("where it is", ("state_dir", "host", "port", "public_url", "announce", "demo_farm")),
    ("who may come in", ("token", "approve_jobs", "oidc_", "trusted_proxies")),
    ("agents, and the broker they speak through", ("agents", "broker")),
    ("certificates", ("tls_",)),
    ("slicing, and what is started", ("slicing", "gcode_policy", "leases_ahead")),
    ("what is kept", ("database_url", "upload_", "artifacts_", "backup", "pictures_")),
    ("who is told", ("notices", "quiet_hours", "smtp_url", "mail_", "ntfy_")),
    ("models from providers", ("providers", "budget_", "approve_generations", "outbound_")),
    ("Home Assistant and other programs", ("homeassistant", "automation")),
    ("logs and traces", ("log_", "otlp_")),
)
_WORDS = {
    "str": "TEXT",
    "int": "N",
    "float": "N",
    "bool": "{true,false}",
    "Path": "PATH",
    "SecretStr": "SECRET",
    "list[str]": "TEXT",
    "list[JSON]": "JSON",
}
# A default that is empty, or a function that makes it, tells nobody anything.
_NO_DEFAULT = re.compile(r" ?\((default: (None|null)?|default factory: \w+)\)")


class HelpFormatter(argparse.HelpFormatter):
    """Formats the flags that pydantic-settings makes of a settings class."""

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None = None,
    ) -> None:
        """Say how flags look; which there are follows."""
        words = usage or "%(prog)s [--help] [--config FILE] [--SETTING VALUE ...]"
        super().add_usage(words, actions, groups, prefix)

    def add_arguments(self, actions: Iterable[argparse.Action]) -> None:
        """Add settings by section; what is none of a section comes before and behind."""
        left = list(actions)
        super().add_arguments([each for each in left if each.dest == "help"])
        left = [each for each in left if each.dest != "help"]
        for heading, beginnings in SECTIONS:
            these = [each for each in left if _name(each).startswith(beginnings)]
            left = [each for each in left if each not in these]
            if these:
                self.start_section(heading)
                super().add_arguments(these)
                self.end_section()
        super().add_arguments(left)

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return _NO_DEFAULT.sub("", action.help or "")

    def _format_args(self, action: argparse.Action, default_metavar: str) -> str:
        text = super()._format_args(action, default_metavar)
        if text.startswith("dict["):
            return "JSON"
        if text.startswith("list[{"):
            return text.removeprefix("list[").removesuffix("]") + ",..."
        return _WORDS.get(text, text)


def _name(action: argparse.Action) -> str:
    return action.dest.replace("-", "_")
