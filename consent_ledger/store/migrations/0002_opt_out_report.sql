-- The report has one row for each opted-out number: `shown` marks, of the opt-outs that stand on a
-- number, the one that is hardest to lift. The index of a page is then the page's own order.

-- A default, so that a process of the version before can still record a STOP while this one comes
-- up; `rebuild` marks what such a process left unmarked.
ALTER TABLE opt_out_report ADD COLUMN shown boolean NOT NULL DEFAULT false;
-- Names with spaces between; null is every purpose.
ALTER TABLE opt_out_report ADD COLUMN purposes text;
UPDATE opt_out_report AS row SET shown = true WHERE NOT EXISTS (
    SELECT FROM opt_out_report AS other
    WHERE other.number_id = row.number_id
        AND array_position(ARRAY['contact', 'system', 'agent'], other.source)
            < array_position(ARRAY['contact', 'system', 'agent'], row.source)
);

DROP INDEX opt_out_report_since;
CREATE INDEX opt_out_report_shown
    ON opt_out_report (account_id, since DESC, number_id) WHERE shown;
CREATE INDEX opt_out_report_shown_by_source
    ON opt_out_report (account_id, source, since DESC, number_id) WHERE shown;

-- A search by the first digits is a few ranges of this one.
CREATE INDEX numbers_e164 ON numbers (account_id, e164);
