create table if not exists ledger (
    one int primary key check (one = 1),
    ledger_id text not null,
    partitions int not null,
    topic_prefix text not null,
    schema_version int not null
);

create table if not exists counter (
    one int primary key check (one = 1),
    position bigint not null,
    recorded_at bigint not null,  -- microseconds since 1970 UTC
    latest_occurred_on text collate "C" not null  -- '' on an empty ledger
) with (fillfactor = 10);  -- room for HOT updates: every append writes this row
insert into counter values (1, 0, 0, '') on conflict do nothing;

create table if not exists event (
    position bigint primary key,
    id text not null,
    type text not null,
    version int not null,
    stream text collate "C" not null,
    stream_version int not null,
    customer_id text collate "C" not null,
    occurred_on text not null,
    occurred_at bigint,
    recorded_at bigint not null,
    actor text not null,
    source text not null,
    correlation_id text not null,
    causation_id text,
    data bytea not null,
    unique (stream, stream_version)
);
create index if not exists event_customer on event (customer_id);

create table if not exists claim (
    key text collate "C" primary key,  -- its parts in reverse: see rotated()
    position bigint not null,
    content bytea not null
);

-- The eventsourcing library reads the ledger under its own names.
create or replace view stored_events as
    select position as notification_id, stream as originator_id,
        stream_version::bigint as originator_version, type as topic, data as state
    from event;
