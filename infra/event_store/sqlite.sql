create table if not exists ledger (
    one integer primary key check (one = 1),
    ledger_id text not null,
    partitions integer not null,
    topic_prefix text not null,
    schema_version integer not null
) strict;

create table if not exists counter (
    one integer primary key check (one = 1),
    position integer not null,
    recorded_at integer not null,  -- microseconds since 1970 UTC
    latest_occurred_on text not null  -- '' on an empty ledger
) strict;
insert or ignore into counter values (1, 0, 0, '');

create table if not exists event (
    position integer primary key,
    id text not null,
    type text not null,
    version integer not null,
    stream text not null,
    stream_version integer not null,
    customer_id text not null,
    occurred_on text not null,
    occurred_at integer,
    recorded_at integer not null,
    actor text not null,
    source text not null,
    correlation_id text not null,
    causation_id text,
    data blob not null,
    stream_previous integer not null,  -- position of the event before it in its stream, or 0
    customer_previous integer not null  -- the same among its customer's events
) strict;
-- Chains instead of indexes on event: in a feed sorted by date every row would touch an index page
-- of its own, and a commit writes each page to disk. A few heads share a page.
create table if not exists stream (
    name text primary key,
    version integer not null,
    position integer not null  -- of its last event
) strict, without rowid;
create table if not exists customer (
    customer_id text primary key,
    position integer not null  -- of its last event
) strict, without rowid;

create table if not exists claim (
    key text primary key,  -- its parts in reverse: see rotated()
    position integer not null,
    content blob not null
) strict, without rowid;

-- The eventsourcing library reads the ledger under its own names.
create view if not exists stored_events as
    select position as rowid, stream as originator_id, stream_version as originator_version,
        type as topic, data as state
    from event;
