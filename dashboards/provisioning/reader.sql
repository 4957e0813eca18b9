-- Lets Grafana in: gives the role lamplighter_reader, which `lamplighter migrate` has made, the password of your choice.
-- The role can only SELECT, and only what the contract shows; until this has run nobody can log in as it.
--
--     psql "$LAMPLIGHTER_DATABASE_URL" -f reader.sql
--
-- asks for the password twice and sends only its SCRAM hash to the server; nothing of it is in a history or a log.

\set ON_ERROR_STOP on
SET password_encryption = 'scram-sha-256';
\password lamplighter_reader
