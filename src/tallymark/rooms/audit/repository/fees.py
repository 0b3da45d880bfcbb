"""Laws of a fee: its amount before and after rounding, its units, its taxes (invoicing §4, §5.3)."""

from tallymark.rooms.audit.model import Law

FEES = (
    Law(
        name="fee_precise_amounts",
        says="A fee's amount is its precise amount rounded once, half away from zero; that of a minimum or commitment, but for its fees' rounding.",
        holds=("fees precise_amount_cents",),
        sql="""
            SELECT 'fee ' || f.id || COALESCE(' of invoice ' || i.number, '') AS place, round(f.precise_amount_cents) AS expected,
                   f.amount_cents AS found
            FROM fees f LEFT JOIN invoices i ON i.id = f.invoice_id
            WHERE CASE
                -- A minimum and a commitment lack what rounded fees leave of them, and precisely what precise ones do.
                WHEN f.true_up_parent_fee_id IS NOT NULL OR f.fee_type = 'commitment'
                THEN abs(f.precise_amount_cents - f.amount_cents) > 0.5 * (
                    SELECT 1 + count(*) FROM fees o
                    WHERE o.subscription_id = f.subscription_id AND (f.charge_id IS NULL OR o.charge_id = f.charge_id))
                ELSE round(f.precise_amount_cents) <> f.amount_cents END
        """,
    ),
    Law(
        name="fee_units",
        says="A fee's units and its number of events are those that its explanation counted.",
        holds=("fees units total_aggregated_units events_count",),
        sql="""
            WITH told AS (
                SELECT f.*, jsonb_path_query_first(explanation, '$[*] ? (@.step == "adjustment").units') #>> '{}' AS adjusted,
                       jsonb_path_query_first(explanation, '$[*] ? (@.step == "aggregation")') AS aggregation,
                       jsonb_path_query_first(explanation, '$[*] ? (@.step == "rounding_of_units").value') #>> '{}' AS rounded,
                       jsonb_path_query_first(explanation, '$[*] ? (@.step == "units")') AS fixed,
                       jsonb_path_query_first(explanation, '$[*] ? (@.step == "pricing").lines[0].units') #>> '{}' AS sold
                FROM fees f
            ), counted AS (
                SELECT told.*, round(GREATEST(CAST(COALESCE(
                           adjusted, rounded, aggregation ->> 'value', fixed ->> 'added', fixed ->> 'value',
                           CASE WHEN fee_type IN ('add_on', 'credit') THEN sold END, '1') AS numeric), 0),
                       CASE fee_type WHEN 'credit' THEN 5 ELSE 10 END) AS counted_units,
                       CASE WHEN fee_type <> 'charge' THEN NULL WHEN adjusted IS NOT NULL THEN 0 WHEN event_id IS NOT NULL THEN 1
                            ELSE COALESCE(CAST(aggregation ->> 'events_count' AS bigint), 0) END AS counted_events
                FROM told
            )
            SELECT 'fee ' || c.id || COALESCE(' of invoice ' || i.number, '') AS place,
                   counted_units || ' units, ' || COALESCE(counted_events, 0) || ' events' AS expected,
                   c.units || ' (' || c.total_aggregated_units || ') units, ' || COALESCE(c.events_count, 0) || ' events' AS found
            FROM counted c LEFT JOIN invoices i ON i.id = c.invoice_id
            WHERE c.events_count IS DISTINCT FROM counted_events
               OR (c.event_id IS NULL AND c.units <> counted_units AND (c.units <> 0 OR c.amount_cents <> 0))
               OR (c.total_aggregated_units <> c.units AND COALESCE(c.aggregation ->> 'aggregation_type', '') <> 'weighted_sum_agg')
        """,
    ),
    Law(
        name="fee_unit_amounts",
        says="A fee's price of a unit in minor units is the precise one, cut.",
        holds=("fees unit_amount_cents precise_unit_amount",),
        sql="""
            SELECT 'fee ' || f.id || COALESCE(' of invoice ' || i.number, '') AS place, trunc(price.cents) AS expected,
                   f.unit_amount_cents AS found
            FROM fees f LEFT JOIN invoices i ON i.id = f.invoice_id
            CROSS JOIN LATERAL (
                SELECT f.precise_unit_amount * CAST(CAST(:subunits AS jsonb) ->> f.currency AS numeric) AS cents
            ) AS price
            WHERE f.unit_amount_cents NOT IN (trunc(price.cents), trunc(round(price.cents, 9)))
        """,
    ),
    Law(
        name="fee_taxes",
        says="A fee's taxes are its rates on what deductions leave of it, rounded once.",
        holds=(
            "fees taxes_amount_cents",
            "fees_applied_taxes tax_rate",
        ),
        sql="""
            SELECT 'fee ' || f.id || COALESCE(' of invoice ' || i.number, '') AS place, taxed.cents AS expected,
                   f.taxes_amount_cents AS found
            FROM fees f LEFT JOIN invoices i ON i.id = f.invoice_id
            CROSS JOIN LATERAL (
                SELECT COALESCE(round(sum((f.amount_cents - f.precise_coupons_amount_cents) * t.tax_rate / 100)), 0) AS cents
                FROM fees_applied_taxes t WHERE t.fee_id = f.id
            ) AS taxed
            WHERE taxed.cents <> f.taxes_amount_cents
        """,
    ),
    Law(
        name="fee_precise_taxes",
        says="A fee's taxes before rounding are all of its rates on what is left of its precise amount.",
        holds=("fees taxes_precise_amount_cents taxes_rate",),
        sql="""
            SELECT 'fee ' || f.id || COALESCE(' of invoice ' || i.number, '') AS place,
                   trim_scale(wanted.cents) || ' at ' || trim_scale(taxed.rate) || ' %' AS expected,
                   trim_scale(f.taxes_precise_amount_cents) || ' at ' || trim_scale(f.taxes_rate) || ' %' AS found
            FROM fees f LEFT JOIN invoices i ON i.id = f.invoice_id
            CROSS JOIN LATERAL (
                SELECT COALESCE(sum(tax_rate), 0) AS rate FROM fees_applied_taxes t WHERE t.fee_id = f.id
            ) AS taxed
            CROSS JOIN LATERAL (
                SELECT (f.precise_amount_cents - f.precise_coupons_amount_cents) * taxed.rate / 100 AS cents
            ) AS wanted
            WHERE taxed.rate <> f.taxes_rate OR abs(wanted.cents - f.taxes_precise_amount_cents) > 0.000001
        """,
    ),
    Law(
        name="fee_applied_taxes",
        says="Each tax of a fee is its rate on what deductions leave of it, rounded for itself.",
        holds=("fees_applied_taxes amount_cents fees_amount_cents",),
        sql="""
            SELECT 'fee ' || f.id || ', ' || t.tax_code AS place,
                   round((f.amount_cents - f.precise_coupons_amount_cents) * t.tax_rate / 100)
                       || ' of ' || trunc(f.amount_cents - f.precise_coupons_amount_cents) AS expected,
                   t.amount_cents || ' of ' || t.fees_amount_cents AS found
            FROM fees_applied_taxes t JOIN fees f ON f.id = t.fee_id
            WHERE t.amount_cents <> round((f.amount_cents - f.precise_coupons_amount_cents) * t.tax_rate / 100)
               OR t.fees_amount_cents <> trunc(f.amount_cents - f.precise_coupons_amount_cents)
        """,
    ),
)
