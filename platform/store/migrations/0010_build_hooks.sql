-- Addresses at which hosts of git repositories tell of pushes. secrets is a
-- sealed JSON object.
CREATE TABLE build_hooks (
    app        BIGINT PRIMARY KEY REFERENCES apps (number) ON DELETE CASCADE,
    uuid       TEXT NOT NULL UNIQUE,
    username   TEXT NOT NULL,
    url        TEXT NOT NULL,
    branch     TEXT NOT NULL,
    login      TEXT NOT NULL DEFAULT '',
    ca         TEXT NOT NULL DEFAULT '',
    public_key TEXT NOT NULL DEFAULT '',
    host_key   TEXT NOT NULL DEFAULT '',
    secrets    BLOB NOT NULL,
    created    BIGINT NOT NULL
);

-- The sum of what a hook was told, so that the same is told only once.
ALTER TABLE build_runs ADD COLUMN delivery TEXT NOT NULL DEFAULT '';
