"""What ten minutes of ingest come to."""

from bench.sustained import Sample, summary


def sample(number, rate, megabytes, p99=5.0, failed=0):
    return Sample(
        seconds=10.0 * number, events_per_second=rate, p99_ms=p99, failed=failed, api_megabytes=megabytes
    )


def test_the_end_is_held_against_the_beginning_without_what_warms_up():
    """The first window of 10 a second counts in the mean of 190 and is the slowest; 220 against 200, 66 MB against 60."""
    found = [
        sample(1, 10, 50.0, p99=90.0, failed=2),
        *(sample(n, 200, 60.0) for n in range(2, 7)),
        *(sample(n, 220, 66.0) for n in range(7, 12)),
    ]
    assert summary(found) == {
        "sustained_events": 21_100,
        "sustained_events_per_second": 192,
        "slowest_events_per_second": 10,
        "rate_end_to_start": 1.1,
        "worst_p99_ms": 90.0,
        "failed": 2,
        "memory_end_to_start": 1.1,
        "api_megabytes": 66.0,
    }
