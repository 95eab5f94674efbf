-- Whose turn it is to write, of servers on one database. The number grows with
-- every turn: what a server writes with an older one is refused.
CREATE TABLE leader (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    turn   BIGINT NOT NULL,
    holder TEXT NOT NULL,
    since  BIGINT NOT NULL
);

-- Builds are those of whoever leads, no longer of the server at an address.
UPDATE build_runs SET runner = 'controller';
