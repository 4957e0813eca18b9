"""A broker and a database that Lamplighter brings along and runs as its own children.

They serve the demo, the tests and a first look. A town in service names its own broker and database in the
settings, and nothing here is started.
"""
