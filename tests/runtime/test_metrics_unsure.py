"""What may have gone wrong unseen is counted by class."""

from collections import Counter

from belfry.runtime.metrics import Metrics
from belfry.runtime.ports import Committed


def test_possible_losses_and_repeats_are_counted_by_class() -> None:
    metrics = Metrics()
    unsure = Counter({("possibly_lost", "service"): 2, ("possibly_duplicated", "security"): 1})
    metrics.committed(Committed(unsure=unsure))
    text = metrics.text().decode()
    assert 'belfry_possibly_lost_total{class="service"} 2.0' in text
    assert 'belfry_possibly_duplicated_total{class="security"} 1.0' in text
