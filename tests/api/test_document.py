"""The document tells the truth about the API (SPEC A1)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from openapi_spec_validator import validate
from schemathesis.checks import CHECKS

from signalpost.api.openapi import document, statuses
from signalpost.api.table import ROWS
from support.api import SECRET, ApiServer
from support.web import fetch

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT: dict[str, Any] = json.loads(document())
# What a schema cannot say (names are counted in bytes, and texts have no NUL) is refused all the same; and
# the server ends when it is told to.
LEFT_OUT = {"positive_data_acceptance"}

schema = schemathesis.openapi.from_dict(DOCUMENT).exclude(operation_id="drain")


def test_it_is_openapi() -> None:
    validate(DOCUMENT)


def test_what_is_committed_is_what_the_table_makes() -> None:
    """`make openapi` writes it again."""
    assert (ROOT / "docs" / "openapi.json").read_bytes() == document()


async def test_a_server_serves_it(server: ApiServer) -> None:
    assert fetch(f"{await server.api()}/v1/openapi.json").text.encode() == document()


def test_each_row_is_in_it_with_all_that_it_may_answer() -> None:
    for row in ROWS:
        operation = DOCUMENT["paths"][row.path][row.method.lower()]
        assert operation["operationId"] == row.name
        assert operation["responses"].keys() == {str(status) for status in statuses(row)}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Any:
    import asyncio

    with ApiServer(tmp_path_factory.mktemp("schema")) as server:
        yield asyncio.run(server.api())


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_whatever_is_asked_is_answered_as_it_says(case: schemathesis.Case, base: str) -> None:
    checks = [check for check in CHECKS.get_all() if check.__name__ not in LEFT_OUT]
    case.call_and_validate(base_url=base, headers={"Authorization": f"Bearer spk_op_{SECRET}"}, checks=checks)
