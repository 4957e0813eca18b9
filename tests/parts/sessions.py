"""What one client of a broker says and is answered: user names and rights, as a real broker keeps them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from queue import Queue
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from tests.parts.broker import BrokerPart

WAIT_S = 5.0
NOT_AUTHORISED = 135


class Session:
    """A connected MQTT 5 client that tells what the broker answered."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._answers: Queue[int] = Queue()
        self.received: Queue[tuple[str, bytes]] = Queue()
        client.on_publish = lambda _c, _u, _mid, reason, _p: self._answers.put(reason.value)
        client.on_subscribe = self._subscribed
        client.on_message = self._message

    def publish(self, topic: str, payload: bytes = b"{}", retain: bool = False) -> int:
        """Publish at QoS 1 and return the reason code of the acknowledgement."""
        self._client.publish(topic, payload, qos=1, retain=retain)
        return self._answers.get(timeout=WAIT_S)

    def publish_all(self, topic: str, payloads: list[bytes]) -> None:
        """Publish a burst at QoS 1 and return once all of it is acknowledged."""
        for payload in payloads:
            self._client.publish(topic, payload, qos=1)
        for _ in payloads:
            self._answers.get(timeout=WAIT_S)

    def subscribe(self, topic: str) -> int:
        self._client.subscribe(topic, qos=1)
        return self._answers.get(timeout=WAIT_S)

    def _subscribed(
        self, _client: Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        self._answers.put(reasons[0].value)

    def _message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self.received.put((message.topic, bytes(message.payload)))


@contextmanager
def session(broker: BrokerPart, user: str, password: str, lasting: str | None = None) -> Iterator[Session]:
    """A connection as `user`; with a client id in `lasting` the broker keeps its messages for an hour."""
    client = Client(CallbackAPIVersion.VERSION2, client_id=lasting or "", protocol=MQTTProtocolVersion.MQTTv5)
    client.username_pw_set(user, password)
    client.max_inflight_messages_set(1_000)
    connected: Queue[bool] = Queue()
    client.on_connect = lambda _c, _u, _f, reason, _p: connected.put(not reason.is_failure)
    talk = Session(client)
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 3600 if lasting else 0
    client.connect(broker.host, broker.port, clean_start=lasting is None, properties=properties)
    client.loop_start()
    try:
        if not connected.get(timeout=WAIT_S):
            raise PermissionError(f"the broker refuses {user}")
        yield talk
    finally:
        client.disconnect()
        client.loop_stop()


def platform(broker: BrokerPart, lasting: str | None = None) -> AbstractContextManager[Session]:
    return session(broker, "platform", urlsplit(broker.url).password or "", lasting)
