"""The tables of the PostgreSQL backends, as the migrations that lead to them: each is run once, in order.

Where TimescaleDB is there when they are made, points lie in a hypertable instead of partitions.
"""

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
    PRIMARY KEY (line, bucket, range)){partitioned};
CREATE TABLE leeway_minute (
    line bigint NOT NULL, bucket bigint NOT NULL,
    count bigint NOT NULL, total double precision NOT NULL, low double precision NOT NULL,
    high double precision NOT NULL, histogram bytea,
    PRIMARY KEY (line, bucket));
"""

_PARTITIONED = " PARTITION BY RANGE (bucket)"
_HYPERTABLE = """
SELECT create_hypertable('leeway_point', 'bucket', chunk_time_interval => 86400);
"""
# Of Timescale's own licence: chunks are compressed after two days; sums by the hour, for who asks the database itself.
_COMMUNITY = """
CREATE FUNCTION leeway_now() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT extract(epoch FROM now())::bigint';
SELECT set_integer_now_func('leeway_point', 'leeway_now');
ALTER TABLE leeway_point SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'line', timescaledb.compress_orderby = 'bucket, range');
SELECT add_compression_policy('leeway_point', BIGINT '172800');
CREATE MATERIALIZED VIEW leeway_hour WITH (timescaledb.continuous) AS
    SELECT line, time_bucket(BIGINT '3600', bucket) AS bucket, sum(count) AS count, sum(total) AS total,
        min(low) AS low, max(high) AS high
    FROM leeway_point GROUP BY 1, 2 WITH NO DATA;
SELECT add_continuous_aggregate_policy('leeway_hour', start_offset => BIGINT '172800', end_offset => BIGINT '3600',
    schedule_interval => INTERVAL '10 minutes');
SELECT add_retention_policy('leeway_hour', BIGINT '31622400');
"""

MIGRATIONS = (_FIRST.format(partitioned=_PARTITIONED),)


def migrations(timescale: str) -> tuple[str, ...]:
    """`timescale` is the licence of the extension (timescale, or apache), "" where it is not there."""
    if not timescale:
        return MIGRATIONS
    beyond = _COMMUNITY if timescale == "timescale" else ""
    return (_FIRST.format(partitioned="") + _HYPERTABLE + beyond, *MIGRATIONS[1:])
