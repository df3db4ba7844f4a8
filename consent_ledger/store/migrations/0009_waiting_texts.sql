-- The texts of an account that wait, in order: whether they may be ready is asked of each. A text that was
-- asked about under an older policy is looked at, too, which an index of the ready ones alone did not serve.

CREATE INDEX deferred_messages_in_order ON deferred_messages (account_id, position)
    WHERE state = 'deferred';
DROP INDEX deferred_messages_ready;
