"""Milesight EM sensors: one format of channel, type and value, a table for each model."""
