"""The tables of the PostgreSQL backends, as the migrations that lead to them: each is run once, in order."""

_FIRST = """
CREATE TABLE leeway_commit (name text PRIMARY KEY, token uuid NOT NULL);
CREATE TABLE leeway_item (
    name text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, value bytea NOT NULL, PRIMARY KEY (name, key));
ALTER TABLE leeway_item ALTER COLUMN value SET STORAGE EXTERNAL;

CREATE TABLE leeway_line (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    series text COLLATE "C" NOT NULL, endpoint text COLLATE "C" NOT NULL, feature text COLLATE "C" NOT NULL,
    UNIQUE (series, endpoint, feature));
CREATE TABLE leeway_point (
    line bigint NOT NULL, bucket bigint NOT NULL, range text COLLATE "C" NOT NULL,
    count bigint NOT NULL, total double precision NOT NULL, low double precision NOT NULL,
    high double precision NOT NULL, histogram bytea,
    PRIMARY KEY (line, bucket, range)) PARTITION BY RANGE (bucket);
CREATE TABLE leeway_minute (
    line bigint NOT NULL, bucket bigint NOT NULL,
    count bigint NOT NULL, total double precision NOT NULL, low double precision NOT NULL,
    high double precision NOT NULL, histogram bytea,
    PRIMARY KEY (line, bucket));
"""

MIGRATIONS = (_FIRST,)
