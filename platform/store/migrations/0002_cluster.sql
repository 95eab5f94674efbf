-- The cluster that the apps were last brought to, one row.
CREATE TABLE cluster (
    id  INTEGER PRIMARY KEY CHECK (id = 1),
    uid TEXT NOT NULL
);
