-- Certificates from public authorities: who signed, how the tries went, and
-- what an ACME client remembers.

ALTER TABLE leaves ADD COLUMN issuer TEXT NOT NULL DEFAULT '';

-- The last try of each domain.
CREATE TABLE cert_attempts (
    domain   TEXT PRIMARY KEY REFERENCES domains (name) ON DELETE CASCADE,
    issuer   TEXT NOT NULL,
    account  TEXT NOT NULL,
    last_try BIGINT NOT NULL,
    next_try BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    problem  TEXT NOT NULL,
    message  TEXT NOT NULL
);

-- Accounts with which nothing is tried for a while, for any domain.
CREATE TABLE cert_holds (
    account  TEXT PRIMARY KEY,
    issuer   TEXT NOT NULL,
    last_try BIGINT NOT NULL,
    next_try BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    problem  TEXT NOT NULL,
    message  TEXT NOT NULL
);

-- Names are paths; keys of accounts are among the values.
CREATE TABLE shelf (
    name     TEXT PRIMARY KEY,
    sealed   BLOB NOT NULL,
    size     BIGINT NOT NULL,
    modified BIGINT NOT NULL
);

CREATE TABLE shelf_locks (
    name    TEXT PRIMARY KEY,
    owner   TEXT NOT NULL,
    expires BIGINT NOT NULL
);
