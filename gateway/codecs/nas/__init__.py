"""Codecs of Nordic Automation Systems."""
