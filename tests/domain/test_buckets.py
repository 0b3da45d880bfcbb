"""Which filter counts an event, and which group it falls into (metering §6, §7)."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.domain.usage import Bucket, Partition, text_of


def filters(*conditions):
    """Buckets of {key: values}, the oldest first."""
    return Partition(buckets=tuple(Bucket(conditions=tuple(sorted(c.items()))) for c in conditions))


REGIONS, TIERS = ("eu", "us", "ap"), ("gold", "std")
# F1 {region: all}, F2 {region: eu}, F3 {region: eu, tier: gold}, F4 {tier: gold}
E9 = filters(
    {"region": REGIONS}, {"region": ("eu",)}, {"region": ("eu",), "tier": ("gold",)}, {"tier": ("gold",)}
)


@pytest.mark.parametrize(
    ("properties", "bucket"),
    [
        ({"region": "eu", "tier": "gold"}, 2),  # most keys
        ({"region": "us", "tier": "gold"}, 3),  # one key each, one value is fewer than three
        ({"region": "eu", "tier": "std"}, 1),
        ({"region": "mars", "tier": "std"}, 4),  # unknown to the metric's own list
        ({}, 4),
    ],
)
def test_each_event_counts_in_the_most_specific_filter_alone(properties, bucket):
    """Metering §12, E9."""
    assert E9.place(properties)[0] == bucket


def test_of_filters_alike_the_oldest_counts():
    """Metering §6.2."""
    assert filters({"cloud": ("aws",)}, {"cloud": ("aws",)}).place({"cloud": "aws"})[0] == 0


@given(
    st.fixed_dictionaries(
        {}, optional={"region": st.sampled_from([*REGIONS, "mars"]), "tier": st.sampled_from(TIERS)}
    )
)
def test_no_less_specific_filter_is_preferred(properties):
    """Metering §13.5: one bucket takes the event, and no other that matches has more keys, or as many with fewer values."""
    index, _ = E9.place(properties)
    matching = [i for i, bucket in enumerate(E9.buckets) if bucket.matches(properties)]
    assert (index in matching) or (not matching and index == len(E9.buckets))
    assert all(E9.buckets[index].specificity <= E9.buckets[other].specificity for other in matching)


def test_a_bucket_groups_by_its_own_keys():
    """Metering §7.1: a filter without keys is not grouped, even where the charge is; absent, null and "" are one group."""
    partition = Partition(
        buckets=(Bucket(conditions=(("cloud", ("aws",)),)),), default=Bucket(group_keys=("team", "region"))
    )
    assert partition.place({"cloud": "aws", "team": "a"}) == (0, ())
    for nothing in ({}, {"team": None}, {"team": ""}):
        assert partition.place({"region": "eu", **nothing}) == (1, (None, "eu"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("eu", "eu"),
        (12, "12"),
        (Decimal("12.50"), "12.50"),
        (Decimal("1E+3"), "1000"),
        (False, "false"),
        (None, None),
    ],
)
def test_values_compare_as_text(value, text):
    """Metering §5.2, §8.2: a group sent as the number 12 is the group "12"."""
    assert text_of(value) == text


def test_numbers_meet_conditions_as_their_text():
    assert Bucket(conditions=(("size", ("12",)),)).matches({"size": 12})
    assert not Bucket(conditions=(("size", ("12",)),)).matches({"size": Fraction(25, 2).numerator})
