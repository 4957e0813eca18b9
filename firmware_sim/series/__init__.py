"""Recorded series as files bring them: one module a format, each turning lines into registry rows and readings.

A format is recognised by its header. It checks the whole file once; the replay reads it again as it goes.
"""
