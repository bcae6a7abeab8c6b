-- A database of version 2, as pg_dump --inserts wrote it: an ended task, live and archived.
CREATE TABLE taskcast_classes (
    task bigint NOT NULL,
    class integer NOT NULL,
    type text NOT NULL,
    level text NOT NULL,
    plain boolean NOT NULL,
    count integer NOT NULL
)
WITH (fillfactor='80');
CREATE TABLE taskcast_deletions (
    incarnation text NOT NULL,
    at_ms bigint NOT NULL
);
CREATE TABLE taskcast_events (
    task bigint NOT NULL,
    idx integer NOT NULL,
    class integer NOT NULL,
    place integer NOT NULL,
    "time" bigint NOT NULL,
    entropy bigint NOT NULL,
    part integer,
    at integer,
    len integer,
    series text,
    data json
);
CREATE TABLE taskcast_live_classes (
    task bigint NOT NULL,
    class integer NOT NULL,
    type text NOT NULL,
    level text NOT NULL,
    plain boolean NOT NULL,
    count integer NOT NULL
)
WITH (fillfactor='80');
CREATE TABLE taskcast_live_due (
    task bigint NOT NULL,
    kind text NOT NULL,
    at_ms bigint NOT NULL
);
CREATE TABLE taskcast_live_events (
    task bigint NOT NULL,
    idx integer NOT NULL,
    class integer NOT NULL,
    place integer NOT NULL,
    "time" bigint NOT NULL,
    entropy bigint NOT NULL,
    part integer,
    at integer,
    len integer,
    series text,
    data json
);
CREATE TABLE taskcast_live_notes (
    task bigint NOT NULL,
    name text NOT NULL,
    text text NOT NULL
);
CREATE TABLE taskcast_live_producer_events (
    task bigint NOT NULL,
    producer text NOT NULL,
    seq bigint NOT NULL,
    idx integer NOT NULL
);
CREATE TABLE taskcast_live_producers (
    task bigint NOT NULL,
    producer text NOT NULL,
    epoch bigint NOT NULL,
    next_seq bigint NOT NULL
)
WITH (fillfactor='80');
CREATE TABLE taskcast_live_series (
    task bigint NOT NULL,
    series text NOT NULL,
    mode text NOT NULL,
    acc_field text,
    newest integer NOT NULL,
    is_text boolean NOT NULL,
    first_part integer NOT NULL,
    parts integer NOT NULL,
    part_length integer NOT NULL,
    classes json NOT NULL
)
WITH (fillfactor='80');
CREATE TABLE taskcast_live_series_parts (
    task bigint NOT NULL,
    series text NOT NULL,
    part integer NOT NULL,
    text text NOT NULL
)
WITH (fillfactor='80');
CREATE SEQUENCE taskcast_live_task_numbers
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE taskcast_live_tasks (
    task bigint NOT NULL,
    id text NOT NULL COLLATE "C",
    incarnation text NOT NULL,
    version integer NOT NULL,
    status text NOT NULL,
    type text NOT NULL,
    tags text[] NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    completed_at bigint,
    record json NOT NULL,
    length integer NOT NULL,
    bytes bigint NOT NULL,
    "time" bigint NOT NULL,
    classes integer NOT NULL,
    hooked boolean DEFAULT false NOT NULL
)
WITH (fillfactor='80');
CREATE TABLE taskcast_migrations (
    version integer NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE taskcast_series (
    task bigint NOT NULL,
    series text NOT NULL,
    mode text NOT NULL,
    acc_field text,
    newest integer NOT NULL,
    is_text boolean NOT NULL,
    first_part integer NOT NULL,
    parts integer NOT NULL,
    part_length integer NOT NULL,
    classes json NOT NULL
)
WITH (fillfactor='80');
CREATE TABLE taskcast_series_parts (
    task bigint NOT NULL,
    series text NOT NULL,
    part integer NOT NULL,
    text text NOT NULL
)
WITH (fillfactor='80');
CREATE SEQUENCE taskcast_task_numbers
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE taskcast_tasks (
    task bigint NOT NULL,
    id text NOT NULL COLLATE "C",
    incarnation text NOT NULL,
    version integer NOT NULL,
    status text NOT NULL,
    type text NOT NULL,
    tags text[] NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    completed_at bigint,
    record json NOT NULL,
    length integer NOT NULL,
    bytes bigint NOT NULL,
    "time" bigint NOT NULL,
    classes integer NOT NULL,
    hooked boolean DEFAULT false NOT NULL
)
WITH (fillfactor='80');
INSERT INTO taskcast_classes VALUES (1, 0, 'step', 'info', false, 4);
INSERT INTO taskcast_classes VALUES (1, 1, 'even', 'info', true, 2);
INSERT INTO taskcast_classes VALUES (1, 2, 'odd', 'info', true, 2);
INSERT INTO taskcast_classes VALUES (1, 3, 'taskcast:status', 'info', true, 1);
INSERT INTO taskcast_events VALUES (1, 0, 0, 0, 1700000000000, 1, 0, 0, 1, 'answer', NULL);
INSERT INTO taskcast_events VALUES (1, 1, 1, 0, 1700000000000, 2, NULL, NULL, NULL, NULL, '0');
INSERT INTO taskcast_events VALUES (1, 2, 0, 1, 1700000000000, 3, 0, 1, 1, 'answer', NULL);
INSERT INTO taskcast_events VALUES (1, 3, 2, 0, 1700000000000, 4, NULL, NULL, NULL, NULL, '1');
INSERT INTO taskcast_events VALUES (1, 4, 0, 2, 1700000000000, 5, 0, 2, 1, 'answer', NULL);
INSERT INTO taskcast_events VALUES (1, 5, 1, 1, 1700000000000, 6, NULL, NULL, NULL, NULL, '2');
INSERT INTO taskcast_events VALUES (1, 6, 0, 3, 1700000000000, 7, 0, 3, 1, 'answer', NULL);
INSERT INTO taskcast_events VALUES (1, 7, 2, 1, 1700000000000, 8, NULL, NULL, NULL, NULL, '3');
INSERT INTO taskcast_events VALUES (1, 8, 3, 0, 1700000000000, 9, NULL, NULL, NULL, NULL, '"end"');
INSERT INTO taskcast_live_classes VALUES (1, 1, 'even', 'info', true, 2);
INSERT INTO taskcast_live_classes VALUES (1, 0, 'step', 'info', false, 4);
INSERT INTO taskcast_live_classes VALUES (1, 2, 'odd', 'info', true, 2);
INSERT INTO taskcast_live_classes VALUES (1, 3, 'taskcast:status', 'info', true, 1);
INSERT INTO taskcast_live_events VALUES (1, 0, 0, 0, 1700000000000, 1, 0, 0, 1, 'answer', NULL);
INSERT INTO taskcast_live_events VALUES (1, 1, 1, 0, 1700000000000, 2, NULL, NULL, NULL, NULL, '0');
INSERT INTO taskcast_live_events VALUES (1, 2, 0, 1, 1700000000000, 3, 0, 1, 1, 'answer', NULL);
INSERT INTO taskcast_live_events VALUES (1, 3, 2, 0, 1700000000000, 4, NULL, NULL, NULL, NULL, '1');
INSERT INTO taskcast_live_events VALUES (1, 4, 0, 2, 1700000000000, 5, 0, 2, 1, 'answer', NULL);
INSERT INTO taskcast_live_events VALUES (1, 5, 1, 1, 1700000000000, 6, NULL, NULL, NULL, NULL, '2');
INSERT INTO taskcast_live_events VALUES (1, 6, 0, 3, 1700000000000, 7, 0, 3, 1, 'answer', NULL);
INSERT INTO taskcast_live_events VALUES (1, 7, 2, 1, 1700000000000, 8, NULL, NULL, NULL, NULL, '3');
INSERT INTO taskcast_live_events VALUES (1, 8, 3, 0, 1700000000000, 9, NULL, NULL, NULL, NULL, '"end"');
INSERT INTO taskcast_live_producer_events VALUES (1, 'p', 0, 1);
INSERT INTO taskcast_live_producer_events VALUES (1, 'p', 1, 3);
INSERT INTO taskcast_live_producer_events VALUES (1, 'p', 2, 5);
INSERT INTO taskcast_live_producer_events VALUES (1, 'p', 3, 7);
INSERT INTO taskcast_live_producers VALUES (1, 'p', 0, 4);
INSERT INTO taskcast_live_series VALUES (1, 'answer', 'accumulate', 'delta', 6, true, 0, 1, 4, '[{"type":"step","level":"info"}]');
INSERT INTO taskcast_live_series_parts VALUES (1, 'answer', 0, '0123');
INSERT INTO taskcast_live_tasks VALUES (1, 't', '0123abcd', 2, 'completed', '', '{}', 1700000000000, 1700000000000, 1700000000000, '{"task":{"id":"t","status":"completed","createdAt":1700000000000,"updatedAt":1700000000000,"completedAt":1700000000000},"incarnation":"0123abcd","version":2}', 9, 61, 1700000000000, 4, false);
INSERT INTO taskcast_migrations VALUES (1, '2026-11-24 12:07:17.465946+00');
INSERT INTO taskcast_migrations VALUES (2, '2026-11-24 12:07:17.465946+00');
INSERT INTO taskcast_series VALUES (1, 'answer', 'accumulate', 'delta', 6, true, 0, 1, 4, '[{"type":"step","level":"info"}]');
INSERT INTO taskcast_series_parts VALUES (1, 'answer', 0, '0123');
INSERT INTO taskcast_tasks VALUES (1, 't', '0123abcd', 2, 'completed', '', '{}', 1700000000000, 1700000000000, 1700000000000, '{"task":{"id":"t","status":"completed","createdAt":1700000000000,"updatedAt":1700000000000,"completedAt":1700000000000},"incarnation":"0123abcd","version":2}', 9, 61, 1700000000000, 4, false);
SELECT pg_catalog.setval('taskcast_live_task_numbers', 1, true);
SELECT pg_catalog.setval('taskcast_task_numbers', 1, true);
ALTER TABLE ONLY taskcast_classes
    ADD CONSTRAINT taskcast_classes_pkey PRIMARY KEY (task, class);
ALTER TABLE ONLY taskcast_deletions
    ADD CONSTRAINT taskcast_deletions_pkey PRIMARY KEY (incarnation);
ALTER TABLE ONLY taskcast_events
    ADD CONSTRAINT taskcast_events_pkey PRIMARY KEY (task, idx);
ALTER TABLE ONLY taskcast_live_classes
    ADD CONSTRAINT taskcast_live_classes_pkey PRIMARY KEY (task, class);
ALTER TABLE ONLY taskcast_live_due
    ADD CONSTRAINT taskcast_live_due_pkey PRIMARY KEY (task, kind);
ALTER TABLE ONLY taskcast_live_events
    ADD CONSTRAINT taskcast_live_events_pkey PRIMARY KEY (task, idx);
ALTER TABLE ONLY taskcast_live_notes
    ADD CONSTRAINT taskcast_live_notes_pkey PRIMARY KEY (task, name);
ALTER TABLE ONLY taskcast_live_producer_events
    ADD CONSTRAINT taskcast_live_producer_events_pkey PRIMARY KEY (task, producer, seq);
ALTER TABLE ONLY taskcast_live_producers
    ADD CONSTRAINT taskcast_live_producers_pkey PRIMARY KEY (task, producer);
ALTER TABLE ONLY taskcast_live_series_parts
    ADD CONSTRAINT taskcast_live_series_parts_pkey PRIMARY KEY (task, series, part);
ALTER TABLE ONLY taskcast_live_series
    ADD CONSTRAINT taskcast_live_series_pkey PRIMARY KEY (task, series);
ALTER TABLE ONLY taskcast_live_tasks
    ADD CONSTRAINT taskcast_live_tasks_id_key UNIQUE (id);
ALTER TABLE ONLY taskcast_live_tasks
    ADD CONSTRAINT taskcast_live_tasks_pkey PRIMARY KEY (task);
ALTER TABLE ONLY taskcast_migrations
    ADD CONSTRAINT taskcast_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY taskcast_series_parts
    ADD CONSTRAINT taskcast_series_parts_pkey PRIMARY KEY (task, series, part);
ALTER TABLE ONLY taskcast_series
    ADD CONSTRAINT taskcast_series_pkey PRIMARY KEY (task, series);
ALTER TABLE ONLY taskcast_tasks
    ADD CONSTRAINT taskcast_tasks_id_key UNIQUE (id);
ALTER TABLE ONLY taskcast_tasks
    ADD CONSTRAINT taskcast_tasks_pkey PRIMARY KEY (task);
CREATE INDEX taskcast_deletions_by_time ON taskcast_deletions USING btree (at_ms);
CREATE INDEX taskcast_events_by_class ON taskcast_events USING btree (task, class, idx, place);
CREATE INDEX taskcast_live_due_by_time ON taskcast_live_due USING btree (kind, at_ms);
CREATE INDEX taskcast_live_events_by_class ON taskcast_live_events USING btree (task, class, idx, place);
CREATE INDEX taskcast_live_tasks_by_age ON taskcast_live_tasks USING btree (created_at, id);
CREATE INDEX taskcast_live_tasks_by_status ON taskcast_live_tasks USING btree (status, created_at, id);
CREATE INDEX taskcast_live_tasks_by_tag ON taskcast_live_tasks USING gin (tags);
CREATE INDEX taskcast_tasks_by_age ON taskcast_tasks USING btree (created_at, id);
CREATE INDEX taskcast_tasks_by_status ON taskcast_tasks USING btree (status, created_at, id);
CREATE INDEX taskcast_tasks_by_tag ON taskcast_tasks USING gin (tags);
