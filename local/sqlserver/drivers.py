"""What the drivers themselves say at connect and between statements, which no one at the hub wrote."""

import re

from local.sqlserver.executor import Context
from local.sqlserver.results import Answer, small
from local.sqlserver.wire import VERSION_TEXT

_SET = r"SET\s+(?:ARITHABORT|CONCAT_NULL_YIELDS_NULL|ANSI_NULLS|ANSI_NULL_DFLT_ON|ANSI_NULL_DFLT_OFF|ANSI_PADDING|" + (
    r"ANSI_WARNINGS|ANSI_DEFAULTS|QUOTED_IDENTIFIER|CURSOR_CLOSE_ON_COMMIT|IMPLICIT_TRANSACTIONS|NOCOUNT|XACT_ABORT|"
    r"TEXTSIZE|ROWCOUNT|DATEFORMAT|DATEFIRST|LANGUAGE|NUMERIC_ROUNDABORT|DEADLOCK_PRIORITY|FMTONLY|NO_BROWSETABLE)"
    r"\s+(?:ON|OFF|-?\d+|\w+)\s*;?"
)
_SETTINGS = re.compile(rf"\s*(?:{_SET}\s*)+", re.IGNORECASE)
_USE = re.compile(r"\s*use\s+(\[(?:[^\]]|\]\])+\]|\w+)\s*;?\s*", re.IGNORECASE)
_BEGIN = re.compile(r"\s*BEGIN\s+TRAN(?:SACTION)?\s*;?\s*", re.IGNORECASE)
_COMMIT = re.compile(r"\s*(?:IF\s+@@TRANCOUNT\s*>\s*0\s+)?COMMIT(?:\s+TRAN(?:SACTION)?)?\s*;?\s*", re.IGNORECASE)
_ROLLBACK = re.compile(r"\s*(?:IF\s+@@TRANCOUNT\s*>\s*0\s+)?ROLLBACK(?:\s+TRAN(?:SACTION)?)?\s*;?\s*", re.IGNORECASE)
_LEVEL = re.compile(
    r"\s*SET\s+TRANSACTION\s+ISOLATION\s+LEVEL\s+(READ\s+COMMITTED|READ\s+UNCOMMITTED|REPEATABLE\s+READ|SERIALIZABLE|"
    r"SNAPSHOT)\s*;?\s*",
    re.IGNORECASE,
)
_GLOBAL = re.compile(r"\s*SELECT\s+@@(\w+)\s*(?:AS\s+\[?(\w+)\]?)?\s*;?\s*", re.IGNORECASE)


def answer(context: Context, text: str) -> Answer | None:
    """The answer to a driver's own statement; None when it is none of them."""
    if _SETTINGS.fullmatch(text):
        return Answer(command=0xF9)
    if found := _USE.fullmatch(text):
        name = found[1][1:-1].replace("]]", "]") if found[1].startswith("[") else found[1]
        return Answer(changes=context.enter(name), command=0xE0)
    if found := _LEVEL.fullmatch(text):
        context.snapshot = found[1].upper() == "SNAPSHOT"
        return Answer(command=0xF9)
    if _BEGIN.fullmatch(text):
        context.begin()
        return Answer(command=0xD4)
    if _COMMIT.fullmatch(text) or _ROLLBACK.fullmatch(text):
        # drivers end transactions that were never begun; the server only says so in an error nobody shows
        if context.depth:
            context.end(keep=_COMMIT.fullmatch(text) is not None)
        return Answer(command=0xD5)
    if found := _GLOBAL.fullmatch(text):
        return _global(context, found[1].upper(), found[2] or "")
    return None


def _global(context: Context, name: str, title: str) -> Answer | None:
    """`SELECT @@NAME` for those that drivers ask."""
    values: dict[str, tuple[str, object]] = {
        "VERSION": ("nvarchar(300)", f"Microsoft SQL Server (ERP Hub stand-in) - {VERSION_TEXT}"),
        "SPID": ("smallint", context.number),
        "SERVERNAME": ("nvarchar(128)", context.server_name),
        "TRANCOUNT": ("int", context.depth),
        "MAX_PRECISION": ("tinyint", 38),
        "ROWCOUNT": ("int", 0),
        "LANGUAGE": ("nvarchar(128)", "us_english"),
        "LOCK_TIMEOUT": ("int", context.lock_timeout),
    }
    if name not in values:
        return None
    declaration, value = values[name]
    return small([(title, declaration)], [(value,)])
