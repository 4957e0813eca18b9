"""Codecs of Bosch Connected Devices and Solutions."""
