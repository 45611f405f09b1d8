"""What the database itself refuses: to rewrite history. Triggers, in each database's language."""

_REFUSAL = "history is only appended to"
# What no checkpoint covers.
_KEPT = "OLD.number > (SELECT coalesce(max(number), 0) FROM checkpoints)"
_ACTS = (("events", "UPDATE"), ("events", "DELETE"), ("history", "DELETE"))


def of_history(dialect: str) -> list[str]:
    """Return the statements that guard events, and that move the history's end with each."""
    if dialect == "postgresql":
        refuse = f"RAISE EXCEPTION '{_REFUSAL}';"
        # At once and before, not after: what one statement inserts is checked row by row.
        append = (
            "UPDATE history SET number = NEW.number, hash = NEW.hash "
            f"WHERE number = NEW.number - 1; IF NOT FOUND THEN {refuse} END IF; RETURN NEW;"
        )
        statements = [_function("farmhand_refuse", refuse), _function("farmhand_append", append)]
        statements += [_refusing(dialect, table, act) for table, act in _ACTS]
        statements += [_refusing(dialect, table, "TRUNCATE") for table in ("events", "history")]
        statements.append(_calling("events_append", "BEFORE INSERT ON events", "farmhand_append"))
        return statements
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
    statements = [_refusing(dialect, table, act) for table, act in _ACTS]
    statements.append(
        "CREATE TRIGGER events_refuse_gap BEFORE INSERT ON events "
        f"WHEN NEW.number <> (SELECT number FROM history) + 1 {refuse}"
    )
    statements.append(
        "CREATE TRIGGER events_move_end AFTER INSERT ON events "
        "BEGIN UPDATE history SET number = NEW.number, hash = NEW.hash; END"
    )
    return statements


def of_checkpoints(dialect: str) -> list[str]:
    """Return the statements that guard checkpoints, and free what one covers to be removed."""
    if dialect == "postgresql":
        # A subquery can't stand in a trigger's condition there.
        refuse_kept = f"IF {_KEPT} THEN RAISE EXCEPTION '{_REFUSAL}'; END IF; RETURN OLD;"
        statements = [
            "DROP TRIGGER events_refuse_delete ON events",
            _function("farmhand_refuse_kept", refuse_kept),
            _calling("events_refuse_delete", "BEFORE DELETE ON events", "farmhand_refuse_kept"),
            _refusing(dialect, "checkpoints", "TRUNCATE"),
        ]
    else:
        refuse = f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        named = "CREATE TRIGGER events_refuse_delete BEFORE DELETE ON events"
        statements = ["DROP TRIGGER events_refuse_delete", f"{named} WHEN {_KEPT} {refuse}"]
    return statements + [_refusing(dialect, "checkpoints", act) for act in ("UPDATE", "DELETE")]


def _refusing(dialect: str, table: str, act: str) -> str:
    name, when = f"{table}_refuse_{act.lower()}", f"BEFORE {act} ON {table}"
    if dialect == "postgresql":
        return _calling(name, when, "farmhand_refuse", whole=act == "TRUNCATE")
    return f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"


def _calling(name: str, when: str, function: str, *, whole: bool = False) -> str:
    each = "STATEMENT" if whole else "ROW"
    return f"CREATE TRIGGER {name} {when} FOR EACH {each} EXECUTE FUNCTION {function}()"


def _function(name: str, body: str) -> str:
    head = f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
    return f"{head} AS $$ BEGIN {body} END $$"
