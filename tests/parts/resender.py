"""Devices as the contract wants them: after an unclean reconnect they resend their last 60 s."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt

RESEND_S = 60.0
IN_FLIGHT_MAX = 500


@dataclass(frozen=True, slots=True)
class Uplink:
    """A message of a device; `fates` names what has to become of each of its observations, in the test's own words."""

    topic: str
    payload: bytes
    fates: tuple[object, ...]
    retain: bool = False


class Resender:
    """Publishes uplinks of several devices at a steady rate over one connection of a foreign client, until stopped.

    `believed` holds the fates of the uplinks that the broker has acknowledged, `sent` those of all; `published` counts
    uplinks, those sent again too.
    """

    def __init__(self, url: str, uplinks: Iterator[Uplink], rate_per_s: float) -> None:
        self.believed: set[object] = set()
        self.sent: set[object] = set()
        self.published = 0
        self._uplinks, self._rate = uplinks, rate_per_s
        self._recent: deque[tuple[float, Uplink]] = deque()
        self._waiting: deque[tuple[mqtt.MQTTMessageInfo, Uplink]] = deque()
        self._stop, self._resend = threading.Event(), threading.Event()
        self._connections = 0
        parts = urlsplit(url)
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="resender", clean_session=True)
        self._client.username_pw_set(parts.username, parts.password)
        self._client.reconnect_delay_set(1, 1)
        self._client.max_inflight_messages_set(IN_FLIGHT_MAX)
        self._client.on_connect = self._on_connect
        self._client.connect(parts.hostname or "", parts.port or 1883)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _on_connect(self, *_: object) -> None:
        self._connections += 1
        if self._connections > 1:
            self._resend.set()

    def _publish(self, uplink: Uplink) -> None:
        sent = self._client.publish(uplink.topic, uplink.payload, qos=1, retain=uplink.retain)
        self.published += 1
        if sent.rc == mqtt.MQTT_ERR_SUCCESS:  # else the line is down: it goes with the resend
            self._waiting.append((sent, uplink))

    def _resend_recent(self) -> None:
        self._resend.clear()
        since = time.monotonic() - RESEND_S
        for at, uplink in list(self._recent):
            if at >= since:
                self._publish(uplink)

    def _collect(self) -> None:
        """Believe what the broker has acknowledged."""
        for _ in range(len(self._waiting)):
            sent, uplink = self._waiting.popleft()
            if sent.is_published():
                self.believed.update(uplink.fates)
            else:
                self._waiting.append((sent, uplink))

    def _run(self) -> None:
        number, began = 0, time.monotonic()
        while not self._stop.is_set():
            if self._resend.is_set():
                self._resend_recent()
            self._collect()
            if not self._client.is_connected() or len(self._waiting) > 4 * IN_FLIGHT_MAX:
                time.sleep(0.02)
                continue
            uplink = next(self._uplinks)
            self._recent.append((time.monotonic(), uplink))
            self.sent.update(uplink.fates)
            self._publish(uplink)
            number += 1
            ahead_s = number / self._rate - (time.monotonic() - began)
            if ahead_s > 0:
                time.sleep(ahead_s)

    def stop(self, seconds: float = 30) -> None:
        """Send no more new readings, and wait until the broker has acknowledged what was sent."""
        self._stop.set()
        self._thread.join()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._resend.is_set():
                self._resend_recent()
            self._collect()
            if not self._waiting:
                break
            time.sleep(0.05)
        self._client.disconnect()
        self._client.loop_stop()
