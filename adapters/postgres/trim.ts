// Removes events from a log in one statement, whose parts all see the log as it was before.
//
// `countMatches` needs the rank of a removed event (`place`) only at the next remaining event, if
// that one is of another class and no later event of the removed one's class lies between. So a gap
// between two remaining events has at most one rank of each class, and none of the class of the
// event after it, which stores its own.
//
// As in `task_reader.ts`, the planner gets no choice that could cost more than the removal: events
// are found one by one, and deleted where they were found (`ctid`; the task is locked).

/**
 * Takes the task, its incarnation, and the indexes and series as JSON. Never removes the newest
 * event.
 */
export const TRIM = `
  WITH t AS MATERIALIZED (
    SELECT task, length FROM {tasks} WHERE id = $1 AND incarnation = $2
  ), gone AS MATERIALIZED (
    SELECT e.* FROM t, (
      SELECT DISTINCT i::text::int AS idx FROM json_array_elements($3::text::json) AS i
    ) requested, LATERAL (
      SELECT ctid AS at_ctid, * FROM {events} e
      WHERE e.task = t.task AND e.idx = requested.idx AND e.idx < t.length - 1 LIMIT 1
    ) e
  ), links AS (
    SELECT g.task, g.class, g.idx, g.place, n.idx AS next, n.class AS next_class
    FROM gone g, LATERAL (
      SELECT e.idx, e.class FROM {events} e WHERE (e.task, e.idx) > (g.task, g.idx)
      ORDER BY e.task, e.idx LIMIT 1
    ) n
  ), runs AS (
    SELECT *, lag(next) OVER (ORDER BY idx) IS DISTINCT FROM idx AS begins,
      lead(idx) OVER (ORDER BY idx) IS DISTINCT FROM next AS ends
    FROM links
  ), begun AS (
    SELECT *, CASE WHEN begins THEN coalesce((
      SELECT CASE WHEN e.task = runs.task THEN e.idx END FROM {events} e
      WHERE (e.task, e.idx) < (runs.task, runs.idx) ORDER BY e.task DESC, e.idx DESC LIMIT 1
    ), -1) END AS previous
    FROM runs
  ), bounded AS MATERIALIZED (
    SELECT task, class, idx, place, ends, max(previous) OVER (ORDER BY idx) AS before,
      min(CASE WHEN ends THEN ARRAY[next, next_class] END) OVER (ORDER BY idx DESC) AS behind
    FROM begun
  ), ranks AS (
    SELECT behind, class, idx, place, NULL::tid AS at_ctid FROM bounded
    UNION ALL
    SELECT g.behind, p.class, p.idx, p.place, p.at_ctid
    FROM (SELECT * FROM bounded WHERE ends) g, LATERAL (
      SELECT ctid AS at_ctid, * FROM {trimmed} p
      WHERE (p.task, p.idx) > (g.task, g.before) AND (p.task, p.idx) < (g.task, g.behind[1])
      ORDER BY p.task, p.idx LIMIT g.behind[1] - g.before
    ) p
  ), judged AS MATERIALIZED (
    SELECT class, idx, place, at_ctid, class <> behind[2]
      AND idx = max(idx) OVER (PARTITION BY behind, class) AS is_needed
    FROM ranks
  ), ended AS MATERIALIZED (
    SELECT s.* FROM t, json_array_elements_text($4::text::json) AS requested (series), LATERAL (
      SELECT ctid AS at_ctid, task, series, newest FROM {series} s
      WHERE s.task = t.task AND s.series = requested.series LIMIT 1
    ) s
    -- An event that came since the series was found to have none left keeps it.
    WHERE s.newest IN (SELECT idx FROM gone) OR (
      SELECT e.idx FROM {events} e WHERE e.task = s.task AND e.idx = s.newest LIMIT 1
    ) IS NULL
  ), removed_events AS (
    DELETE FROM {events} WHERE ctid = ANY (ARRAY(SELECT at_ctid FROM gone))
  ), kept_ranks AS (
    INSERT INTO {trimmed} (task, class, idx, place)
    SELECT t.task, class, idx, place FROM t, judged WHERE is_needed AND at_ctid IS NULL
  ), removed_ranks AS (
    DELETE FROM {trimmed} WHERE ctid = ANY (
      ARRAY(SELECT at_ctid FROM judged WHERE NOT is_needed AND at_ctid IS NOT NULL)
    )
  ), new_folded AS (
    INSERT INTO {folded_events}
    SELECT g.task, g.idx, g.class, g.place, g.time, g.entropy, g.part, g.at, g.len, g.series, g.data
    FROM gone g, LATERAL (
      SELECT newest, mode FROM {series} s WHERE s.task = g.task AND s.series = g.series LIMIT 1
    ) s
    WHERE s.newest = g.idx AND s.mode <> 'keep-all' AND g.series NOT IN (SELECT series FROM ended)
  ), removed_folded AS (
    DELETE FROM {folded_events} e USING ended s WHERE e.task = s.task AND e.idx = s.newest
  ), removed_texts AS (
    DELETE FROM {series_parts} p USING ended s WHERE p.task = s.task AND p.series = s.series
  ), removed_series AS (
    DELETE FROM {series} WHERE ctid = ANY (ARRAY(SELECT at_ctid FROM ended))
  ), counted_classes AS (
    UPDATE {classes} c SET trimmed = c.trimmed + g.count
    FROM (SELECT task, class, count(*)::int AS count FROM gone GROUP BY task, class) g
    WHERE c.task = g.task AND c.class = g.class
  ), updated_task AS (
    UPDATE {tasks} SET trimmed_through = greatest(trimmed_through, (SELECT max(idx) FROM gone)),
      trimmed = trimmed + (SELECT count(*) FROM gone)
    WHERE task = (SELECT task FROM t) AND EXISTS (SELECT FROM gone)
  )
  SELECT count(*)::int AS removed FROM gone`;
