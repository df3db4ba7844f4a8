-- The ledger: events, what they add up to, and the vault. Times are microseconds since 1970, UTC.

CREATE TABLE deployment (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    -- Added to transaction ids, so that positions go on growing after a dump was restored into a
    -- cluster whose transaction ids are lower.
    xid_offset bigint NOT NULL DEFAULT 0
);
INSERT INTO deployment DEFAULT VALUES;

-- One check value per generation of the deployment's key: a service with another key refuses to
-- start, as with it every opted-out number would look new.
CREATE TABLE key_generation (
    generation integer PRIMARY KEY,
    check_value text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE events (
    originator_id uuid NOT NULL,
    originator_version integer NOT NULL,
    account_id uuid NOT NULL,
    -- (transaction id << 20) + place in the transaction: readers stay below the oldest transaction
    -- that still runs, and so cannot skip what it commits later.
    position bigint NOT NULL,
    recorded_at bigint NOT NULL,
    topic text COLLATE "C" NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (originator_id, originator_version)
) WITH (fillfactor = 100, autovacuum_vacuum_insert_scale_factor = 0.2);
CREATE INDEX events_position ON events (position);

CREATE FUNCTION events_are_for_ever() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are never updated or deleted' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER events_are_for_ever BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_are_for_ever();

CREATE FUNCTION ledger_base() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (pg_current_xact_id()::text::bigint + xid_offset) << 20 FROM deployment
$$;
COMMENT ON FUNCTION ledger_base() IS
    'The first position of the current transaction; a million follow before the next one''s.';

CREATE FUNCTION ledger_horizon() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT (pg_snapshot_xmin(pg_current_snapshot())::text::bigint + xid_offset) << 20
    FROM deployment
$$;
COMMENT ON FUNCTION ledger_horizon() IS
    'Every event below this position is visible; no event will ever be added below it.';

-- Answers that are kept so that a repetition gets the same one: message ids, provider message ids,
-- idempotency keys. The only key that does not start with the number.
CREATE TABLE claims (
    account_id uuid NOT NULL,
    kind smallint NOT NULL,
    key uuid NOT NULL,
    number_id uuid NOT NULL,
    version integer NOT NULL,
    body uuid,
    answer bytea NOT NULL,
    PRIMARY KEY (account_id, kind, key)
);

-- The vault: the only place of numbers and words.
CREATE TABLE numbers (
    number_id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    e164 text COLLATE "C" NOT NULL
);
CREATE TABLE words (
    number_id uuid NOT NULL,
    version integer NOT NULL,
    account_id uuid NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (number_id, version)
);
CREATE TABLE unparsed_words (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id uuid NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    sender text NOT NULL,
    body text NOT NULL,
    provider_message_id text
);

CREATE TABLE account_status (
    account_id uuid PRIMARY KEY,
    version integer NOT NULL,
    state bytea NOT NULL
);
CREATE TABLE api_keys (
    key_digest uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account_status,
    key_id text NOT NULL,
    role text NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);

CREATE TABLE provider_endpoints (
    endpoint text PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account_status,
    provider text NOT NULL,
    -- Encrypted with the deployment's key (AES-256-GCM, nonce first).
    secret bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Read models; consent_status is the snapshot that commands start from, too.
CREATE TABLE consent_status (
    number_id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    version integer NOT NULL,
    position bigint NOT NULL,
    consent text NOT NULL,
    opt_out_source text,
    do_not_text boolean NOT NULL,
    under_review boolean NOT NULL,
    snapshot bytea NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX consent_status_under_review ON consent_status (account_id, position)
    WHERE under_review;

CREATE TABLE opt_out_report (
    number_id uuid NOT NULL,
    source text NOT NULL,
    account_id uuid NOT NULL,
    since bigint NOT NULL,
    version integer NOT NULL,
    by text,
    channel text NOT NULL,
    PRIMARY KEY (number_id, source)
);
CREATE INDEX opt_out_report_since ON opt_out_report (account_id, since DESC, number_id);

CREATE TABLE deferred_messages (
    number_id uuid NOT NULL,
    message_id text COLLATE "C" NOT NULL,
    account_id uuid NOT NULL,
    position bigint NOT NULL,
    state text NOT NULL,
    ready boolean NOT NULL,
    policy_version integer NOT NULL,
    held bytea NOT NULL,
    PRIMARY KEY (number_id, message_id)
);
CREATE INDEX deferred_messages_waiting ON deferred_messages (number_id) WHERE state = 'deferred';
CREATE INDEX deferred_messages_ready ON deferred_messages (account_id, position)
    WHERE state = 'deferred' AND ready;

-- The service writes as this role: it can add events and never change or remove one.
DO $$
BEGIN
    CREATE ROLE consent_ledger_service NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;
DO $$
BEGIN
    EXECUTE format('GRANT consent_ledger_service TO %I', current_user);
EXCEPTION WHEN OTHERS THEN
    NULL;
END $$;
GRANT USAGE ON SCHEMA public TO consent_ledger_service;
GRANT SELECT, INSERT ON events, key_generation TO consent_ledger_service;
GRANT SELECT ON deployment, schema_migrations TO consent_ledger_service;
GRANT SELECT, INSERT, UPDATE ON claims, account_status, api_keys, provider_endpoints,
    consent_status TO consent_ledger_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON numbers, words, unparsed_words, opt_out_report,
    deferred_messages TO consent_ledger_service;
