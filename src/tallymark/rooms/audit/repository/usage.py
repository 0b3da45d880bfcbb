"""Laws of what usage leaves behind: periods, events and their prices, thresholds (metering §8, pricing §14)."""

from tallymark.rooms.audit.model import Law

USAGE = (
    Law(
        name="periods_once",
        says="No two invoices that stand bill the same subscription for the same time.",
        sql="""
            WITH billed AS (
                SELECT r.subscription_id, i.number, i.id AS invoice_id, span.what, span.from_at, span.to_at,
                       lag(span.to_at) OVER earlier AS previous_to, lag(i.number) OVER earlier AS previous
                FROM billing_records r JOIN invoices i ON i.id = r.invoice_id
                CROSS JOIN LATERAL (VALUES
                    -- Invoices between those of a long period show it as well: one has its fee. It is of local days, which
                    -- begin elsewhere where the customer has moved.
                    ('base price', r.from_at AT TIME ZONE i.timezone AT TIME ZONE 'UTC', CASE WHEN EXISTS (
                        SELECT FROM fees f WHERE f.invoice_id = i.id AND f.subscription_id = r.subscription_id
                                             AND f.fee_type = 'subscription')
                        THEN r.to_at AT TIME ZONE i.timezone AT TIME ZONE 'UTC'
                        ELSE r.from_at AT TIME ZONE i.timezone AT TIME ZONE 'UTC' END),
                    ('usage', r.charges_from_at, r.charges_to_at)
                ) AS span(what, from_at, to_at)
                WHERE r.is_recurring AND i.status IN ('draft', 'pending', 'finalized') AND span.from_at < span.to_at
                WINDOW earlier AS (PARTITION BY r.subscription_id, span.what ORDER BY span.from_at, span.to_at)
            )
            SELECT 'subscription ' || s.external_id || ', ' || what || ' on invoices ' || previous || ' and ' || number AS place,
                   'from ' || previous_to AS expected, 'from ' || from_at AS found
            FROM billed JOIN subscriptions s ON s.id = subscription_id WHERE previous_to > from_at
        """,
    ),
    Law(
        name="events_are_stored",
        says="Every event that was priced, or waits to be, is in the store.",
        sql="""
            SELECT 'event ' || referred.event_id || ' of a ' || referred.what AS place, 'stored' AS expected, 'not stored' AS found
            FROM (
                SELECT event_id, 'fee' AS what FROM fees WHERE event_id IS NOT NULL
                UNION ALL SELECT event_id, 'price' FROM priced_events
                UNION ALL SELECT event_id, 'list to be priced' FROM events_to_price
            ) AS referred
            WHERE NOT EXISTS (SELECT FROM events_by_id e WHERE e.id = referred.event_id)
              AND NOT EXISTS (
                  SELECT FROM event_keys k JOIN archived_streams a ON a.stream_id = abs(k.stream_id)
                      AND k.timestamp >= a.from_at AND k.timestamp < a.to_at
                  WHERE k.id = referred.event_id)
        """,
    ),
    Law(
        name="events_are_kept",
        says="Every event that was ever acknowledged is where its key says, or in an archive; and no event is without a key.",
        sql="""
            SELECT 'organization ' || organization_id AS place,
                   keys || ' events, ' || keys - archived || ' of them stored' AS expected,
                   found + archived || ' events, ' || stored || ' of them stored' AS found
            FROM (
                SELECT organization_id, sum(keys) AS keys, sum(stored) AS stored, sum(found) AS found, sum(archived) AS archived
                FROM (
                    SELECT organization_id, count(*) AS keys, 0 AS stored, 0 AS found, 0 AS archived FROM event_keys GROUP BY 1
                    UNION ALL SELECT organization_id, 0, count(*), 0, 0 FROM events GROUP BY 1
                    UNION ALL SELECT organization_id, 0, 0, count(*), 0 FROM events_by_id GROUP BY 1
                    UNION ALL SELECT organization_id, 0, 0, 0, sum(events_count) FROM archived_streams GROUP BY 1
                ) counted
                GROUP BY 1
            ) counts
            WHERE keys <> found + archived OR found <> stored
        """,
    ),
    Law(
        name="event_versions",
        says="A corrected event is what its newest version says, and its versions are numbered without a gap.",
        holds=("event_versions version precise_total_amount_cents",),
        sql="""
            SELECT 'event ' || v.event_id AS place,
                   v.known || ' versions, ' || concat_ws(', ', v.timestamp, v.properties, v.precise_total_amount_cents, v.is_void) AS expected,
                   v.version || ' versions, ' || concat_ws(', ', coalesce(e.occurred_at, e.timestamp), e.properties, e.precise_total_amount_cents, e.stream_id < 0) AS found
            FROM (
                SELECT DISTINCT ON (event_id) *, count(*) OVER (PARTITION BY event_id) AS known
                FROM event_versions ORDER BY event_id, version DESC
            ) v LEFT JOIN events_by_id e ON e.id = v.event_id
            WHERE (e.id IS NOT NULL OR NOT EXISTS (
                SELECT FROM event_keys k JOIN archived_streams a ON a.stream_id = abs(k.stream_id)
                    AND k.timestamp >= a.from_at AND k.timestamp < a.to_at
                WHERE k.id = v.event_id))
              AND (v.version <> v.known
               -- In no stream is what was voided, and what came too late.
               OR (v.timestamp, v.properties, v.precise_total_amount_cents, v.is_void)
                  IS DISTINCT FROM (coalesce(e.occurred_at, e.timestamp), e.properties, e.precise_total_amount_cents,
                                    e.stream_id < 0 AND NOT EXISTS (
                                        SELECT FROM late_events l
                                        WHERE l.event_id = e.id AND (l.is_waiting OR l.is_rejected))))
        """,
    ),
    Law(
        name="usage_adjustments",
        says="What corrected usage is adjusted by is what its fee bills, or what its notes give back of fees; fees of adjustments are kept as such.",
        holds=("usage_adjustments amount_cents",),
        sql="""
            WITH documented AS (
                SELECT fee_id, credit_note_id, sum(amount_cents) AS cents FROM usage_adjustments
                WHERE status = 'documented' OR status = 'pending' AND fee_id IS NOT NULL GROUP BY fee_id, credit_note_id
            )
            SELECT 'adjustment by fee ' || d.fee_id || COALESCE(', given back by note ' || d.credit_note_id, '') AS place,
                   COALESCE(CAST(CASE WHEN d.credit_note_id IS NULL THEN f.amount_cents ELSE -i.amount_cents END AS text), 'nothing') AS expected,
                   CAST(d.cents AS text) AS found
            FROM documented d LEFT JOIN fees f ON f.id = d.fee_id LEFT JOIN invoices own ON own.id = f.invoice_id
            LEFT JOIN credit_note_items i ON i.credit_note_id = d.credit_note_id AND i.fee_id = d.fee_id
            WHERE d.cents IS DISTINCT FROM CASE WHEN d.credit_note_id IS NULL THEN f.amount_cents ELSE -i.amount_cents END
              -- What had been billed progressively is given back of the invoices that billed it, as far as something is left of them.
              AND NOT (own.progressive_billing_credit_amount_cents > 0 AND d.credit_note_id IS NOT NULL
                       AND d.cents < 0 AND -d.cents <= COALESCE(i.amount_cents, f.amount_cents))
            UNION ALL
            SELECT 'fee ' || f.id, 'an adjustment', 'none' FROM fees f JOIN invoices own ON own.id = f.invoice_id AND own.status <> 'draft'
            WHERE f.original_fee_id IS NULL AND jsonb_path_exists(f.explanation, '$[*] ? (@.step == "correction")')
              AND NOT EXISTS (SELECT FROM usage_adjustments a WHERE a.fee_id = f.id)
        """,
    ),
    Law(
        name="priced_events",
        says="The fee of an event is what its price was noted to be.",
        holds=("priced_events amount_cents pricing_unit_cents",),
        sql="""
            SELECT 'event ' || p.event_id || ', fee ' || f.id AS place, p.amount_cents || ', ' || p.pricing_unit_cents || ' in pricing units' AS expected,
                   f.amount_cents || ', ' || COALESCE(f.pricing_unit_details ->> 'amount_cents', '0') || ' in pricing units' AS found
            FROM priced_events p
            JOIN fees f ON f.event_id = p.event_id AND f.charge_id = p.charge_id AND f.original_fee_id IS NULL
            WHERE NOT p.is_corrected AND (p.amount_cents <> f.amount_cents
               OR p.pricing_unit_cents <> COALESCE(CAST(f.pricing_unit_details ->> 'amount_cents' AS bigint), 0))
        """,
    ),
    Law(
        name="corrected_prices",
        says="What the events of a charge in advance are noted to cost is what their fees billed, with the adjustments, where some were corrected, nothing carries over, no invoice is void and no fee was deleted.",
        sql="""
            WITH corrected AS (
                SELECT p.charge_id, p.external_subscription_id,
                       sum(p.amount_cents) FILTER (WHERE NOT p.is_void AND f.id IS NOT NULL) AS cents
                FROM priced_events p
                -- What another system billed has no fee.
                LEFT JOIN fees f ON f.event_id = p.event_id AND f.charge_id = p.charge_id AND f.original_fee_id IS NULL
                LEFT JOIN invoices i ON i.id = f.invoice_id
                -- Where units carry over, adjustments are also of what was renewed, which is no price of an event.
                JOIN charges h ON h.id = p.charge_id JOIN billable_metrics m ON m.id = h.billable_metric_id AND NOT m.recurring
                GROUP BY p.charge_id, p.external_subscription_id
                HAVING bool_or(p.is_corrected AND f.id IS NOT NULL)
                   AND NOT bool_or(COALESCE(i.status = 'voided', NOT h.invoiceable AND f.id IS NULL))
            )
            SELECT 'charge ' || c.charge_id || ' of subscription ' || c.external_subscription_id AS place,
                   billed.cents + adjusted.cents AS expected, COALESCE(c.cents, 0) AS found
            FROM corrected c
            CROSS JOIN LATERAL (
                SELECT COALESCE(sum(f.amount_cents), 0) AS cents FROM priced_events p
                JOIN fees f ON f.event_id = p.event_id AND f.charge_id = p.charge_id AND f.original_fee_id IS NULL
                WHERE p.charge_id = c.charge_id AND p.external_subscription_id = c.external_subscription_id
            ) billed
            CROSS JOIN LATERAL (
                SELECT COALESCE(sum(a.amount_cents), 0) AS cents FROM usage_adjustments a
                JOIN subscriptions s ON s.id = a.subscription_id
                WHERE a.charge_id = c.charge_id AND s.external_id = c.external_subscription_id AND a.status <> 'superseded'
            ) adjusted
            WHERE billed.cents + adjusted.cents <> COALESCE(c.cents, 0)
        """,
    ),
    Law(
        name="running_numbers",
        says="What was priced of a window goes up by each event, from that of one before it.",
        holds=("priced_events current highest highest_prorated events_count precise_total_amount_cents",),
        sql="""
            WITH moves AS (
                SELECT p.*, c.prorated, c.parent_id, COALESCE(e.precise_total_amount_cents, 0) AS own, e.id IS NULL AS is_gone,
                       CASE m.aggregation_type WHEN 'count_agg' THEN 1 WHEN 'sum_agg' THEN CAST(p.value AS numeric) END AS added,
                       lag(p.events_count) OVER earlier AS previous_count, lag(p.current) OVER earlier AS previous_current,
                       lag(p.highest) OVER earlier AS previous_highest, lag(p.highest_prorated) OVER earlier AS previous_prorated,
                       lag(p.precise_total_amount_cents) OVER earlier AS previous_total
                FROM priced_events p JOIN charges c ON c.id = p.charge_id JOIN billable_metrics m ON m.id = c.billable_metric_id
                LEFT JOIN events_by_id e ON e.id = p.event_id
                WHERE NOT p.is_void
                WINDOW earlier AS (PARTITION BY p.charge_id, p.external_subscription_id, p.scope ORDER BY p.id)
            ), starts AS (
                SELECT m.*, from_.* FROM moves m CROSS JOIN LATERAL (
                    SELECT * FROM (
                        SELECT 0 AS count, 0 AS now, 0 AS top, 0 AS prorated_top, 0 AS total
                        UNION ALL SELECT previous_count, previous_current, previous_highest, previous_prorated, previous_total
                        -- A late event goes on from an event further back: its window is another one. Looked for last.
                        UNION ALL SELECT q.events_count, q.current, q.highest, q.highest_prorated, q.precise_total_amount_cents
                            FROM priced_events q
                            -- The first of a subscription's own charge goes on from the one that it was copied from.
                            WHERE (q.charge_id = m.charge_id AND q.scope = m.scope OR q.charge_id = m.parent_id)
                              AND q.external_subscription_id = m.external_subscription_id AND q.id < m.id AND NOT q.is_void
                    ) AS candidates
                    WHERE candidates.count + 1 = m.events_count
                      AND (m.is_gone OR m.precise_total_amount_cents = candidates.total + m.own)
                      AND (m.current = candidates.now + m.added OR (m.added IS NULL AND abs(m.current - candidates.now) <= 1))
                      AND m.highest = GREATEST(candidates.top, m.current)
                      AND (m.highest_prorated BETWEEN candidates.prorated_top AND candidates.prorated_top + m.highest - candidates.top + 0.00001)
                      AND (m.prorated OR m.highest_prorated = candidates.prorated_top)
                    LIMIT 1
                ) AS from_
            )
            SELECT 'event ' || m.event_id || ', charge ' || m.charge_id AS place, 'one more than an event before it' AS expected,
                   m.events_count || ' events, ' || trim_scale(m.current) || ' units, at most ' || trim_scale(m.highest) AS found
            FROM moves m WHERE NOT EXISTS (SELECT FROM starts s WHERE s.id = m.id)
        """,
    ),
    Law(
        name="thresholds_passed",
        says="A threshold was invoiced where lifetime usage had come to it.",
        holds=("applied_usage_thresholds level_cents lifetime_usage_amount_cents amount_cents",),
        sql="""
            SELECT 'threshold of ' || t.amount_cents || ' on invoice ' || i.number AS place,
                   CASE WHEN t.recurring THEN 'at most ' || t.lifetime_usage_amount_cents ELSE CAST(t.amount_cents AS text) END AS expected,
                   t.level_cents || ', of ' || t.lifetime_usage_amount_cents AS found
            FROM applied_usage_thresholds t JOIN invoices i ON i.id = t.invoice_id
            WHERE t.level_cents > t.lifetime_usage_amount_cents
               OR CASE WHEN t.recurring THEN t.lifetime_usage_amount_cents - t.level_cents >= t.amount_cents ELSE t.level_cents <> t.amount_cents END
        """,
    ),
)
