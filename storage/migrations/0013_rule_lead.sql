-- Who leads the rules. A leader's term is numbered, and so are its records in it: what waits in a leader's journal while
-- the database is away is written down once, and a leader that another has overtaken writes nothing.

-- leader: whose journal belongs to the term, empty after a farewell. records: how many of its records are here.
CREATE TABLE rule_lead (
    one_row boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    term    bigint NOT NULL,
    leader  text NOT NULL,
    records bigint NOT NULL,
    since   timestamptz NOT NULL
);
INSERT INTO rule_lead (term, leader, records, since) VALUES (0, '', 0, 'epoch');
