-- What a backup reads, and what a restore sets right.

-- name: snapshot
-- All that follows in the transaction sees the same moment, and writes nothing.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;

-- name: head
-- What the backup is of.
SELECT current_setting('server_version') AS server, c.mode, c.timezone,
       city_now() AS city_time
FROM city c;

-- name: tables
-- Those of these tables that are there.
SELECT relname FROM pg_class WHERE relname = ANY(%(names)s) AND relkind IN ('r', 'p', 'v', 'm')
                               AND pg_table_is_visible(oid);

-- name: out
-- The rows of a table; {columns} and {table} are from the catalogue.
COPY (SELECT {columns} FROM {table}) TO STDOUT;

-- name: in
-- Rows of a table, as they were read.
COPY {table} ({columns}) FROM STDIN;

-- name: foreign_relations
-- Whatever is in the database already that no extension has brought.
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(current_schemas(false)) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1 LIMIT 1;

-- name: begin
-- Say that a restore is under way: services refuse such a database.
CREATE TABLE restore_unfinished ();

-- name: end
-- It is whole.
DROP TABLE restore_unfinished;

-- name: empty
-- Make room: migrations have written rows of their own.
TRUNCATE {tables};

-- name: identities
-- The columns that number their rows themselves.
SELECT c.relname, a.attname
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE a.attidentity <> '' AND c.relname = ANY(%(names)s) AND pg_table_is_visible(c.oid);

-- name: number_on
-- Number on behind the rows that were restored.
SELECT setval(pg_get_serial_sequence('{table}', '{column}'), max({column})) FROM {table} HAVING max({column}) IS NOT NULL;

-- name: new_term
-- Nobody who led the rules before leads on: what waits in a journal is of a time that this database has not seen.
UPDATE rule_lead SET term = term + 1, leader = '', records = 0;
