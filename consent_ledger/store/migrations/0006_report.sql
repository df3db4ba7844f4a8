-- The report at ten million opt-outs: its rows in each of its orders, and how many there are by day and
-- source. Triggers keep both, within the statement that changes what they come from, whichever of the
-- ledger's writers sent it. Times are microseconds since 1970.

-- A part of the vault. What stands on a number and its digits lie in tables of their own, and an index
-- spans one: without this table, the opt-outs of a month under a prefix are looked for one by one.
-- `e164` is null where a person was erased.
CREATE TABLE opt_outs_shown (
    account_id uuid NOT NULL,
    number_id uuid NOT NULL,
    e164 text COLLATE "C",
    source text NOT NULL,
    since bigint NOT NULL
);

-- What is to be added up: a change adds a row, so that no writer waits for another one's.
CREATE TABLE opt_out_counts (
    account_id uuid NOT NULL,
    day integer NOT NULL,
    source text NOT NULL,
    numbers bigint NOT NULL
);

CREATE FUNCTION day_of(since bigint) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ((since - mod(mod(since, 86400000000) + 86400000000, 86400000000)) / 86400000000)::integer
$$;
COMMENT ON FUNCTION day_of(bigint) IS 'The day (UTC) of a time, counted from 1970.';

CREATE FUNCTION fold_opt_out_counts(account uuid) RETURNS void LANGUAGE sql AS $$
    WITH many AS (
        SELECT day, source FROM opt_out_counts WHERE account_id = account
        GROUP BY day, source HAVING count(*) > 1
    ), taken AS (
        DELETE FROM opt_out_counts WHERE ctid = ANY (ARRAY(
            SELECT c.ctid FROM opt_out_counts c JOIN many USING (day, source)
            WHERE c.account_id = account FOR UPDATE OF c SKIP LOCKED
        )) RETURNING day, source, numbers
    )
    INSERT INTO opt_out_counts (account_id, day, source, numbers)
    SELECT account, day, source, sum(numbers) FROM taken GROUP BY day, source
    HAVING sum(numbers) <> 0
$$;
COMMENT ON FUNCTION fold_opt_out_counts(uuid) IS
    'Adds up the rows of each day and source; who counts sees the rows or their sum, never both.';

-- Without the settings, a connection would go on with the plans that it made when the tables were
-- small; by them, what changed is always looked up by its key.
CREATE FUNCTION opt_outs_changed() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        IF EXISTS (SELECT FROM gone WHERE shown) THEN
            DELETE FROM opt_outs_shown s USING gone
            WHERE gone.shown AND s.account_id = gone.account_id AND s.source = gone.source
                AND s.since = gone.since AND s.number_id = gone.number_id;
            INSERT INTO opt_out_counts (account_id, day, source, numbers)
            SELECT account_id, day_of(since), source, -count(*) FROM gone WHERE shown
            GROUP BY 1, 2, 3;
        END IF;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        IF EXISTS (SELECT FROM put WHERE shown) THEN
            INSERT INTO opt_outs_shown (account_id, number_id, e164, source, since)
            SELECT put.account_id, put.number_id, n.e164, put.source, put.since
            FROM put LEFT JOIN numbers n ON n.number_id = put.number_id WHERE put.shown;
            INSERT INTO opt_out_counts (account_id, day, source, numbers)
            SELECT account_id, day_of(since), source, count(*) FROM put WHERE shown
            GROUP BY 1, 2, 3;
            -- Now and then, so that there are never many more rows than days.
            IF random() < 0.002 THEN
                PERFORM fold_opt_out_counts(account_id)
                FROM put GROUP BY account_id ORDER BY account_id;
            END IF;
        END IF;
    END IF;
    RETURN NULL;
END $$;

-- Whoever copies many new numbers fills both tables itself, and says so for its transaction.
CREATE TRIGGER opt_outs_put AFTER INSERT ON opt_out_report
    REFERENCING NEW TABLE AS put FOR EACH STATEMENT
    WHEN (current_setting('consent_ledger.filled', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION opt_outs_changed();
CREATE TRIGGER opt_outs_changed AFTER UPDATE ON opt_out_report
    REFERENCING OLD TABLE AS gone NEW TABLE AS put
    FOR EACH STATEMENT EXECUTE FUNCTION opt_outs_changed();
CREATE TRIGGER opt_outs_gone AFTER DELETE ON opt_out_report
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION opt_outs_changed();

-- A person who was erased is opted out without a number, until something is heard of it again.
CREATE FUNCTION numbers_changed() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE opt_outs_shown s SET e164 = put.e164
        FROM put JOIN opt_out_report o ON o.number_id = put.number_id AND o.shown
        WHERE s.account_id = o.account_id AND s.source = o.source AND s.since = o.since
            AND s.number_id = o.number_id AND s.e164 IS NULL;
    ELSE
        UPDATE opt_outs_shown s SET e164 = NULL FROM gone
        WHERE s.account_id = gone.account_id AND s.e164 = gone.e164
            AND s.number_id = gone.number_id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER numbers_put AFTER INSERT ON numbers
    REFERENCING NEW TABLE AS put FOR EACH STATEMENT
    WHEN (current_setting('consent_ledger.filled', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION numbers_changed();
CREATE TRIGGER numbers_gone AFTER DELETE ON numbers
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION numbers_changed();

-- The triggers' creation holds writers off until the migration is over.
INSERT INTO opt_outs_shown (account_id, number_id, e164, source, since)
SELECT o.account_id, o.number_id, n.e164, o.source, o.since
FROM opt_out_report o LEFT JOIN numbers n ON n.number_id = o.number_id WHERE o.shown;
INSERT INTO opt_out_counts (account_id, day, source, numbers)
SELECT account_id, day_of(since), source, count(*) FROM opt_outs_shown GROUP BY 1, 2, 3;

-- Each holds all columns: a search reads one of them and no row, whatever else it asks for.
CREATE INDEX opt_outs_shown_by_time
    ON opt_outs_shown (account_id, since DESC, number_id) INCLUDE (source, e164);
CREATE INDEX opt_outs_shown_by_source
    ON opt_outs_shown (account_id, source, since DESC, number_id) INCLUDE (e164);
CREATE INDEX opt_outs_shown_by_number
    ON opt_outs_shown (account_id, e164, number_id) INCLUDE (source, since);
CREATE INDEX opt_out_counts_day ON opt_out_counts (account_id, day);
-- Nothing else looked for numbers by their digits, or for opt-outs by their time.
DROP INDEX numbers_e164, opt_out_report_shown, opt_out_report_shown_by_source;

GRANT SELECT, INSERT, UPDATE, DELETE ON opt_outs_shown, opt_out_counts TO consent_ledger_service;
