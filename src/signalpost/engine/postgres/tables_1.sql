-- What is kept, as of schema 1. All texts are bytea: UTF-8, in which U+0000 is a character like others.
-- Times are Unix seconds; "never" is infinity.

-- One row: what is said of all the rest.
CREATE TABLE meta (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    version int NOT NULL,                    -- of these tables
    epoch text NOT NULL,                     -- of the queues' numbers
    generation text NOT NULL DEFAULT '',     -- the server, and its timeline, that gave out the latest numbers
    pulse float8 NOT NULL DEFAULT 0,         -- when a node has last said that it is used
    floor bigint NOT NULL DEFAULT 0,         -- new numbers of queues are above it
    stand_floor bigint NOT NULL DEFAULT 0    -- no topic without a row has had a revision above it
);

-- Of records, of attributes of topics, and of timers.
CREATE SEQUENCE revisions;

CREATE TABLE records (
    key bytea PRIMARY KEY,
    value bytea NOT NULL,
    rev bigint NOT NULL,
    expires float8 NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX records_expire ON records (expires) WHERE expires < 'infinity';

CREATE TABLE fields (
    key bytea NOT NULL,
    name bytea NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (key, name)
);

CREATE SEQUENCE places;

CREATE TABLE names (
    key bytea NOT NULL,
    name bytea NOT NULL,
    value bytea NOT NULL,
    place bigint NOT NULL DEFAULT nextval('places'),  -- in the order in which they came
    PRIMARY KEY (key, name)
);

-- Where each queue stands. It changes with every message: its rows have room for that in their pages.
CREATE TABLE queues (
    key bytea PRIMARY KEY,
    last bigint NOT NULL,      -- the highest number that was given out, or told
    items bigint NOT NULL,     -- how many are in `items`, those whose time is over included
    size bigint NOT NULL,      -- the sum of theirs
    soonest float8 NOT NULL,   -- none of them expires before
    touched float8 NOT NULL    -- an empty queue is forgotten some time after
) WITH (fillfactor = 50);

-- Items go into the slot of their hour, one of three in turn. What is still there when its hour is long over
-- moves to slot 0, and the slot is emptied whole: what was taken soon is never vacuumed row by row.
CREATE TABLE items (
    slot smallint NOT NULL,
    queue bytea NOT NULL,
    seq bigint NOT NULL,
    expires float8 NOT NULL,
    size bigint NOT NULL,
    source bytea NOT NULL,
    mark bytea NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (queue, seq, slot)
) PARTITION BY LIST (slot);
CREATE INDEX items_expire ON items (expires);
CREATE INDEX items_marked ON items (queue, mark) WHERE mark <> '';
CREATE TABLE items_0 PARTITION OF items FOR VALUES IN (0);
CREATE TABLE items_1 PARTITION OF items FOR VALUES IN (1) WITH (autovacuum_enabled = off);
CREATE TABLE items_2 PARTITION OF items FOR VALUES IN (2) WITH (autovacuum_enabled = off);
CREATE TABLE items_3 PARTITION OF items FOR VALUES IN (3) WITH (autovacuum_enabled = off);

-- What an append has done, by its dedupe text; in slots likewise.
CREATE TABLE receipts (
    slot smallint NOT NULL,
    queue bytea NOT NULL,
    dedupe bytea NOT NULL,
    seq bigint NOT NULL,
    note bytea NOT NULL,
    expires float8 NOT NULL,
    PRIMARY KEY (queue, dedupe, slot)
) PARTITION BY LIST (slot);
CREATE TABLE receipts_0 PARTITION OF receipts FOR VALUES IN (0);
CREATE TABLE receipts_1 PARTITION OF receipts FOR VALUES IN (1) WITH (autovacuum_enabled = off);
CREATE TABLE receipts_2 PARTITION OF receipts FOR VALUES IN (2) WITH (autovacuum_enabled = off);
CREATE TABLE receipts_3 PARTITION OF receipts FOR VALUES IN (3) WITH (autovacuum_enabled = off);
CREATE INDEX receipts_expire ON receipts_0 (expires);

-- What all queues hold of a source. Each connection that writes counts in rows of its own lane, so that none
-- waits for another's: a source has the sum of its rows, any of which may be below zero.
CREATE TABLE sources (
    key bytea NOT NULL,
    lane smallint NOT NULL,
    items bigint NOT NULL,
    size bigint NOT NULL,
    PRIMARY KEY (key, lane)
) WITH (fillfactor = 50);

CREATE TABLE topics (
    topic bytea PRIMARY KEY,
    rev bigint NOT NULL,      -- the highest that an attribute of it was given
    touched float8 NOT NULL   -- one without attributes is forgotten some time after
) WITH (fillfactor = 70);

CREATE TABLE attributes (
    topic bytea NOT NULL,
    name bytea NOT NULL,
    value bytea NOT NULL,
    rev bigint NOT NULL,
    size bigint NOT NULL,
    charges bytea[] NOT NULL,
    PRIMARY KEY (topic, name)
);

-- What is charged to a key by attributes; in lanes likewise.
CREATE TABLE charges (
    key bytea NOT NULL,
    lane smallint NOT NULL,
    items bigint NOT NULL,
    size bigint NOT NULL,
    PRIMARY KEY (key, lane)
) WITH (fillfactor = 50);

-- Notes need not outlive a crash of the server.
CREATE UNLOGGED TABLE notes (
    key bytea NOT NULL,
    name bytea NOT NULL,
    value bytea NOT NULL,
    expires float8 NOT NULL,
    PRIMARY KEY (key, name)
);
CREATE INDEX notes_expire ON notes (expires);

CREATE TABLE timers (
    key bytea PRIMARY KEY,
    at float8 NOT NULL,
    turn bigint NOT NULL,
    next float8 NOT NULL       -- when it is given out
) WITH (fillfactor = 70);
CREATE INDEX timers_next ON timers (next);
