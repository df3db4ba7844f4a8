-- Imports of whole lists: the file while it is worked on, how far it came, and a verdict for every
-- row. Times are microseconds since 1970, UTC.

CREATE TABLE imports (
    import_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account_status,
    state text NOT NULL,
    dry_run boolean NOT NULL,
    format text NOT NULL,
    actor_id text,
    file_digest text,
    -- The import of the very same file that was done before, whose rows these are.
    same_as uuid,
    -- When it was asked for: the time of every row that names none.
    instant bigint NOT NULL,
    -- The line of the file up to which all is committed.
    line bigint NOT NULL DEFAULT 0,
    rows bigint NOT NULL DEFAULT 0,
    accepted bigint NOT NULL DEFAULT 0,
    unchanged bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    partly_rejected bigint NOT NULL DEFAULT 0,
    would_opt_out bigint,
    would_opt_in bigint,
    failed_because text,
    attempts integer NOT NULL DEFAULT 0,
    finished_at bigint
);
CREATE INDEX imports_of_account ON imports (account_id, instant);
CREATE INDEX imports_to_be_done ON imports (instant)
    WHERE state IN ('receiving', 'waiting', 'running', 'undoing');

-- The file as it came, in pieces encrypted with the deployment's key (AES-256-GCM, nonce first);
-- deleted when the import ends.
CREATE TABLE import_parts (
    import_id uuid NOT NULL REFERENCES imports,
    part integer NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (import_id, part)
);
ALTER TABLE import_parts ALTER COLUMN data SET STORAGE EXTERNAL;

-- The rows that were committed together, each with its verdict. `undone` counts facts that were
-- retracted again.
CREATE TABLE import_units (
    import_id uuid NOT NULL REFERENCES imports,
    first_line bigint NOT NULL,
    last_line bigint NOT NULL,
    rejected integer NOT NULL,
    undone integer NOT NULL DEFAULT 0,
    verdicts bytea NOT NULL,
    PRIMARY KEY (import_id, first_line)
);

GRANT SELECT, INSERT, UPDATE ON imports TO consent_ledger_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON import_parts, import_units TO consent_ledger_service;
