-- The blocked list: every number with each purpose that staff blocked for it, in the orders of its
-- pages. Times are microseconds since 1970.

CREATE TABLE purpose_blocks (
    number_id uuid NOT NULL,
    purpose text COLLATE "C" NOT NULL,
    account_id uuid NOT NULL,
    since bigint NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (number_id, purpose)
);

-- A part of the vault: the same rows with the number's digits, by which they are looked for. `e164` is
-- null where a person was erased.
CREATE TABLE blocks_shown (
    account_id uuid NOT NULL,
    number_id uuid NOT NULL,
    e164 text COLLATE "C",
    purpose text COLLATE "C" NOT NULL,
    since bigint NOT NULL,
    version integer NOT NULL
);

-- Blocks that were set before, read as the fold reads them: at one instant a block outlasts what lifts
-- it, and of the blocks since it was last lifted the first one counts. A time that the ledger did not
-- believe lifts nothing. What a process of the version before blocks from now on is put in by `rebuild`.
INSERT INTO purpose_blocks (number_id, purpose, account_id, since, version)
WITH stored AS MATERIALIZED (
    SELECT originator_id, originator_version, account_id, topic = 'PurposeBlocked' AS blocks,
        convert_from(state, 'UTF8')::json -> 0 AS context,
        convert_from(state, 'UTF8')::json -> 1 AS fact
    FROM events WHERE topic IN ('PurposeBlocked', 'PurposeUnblocked')
), said AS MATERIALIZED (
    SELECT s.originator_id, s.originator_version, s.account_id, s.blocks, s.context,
        s.fact ->> 'p' AS purpose, (s.context ->> 'o')::bigint AS occurred_at
    FROM stored s WHERE NOT EXISTS (
        SELECT FROM events r WHERE r.originator_id = s.originator_id AND r.topic = 'FactRetracted'
            AND (convert_from(r.state, 'UTF8')::json -> 1 ->> 'v')::integer = s.originator_version
    )
), lifted AS (
    SELECT originator_id, purpose, max(occurred_at) AS occurred_at FROM said
    WHERE NOT blocks AND (context ->> 'q') IS NULL GROUP BY 1, 2
)
SELECT DISTINCT ON (said.originator_id, said.purpose)
    said.originator_id, said.purpose, said.account_id, said.occurred_at, said.originator_version
FROM said LEFT JOIN lifted USING (originator_id, purpose)
WHERE said.blocks AND said.occurred_at >= coalesce(lifted.occurred_at, said.occurred_at)
ORDER BY said.originator_id, said.purpose, said.occurred_at,
    (said.context ->> 'b') COLLATE "C", coalesce(said.context ->> 'i', '') COLLATE "C",
    (said.context ->> 'c') COLLATE "C", (said.context -> 'e' ->> 'd') IS NULL,
    said.originator_version;

INSERT INTO blocks_shown (account_id, number_id, e164, purpose, since, version)
SELECT b.account_id, b.number_id, n.e164, b.purpose, b.since, b.version
FROM purpose_blocks b LEFT JOIN numbers n ON n.number_id = b.number_id;

-- Each begins with what its question fixes, and goes on in the order of its pages.
CREATE INDEX blocks_shown_by_time ON blocks_shown (account_id, since DESC, number_id, purpose);
CREATE INDEX blocks_shown_by_purpose ON blocks_shown (account_id, purpose, since DESC, number_id);
CREATE INDEX blocks_shown_by_number ON blocks_shown (account_id, e164, number_id, purpose);
CREATE INDEX blocks_shown_by_number_of_purpose
    ON blocks_shown (account_id, purpose, e164, number_id);
CREATE INDEX blocks_shown_erased ON blocks_shown (number_id) WHERE e164 IS NULL;

-- For each row, so that a batch without a block costs nothing: a statement's trigger runs for none, too.
CREATE FUNCTION purpose_block_changed() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM blocks_shown s
        WHERE s.account_id = OLD.account_id AND s.purpose = OLD.purpose
            AND s.since = OLD.since AND s.number_id = OLD.number_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO blocks_shown (account_id, number_id, e164, purpose, since, version) VALUES (
            NEW.account_id, NEW.number_id,
            (SELECT n.e164 FROM numbers n WHERE n.number_id = NEW.number_id),
            NEW.purpose, NEW.since, NEW.version
        );
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER purpose_block_changed AFTER INSERT OR UPDATE OR DELETE ON purpose_blocks
    FOR EACH ROW EXECUTE FUNCTION purpose_block_changed();

-- As before, for the blocked list too: who was erased has no number there, until something is heard of
-- it again. Nearly no number that is put is of such a person, and to look is cheaper than to update none.
CREATE OR REPLACE FUNCTION numbers_changed() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE opt_outs_shown s SET e164 = put.e164
        FROM put JOIN opt_out_report o ON o.number_id = put.number_id AND o.shown
        WHERE s.account_id = o.account_id AND s.source = o.source AND s.since = o.since
            AND s.number_id = o.number_id AND s.e164 IS NULL;
        IF EXISTS (
            SELECT FROM put JOIN blocks_shown s ON s.number_id = put.number_id AND s.e164 IS NULL
        ) THEN
            UPDATE blocks_shown s SET e164 = put.e164 FROM put
            WHERE s.number_id = put.number_id AND s.e164 IS NULL;
        END IF;
    ELSE
        UPDATE opt_outs_shown s SET e164 = NULL FROM gone
        WHERE s.account_id = gone.account_id AND s.e164 = gone.e164
            AND s.number_id = gone.number_id;
        UPDATE blocks_shown s SET e164 = NULL FROM gone
        WHERE s.account_id = gone.account_id AND s.e164 = gone.e164
            AND s.number_id = gone.number_id;
    END IF;
    RETURN NULL;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON purpose_blocks, blocks_shown TO consent_ledger_service;
