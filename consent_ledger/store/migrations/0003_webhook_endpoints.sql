-- The feed of one account, and the endpoints that are told of it. Times are microseconds since 1970.

CREATE INDEX events_account_position ON events (account_id, position);

CREATE TABLE webhook_endpoints (
    endpoint_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account_status,
    url text NOT NULL,
    types text[],
    user_id text,
    -- Encrypted with the deployment's key (AES-256-GCM, nonce first).
    secret bytea NOT NULL,
    former_secret bytea,
    former_until bigint,
    -- All that was asked for up to here was delivered.
    position bigint NOT NULL,
    -- Counts an admin's changes, so that the process that delivers sees them.
    revision integer NOT NULL DEFAULT 0,
    disabled_because text,
    failures integer NOT NULL DEFAULT 0,
    failing_since bigint,
    next_attempt_at bigint,
    last_attempt_at bigint,
    last_status integer,
    last_error text,
    last_delivered_at bigint,
    created_at bigint NOT NULL
);
CREATE INDEX webhook_endpoints_account ON webhook_endpoints (account_id, created_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_endpoints TO consent_ledger_service;
