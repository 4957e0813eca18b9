#!/bin/sh
# Runs once, when the primary's data folder is new: who may replicate, the platform's role and database, and that from
# then on a commit waits until one standby has it on disk: what is acknowledged to the broker survives the primary.
set -eu
psql --variable ON_ERROR_STOP=1 --username postgres --dbname postgres \
  --variable replication_password="$(cat /run/secrets/replication_password)" \
  --variable lamplighter_password="$(cat /run/secrets/lamplighter_password)" <<'SQL'
ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (db2, db3)';
ALTER SYSTEM SET max_slot_wal_keep_size = '50GB';
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'replication_password';
CREATE ROLE lamplighter LOGIN CREATEROLE PASSWORD :'lamplighter_password';
CREATE DATABASE lamplighter OWNER lamplighter;
\connect lamplighter
CREATE EXTENSION IF NOT EXISTS timescaledb;
SQL
echo "host replication replicator all scram-sha-256" >> "$PGDATA/pg_hba.conf"
