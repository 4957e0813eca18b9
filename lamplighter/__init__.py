"""The roof: settings, composition, supervision, command line and the embedded parts.

Only this package knows that one room's output is another room's input.
"""
