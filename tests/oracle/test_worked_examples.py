"""The naive calculator on the specification's own examples: pricing §17, metering §12, subscriptions §6."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from fractions import Fraction

import pytest
from tests.oracle.arithmetic import cents
from tests.oracle.days import Calendar
from tests.oracle.invoices import invoices_of
from tests.oracle.life import Charge, Event, Filter, FixedCharge, Life, Metric, Plan, Subscribe, Terminate
from tests.oracle.prices import amount_of, fixed_amount_of
from tests.oracle.units import Units, Window, bucket_of, units_of


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def tiers(*rows: tuple[str | int, str | int | None, str, str], price: str = "per_unit_amount") -> list[dict]:
    return [{"from_value": a, "to_value": b, price: c, "flat_amount": d} for a, b, c, d in rows]


def priced(model: str, u: str, **properties: object) -> Fraction:
    charge = Charge(
        code="c", metric=Metric(code="m", aggregation="sum_agg"), model=model, properties=properties
    )
    units = Units(priced=Fraction(u), full=Fraction(u), count=1)
    return amount_of(charge, properties, units, "EUR")


GRADUATED = tiers((0, 100, "0.20", "5"), (101, 500, "0.15", "3"), (501, None, "0.08", "0"))
ADJACENT = tiers((0, "0.5", "4", "0"), ("0.5", 2, "3", "1"), (2, None, "1", "0"))
SPACED = tiers((0, "0.5", "4", "0"), ("1.5", 2, "3", "1"), (3, None, "1", "0"))
VOLUME = tiers((0, 1000, "0.02", "10"), (1001, 5000, "0.015", "0"), (5001, None, "0.01", "25"))
RATES = tiers((0, 1000, "2", "1"), (1001, None, "1", "0.5"), price="rate")
PACKAGE = {"amount": "7.50", "package_size": 100, "free_units": 50}


class TestPrices:
    """Pricing §17.1 to §17.3, §17.10."""

    @pytest.mark.parametrize(
        ("model", "u", "properties", "expected"),
        [
            ("graduated", "0", {"graduated_ranges": GRADUATED}, "5"),
            ("graduated", "100", {"graduated_ranges": GRADUATED}, "25"),
            ("graduated", "100.5", {"graduated_ranges": GRADUATED}, "28.075"),
            ("graduated", "101", {"graduated_ranges": GRADUATED}, "28.15"),
            ("graduated", "650", {"graduated_ranges": GRADUATED}, "100"),
            ("graduated", "0.5", {"graduated_ranges": ADJACENT}, "2"),
            ("graduated", "2.75", {"graduated_ranges": ADJACENT}, "8.25"),
            ("graduated", "2.75", {"graduated_ranges": SPACED}, "8.25"),
            ("volume", "0", {"volume_ranges": VOLUME}, "10"),
            ("volume", "1000", {"volume_ranges": VOLUME}, "30"),
            ("volume", "1000.4", {"volume_ranges": VOLUME}, "15.006"),
            ("volume", "6000", {"volume_ranges": VOLUME}, "85"),
            ("package", "50", PACKAGE, "0"),
            ("package", "51", PACKAGE, "7.5"),
            ("package", "250", PACKAGE, "15"),
            ("package", "251", PACKAGE, "22.5"),
            ("graduated_percentage", "1500", {"graduated_percentage_ranges": RATES}, "26.5"),
        ],
    )
    def test_of_units(self, model: str, u: str, properties: dict, expected: str) -> None:
        assert priced(model, u, **properties) == Fraction(expected)

    @pytest.mark.parametrize(
        ("more", "expected"),
        [
            ({}, "7.75"),
            ({"free_units_per_events": 2}, "4.25"),
            ({"free_units_per_total_aggregation": "200"}, "4.50"),
            ({"free_units_per_events": 3, "free_units_per_total_aggregation": "150"}, "5.25"),
            ({"per_transaction_min_amount": "1.75", "per_transaction_max_amount": "3"}, "8.55"),
            (
                {
                    "per_transaction_min_amount": "1.75",
                    "per_transaction_max_amount": "3",
                    "free_units_per_total_aggregation": "200",
                },
                "6.50",
            ),
        ],
    )
    def test_of_percentages(self, more: dict, expected: str) -> None:
        """Pricing §17.4."""
        properties = {"rate": "1.5", "fixed_amount": "0.25", **more}
        metric = Metric(code="m", aggregation="sum_agg")
        charge = Charge(code="c", metric=metric, model="percentage", properties=properties)
        values = tuple(Fraction(v) for v in (120, 80, 200, 50))
        units = Units(priced=Fraction(450), full=Fraction(450), count=4, values=values)
        assert amount_of(charge, properties, units, "EUR") == Fraction(expected)

    def test_are_rounded_to_the_subunit_of_the_currency(self) -> None:
        assert cents(Fraction("1234.5"), "JPY") == 1235
        assert cents(Fraction("1.23456"), "KWD") == 1235
        assert cents(Fraction("28.075"), "EUR") == 2808


def window(start: str, end: str, duration: int, begins: str | None = None) -> Window:
    return Window(
        zone="UTC",
        start=at(begins or start),
        end=at(end),
        full_start=at(start),
        full_end=at(end),
        duration=duration,
    )


APRIL = window("2026-04-01", "2026-05-01", 30)
MAY = window("2026-05-01", "2026-06-01", 31)
JANUARY = window("2026-01-01", "2026-02-01", 31)


def counted(
    kind: str, within: Window, *events: tuple[str, dict], prorated: bool = False, **more: object
) -> Units:
    metric = Metric(code="m", aggregation=kind, **more)  # type: ignore[arg-type]
    charge = Charge(code="c", metric=metric, model="standard", properties={"amount": "1"}, prorated=prorated)
    scope = [
        Event(at=at(when), id=when, external_id="s", code="m", timestamp=at(when), properties=properties)
        for when, properties in events
    ]
    return units_of(scope, charge, within)


def value(text: str, operation: str | None = None) -> dict:
    return {"value": text} if operation is None else {"value": text, "operation_type": operation}


class TestUnits:
    """Metering §12."""

    def test_weighted(self) -> None:
        """E2."""
        carried = ("2026-03-01", value("12"))
        moves = [("2026-04-11", value("8")), ("2026-04-21T12:00", value("-5"))]
        found = counted("weighted_sum_agg", APRIL, carried, *moves, recurring=True)
        assert found.priced == Fraction("15.75")
        late = window("2026-04-01", "2026-05-01", 30, begins="2026-04-16")
        assert counted("weighted_sum_agg", late, ("2026-04-20", value("6"))).priced == Fraction("2.2")

    def test_unique(self) -> None:
        """E3."""
        told = ["a:add", "a:add", "b:remove", "c:add", "c:remove", "c:add", "b:add"]
        events = [(f"2026-05-02T10:0{n}", value(*one.split(":"))) for n, one in enumerate(told)]
        assert counted("unique_count_agg", MAY, *events, ("2026-05-03", {})).full == 3

    def test_unique_prorated(self) -> None:
        """E4."""
        events = [
            ("2026-02-01", value("E", "add")),
            ("2026-02-11", value("E", "remove")),
            ("2026-03-03", value("A", "add")),
            ("2026-04-20", value("C", "add")),
            ("2026-05-05", value("C", "remove")),
            ("2026-05-08T07:00", value("D", "add")),
            ("2026-05-08T09:00", value("D", "remove")),
            ("2026-05-10", value("D", "add")),
            ("2026-05-12", value("B", "add")),
        ]
        found = counted("unique_count_agg", MAY, *events, recurring=True, prorated=True)
        assert (found.priced, found.full) == (Fraction("2.54839"), 3)

    def test_sum_prorated(self) -> None:
        """E5 and E6, pricing §17.6."""
        events = [("2026-03-01", value("40")), ("2026-05-10", value("12")), ("2026-05-25", value("-3"))]
        found = counted("sum_agg", MAY, *events, recurring=True, prorated=True)
        assert (found.priced, found.full) == (Fraction("47.83871"), 49)
        exact = counted("sum_agg", JANUARY, ("2026-01-15", value("31")), recurring=True, prorated=True)
        assert exact.priced == 17

    def test_prorated_tiers(self) -> None:
        """Pricing §17.6: 58.6667 + flats 3."""
        events = [("2026-03-01", value("8")), ("2026-04-11", value("4")), ("2026-04-21", value("-2"))]
        found = counted("sum_agg", APRIL, *events, recurring=True, prorated=True)
        assert (found.priced, found.full) == (10, 10)
        properties = {"graduated_ranges": tiers((0, 10, "6", "2"), (11, None, "4", "1"))}
        metric = Metric(code="m", aggregation="sum_agg", recurring=True)
        charge = Charge(code="c", metric=metric, model="graduated", properties=properties, prorated=True)
        assert cents(amount_of(charge, properties, found, "EUR"), "EUR") == 6167

    @pytest.mark.parametrize(
        ("function", "digits", "expected"), [("round", 2, "12.35"), ("floor", 1, "12.3"), ("ceil", -1, "20")]
    )
    def test_rounded(self, function: str, digits: int, expected: str) -> None:
        """E10."""
        found = counted(
            "sum_agg",
            MAY,
            ("2026-05-02", value("12.345")),
            rounding_function=function,
            rounding_precision=digits,
        )
        assert found.priced == Fraction(expected)

    def test_filtered(self) -> None:
        """E9."""
        metric = Metric(
            code="m", aggregation="sum_agg", filters={"region": ["eu", "us", "ap"], "tier": ["gold", "std"]}
        )
        told: list[dict[str, list[str]]] = [
            {"region": ["__ALL_FILTER_VALUES__"]},
            {"region": ["eu"]},
            {"region": ["eu"], "tier": ["gold"]},
            {"tier": ["gold"]},
        ]
        filters = tuple(Filter(values=one, properties={}) for one in told)
        charge = Charge(code="c", metric=metric, model="standard", properties={}, filters=filters)
        sums = dict.fromkeys([*range(4), None], 0)
        events = [("eu", "gold", 5), ("us", "gold", 7), ("eu", "std", 2), ("mars", "std", 3), (None, None, 1)]
        for region, tier, n in events:
            event = Event(
                at=at("2026-05-02"),
                id="e",
                external_id="s",
                code="m",
                timestamp=at("2026-05-02"),
                properties={"region": region, "tier": tier},
            )
            found = bucket_of(event, charge)
            sums[None if found is None else filters.index(found)] += n
        assert list(sums.values()) == [0, 2, 5, 7, 4]


class TestCalendar:
    """Subscriptions §6.2."""

    @pytest.mark.parametrize(
        ("anchor", "unit", "lengths"),
        [
            (date(2026, 10, 31), "monthly", [30, 31, 31, 28, 31, 30]),
            (date(2025, 11, 30), "quarterly", [90, 91, 92, 92]),
            (date(2026, 8, 31), "semiannual", [181, 184, 182, 184]),
            (date(2028, 2, 29), "yearly", [365, 365, 365, 366, 365]),
        ],
    )
    def test_month_end_anchors(self, anchor: date, unit: str, lengths: list[int]) -> None:
        calendar, starts = Calendar(False, anchor), [anchor]
        for _ in lengths:
            starts.append(calendar.next_start(starts[-1], unit))
        assert [(b - a).days for a, b in itertools.pairwise(starts)] == lengths
        assert all(calendar.period_start(start, unit) == start for start in starts)


def life(begins: str, ends: str, *actions: Subscribe | Terminate | Event, zone: str = "UTC") -> Life:
    return Life(zone=zone, currency="EUR", begins=at(begins), ends=at(ends), actions=actions)


def base_fees(of: Life) -> list[list[int]]:
    return [[fee.amount_cents for fee in invoice.fees] for invoice in invoices_of(of)]


def monthly(amount_cents: int, code: str = "a", **more: object) -> Plan:
    return Plan(code=code, amount_cents=amount_cents, **more)  # type: ignore[arg-type]


def subscribe(when: str, plan: Plan, **more: object) -> Subscribe:
    return Subscribe(at=at(when), external_id="s", plan=plan, **more)  # type: ignore[arg-type]


class TestLives:
    """Subscriptions §6."""

    def test_1_zone_and_first_partial_month(self) -> None:
        told = life(
            "2025-03-05T03:30",
            "2025-04-02",
            subscribe("2025-03-05T03:30", monthly(4350)),
            zone="America/New_York",
        )
        (invoice,) = invoices_of(told)
        (record,) = invoice.records
        assert [fee.amount_cents for fee in invoice.fees] == [3929]
        assert (record.at, record.fee_from) == (at("2025-04-01T04:00"), at("2025-03-04T05:00"))
        assert record.charges == (at("2025-03-05T03:30"), at("2025-04-01T04:00"))

    def test_3_advance_fee_and_arrears_windows(self) -> None:
        told = life(
            "2025-05-20T09:00",
            "2025-06-02",
            subscribe("2025-05-20T09:00", monthly(12400, pay_in_advance=True)),
        )
        assert base_fees(told) == [[4800], [12400]]
        record = invoices_of(told)[1].records[0]
        assert record.charges == (at("2025-05-20T09:00"), at("2025-06-01"))

    @pytest.mark.parametrize(("pay_in_advance", "expected"), [(True, [10500]), (False, [3000, 10500])])
    def test_4_upgrade(self, pay_in_advance: bool, expected: list[int]) -> None:
        """The credit note is not the calculator's."""
        told = life(
            "2025-07-01",
            "2025-07-20",
            subscribe("2025-07-01", monthly(9300, pay_in_advance=pay_in_advance)),
            subscribe("2025-07-11T10:00", monthly(15500, "b", pay_in_advance=True)),
        )
        assert base_fees(told)[-1] == expected

    def test_5_termination(self) -> None:
        told = life(
            "2025-06-01",
            "2025-07-20",
            subscribe("2025-06-01", monthly(9300)),
            Terminate(at=at("2025-07-11T10:00"), external_id="s"),
        )
        assert base_fees(told) == [[9300], [3300]]

    def test_6_trial(self) -> None:
        plan = monthly(6200, pay_in_advance=True, trial_days=Fraction(10))
        told = life("2025-08-06T14:00", "2025-09-02", subscribe("2025-08-06T14:00", plan))
        assert base_fees(told) == [[3200], [6200]]

    def test_7_yearly_with_monthly_charges(self) -> None:
        plan = monthly(36600, interval="yearly", charges_monthly=True)
        told = life(
            "2024-09-10T12:00",
            "2025-06-02",
            subscribe("2024-09-10T12:00", plan),
            Terminate(at=at("2025-05-20T15:00"), external_id="s"),
        )
        assert [fees for fees in base_fees(told) if fees] == [[11300], [14038]]

    @pytest.mark.parametrize(
        ("interval", "amount_cents", "is_upgrade"),
        [("weekly", 231, True), ("quarterly", 2999, False), ("yearly", 12000, True)],
    )
    def test_8_up_or_down(self, interval: str, amount_cents: int, is_upgrade: bool) -> None:
        other = monthly(amount_cents, "b", interval=interval)
        assert (other.yearly_cents >= monthly(1000).yearly_cents) is is_upgrade

    def test_9_dst_week(self) -> None:
        plan = monthly(700, interval="weekly")
        told = life("2025-03-20", "2025-03-31T12:00", subscribe("2025-03-20", plan), zone="Europe/Paris")
        record = invoices_of(told)[-1].records[0]
        assert record.charges == (at("2025-03-23T23:00"), at("2025-03-30T22:00"))
        assert base_fees(told)[-1] == [700]

    def test_10_past_start(self) -> None:
        told = life(
            "2025-04-05",
            "2025-05-02",
            subscribe("2025-04-05", monthly(3000), subscription_at=at("2025-03-10")),
        )
        (invoice,) = invoices_of(told)
        assert [fee.amount_cents for fee in invoice.fees] == [3000]
        assert invoice.records[0].charges == (at("2025-04-01"), at("2025-05-01"))

    def test_12_ending_on_a_billing_day(self) -> None:
        begins = subscribe("2025-03-10", monthly(3000), ending_at=at("2025-06-01T18:00"))
        assert base_fees(life("2025-03-10", "2025-07-02", begins)) == [[2129], [3000], [3000]]
        stays = subscribe("2025-03-10", monthly(3000))
        ends = Terminate(at=at("2025-06-01T09:00"), external_id="s")
        assert base_fees(life("2025-03-10", "2025-07-02", stays, ends)) == [[2129], [3000], [3000], [100]]


class TestMinimumsAndFixedCharges:
    def test_spending_minimum(self) -> None:
        """Pricing §17.7: 21 of 30 days of 90.00 are 63.00; 41.60 were used."""
        metric = Metric(code="m", aggregation="sum_agg")
        charge = Charge(
            code="c", metric=metric, model="standard", properties={"amount": "1"}, min_amount_cents=9000
        )
        used = Event(
            at=at("2025-06-20"),
            id="e",
            external_id="s",
            code="m",
            timestamp=at("2025-06-20"),
            properties={"value": "41.60"},
        )
        told = life("2025-06-10", "2025-07-02", subscribe("2025-06-10", monthly(0, charges=(charge,))), used)
        assert base_fees(told) == [[0, 4160, 2140]]

    def test_fixed_charge(self) -> None:
        """Pricing §13.2: the full units choose the tier, each portion counts by its share."""
        properties = {"graduated_ranges": tiers((0, 10, "6", "2"), (11, None, "4", "1"))}
        charge = FixedCharge(code="f", model="graduated", properties=properties, units="15", prorated=True)
        assert fixed_amount_of(charge, Fraction("7.5"), Fraction(15)) == 30 + 10 + 3
