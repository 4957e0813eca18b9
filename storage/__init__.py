"""The cellar of rows: schema, migrations, named queries and the life of old data, over PostgreSQL.

TimescaleDB is used where the server has it; readers see no difference.
"""
