-- Words of senders that are no number are shown to an admin until they are done with. Of a row that is
-- done, the sender, the words and the provider's id are gone: what is left makes a repetition of the
-- request harmless, and hides no text that comes later.

ALTER TABLE unparsed_words ADD COLUMN done_at timestamptz;
CREATE INDEX unparsed_words_waiting ON unparsed_words (account_id, id) WHERE done_at IS NULL;
