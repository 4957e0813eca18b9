"""The OpenAPI document says what each operation refuses, and shows examples that are true to their schemas."""

from typing import Any

import httpx
import jsonschema
import pytest

from api.description import operations

Document = dict[str, Any]


@pytest.fixture
async def document(client: httpx.AsyncClient) -> Document:
    found: Document = (await client.get("/openapi.json")).json()
    return found


def contents(document: Document) -> list[tuple[str, str, Document]]:
    """Every body that is sent or answered: the operation, its media type, and what is said of it."""
    return [
        (f"{method} {path}", media_type, content)
        for method, path, operation in operations(document)
        for body in (operation.get("requestBody", {}), *operation["responses"].values())
        for media_type, content in body.get("content", {}).items()
    ]


async def test_every_body_has_an_example(document: Document) -> None:
    assert [(where, media_type) for where, media_type, content in contents(document) if "example" not in content] == []


async def test_examples_keep_to_their_schemas(document: Document) -> None:
    bodies = [content for _, media_type, content in contents(document) if media_type.endswith("json")]
    parameters = [each for _, _, operation in operations(document) for each in operation.get("parameters", [])]
    for shown in bodies + [each for each in parameters if "example" in each]:
        schema = shown["schema"] | {"components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(shown["example"])


async def test_whoever_needs_a_token_or_the_database_says_how_it_is_refused(document: Document) -> None:
    for method, path, operation in operations(document):
        expected = {"401", "429", "503"} if operation.get("security") else set()
        expected |= {"400", "403", "422"} if method != "GET" else set()
        expected |= {"413", "415"} if "requestBody" in operation else set()
        assert expected <= operation["responses"].keys(), f"{method} {path}"


async def test_another_method_is_told_all_that_the_address_takes(client: httpx.AsyncClient) -> None:
    answer = await client.put("/ops/v1/zones/market/closure")
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, POST")
