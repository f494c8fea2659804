"""`docs/metrics.md`, `docs/errors.md` and `docs/cli.md`: what the surfaces promise, for people."""

from __future__ import annotations

import importlib
import pkgutil
from inspect import cleandoc, getmembers, isclass
from typing import TYPE_CHECKING, Any

import typer

import consumers
import domain
import infra
from domain.errors import RefusedError
from infra import metrics
from infra.cli.main import command_line
from infra.malformed import MalformedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import ModuleType

GENERATED = "Generated from the code by `python -m infra.contract --write`; do not edit."
METRICS_HEAD = f"""\
# Metrics

{GENERATED}

`guanxi serve` shows the totals of the whole ledger, as of the default date, and times its own
appends; `relay` and `project` show their own. No label holds a customer's id. What to do when one
of them raises an alarm is in [operations.md](operations.md).

"""
METRICS_FOOT = """
Metrics of parts that are not there yet: `guanxi_checkpoint_size`,
`guanxi_checkpoint_age_seconds`.
"""
ERRORS_HEAD = f"""\
# Errors

{GENERATED}

Every foreseeable error has a stable code. The command line writes `guanxi: CODE: message` to
stderr, with `--json` also `{{"error": {{"code", "message"}}}}` to stdout; HTTP answers with
problem details (RFC 9457) that hold the code; `rejects.csv` has it beside each rejected row.

"""
CLI_HEAD = f"""\
# Command line

{GENERATED}

`--ledger`, `--kafka`, `--keys` and `--json` may stand before or after the command's name; the
first three may be told by `GUANXI_LEDGER`, `GUANXI_KAFKA` and `GUANXI_KEYS`. With `--json` there
is exactly one JSON document on stdout; logs and progress go to stderr. Exit statuses: 0 done ·
1 failed · 2 the call was wrong · 3 some rows of a feed were rejected.

"""
SHARED = frozenset({"ledger", "kafka", "keys", "as_json", "help"})


def metrics_page() -> str:
    """Return the page of all metrics."""
    rows = (
        (f"`{spec.name}`", spec.kind, ", ".join(f"`{each}`" for each in spec.labels), spec.meaning)
        for spec in sorted(metrics.SPECS, key=lambda spec: spec.name)
    )
    return METRICS_HEAD + _table(("metric", "kind", "labels", "meaning"), rows) + METRICS_FOOT


def errors_page() -> str:
    """Return the page of all codes: what is refused, what is malformed, what fails."""
    coded = sorted(coded_errors(), key=lambda error: (error.code, error.__name__))
    refused = [e for e in coded if issubclass(e, RefusedError)]
    failures = [_failure(e) for e in coded if not issubclass(e, RefusedError)]
    sections = (
        (
            "A command breaks a rule",
            "Nothing is recorded and nothing claimed.",
            ("code", "rule", "what to do"),
            [_rule(e) for e in refused if not issubclass(e, MalformedError)],
        ),
        (
            "A value is malformed",
            "It cannot be represented, whatever the rules say.",
            ("code", "the value", "what to do"),
            [_rule(e) for e in refused if issubclass(e, MalformedError)],
        ),
        ("A feed's file or row cannot be read", FEED_WORDS, ("code", "meaning"), FEED),
        (
            "Something else is wrong",
            FAILURE_WORDS,
            ("code", "meaning", "tried again"),
            sorted(failures + OTHERS),
        ),
    )
    return ERRORS_HEAD + "\n".join(
        f"## {title}\n\n{words}\n\n{_table(head, dict.fromkeys(rows))}"
        for title, words, head, rows in sections
    )


FEED_WORDS = "The reject says the line and what to do; the other rows are taken."
FAILURE_WORDS = """\
A question, the keys, a database, Kafka, or the call itself. What can be tried again is: commands
wait with back-off before they give up, long-running ones never do."""
FEED = [  # these are told by their readers, without a class of ours
    ("`bad-encoding`", "The bytes are not UTF-8."),
    ("`bad-json`", "A line is not one JSON object of plain values."),
    ("`duplicate-column`", "A column is there twice."),
    ("`empty-file`", "There is no header row, or no row."),
    ("`row-too-long`", "A row is longer than any sound one."),
    ("`too-few-columns`", "A row has fewer columns than the header."),
    ("`too-many-columns`", "A row has more columns than the header."),
    ("`unbalanced-quotes`", "A quote is opened and not closed, or stands in the middle."),
    ("`unsupported-file`", "This ledger cannot take such a file yet."),
]
OTHERS = [  # the same
    ("`bad-parameter`", "HTTP: a parameter or the body is not of its documented form.", ""),
    ("`http-error`", "HTTP: no such route, or another method is needed.", ""),
    ("`internal`", "HTTP: a fault of the program; its log says more.", ""),
    ("`not-ingested`", "A feed was not gone through to its end; the message says which file.", ""),
    ("`system`", "The operating system refused, such as a file that cannot be written.", ""),
]


def coded_errors() -> set[Any]:
    """Return every exception class of the program that has a code of its own."""
    return {
        found
        for package in (domain, consumers, infra)
        for module in _modules(package)
        for _, found in getmembers(module, isclass)
        if issubclass(found, Exception)
        and found.__module__.split(".")[0] in {"domain", "consumers", "infra"}
        and isinstance(getattr(found, "code", None), str)
    }


def cli_page() -> str:
    """Return the page of all commands, their arguments and options."""
    root: Any = typer.main.get_command(command_line())
    return CLI_HEAD + "\n".join(_command("guanxi", root))


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def _rule(error: Any) -> tuple[str, str, str]:  # noqa: ANN401 - a class of RefusedError
    return f"`{error.code}`", f"{error.rule}.", f"{error.remedy}."


def _failure(error: Any) -> tuple[str, str, str]:  # noqa: ANN401 - an exception with a code
    meaning = cleandoc(error.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    return f"`{error.code}`", meaning, "yes" if getattr(error, "retriable", False) else ""


def _command(name: str, command: Any) -> Iterator[str]:  # noqa: ANN401 - Typer publishes no type
    children = getattr(command, "commands", {})
    for child in sorted(children):
        yield from _command(f"{name} {child}", children[child])
    if children:
        return
    own = [each for each in command.params if each.name not in SHARED]
    words = " ".join(_usage(each) for each in own)
    yield f"## {name}\n\n```\n{name} {words}".rstrip() + f"\n```\n\n{cleandoc(command.help)}\n"
    told = [(f"`{_spelled(each)}`", each.help) for each in own if getattr(each, "help", None)]
    if told:
        yield _table(("", "meaning"), told)


def _spelled(parameter: Any) -> str:  # noqa: ANN401 - as above
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    return str(parameter.opts[0])


def _usage(parameter: Any) -> str:  # noqa: ANN401 - as above
    word = _spelled(parameter)
    if parameter.param_type_name == "option" and not parameter.is_flag:
        word = f"{word} {parameter.name.rstrip('_').upper()}"
    return word if parameter.required or word.startswith("[") else f"[{word}]"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "".join(f"| {' | '.join(_cell(each) for each in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
