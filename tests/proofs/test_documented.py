"""Commands are taken out of pages as people would type them."""

from pathlib import Path

import pytest

from tests.proofs.documented import commands, filled

PAGE = """\
# A page

```sh
before
```

## Install

Words, `code`.

```sh
sudo one --flag       # what it does
printf 'a # b' | two
```

```toml
# no = "command"
```

### Deeper

```sh

three X
```

## Next

```sh
four
```
"""


def test_commands_of_a_section_come_in_order_without_comments(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    assert commands(page, "Install") == ["sudo one --flag", "printf 'a # b' | two", "three X"]
    assert commands(page, "Deeper") == ["three X"]
    with pytest.raises(LookupError, match="Gone"):
        commands(page, "Gone")


def test_what_the_reader_puts_in_is_put_in() -> None:
    assert filled("enroll TOKEN --at URL", {"TOKEN": "t", "URL": "u"}) == "enroll t --at u"
