CREATE TABLE IF NOT EXISTS body (
    id INTEGER PRIMARY KEY,
    lane TEXT NOT NULL,                   -- where its messages go: 'statsig' or 'segment'
    accepted_ms INTEGER NOT NULL,
    starts INTEGER NOT NULL DEFAULT 0,    -- how often work on it began, also when it ended the process
    code TEXT,                            -- why it is a dead letter
    content BLOB NOT NULL                 -- as it came, without compression
) STRICT;

CREATE INDEX IF NOT EXISTS body_waiting ON body (id) WHERE code IS NULL;

CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY,
    lane TEXT NOT NULL,
    key TEXT NOT NULL,                    -- the same for a message that comes again
    state TEXT NOT NULL,                  -- see `State`
    refusals INTEGER NOT NULL DEFAULT 0,  -- messages with fewer go first
    code TEXT,                            -- why it was skipped or is dead
    path TEXT,                            -- where in the payload
    accepted_ms INTEGER NOT NULL,
    payload BLOB,                         -- see `Outcome`; removed once the message is sent
    UNIQUE (lane, key)
) STRICT;

CREATE INDEX IF NOT EXISTS message_waiting ON message (lane, refusals, id) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS message_dead ON message (id) WHERE state = 'dead';
CREATE INDEX IF NOT EXISTS message_done ON message (accepted_ms) WHERE state IN ('sent', 'skipped');

-- All dead letters. Set the code of one to NULL to try it again: what was refused is sent again, and what could not be
-- translated is translated again.
CREATE VIEW IF NOT EXISTS dead_letter AS
    SELECT 'message' AS kind, id, lane, key, code, path, accepted_ms, payload FROM message WHERE state = 'dead'
    UNION ALL SELECT 'body', id, lane, NULL, code, NULL, accepted_ms, content FROM body WHERE code IS NOT NULL;

CREATE TRIGGER IF NOT EXISTS try_again INSTEAD OF UPDATE OF code ON dead_letter WHEN new.code IS NULL BEGIN
    UPDATE body SET code = NULL, starts = 0 WHERE old.kind = 'body' AND id = old.id;
    UPDATE message SET state = 'waiting', code = NULL
        WHERE old.kind = 'message' AND id = old.id AND state = 'dead' AND code LIKE 'http_%';
    INSERT INTO body (lane, accepted_ms, content)
        SELECT lane, accepted_ms, CAST('[' || payload || ']' AS BLOB) FROM message
        WHERE old.kind = 'message' AND id = old.id AND state = 'dead';
    DELETE FROM message WHERE old.kind = 'message' AND id = old.id AND state = 'dead';
END;
