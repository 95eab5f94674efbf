-- Users that a directory knows have an origin, and a subject there.
ALTER TABLE users ADD COLUMN origin TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN user_groups TEXT NOT NULL DEFAULT '[]';
CREATE UNIQUE INDEX users_by_subject ON users (origin, subject) WHERE origin <> '';
CREATE INDEX users_by_email ON users (lower(email));
CREATE INDEX users_superusers ON users (id) WHERE is_superuser;
CREATE INDEX members_in_order ON members (workspace, id);

-- The token is needed again to be shown, so it is sealed; its hash finds it.
CREATE TABLE invitations (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace    BIGINT NOT NULL REFERENCES workspaces (number) ON DELETE CASCADE,
    email        TEXT NOT NULL,
    token_sha256 TEXT NOT NULL UNIQUE,
    sealed       BLOB NOT NULL,
    inviter      TEXT NOT NULL,
    accepted     BOOLEAN NOT NULL DEFAULT FALSE,
    joined       BOOLEAN NOT NULL DEFAULT FALSE,
    created      BIGINT NOT NULL
);
CREATE UNIQUE INDEX invitations_by_email ON invitations (lower(email), workspace);
CREATE INDEX invitations_by_workspace ON invitations (workspace, id);

-- Users who are let into one app.
CREATE TABLE grants (
    app     BIGINT NOT NULL REFERENCES apps (number) ON DELETE CASCADE,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role    INTEGER NOT NULL CHECK (role BETWEEN 1 AND 3),
    created BIGINT NOT NULL,
    PRIMARY KEY (app, user_id)
);
CREATE INDEX grants_by_user ON grants (user_id);
