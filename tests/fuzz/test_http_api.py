"""A short, seeded run of the fuzzer of HTTP; `make fuzz` is the long one."""

from tests.fuzz.http_api import knock
from tests.fuzz.town import served


async def test_every_answer_is_as_the_openapi_document_says(database: str) -> None:
    options = ["--phases", "examples,fuzzing", "--max-examples", "3", "--seed", "7"]
    async with served(database) as town:
        verdict = await knock(town, options)
    assert verdict.passed, verdict.report
    assert verdict.cases > 100
