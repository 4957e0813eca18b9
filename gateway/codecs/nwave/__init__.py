"""Codecs of Nwave Technologies."""
