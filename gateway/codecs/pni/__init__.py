"""Codecs of PNI Sensor."""
