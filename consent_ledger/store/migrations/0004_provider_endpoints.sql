-- An endpoint of a provider has two secrets while one follows the other. Times are microseconds
-- since 1970.

ALTER TABLE provider_endpoints ADD COLUMN former_secret bytea;
ALTER TABLE provider_endpoints ADD COLUMN former_until bigint;
CREATE INDEX provider_endpoints_account ON provider_endpoints (account_id, endpoint);

GRANT DELETE ON provider_endpoints TO consent_ledger_service;
