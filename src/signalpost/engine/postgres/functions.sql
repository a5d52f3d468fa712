-- What is done to the tables. `commit` does what a node has gathered, `load` answers what it asks.
--
-- Whoever changes a queue, record, set, topic, timer or note holds the stripe of its key, an advisory lock, until
-- the transaction ends. A transaction takes all its stripes before anything else, in ascending order, so that
-- two of them never wait for each other; what it reads afterwards is what the one before it has left.
--
-- moment: the time, in Unix seconds, or NULL for the server's.

CREATE FUNCTION hold(stripes int[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7374, stripe) FROM unnest(stripes) stripe;
END
$$;

-- The lane in which this connection counts.
CREATE FUNCTION lane() RETURNS smallint STABLE LANGUAGE sql AS $$
    SELECT current_setting('signalpost.lane')::smallint
$$;

-- As of the transaction's beginning, so that an index can be looked at.
CREATE FUNCTION instant(moment float8) RETURNS float8 STABLE LANGUAGE sql AS $$
    SELECT coalesce(moment, extract(epoch FROM now())::float8)
$$;

-- In which slot something goes now, of those that change every so many seconds.
CREATE FUNCTION slot(moment float8, width float8) RETURNS smallint IMMUTABLE LANGUAGE sql AS $$
    SELECT (1 + floor(moment / width)::bigint % 3)::smallint
$$;

CREATE FUNCTION conflict() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'conflict' USING ERRCODE = 'SP001';
END
$$;

-- bound: 1 the queue's or set's, 2 the part's, 3 the source's; or the number of the charge.
CREATE FUNCTION full_up(bound bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE '%', bound USING ERRCODE = 'SP002';
END
$$;

-- Have all numbers and revisions that are given from now on be above all that may have been given: they begin at
-- the clock anew.
CREATE FUNCTION fence(new_generation text, moment float8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE meta
    SET generation = new_generation, floor = greatest(floor, floor(moment * 1000)::bigint * 1000);
    PERFORM setval('revisions', greatest(nextval('revisions'), floor(moment * 1000000)::bigint));
END
$$;

-- --- records -----------------------------------------------------------------------------------

CREATE FUNCTION put(k bytea, v bytea, expected bigint, ends float8, parts bytea[], moment float8)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    known bigint;
    alive boolean;
    new bigint;
BEGIN
    SELECT rev, expires > moment INTO known, alive FROM records WHERE key = k;
    IF expected <> (CASE WHEN alive THEN known ELSE 0 END) THEN
        PERFORM conflict();
    END IF;
    IF NOT alive THEN
        DELETE FROM fields WHERE key = k;
    END IF;
    INSERT INTO records VALUES (k, v, nextval('revisions'), ends)
    ON CONFLICT (key) DO UPDATE SET value = v, rev = excluded.rev, expires = ends
    RETURNING rev INTO new;
    IF parts IS NOT NULL THEN
        INSERT INTO fields
        SELECT k, parts[2 * n - 1], parts[2 * n] FROM generate_series(1, cardinality(parts) / 2) n
        ON CONFLICT (key, name) DO UPDATE SET value = excluded.value;
    END IF;
    RETURN new;
END
$$;

CREATE FUNCTION expect(k bytea, expected bigint, moment float8) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    known bigint;
BEGIN
    SELECT rev INTO known FROM records WHERE key = k AND expires > moment;
    known := coalesce(known, 0);
    IF expected <> known THEN
        PERFORM conflict();
    END IF;
    RETURN known;
END
$$;

-- Returns 1 if there was a live one.
CREATE FUNCTION remove_record(k bytea, expected bigint, moment float8) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    known bigint := expect(k, expected, moment);
BEGIN
    IF known = 0 THEN
        RETURN 0;
    END IF;
    DELETE FROM records WHERE key = k;
    DELETE FROM fields WHERE key = k;
    RETURN 1;
END
$$;

CREATE FUNCTION forget_record(k bytea, moment float8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM records WHERE key = k AND expires <= moment;
    IF FOUND THEN
        DELETE FROM fields WHERE key = k;
    END IF;
END
$$;

-- --- sets of names -----------------------------------------------------------------------------

CREATE FUNCTION include(k bytea, n bytea, v bytea, most bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    UPDATE names SET value = v WHERE key = k AND name = n;
    IF FOUND THEN
        RETURN 0;
    END IF;
    IF most > 0 AND (SELECT count(*) FROM names WHERE key = k) >= most THEN
        PERFORM full_up(1);
    END IF;
    INSERT INTO names VALUES (k, n, v);
    RETURN 1;
END
$$;

CREATE FUNCTION exclude(k bytea, n bytea, v bytea) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM names WHERE key = k AND name = n AND value = v;
    RETURN CASE WHEN FOUND THEN 1 ELSE 0 END;
END
$$;

-- --- queues ------------------------------------------------------------------------------------

CREATE FUNCTION count_source(k bytea, more bigint, bytes bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sources VALUES (k, lane(), more, bytes)
    ON CONFLICT (key, lane) DO UPDATE
    SET items = sources.items + excluded.items, size = sources.size + excluded.size;
END
$$;

-- Behind which number a queue that is not known begins.
CREATE FUNCTION base(moment float8) RETURNS bigint STABLE LANGUAGE plpgsql AS $$
BEGIN
    RETURN greatest(floor(moment * 1000)::bigint * 1000, (SELECT meta.floor FROM meta));
END
$$;

-- Account for items that have just left a queue.
CREATE FUNCTION let_go(k bytea, from_source bytea[], bytes bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE queues
    SET items = items - cardinality(bytes),
        size = size - (SELECT sum(b) FROM unnest(bytes) b),
        soonest = CASE WHEN items = cardinality(bytes) THEN 'infinity' ELSE soonest END
    WHERE key = k;
    PERFORM count_source(s, -count(*), -sum(b)::bigint)
    FROM unnest(from_source, bytes) AS gone (s, b) WHERE s <> '' GROUP BY s;
END
$$;

-- Remove items of a queue: these numbers; or else those that bear one of these marks, or any (NULL).
CREATE FUNCTION take_out(k bytea, wanted bigint[], marks bytea[], moment float8)
RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    seqs bigint[];
    origins bytea[];
    bytes bigint[];
BEGIN
    PERFORM purge(k, moment);
    IF wanted IS NOT NULL THEN
        WITH gone AS (DELETE FROM items WHERE queue = k AND seq = ANY (wanted) RETURNING seq, source, size)
        SELECT array_agg(seq ORDER BY seq), array_agg(source ORDER BY seq), array_agg(size ORDER BY seq)
        INTO seqs, origins, bytes FROM gone;
    ELSIF marks IS NOT NULL THEN
        WITH gone AS (
            DELETE FROM items WHERE queue = k AND mark <> '' AND mark = ANY (marks) RETURNING seq, source, size
        )
        SELECT array_agg(seq ORDER BY seq), array_agg(source ORDER BY seq), array_agg(size ORDER BY seq)
        INTO seqs, origins, bytes FROM gone;
    ELSE
        WITH gone AS (DELETE FROM items WHERE queue = k AND mark <> '' RETURNING seq, source, size)
        SELECT array_agg(seq ORDER BY seq), array_agg(source ORDER BY seq), array_agg(size ORDER BY seq)
        INTO seqs, origins, bytes FROM gone;
    END IF;
    IF seqs IS NOT NULL THEN
        PERFORM let_go(k, origins, bytes);
    END IF;
    RETURN seqs;
END
$$;

-- Remove what is over its time from a queue that may have such.
CREATE FUNCTION purge(k bytea, moment float8) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    origins bytea[];
    bytes bigint[];
BEGIN
    PERFORM FROM queues WHERE key = k AND soonest <= moment;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    WITH gone AS (DELETE FROM items WHERE queue = k AND expires <= moment RETURNING source, size)
    SELECT array_agg(source), array_agg(size) INTO origins, bytes FROM gone;
    IF bytes IS NOT NULL THEN
        PERFORM let_go(k, origins, bytes);
    END IF;
    UPDATE queues
    SET soonest = coalesce((SELECT min(expires) FROM items WHERE queue = k), 'infinity')
    WHERE key = k;
END
$$;

-- Remove all up to a number from each of these queues, if it has given that out.
CREATE FUNCTION take_up_to(keys bytea[], uptos bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH allowed AS MATERIALIZED (
        SELECT wanted.key, max(upto) AS upto
        FROM unnest(keys, uptos) AS wanted (key, upto) JOIN queues ON queues.key = wanted.key
        WHERE upto <= last AND items > 0
        GROUP BY wanted.key
    ), gone AS MATERIALIZED (
        DELETE FROM items USING allowed WHERE queue = allowed.key AND seq <= allowed.upto
        RETURNING queue, source, items.size
    ), fewer AS (
        UPDATE queues
        SET items = queues.items - each.count,
            size = queues.size - each.size,
            soonest = CASE WHEN queues.items = each.count THEN 'infinity' ELSE soonest END
        FROM (SELECT queue, count(*), sum(size) AS size FROM gone GROUP BY queue) each
        WHERE key = each.queue
    )
    INSERT INTO sources
    SELECT source, lane(), -count(*), -sum(size) FROM gone WHERE source <> '' GROUP BY source
    ON CONFLICT (key, lane) DO UPDATE
    SET items = sources.items + excluded.items, size = sources.size + excluded.size;
END
$$;

-- What is appended, and how far it may fill what it goes into. See `Append` in the port.
CREATE TYPE appending AS (
    n int, key bytea, body bytea, size bigint, source bytea, note bytea, mark bytea, dedupe bytea,
    ttl float8, max_items bigint, max_size bigint, part_items bigint, part_size bigint,
    all_items bigint, all_size bigint, dedupe_ttl float8
);

-- Append one item. Returns its number; or the number and note of the one that it repeats.
CREATE FUNCTION append(a appending, moment float8, OUT number bigint, OUT repeated boolean, OUT noted bytea)
LANGUAGE plpgsql AS $$
DECLARE
    q queues;
    held bigint;
    bytes bigint;
    over bigint;
    over_bytes bigint;
BEGIN
    repeated := false;
    IF a.dedupe <> '' THEN
        SELECT seq, note INTO number, noted FROM receipts
        WHERE queue = a.key AND dedupe = a.dedupe AND expires > moment;
        IF FOUND THEN
            repeated := true;
            RETURN;
        END IF;
    END IF;
    PERFORM purge(a.key, moment);
    SELECT * INTO q FROM queues WHERE key = a.key;
    IF coalesce(q.items, 0) >= a.max_items OR coalesce(q.size, 0) + a.size > a.max_size THEN
        PERFORM full_up(1);
    END IF;
    IF a.source <> '' THEN
        IF coalesce(q.items, 0) >= a.part_items AND a.part_items > 0
            OR coalesce(q.size, 0) + a.size > a.part_size AND a.part_size > 0
        THEN
            SELECT count(*), coalesce(sum(size), 0) INTO held, bytes
            FROM items WHERE queue = a.key AND source = a.source;
            IF held >= a.part_items AND a.part_items > 0 OR bytes + a.size > a.part_size AND a.part_size > 0 THEN
                PERFORM full_up(2);
            END IF;
        END IF;
        SELECT coalesce(sum(items), 0), coalesce(sum(size), 0) INTO held, bytes FROM sources WHERE key = a.source;
        IF held >= a.all_items AND a.all_items > 0 OR bytes + a.size > a.all_size AND a.all_size > 0 THEN
            -- without what is over its time and was not swept yet
            SELECT count(*), coalesce(sum(size), 0) INTO over, over_bytes
            FROM items WHERE expires <= moment AND source = a.source;
            held := held - over;
            bytes := bytes - over_bytes;
            IF held >= a.all_items AND a.all_items > 0 OR bytes + a.size > a.all_size AND a.all_size > 0 THEN
                PERFORM full_up(3);
            END IF;
        END IF;
        PERFORM count_source(a.source, 1, a.size);
    END IF;
    INSERT INTO queues VALUES (a.key, base(moment) + 1, 1, a.size, moment + a.ttl, moment)
    ON CONFLICT (key) DO UPDATE
    SET last = greatest(queues.last, (SELECT floor FROM meta)) + 1,
        items = queues.items + 1,
        size = queues.size + a.size,
        soonest = least(queues.soonest, excluded.soonest),
        touched = moment
    RETURNING last INTO number;
    INSERT INTO items
    VALUES (slot(moment, 3600), a.key, number, moment + a.ttl, a.size, a.source, a.mark, a.body);
    IF a.dedupe <> '' THEN
        INSERT INTO receipts
        VALUES (slot(moment, 600), a.key, a.dedupe, number, a.note, moment + a.dedupe_ttl)
        ON CONFLICT (queue, dedupe, slot) DO UPDATE
        SET seq = excluded.seq, note = excluded.note, expires = excluded.expires;
    END IF;
END
$$;

-- Append many items, as if one after the other, but only to queues where nothing can be wrong: room for all of
-- them, nothing repeated. Returns the number of each, and NULL for those that have to be done one by one.
CREATE FUNCTION append_all(asked appending[], moment float8, OUT seqs bigint[]) LANGUAGE plpgsql AS $$
BEGIN
    WITH known AS MATERIALIZED (
        SELECT a.*,
            greatest(q.last, (SELECT floor FROM meta)) AS last,
            coalesce(q.items, 0) + count(*) OVER queue AS fill,
            coalesce(q.size, 0) + sum(a.size) OVER queue AS fill_size,
            coalesce(s.items, 0) + count(*) OVER source AS sent,
            coalesce(s.size, 0) + sum(a.size) OVER source AS sent_size,
            a.dedupe <> '' AND (
                EXISTS (
                    SELECT FROM receipts
                    WHERE queue = a.key AND receipts.dedupe = a.dedupe AND expires > moment
                )
                OR count(*) OVER (PARTITION BY a.key, a.dedupe ORDER BY a.n) > 1
            ) AS again,
            count(*) OVER queue AS nth
        FROM unnest(asked) a
        LEFT JOIN queues q ON q.key = a.key
        LEFT JOIN LATERAL (
            SELECT sum(items) AS items, sum(size) AS size FROM sources WHERE sources.key = a.source
        ) s ON a.source <> ''
        WINDOW queue AS (PARTITION BY a.key ORDER BY a.n), source AS (PARTITION BY a.source ORDER BY a.n)
    ), judged AS MATERIALIZED (
        SELECT *, bool_or(
            again OR fill > max_items OR fill_size > max_size
            OR source <> '' AND (
                part_items > 0 AND fill > part_items OR part_size > 0 AND fill_size > part_size
                OR all_items > 0 AND sent > all_items OR all_size > 0 AND sent_size > all_size
            )
        ) OVER (PARTITION BY key) AS odd
        FROM known
    ), good AS MATERIALIZED (
        SELECT *, coalesce(last, base(moment)) + nth AS seq FROM judged WHERE NOT odd
    ), heads AS (
        INSERT INTO queues
        SELECT key, max(seq), count(*), sum(size), min(moment + ttl), moment FROM good GROUP BY key
        ON CONFLICT (key) DO UPDATE
        SET last = excluded.last,
            items = queues.items + excluded.items,
            size = queues.size + excluded.size,
            soonest = least(queues.soonest, excluded.soonest),
            touched = moment
    ), stored AS (
        INSERT INTO items
        SELECT slot(moment, 3600), key, seq, moment + ttl, size, source, mark, body FROM good
    ), remembered AS (
        INSERT INTO receipts
        SELECT slot(moment, 600), key, dedupe, seq, note, moment + dedupe_ttl FROM good WHERE dedupe <> ''
        ON CONFLICT (queue, dedupe, slot) DO UPDATE
        SET seq = excluded.seq, note = excluded.note, expires = excluded.expires
    ), counted AS (
        INSERT INTO sources
        SELECT source, lane(), count(*), sum(size) FROM good WHERE source <> '' GROUP BY source
        ON CONFLICT (key, lane) DO UPDATE
        SET items = sources.items + excluded.items, size = sources.size + excluded.size
    )
    SELECT array_agg(good.seq ORDER BY judged.n) INTO seqs FROM judged LEFT JOIN good ON good.n = judged.n;
END
$$;

-- Let somebody who asks where a queue stands know where it begins.
CREATE FUNCTION begin_queue(k bytea, moment float8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO queues VALUES (k, base(moment), 0, 0, 'infinity', moment) ON CONFLICT DO NOTHING;
END
$$;

-- Move what is still in a slot whose time is over.
CREATE FUNCTION settle(k bytea, old_slot smallint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE items SET slot = 0 WHERE queue = k AND slot = old_slot;
END
$$;

-- Forget a queue that is empty and that nobody has used for so many seconds.
CREATE FUNCTION forget_queue(k bytea, idle float8, moment float8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH gone AS (
        DELETE FROM queues WHERE key = k AND items = 0 AND touched <= moment - idle RETURNING last
    )
    UPDATE meta SET floor = last FROM gone WHERE last > floor;
END
$$;

-- --- attributes of topics ----------------------------------------------------------------------

CREATE FUNCTION count_charge(k bytea, more bigint, bytes bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO charges VALUES (k, lane(), more, bytes)
    ON CONFLICT (key, lane) DO UPDATE
    SET items = charges.items + excluded.items, size = charges.size + excluded.size;
END
$$;

CREATE FUNCTION change_topic(t bytea, moment float8) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    new bigint;
BEGIN
    INSERT INTO topics VALUES (t, nextval('revisions'), moment)
    ON CONFLICT (topic) DO UPDATE SET rev = excluded.rev, touched = moment
    RETURNING rev INTO new;
    RETURN new;
END
$$;

-- paid: the keys that are charged. bounds: for each of them, how many items and bytes it may have.
CREATE FUNCTION set_attribute(
    t bytea, n bytea, v bytea, bytes bigint, paid bytea[], bounds bigint[], moment float8
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    old attributes;
    new bigint;
    held bigint;
    held_bytes bigint;
    more bigint;
    more_bytes bigint;
BEGIN
    SELECT * INTO old FROM attributes WHERE topic = t AND name = n;
    FOR i IN 1 .. cardinality(paid) LOOP
        SELECT coalesce(sum(items), 0), coalesce(sum(size), 0) INTO held, held_bytes
        FROM charges WHERE key = paid[i];
        more := CASE WHEN paid[i] = ANY (old.charges) THEN 0 ELSE 1 END;
        more_bytes := bytes - CASE WHEN paid[i] = ANY (old.charges) THEN old.size ELSE 0 END;
        IF bounds[2 * i - 1] > 0 AND more > 0 AND held + more > bounds[2 * i - 1]
            OR bounds[2 * i] > 0 AND more_bytes > 0 AND held_bytes + more_bytes > bounds[2 * i]
        THEN
            PERFORM full_up(i);
        END IF;
    END LOOP;
    PERFORM count_charge(k, -1, -old.size) FROM unnest(old.charges) k;
    PERFORM count_charge(k, 1, bytes) FROM unnest(paid) k;
    new := change_topic(t, moment);
    INSERT INTO attributes VALUES (t, n, v, new, bytes, paid)
    ON CONFLICT (topic, name) DO UPDATE SET value = v, rev = new, size = bytes, charges = paid;
    RETURN new;
END
$$;

CREATE FUNCTION delete_attribute(t bytea, n bytea, moment float8) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    old attributes;
BEGIN
    DELETE FROM attributes WHERE topic = t AND name = n RETURNING * INTO old;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    PERFORM count_charge(k, -1, -old.size) FROM unnest(old.charges) k;
    RETURN change_topic(t, moment);
END
$$;

CREATE FUNCTION delete_attributes(t bytea, moment float8) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    gone bigint := 0;
    old attributes;
BEGIN
    FOR old IN DELETE FROM attributes WHERE topic = t RETURNING * LOOP
        gone := gone + 1;
        PERFORM count_charge(k, -1, -old.size) FROM unnest(old.charges) k;
    END LOOP;
    IF gone > 0 THEN
        PERFORM change_topic(t, moment);
    END IF;
    RETURN gone;
END
$$;

CREATE FUNCTION forget_topic(t bytea, idle float8, moment float8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH gone AS (
        DELETE FROM topics
        WHERE topic = t AND touched <= moment - idle AND NOT EXISTS (SELECT FROM attributes WHERE topic = t)
        RETURNING rev
    )
    UPDATE meta SET stand_floor = rev FROM gone WHERE rev > stand_floor;
END
$$;

-- --- notes -------------------------------------------------------------------------------------

CREATE FUNCTION note(k bytea, n bytea, v bytea, ends float8, moment float8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO notes VALUES (k, n, v, ends)
    ON CONFLICT (key, name) DO UPDATE SET value = v, expires = ends WHERE notes.expires <= moment;
    IF NOT FOUND THEN
        PERFORM conflict();
    END IF;
END
$$;

-- --- timers ------------------------------------------------------------------------------------

CREATE FUNCTION arm(k bytea, due float8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO timers VALUES (k, due, nextval('revisions'), due)
    ON CONFLICT (key) DO UPDATE SET at = due, turn = excluded.turn, next = due;
END
$$;

CREATE FUNCTION cancel(k bytea) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM timers WHERE key = k;
END
$$;

-- Give out what is due, the earliest first, and lastly a row without a key: in how many seconds the next is.
CREATE FUNCTION due(most int, lease float8, moment float8)
RETURNS TABLE (key bytea, at float8, turn bigint, wait float8) LANGUAGE plpgsql AS $$
BEGIN
    moment := coalesce(moment, extract(epoch FROM clock_timestamp()));
    RETURN QUERY
    WITH ripe AS MATERIALIZED (
        SELECT timers.key, timers.next FROM timers WHERE next <= moment
        ORDER BY next LIMIT most FOR UPDATE SKIP LOCKED
    ), leased AS (
        UPDATE timers SET next = moment + lease FROM ripe WHERE timers.key = ripe.key
        RETURNING timers.key, timers.at, timers.turn, ripe.next AS before
    )
    SELECT leased.key, leased.at, leased.turn, 0::float8 FROM leased ORDER BY before, leased.turn;
    RETURN QUERY SELECT NULL::bytea, 0::float8, 0::bigint, min(next) - moment FROM timers;
END
$$;

-- One that somebody changes right now was armed anew, or cancelled.
CREATE FUNCTION done(keys bytea[], turns bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM timers WHERE key IN (
        SELECT timers.key FROM timers JOIN unnest(keys, turns) AS d (k, t) ON timers.key = k AND timers.turn = t
        FOR UPDATE OF timers SKIP LOCKED
    );
END
$$;

-- --- a node's commits --------------------------------------------------------------------------

-- Do what a node has gathered: first the lone trims, then the steps, commit by commit. A commit that finds
-- other than it demands, or no room, does nothing, and the others go on.
--
-- relaxed: a crash of the server may lose all of it, so that nobody waits for the disk.
-- stripes: of all keys that are named here, ascending.
-- trim_...: the lone trims.
-- a_...: all appends, also those of commits of several steps. a_terms: the number of each one's terms, which are
--     t_....
-- s_...: the steps; `batch.py` has their kinds. s_commit: to which commit each belongs, ascending. s_from, s_to:
--     a stretch of `texts` or of `numbers`. Lone appends in a row are one step, of kind 1.
--
-- seqs: the number of each append. again, notes: which of them repeat another, and that one's note.
-- results: what came of each step. removed_by, removed: which step has removed which item.
-- failed: the steps that found other than they demand (an append, below zero: its number), and reasons:
--     0 for Conflict, else the bound, as `full_up` says. Of a commit that failed all else is meaningless.
CREATE FUNCTION commit(
    moment float8, relaxed boolean, stripes int[], trim_key bytea[], trim_upto bigint[],
    a_key bytea[], a_body bytea[], a_size bigint[], a_source bytea[], a_note bytea[], a_mark bytea[],
    a_dedupe bytea[], a_terms int[],
    t_ttl float8[], t_max_items bigint[], t_max_size bigint[], t_part_items bigint[], t_part_size bigint[],
    t_all_items bigint[], t_all_size bigint[], t_dedupe_ttl float8[],
    s_commit int[], s_kind int[], s_key bytea[], s_name bytea[], s_value bytea[], s_number bigint[],
    s_from int[], s_to int[], s_time float8[], texts bytea[], numbers bigint[],
    OUT seqs bigint[], OUT again int[], OUT notes bytea[], OUT results bigint[],
    OUT removed_by int[], OUT removed bigint[],
    OUT failed int[], OUT reasons bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    asked appending[];
    steps int := cardinality(s_kind);
    i int := 1;
    this int;  -- the commit that is being done
    k bytea;
    x bigint;
    outcome bigint;
    list bigint[];
    done record;
BEGIN
    PERFORM hold(stripes);
    moment := coalesce(moment, extract(epoch FROM clock_timestamp()));
    IF relaxed THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    END IF;
    IF cardinality(trim_key) > 0 THEN
        PERFORM take_up_to(trim_key, trim_upto);
    END IF;
    IF cardinality(a_key) > 0 THEN
        seqs := array_fill(0::bigint, ARRAY[cardinality(a_key)]);
        SELECT array_agg(
            (n, key, body, size, source, note, mark, dedupe,
             t_ttl[terms], t_max_items[terms], t_max_size[terms], t_part_items[terms], t_part_size[terms],
             t_all_items[terms], t_all_size[terms], t_dedupe_ttl[terms])::appending
            ORDER BY n
        )
        INTO asked
        FROM unnest(a_key, a_body, a_size, a_source, a_note, a_mark, a_dedupe, a_terms)
            WITH ORDINALITY AS a (key, body, size, source, note, mark, dedupe, terms, n);
    END IF;
    results := array_fill(0::bigint, ARRAY[steps]);
    WHILE i <= steps LOOP
        IF s_kind[i] = 1 THEN
            list := append_all(asked[s_from[i]:s_to[i]], moment);
            IF cardinality(list) = cardinality(seqs) AND array_position(list, NULL) IS NULL THEN
                seqs := list;
                i := i + 1;
                CONTINUE;
            END IF;
            FOR n IN s_from[i] .. s_to[i] LOOP
                x := list[n - s_from[i] + 1];
                IF x IS NOT NULL THEN
                    seqs[n] := x;
                    CONTINUE;
                END IF;
                BEGIN
                    SELECT * INTO done FROM append(asked[n], moment);
                    seqs[n] := done.number;
                    IF done.repeated THEN
                        again := again || n;
                        notes := notes || done.noted;
                    END IF;
                EXCEPTION WHEN SQLSTATE 'SP002' THEN
                    failed := failed || -n;
                    reasons := reasons || SQLERRM::bigint;
                END;
            END LOOP;
            i := i + 1;
            CONTINUE;
        END IF;
        this := s_commit[i];
        BEGIN
            WHILE s_commit[i] = this LOOP
                k := s_key[i];
                x := s_number[i];
                outcome := 0;
                CASE s_kind[i]
                WHEN 2 THEN
                    SELECT * INTO done FROM append(asked[x], moment);
                    seqs[x] := done.number;
                    IF done.repeated THEN
                        again := again || x::int;
                        notes := notes || done.noted;
                    END IF;
                WHEN 3 THEN PERFORM take_up_to(ARRAY[k], ARRAY[x]);
                WHEN 4, 5 THEN
                    IF s_kind[i] = 4 THEN
                        list := take_out(k, numbers[s_from[i]:s_to[i]], NULL, moment);
                    ELSIF x = 0 THEN
                        list := take_out(k, NULL, NULL, moment);
                    ELSE
                        list := take_out(k, NULL, texts[s_from[i]:s_to[i]], moment);
                    END IF;
                    IF list IS NOT NULL THEN
                        removed_by := removed_by || array_fill(i, ARRAY[cardinality(list)]);
                        removed := removed || list;
                    END IF;
                WHEN 6 THEN
                    outcome := put(k, s_value[i], x, moment + s_time[i], texts[s_from[i]:s_to[i]], moment);
                WHEN 7 THEN PERFORM expect(k, x, moment);
                WHEN 8 THEN outcome := remove_record(k, x, moment);
                WHEN 9 THEN outcome := include(k, s_name[i], s_value[i], x);
                WHEN 10 THEN outcome := exclude(k, s_name[i], s_value[i]);
                WHEN 11 THEN
                    outcome := set_attribute(
                        k, s_name[i], s_value[i], x, texts[s_from[i]:s_to[i]],
                        numbers[2 * s_from[i] - 1 : 2 * s_to[i]], moment
                    );
                WHEN 12 THEN outcome := delete_attribute(k, s_name[i], moment);
                WHEN 13 THEN outcome := delete_attributes(k, moment);
                WHEN 14 THEN PERFORM note(k, s_name[i], s_value[i], moment + s_time[i], moment);
                WHEN 15 THEN PERFORM arm(k, s_time[i]);
                WHEN 16 THEN PERFORM cancel(k);
                WHEN 17 THEN PERFORM begin_queue(k, moment);
                WHEN 18 THEN PERFORM purge(k, moment);
                WHEN 19 THEN PERFORM forget_queue(k, s_time[i], moment);
                WHEN 20 THEN PERFORM forget_topic(k, s_time[i], moment);
                WHEN 21 THEN PERFORM forget_record(k, moment);
                WHEN 22 THEN PERFORM settle(k, x::smallint);
                END CASE;
                results[i] := outcome;
                i := i + 1;
            END LOOP;
        EXCEPTION WHEN SQLSTATE 'SP001' OR SQLSTATE 'SP002' THEN
            failed := failed || i;
            reasons := reasons || CASE SQLSTATE WHEN 'SP001' THEN 0 ELSE SQLERRM::bigint END;
            WHILE s_commit[i] = this LOOP
                i := i + 1;
            END LOOP;
        END;
    END LOOP;
END
$$;

-- --- a node's questions ------------------------------------------------------------------------

-- Answer what a node has gathered, as of one instant: being STABLE, all of it sees what its caller sees. Each
-- question has none or more rows, in its order; `asks.py` has the kinds, and what the columns say.
CREATE FUNCTION load(moment float8, kinds int[], keys bytea[], texts bytea[], afters bigint[], limits bigint[])
RETURNS TABLE (ask int, name bytea, value bytea, number bigint, other bigint, third bigint)
STABLE LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    k bytea;
    t bytea;
BEGIN
    moment := coalesce(moment, extract(epoch FROM clock_timestamp()));
    FOR i IN 1 .. cardinality(kinds) LOOP
        k := keys[i];
        t := texts[i];
        CASE kinds[i]
        WHEN 1 THEN
            RETURN QUERY SELECT i, k, records.value, rev, 0::bigint, 0::bigint
            FROM records WHERE key = k AND expires > moment;
        WHEN 2 THEN
            RETURN QUERY SELECT i, fields.name, fields.value, 0::bigint, 0::bigint, 0::bigint
            FROM records JOIN fields USING (key) WHERE key = k AND expires > moment;
        WHEN 3 THEN
            RETURN QUERY SELECT i, key, k, 0::bigint, 0::bigint, 0::bigint
            FROM records WHERE key >= k AND key < t AND expires > moment ORDER BY key LIMIT limits[i];
        WHEN 4 THEN
            RETURN QUERY SELECT i, names.name, names.value, 0::bigint, 0::bigint, 0::bigint
            FROM names WHERE key = k ORDER BY place;
        WHEN 5 THEN
            RETURN QUERY SELECT i, k, k, count(*), 0::bigint, 0::bigint FROM names WHERE key = k;
        WHEN 6 THEN
            RETURN QUERY SELECT i, k, names.value, 0::bigint, 0::bigint, 0::bigint
            FROM names WHERE key = k AND names.name = t;
        WHEN 7 THEN
            RETURN QUERY SELECT i, k, body, seq, 0::bigint, 0::bigint
            FROM items WHERE queue = k AND seq > afters[i] AND expires > moment ORDER BY seq LIMIT limits[i];
        WHEN 8 THEN
            RETURN QUERY SELECT i, k, k, last,
                CASE WHEN soonest > moment THEN items
                ELSE (SELECT count(*) FROM items WHERE queue = k AND expires > moment) END,
                coalesce((SELECT seq - 1 FROM items WHERE queue = k AND expires > moment ORDER BY seq LIMIT 1), last)
            FROM queues WHERE key = k;
        WHEN 9 THEN
            RETURN QUERY SELECT i, k, k, count(*), 0::bigint, 0::bigint
            FROM items WHERE queue = k AND mark <> '' AND expires > moment;
        WHEN 10 THEN
            RETURN QUERY SELECT DISTINCT i, k, mark, 0::bigint, 0::bigint, 0::bigint
            FROM items WHERE queue = k AND mark <> '' AND expires > moment;
        WHEN 11 THEN
            RETURN QUERY SELECT i, k, note, seq, 0::bigint, 0::bigint
            FROM receipts WHERE queue = k AND dedupe = t AND expires > moment;
        WHEN 12 THEN
            RETURN QUERY SELECT i, attributes.name, attributes.value, rev, 0::bigint, 0::bigint
            FROM attributes WHERE topic = k;
            RETURN QUERY SELECT i, NULL::bytea, k,
                coalesce((SELECT rev FROM topics WHERE topic = k), stand_floor), 0::bigint, 0::bigint
            FROM meta;
        WHEN 13 THEN
            RETURN QUERY SELECT i, k, k, coalesce(sum(items), 0)::bigint, coalesce(sum(size), 0)::bigint, 0::bigint
            FROM charges WHERE key = k;
        WHEN 14 THEN
            RETURN QUERY SELECT i, k, notes.value, 0::bigint, 0::bigint, 0::bigint
            FROM notes WHERE key = k AND notes.name = t AND expires > moment;
        END CASE;
    END LOOP;
END
$$;

-- --- upkeep --------------------------------------------------------------------------------------

-- Let go of a piece of those receipts and notes that are over; returns how many went. Nobody finds them any more,
-- so that no stripe is needed.
CREATE FUNCTION sweep_passing(moment float8) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    now float8 := instant(moment);
    old smallint := slot(now - 2 * 600, 600);  -- of the receipts: what it has is older than ten minutes
    gone bigint;
    more bigint;
BEGIN
    DELETE FROM receipts_0 WHERE ctid IN (
        SELECT ctid FROM receipts_0 WHERE expires <= now ORDER BY expires LIMIT 1000 FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS gone = ROW_COUNT;
    DELETE FROM notes WHERE ctid IN (
        SELECT ctid FROM notes WHERE expires <= now ORDER BY expires LIMIT 1000 FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS more = ROW_COUNT;
    gone := gone + more;
    IF pg_relation_size(format('receipts_%s', old)::regclass) > 0 THEN
        PERFORM set_config('lock_timeout', '100ms', true);
        EXECUTE format('LOCK TABLE receipts_%s IN ACCESS EXCLUSIVE MODE', old);
        WITH left_over AS (DELETE FROM receipts WHERE slot = old AND expires > now RETURNING *)
        INSERT INTO receipts_0 SELECT 0, queue, dedupe, seq, note, expires FROM left_over
        ON CONFLICT (queue, dedupe, slot) DO UPDATE
        SET seq = excluded.seq, note = excluded.note, expires = excluded.expires;
        EXECUTE format('TRUNCATE receipts_%s', old);
    END IF;
    RETURN gone;
END
$$;

-- Of these keys, forget those that have nothing any more. A row that somebody changes right now is left.
CREATE FUNCTION forget_sources(keys bytea[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH mine AS (SELECT * FROM sources WHERE key = ANY (keys) FOR UPDATE SKIP LOCKED)
    DELETE FROM sources WHERE (key, lane) IN (
        SELECT key, lane FROM mine WHERE key IN (
            SELECT key FROM mine GROUP BY key HAVING sum(items) = 0 AND sum(size) = 0
        )
    );
END
$$;

CREATE FUNCTION forget_charges(keys bytea[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH mine AS (SELECT * FROM charges WHERE key = ANY (keys) FOR UPDATE SKIP LOCKED)
    DELETE FROM charges WHERE (key, lane) IN (
        SELECT key, lane FROM mine WHERE key IN (
            SELECT key FROM mine GROUP BY key HAVING sum(items) = 0 AND sum(size) = 0
        )
    );
END
$$;

-- The slots of items whose hour is over since a minute, if there was anything in them.
CREATE FUNCTION old_slots(moment float8) RETURNS SETOF smallint LANGUAGE plpgsql AS $$
DECLARE
    now float8 := instant(moment);
BEGIN
    RETURN QUERY SELECT n::smallint FROM generate_series(1, 3) n
    WHERE n NOT IN (slot(now, 3600), slot(now - 60, 3600))
    AND pg_relation_size(format('items_%s', n)::regclass) > 0;
END
$$;

-- Empty a slot that has nothing any more. Fails if it would have to wait for somebody who reads it.
CREATE FUNCTION empty_slot(old smallint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    there boolean;
BEGIN
    PERFORM set_config('lock_timeout', '100ms', true);
    EXECUTE format('LOCK TABLE items_%s IN ACCESS EXCLUSIVE MODE', old);
    SELECT EXISTS (SELECT FROM items WHERE slot = old) INTO there;
    IF NOT there THEN
        EXECUTE format('TRUNCATE items_%s', old);
    END IF;
END
$$;
