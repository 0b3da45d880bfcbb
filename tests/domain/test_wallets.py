"""What credits are worth, which are spent first, and what of an invoice each wallet pays (wallets §3–§6, §8, §22, §23)."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.domain.fees.model import FeeType
from tallymark.domain.money import currency, round_cents, round_half_away
from tallymark.domain.periods import Interval
from tallymark.domain.wallets import (
    EMPTY,
    Balance,
    Bucket,
    Credits,
    Draw,
    Inbound,
    InvoicedAmount,
    Limits,
    NotEnough,
    Purse,
    RuleTerms,
    allocate_wallets,
    consume,
    interval_top_up,
    make_buckets,
    next_interval_day,
)

EUR, JPY, USD, KWD = (currency(code) for code in ("EUR", "JPY", "USD", "KWD"))
SUBSCRIPTION = Bucket(FeeType.SUBSCRIPTION)
API, STORAGE = Bucket(FeeType.CHARGE, "api"), Bucket(FeeType.CHARGE, "storage")
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)


class TestCredits:
    @pytest.mark.parametrize(
        ("rate", "of", "credits", "cents", "shown"),
        [
            pytest.param("1.5", EUR, "10.12345", 1519, "10.12667", id="15.185175 is 15.19"),
            pytest.param("0.25", EUR, "7.777777", 194, "7.76", id="cut at five decimals, then 1.9444425"),
            pytest.param("120", JPY, "1.004", 120, "1", id="no decimals: 120.48 yen"),
            pytest.param("0.001", USD, "4", 0, "0", id="less than half a cent"),
            pytest.param("2", KWD, "0.0005", 1, "0.0005", id="three decimals"),
            pytest.param("1", EUR, "0.005", 1, "0.01", id="half a cent is one"),
        ],
    )
    def test_come_to_whole_minor_units(self, rate, of, credits, cents, shown):
        worth = Credits(Fraction(rate), of)
        assert worth.cents_of(Fraction(credits)) == cents
        assert round_half_away(worth.of_cents(cents), 5) == Fraction(shown)

    def test_do_not_drift_when_they_are_spent(self):
        """Rate 3: one credit is 300 cents, three invoices of 100 leave neither cents nor credits."""
        balance = EMPTY.plus(300)
        for _ in range(3):
            balance = balance.plus(-100)
        assert balance == EMPTY

    def test_that_a_void_names_leave_a_part_of_a_cent(self):
        """Of 100 credits 14.28444 go, twice: 1428 cents, then 1429; 71.43112 credits are left."""
        worth = Credits(Fraction(1), EUR)
        balance = EMPTY.plus(10_000)
        cents = []
        for _ in range(2):
            after = balance.less_precise(worth.precise_cents_of(Fraction("14.28444")))
            cents.append(balance.cents - after.cents)
            balance = after
        assert cents == [1428, 1429]
        assert (balance.cents, worth.of_cents(balance.precise_cents)) == (7143, Fraction("71.43112"))

    def test_what_is_left_of_a_cent_goes_with_the_last_one(self):
        balance = EMPTY.plus(1).less_precise(Fraction("0.7"))
        assert balance == EMPTY
        assert EMPTY.plus(3).less_precise(Fraction("0.3")).plus(-3) == EMPTY

    @pytest.mark.parametrize(("cents", "precise"), [(-1, -1), (1, 2), (0, "0.3")])
    def test_and_cents_never_drift_apart(self, cents, precise):
        with pytest.raises(ValueError, match=r"never negative|drifted"):
            Balance(cents, Fraction(precise))

    @given(
        rate=st.decimals("0.00001", "9999", places=5),
        moves=st.lists(
            st.one_of(
                st.tuples(st.just("in"), st.integers(1, 10**6)),
                st.tuples(st.just("out"), st.integers(1, 10**6)),
                st.tuples(st.just("void"), st.decimals("0.00001", "5000", places=5)),
            ),
            max_size=30,
        ),
    )
    def test_follow_cents_through_any_life(self, rate, moves):
        """§23.3: cents are the rounded credits times the rate; what would go below zero is refused before."""
        worth = Credits(Fraction(rate), EUR)
        balance = EMPTY
        for kind, amount in moves:
            if kind == "in":
                balance = balance.plus(amount)
            elif kind == "out" and amount <= balance.cents:
                balance = balance.plus(-amount)
            elif kind == "void" and Fraction(amount) <= worth.of_cents(balance.precise_cents):
                balance = balance.less_precise(worth.precise_cents_of(Fraction(amount)))
            assert balance.cents >= 0
            assert balance.cents == round_cents(worth.of_cents(balance.precise_cents) * worth.rate * 100)


def inbound(name, cents, *, priority=50, granted=False, day=1):
    return Inbound(
        id=name,
        priority=priority,
        is_granted=granted,
        created_at=JANUARY + timedelta(days=day - 1),
        remaining_cents=cents,
    )


class TestConsumption:
    def test_takes_priority_then_granted_then_the_oldest(self):
        """§22.5: 600 of P1 500 (1 Jan), G1 300 (5 Jan), G2 200 (priority 10, 9 Jan): 200, 300 and 100."""
        there = [
            inbound("P1", 500, day=1),
            inbound("G1", 300, granted=True, day=5),
            inbound("G2", 200, granted=True, priority=10, day=9),
        ]
        taken = consume(there, 600)
        assert [(one.id, part, one.remaining_cents) for one, part in taken] == [
            ("G2", 200, 0),
            ("G1", 300, 0),
            ("P1", 100, 400),
        ]

    def test_of_equals_takes_the_oldest_first(self):
        taken = consume([inbound("late", 10, day=2), inbound("early", 10, day=1)], 15)
        assert [(one.id, part) for one, part in taken] == [("early", 10), ("late", 5)]

    def test_takes_no_more_than_there_is(self):
        with pytest.raises(NotEnough):
            consume([inbound("one", 10)], 11)

    @given(
        st.lists(
            st.tuples(st.integers(0, 100), st.integers(1, 50), st.booleans(), st.integers(1, 28)), max_size=12
        ),
        st.data(),
    )
    def test_is_complete_and_in_order(self, found, data):
        """§23.2: what is taken adds up; before one is touched, all that come before it are used up."""
        there = [
            inbound(number, cents, priority=priority, granted=granted, day=day)
            for number, (cents, priority, granted, day) in enumerate(found)
        ]
        whole = sum(one.remaining_cents for one in there)
        cents = data.draw(st.integers(0, whole))
        taken = consume(there, cents)
        assert sum(part for _, part in taken) == cents
        assert all(part > 0 for _, part in taken)
        assert all(not one.remaining_cents for one, _ in taken[:-1])
        left = {one.id: one.remaining_cents for one, _ in taken}
        for one in there:
            for other, _ in taken:
                if one.rank < other.rank and one.id not in left:
                    assert one.remaining_cents == 0


def amount(bucket, cents, **more):
    return InvoicedAmount(bucket=bucket, amount_cents=cents, **{k: Fraction(v) for k, v in more.items()})


def purse(cents, *, fee_types=(), metrics=(), code="wallet"):
    return Purse(
        code=code,
        balance_cents=cents,
        fee_types=frozenset(fee_types),
        billable_metric_ids=frozenset(metrics),
    )


def paid(draws, wallets):
    found = [0] * len(wallets)
    for draw in draws:
        found[draw.position] = draw.amount_cents
    return found


class TestAllocation:
    def test_three_wallets(self):
        """§22.3: A (subscriptions, 2000) pays 2000, B (api, 1500) 1200, C the rest: 1600 + 600."""
        fees = [amount(SUBSCRIPTION, 3600), amount(API, 1200), amount(STORAGE, 600)]
        wallets = [purse(2000, fee_types=[FeeType.SUBSCRIPTION]), purse(1500, metrics=["api"]), purse(10_000)]
        assert paid(allocate_wallets(5400, fees, wallets), wallets) == [2000, 1200, 2200]

    def test_what_taxes_lose_by_rounding_goes_to_the_largest_bucket(self):
        """§22.4: 333 and 1001 at 7.7 % come to 1437; buckets 1078.359 (with 0.282) and 358.641."""
        fees = [
            amount(SUBSCRIPTION, 1001, taxes_cents="77.077"),
            amount(Bucket(FeeType.CHARGE, "m"), 333, taxes_cents="25.641"),
        ]
        assert list(make_buckets(fees, 1437).values()) == [Fraction("1078.359"), Fraction("358.641")]
        poor = [purse(1000, fee_types=[FeeType.SUBSCRIPTION]), purse(5000)]
        assert paid(allocate_wallets(1437, fees, poor), poor) == [1000, 437]
        rich = [purse(9000, fee_types=[FeeType.SUBSCRIPTION]), purse(5000)]
        assert paid(allocate_wallets(1437, fees, rich), rich) == [1078, 359]

    def test_the_invoicing_example(self):
        """Invoicing §17.9: buckets 6000 and 3600; the wallet of the metric pays 3600, the other its 4000."""
        fees = [amount(SUBSCRIPTION, 5000, taxes_cents=1000), amount(API, 3000, taxes_cents=600)]
        wallets = [purse(5000, metrics=["api"]), purse(4000)]
        assert paid(allocate_wallets(9600, fees, wallets), wallets) == [3600, 4000]

    def test_halves_in_two_wallets_are_trimmed(self):
        """10.5 and 10.5 of 21 would be 11 and 11."""
        fees = [amount(API, 10, taxes_cents="0.5"), amount(STORAGE, 10, taxes_cents="0.5")]
        wallets = [purse(100, metrics=["api"]), purse(100, metrics=["storage"])]
        assert paid(allocate_wallets(21, fees, wallets), wallets) == [11, 10]

    def test_coupons_and_credit_notes_leave_less_to_pay(self):
        fee = amount(API, 1000, coupons_cents=200, taxes_cents=160, credit_notes_cents=60)
        assert allocate_wallets(900, [fee], [purse(5000)]) == [Draw(0, 900)]
        assert make_buckets([amount(API, 500, coupons_cents=500)], 0) == {}

    def test_a_named_wallet_alone_pays(self):
        named = Bucket(FeeType.CHARGE, "api", "team_a")
        wallets = [purse(500, code="other"), purse(300, code="team_a", fee_types=[FeeType.SUBSCRIPTION])]
        assert paid(allocate_wallets(400, [amount(named, 400)], wallets), wallets) == [0, 300]

    @pytest.mark.parametrize(
        ("limits", "bucket", "applies"),
        [
            pytest.param({}, SUBSCRIPTION, True, id="no limits"),
            pytest.param({"fee_types": [FeeType.CHARGE]}, API, True, id="its type"),
            pytest.param({"fee_types": [FeeType.CHARGE]}, SUBSCRIPTION, False, id="another type"),
            pytest.param({"metrics": ["api"]}, API, True, id="its metric"),
            pytest.param({"metrics": ["api"]}, STORAGE, False, id="another metric"),
            pytest.param(
                {"metrics": ["api"], "fee_types": [FeeType.SUBSCRIPTION]},
                SUBSCRIPTION,
                True,
                id="one or the other",
            ),
            pytest.param(
                {"metrics": ["api"]}, Bucket(FeeType.COMMITMENT, "api"), False, id="of a charge only"
            ),
            pytest.param({}, Bucket(FeeType.CHARGE, "api", "somebody"), False, id="for another wallet"),
        ],
    )
    def test_a_wallet_pays_what_it_is_for(self, limits, bucket, applies):
        assert purse(1, **limits).applies_to(bucket) is applies

    @given(st.data())
    def test_laws(self, data):
        """§23.5 and §23.6: never more than the total or than a wallet has; a worse one pays when the better are empty."""
        kinds = [SUBSCRIPTION, API, STORAGE, Bucket(FeeType.CHARGE, "api", "w0")]
        fees = [
            amount(kind, data.draw(st.integers(0, 500)), taxes_cents=data.draw(st.fractions(0, 50)))
            for kind in data.draw(st.lists(st.sampled_from(kinds), max_size=5))
        ]
        total = round_cents(sum((fee.cap_cents for fee in fees), Fraction(0)))
        wallets = [
            purse(
                data.draw(st.integers(0, 800)),
                fee_types=data.draw(st.sets(st.sampled_from([FeeType.SUBSCRIPTION, FeeType.CHARGE]))),
                metrics=data.draw(st.sets(st.sampled_from(["api", "storage"]))),
                code=f"w{number}",
            )
            for number in range(data.draw(st.integers(0, 4)))
        ]
        draws = allocate_wallets(total, fees, wallets)
        assert sum(draw.amount_cents for draw in draws) <= total
        assert len({draw.position for draw in draws}) == len(draws)
        for draw in draws:
            assert 0 < draw.amount_cents <= wallets[draw.position].balance_cents
            assert any(wallets[draw.position].applies_to(fee.bucket) for fee in fees)
        free = [w for w in wallets if not w.fee_types and not w.billable_metric_ids]
        payable = sum((fee.cap_cents for fee in fees if fee.bucket.target_wallet_code is None), Fraction(0))
        if len(free) == len(wallets) and payable == total and wallets:
            # With no limits anywhere the wallets are emptied one after the other.
            expected, left = [], total
            for wallet in wallets:
                expected.append(min(wallet.balance_cents, left))
                left -= expected[-1]
            assert paid(draws, wallets) == expected


class TestIntervals:
    @pytest.mark.parametrize(
        ("interval", "anchor", "days"),
        [
            pytest.param(
                Interval.MONTHLY, date(2024, 1, 31), ["2024-02-29", "2024-03-31", "2024-04-30"], id="monthly"
            ),
            pytest.param(
                Interval.QUARTERLY,
                date(2024, 1, 31),
                ["2024-04-30", "2024-07-31", "2024-10-31", "2025-01-31"],
                id="quarterly",
            ),
            pytest.param(
                Interval.YEARLY,
                date(2024, 2, 29),
                ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"],
                id="yearly",
            ),
            pytest.param(
                Interval.SEMIANNUAL, date(2024, 8, 31), ["2025-02-28", "2025-08-31"], id="semiannual"
            ),
            pytest.param(Interval.WEEKLY, date(2024, 1, 3), ["2024-01-10", "2024-01-17"], id="weekly"),
        ],
    )
    def test_come_back_to_their_anchor(self, interval, anchor, days):
        """§22.12."""
        found, day = [], anchor
        for _ in days:
            day = next_interval_day(interval, anchor, after=day)
            found.append(day.isoformat())
        assert found == days

    def test_begin_with_the_anchor(self):
        assert next_interval_day(Interval.MONTHLY, date(2024, 5, 9), after=date(2024, 1, 20)) == date(
            2024, 5, 9
        )

    @given(st.sampled_from(Interval), st.dates(date(2000, 1, 1), date(2030, 1, 1)), st.integers(0, 2000))
    def test_are_found_from_any_day(self, interval, anchor, later):
        """From whichever day one looks, the next is the first of those that follow the anchor."""
        after = anchor + timedelta(days=later)
        day = anchor
        while day <= after:
            day = next_interval_day(interval, anchor, after=day)
        assert next_interval_day(interval, anchor, after=after) == day


class TestTopUps:
    @pytest.mark.parametrize(
        ("ongoing", "paid", "granted"), [("12.5", "87.5", 0), ("80", "50", 0), ("100", 0, 0), ("120", 0, 0)]
    )
    def test_fill_up_to_a_target(self, ongoing, paid, granted):
        """§22.7: target 100, at least 50 credits at once."""
        rule = RuleTerms(target=Fraction(100))
        found = interval_top_up(
            rule, Fraction(ongoing), Limits(min_credits=Fraction(50), max_credits=Fraction(60))
        )
        assert (found.paid, found.granted) == (Fraction(paid), Fraction(granted))

    def test_grant_exactly_what_is_missing(self):
        rule = RuleTerms(target=Fraction(100), grants_target_top_up=True)
        found = interval_top_up(rule, Fraction(80), Limits(min_credits=Fraction(50)))
        assert (found.paid, found.granted) == (0, 20)

    def test_forget_the_minimum_where_limits_are_ignored(self):
        rule = RuleTerms(target=Fraction(100), ignores_limits=True)
        assert interval_top_up(rule, Fraction(80), Limits(min_credits=Fraction(50))).paid == 20

    def test_of_a_fixed_rule_are_fixed(self):
        rule = RuleTerms(paid=Fraction(20), granted=Fraction(5))
        found = interval_top_up(rule, Fraction(-40), Limits(max_credits=Fraction(10)))
        assert (found.paid, found.granted) == (20, 5)
