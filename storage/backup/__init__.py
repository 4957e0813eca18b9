"""Backups: all rows of one moment in one file, and a database made of them elsewhere.

A backup holds rows as `COPY` writes them, not files of a server: it is taken while services write, and restored into a
newer PostgreSQL, a newer schema, or from plain PostgreSQL into TimescaleDB and back.
"""
