-- A list that ends whoever works on it is not tried for ever. `attempts` counts its tries at the place to
-- which it came; `crashes` those of them of which it is known that the list ended them by itself.

ALTER TABLE imports ADD COLUMN crashes integer NOT NULL DEFAULT 0;
-- It is not tried again before.
ALTER TABLE imports ADD COLUMN rests_until bigint NOT NULL DEFAULT 0;
