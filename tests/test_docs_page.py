"""`factory docs`: dbt's documentation as one file, safe against what descriptions hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import look
from conftest import Command
from mesh import make_mesh, replace

from factory.docs import fill_in
from factory.errors import DbtError

HOSTILE = "</script><script>document.title='pwned'</script><img src=https://evil.example.org/x onerror=document.title='pwned'>"


def test_the_page_opens_without_a_server_and_runs_no_text_of_others(
    tmp_path: Path, factory: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_mesh(tmp_path / "mesh")
    monkeypatch.chdir(root)
    replace(
        root / "products/sales/models/_sales.yml",
        "The output port sales.",
        f"'{HOSTILE.replace(chr(39), chr(34))}'",
    )
    result = factory("docs", "--format", "json")
    assert result.code == 0, result.err
    page = root / result.json["file"]
    assert page.stat().st_size == result.json["bytes"]
    dom, log = look(f"{page.as_uri()}#!/model/model.sales.sales", tmp_path / "profile")
    assert "customer_id" in dom
    assert "<title>pwned" not in dom
    assert "<title>" in dom
    for line in log.splitlines():
        if "evil.example.org" in line:
            assert "violates the following Content Security Policy" in line


def test_inlined_artifacts_cannot_end_a_script() -> None:
    page = '<head></head><script>m="MANIFEST.JSON INLINE DATA";c="CATALOG.JSON INLINE DATA"</script>'
    filled = fill_in(page, {"manifest.json": '{"a": "</script><!--\\u2028&"}', "catalog.json": "{}"})
    assert filled.count("</script>") == 1
    assert "<!--" not in filled
    assert "Content-Security-Policy" in filled


def test_a_page_of_another_form_is_refused() -> None:
    with pytest.raises(DbtError):
        fill_in("<head></head>", {"manifest.json": "{}", "catalog.json": "{}"})
