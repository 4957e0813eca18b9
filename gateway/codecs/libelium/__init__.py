"""Codecs of Libelium."""
