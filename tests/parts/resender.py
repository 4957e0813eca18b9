"""Devices as the contract wants them: after an unclean reconnect they resend their last 60 s."""

import json
import threading
import time
from collections import deque
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt

from telemetry import topics

RESEND_S = 60.0
IN_FLIGHT_MAX = 500


class Resender:
    """Publishes numbered readings of several lamps at a steady rate over one connection, until stopped.

    `believed` holds (device, ts in milliseconds) of each reading that the broker has acknowledged.
    """

    def __init__(self, url: str, devices: list[str], start_ms: int, rate_per_s: float) -> None:
        self.believed: set[tuple[str, int]] = set()
        self._devices, self._start_ms, self._rate = devices, start_ms, rate_per_s
        self._recent: deque[tuple[float, str, int]] = deque()
        self._waiting: deque[tuple[mqtt.MQTTMessageInfo, str, int]] = deque()
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

    def _publish(self, device: str, ts: int) -> None:
        payload = json.dumps({"ts": ts, "level_pct": ts % 101})
        sent = self._client.publish(topics.telemetry("streetlight", device), payload, qos=1)
        self._waiting.append((sent, device, ts))

    def _resend_recent(self) -> None:
        self._resend.clear()
        since = time.monotonic() - RESEND_S
        for at, device, ts in list(self._recent):
            if at >= since:
                self._publish(device, ts)

    def _collect(self) -> None:
        """Believe what the broker has acknowledged."""
        for _ in range(len(self._waiting)):
            sent, device, ts = self._waiting.popleft()
            if sent.rc == mqtt.MQTT_ERR_SUCCESS and sent.is_published():
                self.believed.add((device, ts))
            else:
                self._waiting.append((sent, device, ts))

    def _run(self) -> None:
        number, began = 0, time.monotonic()
        while not self._stop.is_set():
            if self._resend.is_set():
                self._resend_recent()
            self._collect()
            if not self._client.is_connected() or len(self._waiting) > 4 * IN_FLIGHT_MAX:
                time.sleep(0.02)
                continue
            device, ts = self._devices[number % len(self._devices)], self._start_ms + number
            self._recent.append((time.monotonic(), device, ts))
            self._publish(device, ts)
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
