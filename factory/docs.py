"""dbt's own documentation of all products, as one file that opens without a server.

Takes a workspace; gives an HTML file; runs dbt. dbt's page is left as it is; manifest and catalog are put
into it with every character escaped that could end a script, since descriptions are text from others
(`dbt docs generate --static` does not do that), and nothing in it may be fetched from another host. Of manifest and
catalog only the fields go in that the page reads (`pages`), without values of variables in compiled SQL, and a secret
in what is left refuses the page.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

from factory.build import Dbt
from factory.errors import DbtError
from factory.files import told_as, write_whole
from factory.guard import guard_of
from factory.locking import locked
from factory.pages import cut_catalog, cut_manifest, places_of, veiled
from factory.products import discover
from factory.umbrella import sync, write_run_profile
from factory.workspace import Workspace

_SLOTS = {"manifest.json": '"MANIFEST.JSON INLINE DATA"', "catalog.json": '"CATALOG.JSON INLINE DATA"'}


def write_docs(ws: Workspace, variables: str = "", environment: Mapping[str, str] | None = None) -> Path:
    """Write the page over every product and return its file.

    Args:
        ws: the workspace.
        variables: dbt's `--vars`, as YAML.
        environment: the environment variables of the command, whose values may not stand in the page.

    Raises:
        DbtError: dbt cannot read the project, or its page has another form than expected.
        LeakError: there is a secret in it; each place is named, and no page is written.

    """
    products = discover(ws)
    sync(ws, products)
    names = [product.name for product in products]
    artifacts = ws.work / "docs" / "artifacts"
    guard = guard_of(ws, products, environment or {}, variables)
    with locked(ws), guard.speaking():
        dbt = Dbt(ws, write_run_profile(ws, names, {}), variables, artifacts=artifacts)
        try:
            dbt.parse(names)
            dbt.document()
        finally:
            dbt.close()
    with told_as(DbtError, "reading dbt's documentation", artifacts):
        page = (artifacts / "index.html").read_text("utf-8")
        manifest, catalog = (json.loads((artifacts / name).read_bytes()) for name in _SLOTS)
    manifest = veiled(cut_manifest(manifest), guard.veil)
    catalog = cut_catalog(catalog)
    guard.gate.refuse(places_of(manifest, catalog))
    texts = {name: json.dumps(data) for name, data in zip(_SLOTS, (manifest, catalog), strict=True)}
    file = ws.work / "docs" / "index.html"
    with told_as(DbtError, "writing the documentation", file):
        write_whole(file, fill_in(page, texts), durable=False)
    return file


def fill_in(page: str, texts: Mapping[str, str]) -> str:
    """Return dbt's page with the artifacts in it, safe against what their texts hold.

    Raises:
        DbtError: the page has no place for them.

    """
    for name, slot in _SLOTS.items():
        if slot not in page:
            raise DbtError("dbt's documentation page is not that of dbt 1.11", hint="install dbt-core 1.11")
        page = page.replace(slot, _inline(texts[name]))
    return page.replace("<head>", f"<head>{_policy(page)}", 1)


def _policy(page: str) -> str:
    """Return the page's content security policy: its own scripts may run, and nothing may be fetched.

    Scripts are named by their hash, so that a handler which a description smuggles in does not run. dbt's
    templates are compiled in the browser, which needs `unsafe-eval`.
    """
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", page.replace("\r\n", "\n"), re.DOTALL)
    digests = sorted({b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts})
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"script-src 'unsafe-eval' {allowed}; style-src 'unsafe-inline'; img-src data:; font-src data:; "
        "connect-src 'none'; base-uri 'none'; form-action 'none'\">"
    )


def _inline(text: str) -> str:
    """Return JSON that can stand in a script: it cannot close the script or start a comment."""
    compact = json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        compact = compact.replace(char, f"\\u{ord(char):04x}")
    return compact
