-- Parameters, options and credentials are sealed: they may hold keys.

CREATE TABLE volumes (
    uuid     TEXT PRIMARY KEY,
    app      BIGINT NOT NULL REFERENCES apps (number) ON DELETE CASCADE,
    name     TEXT NOT NULL,
    type     TEXT NOT NULL,
    size     TEXT NOT NULL,
    path     TEXT NOT NULL DEFAULT '{}',
    sealed   BLOB NOT NULL,
    deleting BOOLEAN NOT NULL DEFAULT FALSE,
    created  BIGINT NOT NULL,
    updated  BIGINT NOT NULL,
    UNIQUE (app, name)
);

CREATE TABLE resources (
    uuid    TEXT PRIMARY KEY,
    app     BIGINT NOT NULL REFERENCES apps (number) ON DELETE CASCADE,
    owner   TEXT NOT NULL,
    name    TEXT NOT NULL,
    plan    TEXT NOT NULL,
    status  TEXT NOT NULL,
    binding TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    sealed  BLOB NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    UNIQUE (app, name)
);
