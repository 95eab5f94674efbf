-- What an app shows to the outside. Lists and rules are JSON.

CREATE TABLE certs (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    app         BIGINT REFERENCES apps (number) ON DELETE CASCADE,
    owner       BIGINT REFERENCES users (id) ON DELETE SET NULL,
    name        TEXT NOT NULL,
    chain       TEXT NOT NULL,
    sealed      BLOB NOT NULL,
    common_name TEXT NOT NULL DEFAULT '',
    san         TEXT NOT NULL DEFAULT '[]',
    fingerprint TEXT NOT NULL,
    issuer      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    starts      BIGINT NOT NULL,
    expires     BIGINT NOT NULL,
    created     BIGINT NOT NULL,
    updated     BIGINT NOT NULL
);
CREATE UNIQUE INDEX certs_by_app ON certs (app, name);
CREATE UNIQUE INDEX certs_of_owner ON certs (owner, name) WHERE app IS NULL;
CREATE INDEX certs_by_owner ON certs (owner);

-- The host names that certificates speak for, in lower case.
CREATE TABLE cert_names (
    cert BIGINT NOT NULL REFERENCES certs (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    PRIMARY KEY (cert, name)
);
CREATE INDEX cert_names_by_name ON cert_names (name);

CREATE TABLE domains (
    name    TEXT PRIMARY KEY,
    app     BIGINT NOT NULL REFERENCES apps (number) ON DELETE CASCADE,
    ptype   TEXT NOT NULL,
    cert    BIGINT REFERENCES certs (id) ON DELETE SET NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL
);
CREATE INDEX domains_by_app ON domains (app, name);
CREATE INDEX domains_by_cert ON domains (cert);

-- Certificates that domains got by themselves.
CREATE TABLE leaves (
    domain  TEXT PRIMARY KEY REFERENCES domains (name) ON DELETE CASCADE,
    chain   TEXT NOT NULL,
    sealed  BLOB NOT NULL,
    starts  BIGINT NOT NULL,
    expires BIGINT NOT NULL
);

-- The switches are 0 and 1, and NULL when they were never set.
CREATE TABLE tls (
    app            BIGINT PRIMARY KEY REFERENCES apps (number) ON DELETE CASCADE,
    https_enforced BOOLEAN,
    auto_certs     BOOLEAN,
    sealed         BLOB NOT NULL,
    created        BIGINT NOT NULL,
    updated        BIGINT NOT NULL
);
CREATE INDEX tls_auto ON tls (app) WHERE auto_certs = TRUE;

CREATE TABLE services (
    app     BIGINT NOT NULL REFERENCES apps (number) ON DELETE CASCADE,
    ptype   TEXT NOT NULL,
    ports   TEXT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    PRIMARY KEY (app, ptype)
);

CREATE TABLE gateways (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    app     BIGINT NOT NULL REFERENCES apps (number) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    ports   TEXT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    UNIQUE (app, name)
);

CREATE TABLE routes (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    app     BIGINT NOT NULL REFERENCES apps (number) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    kind    TEXT NOT NULL,
    body    TEXT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    UNIQUE (app, name)
);
