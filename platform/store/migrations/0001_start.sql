-- Times are microseconds since 1970 in UTC, 0 when unknown. Columns named
-- sealed hold AES-GCM ciphertext; JSON is kept as text.

CREATE TABLE users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    username      TEXT NOT NULL UNIQUE,
    email         TEXT NOT NULL DEFAULT '',
    first_name    TEXT NOT NULL DEFAULT '',
    last_name     TEXT NOT NULL DEFAULT '',
    password_hash TEXT NOT NULL,
    is_superuser  BOOLEAN NOT NULL DEFAULT FALSE,
    is_staff      BOOLEAN NOT NULL DEFAULT FALSE,
    is_active     BOOLEAN NOT NULL DEFAULT TRUE,
    last_login    BIGINT NOT NULL DEFAULT 0,
    date_joined   BIGINT NOT NULL
);

CREATE TABLE tokens (
    uuid       TEXT PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    alias      TEXT NOT NULL DEFAULT '',
    key_sha256 TEXT NOT NULL UNIQUE,
    fuzzy_key  TEXT NOT NULL,
    created    BIGINT NOT NULL,
    updated    BIGINT NOT NULL
);
CREATE INDEX tokens_by_user ON tokens (user_id, created);

CREATE TABLE workspaces (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid    TEXT NOT NULL UNIQUE,
    id      TEXT NOT NULL UNIQUE,
    email   TEXT NOT NULL DEFAULT '',
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL
);

CREATE TABLE members (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace BIGINT NOT NULL REFERENCES workspaces (number) ON DELETE CASCADE,
    user_id   BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role      INTEGER NOT NULL CHECK (role BETWEEN 1 AND 3),
    alerts    BOOLEAN NOT NULL DEFAULT FALSE,
    created   BIGINT NOT NULL,
    updated   BIGINT NOT NULL,
    UNIQUE (workspace, user_id)
);
CREATE INDEX members_by_user ON members (user_id);

CREATE TABLE apps (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid         TEXT NOT NULL UNIQUE,
    id           TEXT NOT NULL UNIQUE,
    workspace    BIGINT NOT NULL REFERENCES workspaces (number),
    structure    TEXT NOT NULL DEFAULT '{}',
    last_version BIGINT NOT NULL DEFAULT 0,
    created      BIGINT NOT NULL,
    updated      BIGINT NOT NULL
);
CREATE INDEX apps_by_workspace ON apps (workspace, id);

CREATE TABLE settings (
    app          BIGINT PRIMARY KEY REFERENCES apps (number) ON DELETE CASCADE,
    uuid         TEXT NOT NULL UNIQUE,
    routable     BOOLEAN NOT NULL,
    autodeploy   BOOLEAN NOT NULL,
    autorollback BOOLEAN NOT NULL,
    autoscale    TEXT NOT NULL DEFAULT '{}',
    label        TEXT NOT NULL DEFAULT '{}',
    created      BIGINT NOT NULL,
    updated      BIGINT NOT NULL
);

CREATE TABLE builds (
    uuid       TEXT PRIMARY KEY,
    app        BIGINT NOT NULL REFERENCES apps (number) ON DELETE CASCADE,
    image      TEXT NOT NULL,
    stack      TEXT NOT NULL,
    sha        TEXT NOT NULL DEFAULT '',
    procfile   TEXT NOT NULL DEFAULT '{}',
    dockerfile TEXT NOT NULL DEFAULT '',
    sealed     BLOB,
    created    BIGINT NOT NULL,
    updated    BIGINT NOT NULL
);
CREATE INDEX builds_by_app ON builds (app);

CREATE TABLE configs (
    uuid    TEXT PRIMARY KEY,
    app     BIGINT NOT NULL REFERENCES apps (number) ON DELETE CASCADE,
    body    TEXT NOT NULL,
    sealed  BLOB NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL
);
CREATE INDEX configs_by_app ON configs (app);

-- ptypes is a list such as ",web,worker,", which LIKE can search.
CREATE TABLE releases (
    uuid      TEXT PRIMARY KEY,
    app       BIGINT NOT NULL REFERENCES apps (number) ON DELETE CASCADE,
    version   BIGINT NOT NULL,
    state     TEXT NOT NULL,
    summary   TEXT NOT NULL,
    exception TEXT NOT NULL DEFAULT '',
    ptypes    TEXT NOT NULL DEFAULT ',',
    config    TEXT NOT NULL REFERENCES configs (uuid),
    build     TEXT REFERENCES builds (uuid),
    created   BIGINT NOT NULL,
    updated   BIGINT NOT NULL,
    UNIQUE (app, version)
);
CREATE INDEX releases_unfinished ON releases (app, version) WHERE state IN ('pending', 'deploying');
CREATE INDEX releases_by_config ON releases (config);
CREATE INDEX releases_by_build ON releases (build);

CREATE TABLE conditions (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    release   TEXT NOT NULL REFERENCES releases (uuid) ON DELETE CASCADE,
    state     TEXT NOT NULL,
    action    TEXT NOT NULL,
    ptypes    TEXT NOT NULL,
    exception TEXT NOT NULL DEFAULT '',
    created   BIGINT NOT NULL
);
CREATE INDEX conditions_by_release ON conditions (release, id);

-- Work names apps that may not exist yet or any more.
CREATE TABLE work (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    app     TEXT NOT NULL,
    kind    TEXT NOT NULL,
    version BIGINT NOT NULL DEFAULT 0,
    ptypes  TEXT NOT NULL DEFAULT ',',
    UNIQUE (app, kind)
);

-- Events outlive what they tell of.
CREATE TABLE events (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    app     TEXT NOT NULL,
    object  TEXT NOT NULL,
    action  TEXT NOT NULL,
    data    TEXT NOT NULL DEFAULT '{}',
    created BIGINT NOT NULL
);
CREATE INDEX events_by_app ON events (app, id);
-- [sqlite]
CREATE TRIGGER events_never_change BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;
CREATE TRIGGER events_never_go BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;
-- [end]
-- [postgres]
CREATE FUNCTION events_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only';
END $$;
CREATE TRIGGER events_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_refuse();
-- [end]

-- Ciphertext of a known text: tells a wrong key from a broken row.
CREATE TABLE seal (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    sealed BLOB NOT NULL
);
