"""The words every room speaks: kinds, units, topics, observations, commands, alarms, refusals, limits.

Nothing here does I/O or reads a clock; the present moment is always an argument.
"""
