"""What the API does, the command does too: each route is asked by some verb, or says why not."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from coordinator.api.app import ROUTES
from coordinator.api.render import API_ROOT

CLI = Path(__file__).parents[2] / "coordinator" / "cli"

# What no command asks, and why. The rest of the API's routes must be asked by one.
NOT_ASKED = {
    "HEAD artifacts/{sha256}": "a program's question before GET",
    "HEAD health": "a probe's",
    "GET health/live": "a probe's",
    "HEAD health/live": "a probe's",
    "GET health/ready": "a probe's",
    "HEAD health/ready": "a probe's",
    "GET models/{model_id}/versions/{number}/file": "`model fetch` fetches it as an artifact",
    "HEAD models/{model_id}/versions/{number}/file": "a program's question before GET",
    "GET releases/{version}/file": "agents fetch releases",
    "HEAD releases/{version}/file": "agents fetch releases",
    "GET plates/{sha256}": "agents fetch plates; people fetch artifacts",
    "HEAD plates/{sha256}": "agents fetch plates; people fetch artifacts",
    "POST agents/enroll": "`farmhand-agent enroll` asks it, on the agent's machine",
    "GET authority": "agents ask it while they enrol",
    "PUT agents/{agent_id}/printers/{printer_id}/picture": "agents send what they see",
    "GET live": "a WebSocket, for pages; `watch` and `--follow` ask again and again",
    "GET live/events": "for pages and programs, as the WebSocket is",
    "POST live/tickets": "what opens a live connection in a browser",
    "POST codes": "a page shows it to a phone; a terminal has the text",
    "POST session": "a browser's cookie; the command shows a token or a key",
    "DELETE session": "a browser's cookie; `session end` ends others",
    "POST me/password": "wants a session's owner and the old password; `user passwd` sets another",
    "POST tokens": "signed tokens are for programs that want them; a key does as well",
    "POST tokens/refresh": "as POST tokens",
    "POST tokens/revoke": "as POST tokens",
    "POST provider-webhooks/{name}/{token}": "providers call it",
    "GET login": "what a log in page offers",
    "GET login/openid": "a browser is sent there",
    "GET login/openid/callback": "a browser is sent there",
}
# As one step of an address: what is put in there.
HOLE = "{}"


def routes() -> set[str]:
    return {
        f"{route.method} {route.path.removeprefix(API_ROOT).lstrip('/')}"
        for route in ROUTES
        if route.path.startswith(API_ROOT)
    }


def text_of(node: ast.expr | None, known: dict[str, ast.expr]) -> str | None:
    """Return a text with holes for what is put in, None for what is no text."""
    match node:
        case ast.Constant(value=str()):
            return str(node.value)
        case ast.Name():
            others = {name: value for name, value in known.items() if name != node.id}
            return text_of(known.get(node.id), others) if node.id in known else HOLE
        case ast.JoinedStr():
            return "".join(text_of(each, known) or HOLE for each in node.values)
        case ast.FormattedValue():
            # Only what a function of ours makes of it is an address; a name's value is a part.
            is_made = isinstance(node.value, ast.Call) or (
                isinstance(node.value, ast.Name)
                and isinstance(known.get(node.value.id), ast.Call | ast.JoinedStr)
            )
            return text_of(node.value, known) if is_made else HOLE
        case ast.Call(func=ast.Name()):
            return text_of(known.get(node.func.id), {})
        case _:
            return None


def assigned(target: ast.expr, value: ast.expr) -> dict[str, ast.expr]:
    """Return what an assignment gives names to, pairs side by side too."""
    match target, value:
        case ast.Name(), _:
            return {target.id: value}
        case ast.Tuple(), ast.Tuple():
            pairs = zip(target.elts, value.elts, strict=False)
            return {name: made for each in pairs for name, made in assigned(*each).items()}
        case _:
            return {}


def asked_in(function: ast.AST, made: dict[str, ast.expr]) -> Iterator[str]:
    """Yield `METHOD path` for each question that is asked there.

    Args:
        made: what the module's functions of one line return.
    """
    known = dict(made)
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            known.update(assigned(node.targets[0], node.value))
    for node in ast.walk(function):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        words = {word.arg: word.value for word in node.keywords}
        if name == "ask" and len(node.args) >= 2:
            method, path = node.args[:2]
        elif name in ("_items", "all_of") and node.args:
            method, path = ast.Constant("GET"), node.args[0]
        elif name == "_post" and len(node.args) >= 3:
            method, path = ast.Constant("POST"), node.args[2]
        elif name == "send" and len(node.args) == 3:  # a form with a file
            method, path = ast.Constant("POST"), node.args[0]
        elif name == "_Request":
            method, path = words["method"], words["path"]
        else:
            continue
        asked = (text_of(path, known) or HOLE).partition("?")[0].removesuffix(HOLE + HOLE)
        if asked != HOLE:  # what only hands on another's question tells nothing
            yield f"{text_of(method, known)} {asked}"


def questions() -> set[str]:
    found = set()
    for path in CLI.glob("*.py"):
        functions = [
            node
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.FunctionDef)
        ]
        made = {
            each.name: each.body[-1].value
            for each in functions
            if isinstance(each.body[-1], ast.Return) and each.body[-1].value is not None
        }
        for function in functions:
            found.update(asked_in(function, made))
    return found


def pattern_of(question: str) -> re.Pattern[str]:
    """Return what a question asks, whatever is put into its holes; a query is put in at the end."""
    text = re.escape(question).replace(re.escape(HOLE), "[^/ ]+")
    return re.compile(re.sub(r"\[\^/ \]\+$", "[^/ ]*", text))


def test_each_route_has_a_command_or_a_reason() -> None:
    patterns = [pattern_of(question) for question in questions()]
    asked = {route for route in routes() if any(each.fullmatch(route) for each in patterns)}
    lacking = sorted(routes() - asked - NOT_ASKED.keys())
    assert not lacking, "no command asks these; give them one, or a reason in NOT_ASKED"
    assert not NOT_ASKED.keys() & asked, "there is a command: the reason holds no more"
    assert not NOT_ASKED.keys() - routes(), "there is no such route any more"


def test_every_question_of_the_command_is_one_that_the_api_answers() -> None:
    known = routes()
    for question in sorted(questions()):
        assert any(pattern_of(question).fullmatch(route) for route in known), question
