"""Dragino, maker of LoRaWAN and NB-IoT nodes."""
