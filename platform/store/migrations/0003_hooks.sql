-- Public SSH keys. A key is known by the SHA-256 of its blob, so that a second
-- comment does not make a second key; builders ask by the MD5.
CREATE TABLE keys (
    uuid        TEXT PRIMARY KEY,
    user_id     BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    id          TEXT NOT NULL,
    public      TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    sha256      TEXT NOT NULL UNIQUE,
    created     BIGINT NOT NULL,
    updated     BIGINT NOT NULL,
    UNIQUE (user_id, id)
);
CREATE INDEX keys_by_user ON keys (user_id, created, uuid);
CREATE INDEX keys_by_fingerprint ON keys (fingerprint);

-- Deploy hooks that are still to be sent: the outbox. target is the SHA-256 of
-- the address, which may hold a secret and is in the settings only.
CREATE TABLE deliveries (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    target   TEXT NOT NULL,
    app      TEXT NOT NULL,
    version  BIGINT NOT NULL,
    query    TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    created  BIGINT NOT NULL
);
CREATE INDEX deliveries_by_target ON deliveries (target, id);

-- How far the event log has been read for deploy hooks, and whether there were
-- any at the last start: what happened before is not told later.
CREATE TABLE delivery_cursor (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    event  BIGINT NOT NULL,
    active BOOLEAN NOT NULL
);
INSERT INTO delivery_cursor (id, event, active) SELECT 1, COALESCE(MAX(id), 0), COUNT(id) = 0 FROM events;
