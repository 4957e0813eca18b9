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
        self._waiting: dict[int, tuple[str, int]] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._connected_before = False
        parts = urlsplit(url)
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="resender", clean_session=True)
        self._client.username_pw_set(parts.username, parts.password)
        self._client.reconnect_delay_set(0.2, 1.0)
        self._client.max_inflight_messages_set(IN_FLIGHT_MAX)
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish
        self._client.connect(parts.hostname or "", parts.port or 1883)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _on_connect(self, *_: object) -> None:
        if self._connected_before:
            since = time.monotonic() - RESEND_S
            with self._lock:
                again = [(device, ts) for at, device, ts in self._recent if at >= since]
            for device, ts in again:
                self._publish(device, ts)
        self._connected_before = True

    def _on_publish(self, _client: object, _data: object, mid: int, *_: object) -> None:
        with self._lock:
            reading = self._waiting.pop(mid, None)
            if reading:
                self.believed.add(reading)

    def _publish(self, device: str, ts: int) -> None:
        payload = json.dumps({"ts": ts, "level_pct": ts % 101})
        with self._lock:
            mid = self._client.publish(topics.telemetry("streetlight", device), payload, qos=1).mid
            self._waiting[mid] = (device, ts)

    def _run(self) -> None:
        number, began = 0, time.monotonic()
        while not self._stop.is_set():
            if not self._client.is_connected() or len(self._waiting) > IN_FLIGHT_MAX:
                time.sleep(0.02)
                continue
            device, ts = self._devices[number % len(self._devices)], self._start_ms + number
            with self._lock:
                self._recent.append((time.monotonic(), device, ts))
            self._publish(device, ts)
            number += 1
            ahead_s = number / self._rate - (time.monotonic() - began)
            if ahead_s > 0:
                time.sleep(ahead_s)

    def stop(self, seconds: float = 30) -> None:
        """Send no more, and wait until the broker has acknowledged what was sent."""
        self._stop.set()
        self._thread.join()
        deadline = time.monotonic() + seconds
        while self._waiting and time.monotonic() < deadline:
            time.sleep(0.05)
        self._client.disconnect()
        self._client.loop_stop()
