"""Milesight IoT, maker of LoRaWAN sensors."""
