"""Uplinks from the quarantine that could not be read: as the city's messages, once a codec or a rule is mended.

What the gateway has booked stands there whole, as the network server sent it, under the server's own topic.
"""

from gateway.chirpstack import ChirpStack
from gateway.events import Misspoken, Server, Uplink
from gateway.models import Models
from gateway.the_things_stack import TheThingsStack
from gateway.uplink import Translator
from telemetry import topics
from telemetry.registry import Registry

SERVERS: dict[str, type[ChirpStack] | type[TheThingsStack]] = {"application": ChirpStack, "v3": TheThingsStack}
"""How the topics of each network server begin. Sparkplug's messages say nothing without those before them."""


class Retranslation:
    """Reads kept uplinks by the models and the registry of today."""

    def __init__(self, models: Models, registry: Registry) -> None:
        self._models = models
        self._servers: dict[str, tuple[Server, Translator]] = {}
        for begin, server in SERVERS.items():
            translator = Translator(begin, models, {})
            translator.use(registry)
            self._servers[begin] = server(), translator

    async def message(self, topic: str, payload: bytes, received_us: int) -> tuple[str, bytes] | None:
        """The observation as it would be published; `None` if it is none of ours, or still brings none."""
        found = self._servers.get(topic.partition("/")[0])
        if found is None:
            return None
        server, translator = found
        try:
            events = server.hear(topic, payload, received_us).events
        except Misspoken:
            return None
        answers = await self._models.shelf.ask(translator.questions(events))
        with self._models.shelf.holding(answers):
            outcomes = [translator.once(event, received_us) for event in events if isinstance(event, Uplink)]
        messages = [message for outcome in outcomes for message in outcome.messages]
        telemetry = [each for each in messages if each.topic.encode().endswith(topics.TELEMETRY_SUFFIX)]
        return (telemetry[0].topic, telemetry[0].payload) if telemetry else None
