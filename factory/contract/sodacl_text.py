"""The words of SodaCL: what a check's line says, and what is refused of it before anything runs.

Takes the line of a check and what stands below it; gives its parts; touches nothing. The grammar is soda-core
3.5's (`SodaCLAntlr.g4`). What Soda would pass over in silence, or call passed without looking, is refused here.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

#: A name as the grammar takes it: in double quotes, in backticks or bare.
NAME = r'(?:"[^"]+"|`[^`]+`|[^\s<>=!()\[\],"`]+)'
_ARGUMENTS = r'\((?P<arguments>(?:"[^"]*"|`[^`]*`|[^()"`])*)\)'
_METRIC = re.compile(
    rf"(?P<change>change (?:.*? )?for )?(?P<metric>{NAME})(?:{_ARGUMENTS})?(?P<rest>.*)", re.DOTALL
)

_OF_ROWS = ("row_count",)
_OF_COLUMNS = (
    "missing_count", "missing_percent", "invalid_count", "invalid_percent", "valid_count", "duplicate_count",
    "duplicate_percent", "avg", "avg_length", "max", "max_length", "min", "min_length", "stddev", "stddev_pop",
    "stddev_samp", "sum", "variance", "var_pop", "var_samp", "percentile",
)  # fmt: skip
#: What a check can begin with.
WORDS = (
    *_OF_ROWS, *_OF_COLUMNS, "freshness", "schema", "failed", "values", "change", "group",
)  # fmt: skip

#: What a value can be held against by name, in `valid format` and its like.
FORMATS = (
    "integer", "positive integer", "negative integer", "decimal", "positive decimal", "negative decimal",
    "decimal point", "positive decimal point", "negative decimal point", "decimal comma",
    "positive decimal comma", "negative decimal comma", "percentage", "positive percentage",
    "negative percentage", "percentage point", "positive percentage point", "negative percentage point",
    "percentage comma", "positive percentage comma", "negative percentage comma", "money", "money point",
    "money comma", "date us", "date eu", "date inverse", "date iso 8601", "time 24h", "time 24h nosec",
    "time 12h", "time 12h nosec", "timestamp 24h", "timestamp 12h", "uuid", "ip address", "ipv4 address",
    "ipv6 address", "email", "phone number", "credit card number",
)  # fmt: skip

_VALIDITY = (
    "valid values", "invalid values", "valid format", "invalid format", "valid regex", "invalid regex",
    "valid min", "valid max", "valid length", "valid min length", "valid max length", "missing values",
    "missing format", "missing regex", "include null",
)  # fmt: skip

# Sections and checks that need a service, a second data source or extra packages.
_REFUSED_SECTIONS = (
    ("automated monitoring", "automated monitoring needs Soda's service"),
    ("profile columns", "profiling is not supported"),
    ("discover ", "discovering datasets needs Soda's service"),
    ("sample ", "samples of rows are never taken"),
    ("for each column", "soda-core has no checks for each column"),
    ("reconciliation", "reconciliation needs two data sources"),
    ("distribution", "distribution checks need packages that are not part of this"),
)
_REFUSED_CHECKS = (
    ("anomaly", "anomaly checks need Soda's service and packages that are not part of this"),
    ("distribution", "distribution checks need packages that are not part of this"),
    ("reconciliation", "reconciliation needs two data sources"),
    ("$", "templates of checks need Soda's own library"),
)
_VALUE = r"[-+]?(?:\d+\.?\d*|\.\d+)(?: ?%)?"
_THRESHOLD = re.compile(
    rf"(?:(?:=|!=|<>|<=|>=|<|>) {_VALUE}|(?:not )?between [\[(]?{_VALUE} and {_VALUE}[\])]?)"
)
_DURATION = r"(?:\d+[dhms])+"
_FRESH = re.compile(rf"\s*<=?\s+(?:{_DURATION}|\$\{{.*)\s*")
_STALE = re.compile(rf"when\s+>=?\s+(?:{_DURATION}|\$\{{.*)\s*")


class RefusedError(ValueError):
    """A check or a section that cannot be run as it is written: `message`, and a `hint` how to go on."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Line:
    """The line of a check in parts.

    Attributes:
        kind: its first word, in which checks are told apart.
        metric: what is measured, in the grammar's words, with no change over time: `row_count`, `avg`.
        arguments: columns and numbers in brackets, as they are written.
        change: the words of a change over time, such as `change avg last 7 for `, or empty.
        threshold: what is promised, as it is written, or empty.
    """

    kind: str
    metric: str
    arguments: tuple[str, ...]
    change: str
    threshold: str


def line_of(text: str) -> Line:
    """Return the parts of a check's line; what is no metric has its first words as metric."""
    text = text.strip()
    kind = re.split(r"[\s(:<>=!]", text, maxsplit=1)[0]
    for words in ("failed rows", "group by", "group evolution", "schema", "row_count same as"):
        if text.startswith(words) and (words != "schema" or text == words):
            return Line(kind, words, (), "", "")
    if text.startswith("values in"):
        inner = re.match(rf"values in\s*(?:\((?P<many>[^)]*)\)|(?P<one>{NAME}))", text)
        named = (inner["many"] or inner["one"]) if inner else ""
        return Line(kind, "values in", pieces(named), "", "")
    if text.startswith("freshness using"):
        return Line(kind, "freshness", (), "", text.partition("<")[1] + text.partition("<")[2])
    found = _METRIC.fullmatch(text)
    if not found:
        return Line(kind, kind, (), "", "")
    arguments = pieces(found["arguments"] or "")
    return Line(kind, found["metric"], arguments, found["change"] or "", found["rest"].strip())


def pieces(text: str) -> tuple[str, ...]:
    """Return the names and numbers of a list in brackets, as they are written; nothing if it is no such list."""
    if not re.fullmatch(rf"\s*{NAME}\s*(?:,\s*{NAME}\s*)*", text):
        return ()
    return tuple(re.findall(NAME, text))


def bare(name: str) -> str:
    """Return a name without its quotes."""
    return name[1:-1] if len(name) > 1 and name[0] == name[-1] and name[0] in "\"`'" else name


def promised(line: Line, options: Mapping[str, Any]) -> str:
    """Return what a check promises of its measured value, in words: `< 5`, `warn: > 3, fail: > 5`, or nothing."""
    if line.threshold:
        return line.threshold
    zones = [
        f"{zone}: {str(options[zone]).removeprefix('when ')}"
        for zone in ("warn", "fail")
        if isinstance(options.get(zone), str)
    ]
    if not zones and line.metric in ("failed rows", "values in", "row_count same as"):
        return "= 0"
    return ", ".join(zones)


def refuse_section(heading: str) -> None:
    """Raise `RefusedError` for a section that is known and not supported, or not known at all."""
    for start, why in _REFUSED_SECTIONS:
        if heading.startswith(start):
            raise RefusedError(f"`{heading}` is not supported: {why}", "remove the section")
    first = heading.split(" ", maxsplit=1)[0]
    near = difflib.get_close_matches(first, ("checks", "filter", "configurations", "for"), 1)
    hint = "write `checks for <table>:` and a list of checks"
    if near and near[0] == "for":
        hint = "write `for each dataset T:` with `datasets:` and `checks:`"
    raise RefusedError(f"`{heading}` is no section of SodaCL", hint)


def refuse_check(text: str, options: Mapping[str, Any]) -> None:
    """Raise `RefusedError` for a check that cannot be run, or that Soda would call passed without looking."""
    for start, why in _REFUSED_CHECKS:
        if text.strip().startswith(start):
            raise RefusedError(f"{text!r} is not supported: {why}", "remove the check")
    line = line_of(text)
    own = any(
        str(key).startswith(bare(line.metric)) and str(key).endswith(("expression", "query", "sql_file"))
        for key in options
    )
    if line.kind not in WORDS and not own:
        near = difflib.get_close_matches(line.kind, WORDS, 1)
        hint = (
            f"did you mean {near[0]!r}?" if near else f"define it with `{line.kind} expression:` or a query"
        )
        raise RefusedError(f"{text!r}: {line.kind!r} is no metric of SodaCL", hint)
    _refuse_formats(options)
    if look := _BY_METRIC.get(line.metric):
        look(text, line, options)
    elif line.metric != "values in":
        _refuse_metric(text, line, options, own=own)


def _refuse_formats(options: Mapping[str, Any]) -> None:
    for key in ("valid format", "invalid format", "missing format"):
        stated = options.get(key)
        if isinstance(stated, str) and "${" not in stated and stated not in FORMATS:
            near = difflib.get_close_matches(stated, FORMATS, 1)
            hint = f"did you mean {near[0]!r}?" if near else "use one of SodaCL's formats, or `valid regex`"
            raise RefusedError(f"{stated!r} is no format of SodaCL", hint)


def _refuse_schema(text: str, _: Line, options: Mapping[str, Any]) -> None:
    zones = [options.get(zone) for zone in ("warn", "fail")]
    if not any(isinstance(zone, dict) and zone for zone in zones):
        hint = "write what is wrong below `fail:` or `warn:`, `when required column missing: [a]` for example"
        raise RefusedError(f"{text!r} says nothing to check", hint)


def _refuse_groups(_text: str, _: Line, options: Mapping[str, Any]) -> None:
    if missing := [key for key in ("query", "fields", "checks") if key not in options]:
        raise RefusedError(
            f"`group by` has no `{missing[0]}`", "write `query:`, `fields:` and `checks:` below it"
        )
    for check in options["checks"] or ():
        inner = next(iter(check), "") if isinstance(check, dict) else check
        if isinstance(inner, str) and inner.startswith("change "):
            message = f"{inner!r} is not supported: groups have no history"
            raise RefusedError(message, "write a query for each group that matters, or remove the check")


def _refuse_evolution(text: str, _: Line, options: Mapping[str, Any]) -> None:
    for zone in ("warn", "fail"):
        stated = options.get(zone)
        if isinstance(stated, dict) and "when groups change" in stated:
            message = f"`when groups change` of {text!r} is not supported: soda-core does not compare groups"
            raise RefusedError(message, "list the groups with `when required group missing`")


def _refuse_freshness(text: str, line: Line, options: Mapping[str, Any]) -> None:
    hint = "write `freshness(column) < 1d`, or zones such as `warn: when > 1d`; units are d, h and m"
    zones = [options[zone] for zone in ("warn", "fail") if zone in options]
    _refuse_both(text, line, options)
    if not line.threshold and not zones:
        raise RefusedError(f"{text!r} promises nothing", hint)
    wrong = bool(line.threshold) and not _FRESH.fullmatch(line.threshold)
    if wrong or any(not isinstance(zone, str) or not _STALE.fullmatch(zone) for zone in zones):
        raise RefusedError(f"{text!r}: freshness is held against a longest age", hint)
    if not line.arguments and not text.startswith("freshness using"):
        raise RefusedError(f"{text!r} names no column", hint)


def _refuse_failed_rows(text: str, _: Line, options: Mapping[str, Any]) -> None:
    if "fail condition" not in options and "fail query" not in options:
        raise RefusedError(
            f"{text!r} says nothing to check", "write `fail condition:` or `fail query:` below it"
        )


def _refuse_other_source(text: str, _: Line, _options: Mapping[str, Any]) -> None:
    if re.search(r"\sin\s+\S+$", text.strip()):
        raise RefusedError(f"{text!r} is not supported: it needs a second data source", "remove the check")


_BY_METRIC: Mapping[str, Callable[[str, Line, Mapping[str, Any]], None]] = {
    "schema": _refuse_schema,
    "group by": _refuse_groups,
    "group evolution": _refuse_evolution,
    "row_count same as": _refuse_other_source,
    "freshness": _refuse_freshness,
    "failed rows": _refuse_failed_rows,
}


def _refuse_metric(text: str, line: Line, options: Mapping[str, Any], *, own: bool) -> None:
    _refuse_both(text, line, options)
    hint = "write `> 0`, for example, or zones: `warn: when > 3` and `fail: when > 5`"
    if not line.threshold and "warn" not in options and "fail" not in options:
        raise RefusedError(f"{text!r} promises nothing", hint)
    _refuse_threshold(text, line.threshold, hint)
    for zone in ("warn", "fail"):
        stated = options.get(zone)
        if stated is not None and not str(stated).startswith("when "):
            raise RefusedError(f"{text!r}: `{zone}: {stated}` is no zone", f"write `{zone}: when > 3`")
        _refuse_threshold(text, str(stated or "").removeprefix("when "), hint)
    if own:
        if useless := [key for key in ("filter", *_VALIDITY) if key in options]:
            message = f"{text!r}: `{useless[0]}` has no effect on a metric of one's own"
            raise RefusedError(message, "write it into the expression or the query")
        return
    if not line.arguments and text.rstrip().split(" ")[0] != line.metric and "(" in text:
        hint = "write names with commas between them; one with blanks stands in double quotes"
        raise RefusedError(f"{text!r}: what stands in the brackets cannot be read", hint)
    if line.metric in _OF_COLUMNS and not line.arguments:
        raise RefusedError(f"{text!r} names no column", f"write `{line.metric}(column)`")
    if line.metric == "percentile" and len(line.arguments) != 2:
        raise RefusedError(f"{text!r} needs a column and a share", "write `percentile(column, 0.95) < 100`")


def _refuse_threshold(text: str, threshold: str, hint: str) -> None:
    # Soda reads as far as it understands: of `> 1e3` it would take the 1.
    if threshold and "${" not in threshold and not _THRESHOLD.fullmatch(threshold.strip()):
        raise RefusedError(f"{text!r}: {threshold!r} is no threshold", hint)


def _refuse_both(text: str, line: Line, options: Mapping[str, Any]) -> None:
    if line.threshold and ("warn" in options or "fail" in options):
        message = f"{text!r} has a threshold in its line and zones below it; Soda would not look at the zones"
        raise RefusedError(message, "keep one of them")


def quoted_text(text: str) -> str:
    """Return a check's line with its tables and columns in double quotes.

    Quotes free names from the grammar and from SQL: `d`, `h`, `m`, `when`, `order`, upper case.
    """
    text = text.strip()
    if found := re.fullmatch(rf"row_count same as ({NAME})(.*)", text):
        return f"row_count same as {quoted_name(found[1])}{found[2]}"
    if found := re.fullmatch(rf"freshness using ({NAME})(.*)", text):
        return f"freshness using {quoted_name(found[1])}{found[2]}"
    if text.startswith("values in"):
        return _quoted_reference(text)
    found = _METRIC.fullmatch(text)
    if not found or found["arguments"] is None:
        return text
    arguments = pieces(found["arguments"])
    if not arguments:
        return text
    named = arguments[:1] if found["metric"] in ("freshness", "percentile") else arguments
    inner = ", ".join([*map(quoted_name, named), *arguments[len(named) :]])
    return f"{found['change'] or ''}{found['metric']}({inner}){found['rest']}"


def quoted_name(name: str) -> str:
    """Return a name in double quotes; a number, a path with dots and an expression stay as they are."""
    if name[:1] == '"' or re.fullmatch(r"[-+]?[\d.]+", name):
        return name
    inner = bare(name)
    if inner != name or re.fullmatch(r"[^\W\d]\w*", name):
        return f'"{inner}"'
    return name


def _quoted_reference(text: str) -> str:
    found = re.fullmatch(
        rf"values in\s+(?P<left>\([^)]*\)|{NAME})\s+must\s+(?P<negated>not )?exist in\s+(?P<table>{NAME})"
        rf"\s+(?P<right>\([^)]*\)|{NAME})",
        text,
    )
    if not found:
        return text
    sides = [
        ", ".join(map(quoted_name, pieces(found[side].removeprefix("(").removesuffix(")"))))
        for side in ("left", "right")
    ]
    table = quoted_name(found["table"])
    return f"values in ({sides[0]}) must {found['negated'] or ''}exist in {table} ({sides[1]})"
