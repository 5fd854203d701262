"""Stamp a product: `factory new`.

Takes a workspace, a name and answers; gives the folder that stands now; writes it whole or not at all, and the
line of its owner in the workspace's CODEOWNERS.
"""

from __future__ import annotations

import difflib
import re
import shutil
import tempfile
import time
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factory.contract import read_promises
from factory.documents import read_yaml
from factory.errors import FactoryError, ProductError
from factory.files import told_as, write_whole
from factory.git import git
from factory.git import lines as lines_of
from factory.locking import locked
from factory.products import PRODUCT_NAME, RESERVED, Product, read_product
from factory.scaffold.template import (
    HERE,
    AnswerError,
    Template,
    TemplateError,
    own_template,
    questions_of,
    read_answers,
    render,
    sign,
)
from factory.workspace import Workspace

CODEOWNERS = Path(".github/CODEOWNERS")
_NAME_HINT = "use 2 to 63 lower case letters a-z, digits and _, a letter first"
_AN_HOUR = 3600
_TRUTH = ("true", "false", "yes", "no", "on", "off", "1", "0")
_HANDLE = re.compile(r"@[A-Za-z0-9_./-]+|[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True, slots=True)
class Stamped:
    """A product that was stamped.

    Attributes:
        name: the product's name.
        folder: where it lies.
        files: its files, relative to the folder.
        version: the template's version, or empty where it has none.
        connected: it reads output ports of other products.
        notes: what its maker should know, a sentence each.
    """

    name: str
    folder: Path
    files: tuple[str, ...]
    version: str
    connected: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What the workspace has, to choose from.

    Attributes:
        teams: by the domain of the products that are there.
        ports: tables by contract by product; no tables where the contract covers all public models.
    """

    teams: Mapping[str, tuple[str, ...]]
    ports: Mapping[str, Mapping[str, tuple[str, ...]]]

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains of the products that are there, sorted."""
        return tuple(sorted(self.teams))

    def teams_of(self, domain: str) -> tuple[str, ...]:
        """Return the teams of a domain's products, sorted."""
        return self.teams.get(domain, ())

    @property
    def port_names(self) -> tuple[str, ...]:
        """Every output port as an answer to `inputs`: product.contract, with the table where its name differs."""
        names = []
        for product, contracts in self.ports.items():
            for contract, tables in contracts.items():
                named = [table for table in tables if table != contract]
                if contract in tables or not tables:
                    names.append(f"{product}.{contract}")
                names += [f"{product}.{contract}.{table}" for table in named]
        return tuple(names)


def known(ws: Workspace) -> Known:
    """Return what the workspace has to choose from. A product that cannot be read has nothing to offer."""
    products = list(_readable(ws))
    ports: dict[str, dict[str, tuple[str, ...]]] = {}
    for product in products:
        try:
            promises = read_promises(product)
        except FactoryError:
            continue
        for promise in promises:
            tables = ports.setdefault(product.name, {})
            tables[promise.name] = tuple(dict.fromkeys((*tables.get(promise.name, ()), *promise.tables)))
    return Known(
        teams={
            domain: tuple(sorted({p.team for p in products if p.domain == domain and p.team}))
            for domain in {product.domain for product in products}
        },
        ports={name: ports[name] for name in sorted(ports)},
    )


def _readable(ws: Workspace) -> Iterator[Product]:
    for folder in sorted(ws.products.iterdir()) if ws.products.is_dir() else ():
        if folder.is_dir() and not folder.name.startswith((".", "_")):
            try:
                yield read_product(folder)
            except FactoryError:
                continue


def check_name(ws: Workspace, name: str) -> None:
    """Raise ProductError unless a new product may have the name."""
    if not PRODUCT_NAME.fullmatch(name):
        shown = name if len(name) <= 70 else f"{name[:60]}… ({len(name)} characters)"
        raise ProductError(f"the name {shown!r} is not allowed{_why(name)}", hint=_NAME_HINT)
    if name in RESERVED:
        raise ProductError(
            f"the name {name!r} is taken: it means something in SQL, in Python or in the workspace",
            hint="choose another name",
        )
    for product in _readable(ws):
        if product.name == name:
            hint = f"choose another name, or change the product in {ws.relative(product.folder)}"
            raise ProductError(f"there is a product {name!r} already", where=product.file, hint=hint)
    folder = ws.products / name
    if folder.is_symlink():
        raise ProductError(
            "a symbolic link lies there", where=folder, hint="choose another name, or remove the link"
        )
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise ProductError(
            "the folder is not empty", where=folder, hint="choose another name, or move the folder"
        )


def _why(name: str) -> str:
    """Say which character is at fault, by its name where it looks like another."""
    for character in name:
        if not re.fullmatch(r"[a-z0-9_]", character):
            called = unicodedata.name(character, f"U+{ord(character):04X}").lower()
            return f": it holds {character!r} ({called})"
    return ""


def stamp_product(
    ws: Workspace,
    name: str,
    answers: Mapping[str, Any],
    *,
    ask: bool = False,
    answers_file: Path | None = None,
) -> Stamped:
    """Stamp a new product into `products/NAME`.

    `answers` are by the keys of the template's questions. What is missing takes its default, or is asked for at the
    terminal with `ask`. `answers_file` is told as the place of a wrong answer. Raises:
        FactoryError: the name, an answer or the template cannot be used; then nothing was written.

    """
    given = {**answers, "name": name}
    check_name(ws, name)
    notes: list[str] = []
    folder = ws.products / name
    _code_owners(ws)
    with scratch_folder(ws) as scratch:
        template = own_template(ws, scratch)
        source = template.export(template.latest, scratch)
        _check_answers(source, given, answers_file)
        if given.get("inputs"):
            given["inputs"], noted = _resolved(given["inputs"], ws)
            notes += noted
        stamped = scratch / name
        render(source, stamped, given, ask=ask)
        sign(stamped, template)
        notes += _notes(template, ws, name)
        product = read_product(stamped)
        if product.name != name:
            raise TemplateError(f"the template stamps the name {product.name!r} instead of {name!r}")
        final = read_answers(stamped)
        if ask:  # the inputs were answered at the terminal, so they are looked up only now
            _resolved(final.get("inputs") or [], ws)
        notes += [
            f"{key} is not asked for this kind of product, and was left out."
            for key in given
            if key not in final
        ]
        files = tuple(sorted(f.relative_to(stamped).as_posix() for f in stamped.rglob("*") if f.is_file()))
        with told_as(ProductError, "stamping the product", folder), locked(ws, what="scaffold"):
            check_name(ws, name)  # once more, since another process may have stamped it in the meantime
            ws.products.mkdir(exist_ok=True)
            if folder.is_dir():
                folder.rmdir()
            stamped.rename(folder)
            _add_code_owner(ws, name, product.owner)
    return Stamped(name, folder, files, template.latest, bool(final.get("inputs")), tuple(notes))


@contextmanager
def scratch_folder(ws: Workspace) -> Iterator[Path]:
    """Give a folder on the workspace's own disk that is gone afterwards."""
    parent = ws.root / "target"
    with told_as(ProductError, "making a scratch folder", parent):
        parent.mkdir(exist_ok=True)
        for left in parent.glob(".scaffold-*"):  # of a process that was killed
            if time.time() - left.stat().st_mtime > _AN_HOUR:
                shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=".scaffold-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check_answers(source: Path, answers: Mapping[str, Any], file: Path | None) -> None:
    """Refuse answers to questions that the template does not ask, and words that are no truth value."""
    asked = questions_of(source)
    for key in answers:
        if key not in asked:
            near = difflib.get_close_matches(key, asked, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"its questions: {', '.join(asked)}"
            document = read_yaml(file) if file else None
            where = file if document and key in document.data else None
            line = document.line(key) if document and where else 0
            raise AnswerError(f"the template has no question {key!r}", where=where, line=line, hint=hint)
    for key, value in answers.items():
        # Copier takes any word for a truth value, and most of them for no.
        if asked[key].get("type") == "bool" and str(value).lower() not in _TRUTH:
            raise AnswerError(
                f"{key}: {value!r} is neither yes nor no", where=file, hint="write true or false"
            )


def resolve_inputs(inputs: Sequence[str], ws: Workspace) -> list[str]:
    """Return output ports as answers to `inputs`, each with its table where that is not called like the contract.

    Raises:
        AnswerError: one of them is no output port of the workspace.

    """
    return list(_resolved(list(inputs), ws)[0])


def _resolved(inputs: Any, ws: Workspace) -> tuple[Any, list[str]]:
    """Return the inputs with the table of each where its name is not the contract's, and what to say of that."""
    if not isinstance(inputs, list) or not all(isinstance(item, str) for item in inputs):
        return inputs, []  # the template's own validator says what is wrong
    ports = known(ws).ports
    resolved: list[str] = []
    notes: list[str] = []
    for item in inputs:
        name, note = _port(item, ports, ws)
        resolved.append(name)
        notes += [note] if note else []
    return resolved, notes


def _port(item: str, ports: Mapping[str, Mapping[str, tuple[str, ...]]], ws: Workspace) -> tuple[str, str]:
    parts = item.split(".")
    if len(parts) not in (2, 3) or not all(PRODUCT_NAME.fullmatch(part) for part in parts):
        raise AnswerError(f"inputs: {item!r} is no output port", hint="write product.contract")
    product, contract = parts[:2]
    names = ", ".join(Known({}, ports).port_names) or "none"
    if product not in ports:
        near = difflib.get_close_matches(product, ports, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise AnswerError(
            f"inputs: {item!r} does not exist: there is no product {product!r} with an output port",
            hint=f"{hint}output ports: {names}",
        )
    if contract not in ports[product]:
        private = any((ws.products / product).rglob(f"{contract}.sql"))
        why = "a model of it, but no output port: it is private" if private else "no contract of it"
        raise AnswerError(
            f"inputs: {item!r} is not an output port of {product}: {contract!r} is {why}",
            hint=f"its output ports: {', '.join(Known({}, {product: ports[product]}).port_names)}",
        )
    tables = ports[product][contract]
    if len(parts) == 3:
        if tables and parts[2] not in tables:
            raise AnswerError(
                f"inputs: {item!r} does not exist: the contract has no table {parts[2]!r}",
                hint=f"its tables: {', '.join(tables)}",
            )
        return (f"{product}.{contract}" if parts[2] == contract else item), ""
    if not tables or contract in tables:
        return item, ""
    others = f" ({', '.join(tables[1:])} can be read, too: name them as {product}.{contract}.TABLE)"
    note = f"{item} has no table of that name: {tables[0]} is read" + (others if len(tables) > 1 else "")
    return f"{product}.{contract}.{tables[0]}", note


def _notes(template: Template, ws: Workspace, name: str) -> list[str]:
    """Say what about the template's version will matter later."""
    if not template.address:
        return [
            "The workspace has no template (copier.yml), so the factory's own was taken: it brings no updates."
        ]
    if not template.is_repository:
        text = "The template is not committed, so the product knows no version of it: git init, commit, tag, and then"
        return [f"{text} `factory template adopt {name}`."]
    if template.address != HERE:
        return []
    notes = []
    if not template.versions:
        notes.append(
            f"The workspace has no tag, so the template's version is the last commit, {template.latest}. "
            "Give it one with `git tag v1.0.0`."
        )
    since = template.commit(template.latest)
    changed = lines_of(
        git("diff", "--name-only", "-z", since, "--", *template.paths(template.latest), cwd=ws.root)
    )
    if changed:
        notes.append(
            f"The template has changed since {template.latest} ({len(changed)} files). "
            "Products are stamped from that version until the change is committed and tagged."
        )
    return notes


def _code_owners(ws: Workspace) -> str | None:
    """Return the text of the workspace's CODEOWNERS, or None where it keeps none."""
    file = ws.root / CODEOWNERS
    if not file.is_file():
        return None
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ProductError("the file is not UTF-8 text", where=file, hint="save it as UTF-8") from error


def _add_code_owner(ws: Workspace, name: str, owner: str) -> None:
    """Let the owner review changes of the product, where the workspace keeps a CODEOWNERS file."""
    text = _code_owners(ws)
    path = f"/products/{name}/"
    if text is None or not _HANDLE.fullmatch(owner):
        return
    lines = text.splitlines()
    if not any(line.split()[:1] == [path] for line in lines):
        # In its place among the products, so that two branches seldom write at the same line.
        after = [
            n for n, line in enumerate(lines, 1) if line.startswith("/products/") and line.split()[0] < path
        ]
        first = next((n for n, line in enumerate(lines) if line.startswith("/products/")), len(lines))
        lines.insert(after[-1] if after else first, f"{path} {owner}")
        write_whole(ws.root / CODEOWNERS, "\n".join(lines) + "\n", durable=False)


def answers_of(file: Path) -> dict[str, Any]:
    """Read answers from a file as `--data-file` takes it; what Copier notes for itself is left out.

    Raises:
        FactoryError: the file cannot be read, or holds something else than answers by name.

    """
    document = read_yaml(file)
    if document.data is None:
        return {}
    if not isinstance(document.data, dict) or not all(isinstance(key, str) for key in document.data):
        raise AnswerError(
            "the file holds no answers", where=file, line=1, hint="write `question: answer` lines"
        )
    return {key: value for key, value in document.data.items() if not key.startswith("_")}
