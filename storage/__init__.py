"""The cellar of rows: schema, migrations, named queries and the life of old data, over PostgreSQL with or without TimescaleDB."""
