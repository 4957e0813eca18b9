"""Decentlab DL devices: one format, one set of commands, a table for each model."""
