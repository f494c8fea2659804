-- The gapless append: one call, one round trip. READ COMMITTED, so that each statement after the
-- lock sees what every earlier append committed. SQLSTATE GX001: a conflict, GX002: too large.

create or replace function packed_integer_bytes(value bigint) returns int
language sql immutable as $$
    select case when value < 128 then 1 when value < 256 then 2 when value < 65536 then 3
        when value < 4294967296 then 5 else 9 end
$$;

create or replace function append_events(
    streams text[], required int[],
    ids text[], types text[], versions int[], stream_indexes int[], nths int[],
    event_streams text[], customers text[], occurred_ons text[], occurred_ats bigint[],
    actors text[], sources text[], correlations text[], causations text[], datas bytea[],
    free_keys text[], free_contents bytea[], free_records int[],
    held_keys text[], held_contents bytea[], held_records int[], replaced bytea[],
    sizes int[], record_bytes_max int, latest text, now_us bigint
) returns bigint language plpgsql
set plan_cache_mode = force_generic_plan  -- planning anew would take longer than the append
set enable_seqscan = off  -- the plan is made on an empty ledger and kept
as $$
declare
    n int := cardinality(ids);
    before bigint;
    recorded bigint;
    bases int[];
    changed text;
    found_held int;
begin
    update counter set
        position = position + n,
        recorded_at = greatest(now_us, recorded_at + 1) + n - 1,
        latest_occurred_on = greatest(latest_occurred_on, latest)
        where one = 1
        returning position - n, recorded_at - n into before, recorded;

    bases := array(
        select coalesce((select max(e.stream_version) from event e where e.stream = s.stream), 0)
        from unnest(streams) with ordinality as s (stream, place) order by place
    );
    select stream into changed
        from unnest(streams, required, bases) as r (stream, version, base)
        where version <> base limit 1;
    if changed is not null then
        raise exception 'stream % has changed', changed using errcode = 'GX001';
    end if;

    if cardinality(held_keys) > 0 then
        update claim c set content = h.content, position = before + 1 + h.record
            from unnest(held_keys, held_contents, held_records, replaced)
                as h (key, content, record, replaces)
            where c.key = h.key and c.content = h.replaces;
        get diagnostics found_held = row_count;
        if found_held <> cardinality(held_keys) then
            raise exception 'a claim to replace holds something else' using errcode = 'GX001';
        end if;
    end if;
    if cardinality(free_keys) > 0 then
        insert into claim select key, before + 1 + record, content
            from unnest(free_keys, free_contents, free_records) as f (key, content, record);
    end if;

    insert into event
        select before + place, id, type, version, stream, bases[stream_index + 1] + nth, customer,
            occurred_on, occurred_at, recorded + place, actor, source, correlation, causation, data
        from unnest(
            ids, types, versions, stream_indexes, nths, event_streams, customers, occurred_ons,
            occurred_ats, actors, sources, correlations, causations, datas
        ) with ordinality as u (
            id, type, version, stream_index, nth, stream, customer, occurred_on,
            occurred_at, actor, source, correlation, causation, data, place
        );

    if cardinality(sizes) > 0 and exists (
        select from unnest(sizes) with ordinality as s (size, place)
            join event e on e.position = before + place
        where size + packed_integer_bytes(e.position) + packed_integer_bytes(e.stream_version)
            + packed_integer_bytes(e.recorded_at) > record_bytes_max
    ) then
        raise exception 'an event of more than % bytes', record_bytes_max using errcode = 'GX002';
    end if;

    perform pg_notify('stored_events', (before + n)::text);  -- the channel the library listens to
    return before + n;
end $$;
