-- Rule versions: the file as it was written beside the figures it came to, and when which version was active.

-- content is every figure as JSON; source the rule file's own text, empty for the shipped defaults; digest is SHA-256 of
-- content in hexadecimal, empty for versions older than this migration.
ALTER TABLE rule_version
    ADD COLUMN source text NOT NULL DEFAULT '',
    ADD COLUMN digest text NOT NULL DEFAULT '';

-- One row each time another version became active; the last is active now. activated_at is city time.
CREATE TABLE rule_activation (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version      text NOT NULL REFERENCES rule_version (version),
    activated_at timestamptz NOT NULL,
    author       text NOT NULL
);

INSERT INTO rule_activation (version, activated_at, author)
SELECT version, active_from, author FROM rule_version ORDER BY active_from, version;
