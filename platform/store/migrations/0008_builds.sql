-- Attempts to build. The uuid is also that of the build that comes out. runner
-- is the process that has the run: at its start it ends what it left.
CREATE TABLE build_runs (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid     TEXT NOT NULL UNIQUE,
    app      BIGINT NOT NULL REFERENCES apps (number) ON DELETE CASCADE,
    runner   TEXT NOT NULL,
    username TEXT NOT NULL,
    origin   TEXT NOT NULL,
    ref      TEXT NOT NULL DEFAULT '',
    sha      TEXT NOT NULL DEFAULT '',
    stack    TEXT NOT NULL DEFAULT '',
    state    TEXT NOT NULL,
    message  TEXT NOT NULL DEFAULT '',
    version  BIGINT NOT NULL DEFAULT 0,
    created  BIGINT NOT NULL,
    started  BIGINT NOT NULL DEFAULT 0,
    ended    BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX build_runs_by_app ON build_runs (app, number);
CREATE INDEX build_runs_open ON build_runs (runner, number) WHERE state IN ('queued', 'running');

-- What a run said, in pieces; start counts bytes from the log's beginning.
-- Pieces are missing from the middle of a log that became too long.
CREATE TABLE build_logs (
    run    BIGINT NOT NULL REFERENCES build_runs (number) ON DELETE CASCADE,
    start  BIGINT NOT NULL,
    size   BIGINT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (run, start)
);
