"""What the rounds of a row come to: medians, ratios taken within a round, and whether the target is met."""

import statistics
from dataclasses import dataclass

from table.runner import RINGCAST


@dataclass
class Verdict:
    row: object
    metric: object
    ratios: list  # Ringcast ÷ reference, by round; empty for a constant target
    value: float | None  # median of Ringcast's figure
    met: bool | None  # nothing where it could not be measured

    @property
    def ratio(self):
        if self.ratios:
            return statistics.median(self.ratios)
        if self.value is not None and self.metric.limit:
            return self.value / self.metric.limit
        return None

    def target_text(self):
        metric = self.metric
        if metric.limit is not None:
            return f"≤ {metric.limit:.{metric.digits}f} {metric.unit}".strip() + \
                (f" ({metric.limit_name})" if metric.limit_name else "")
        return f"{'≥' if metric.more_is_better else '≤'} {metric.factor:g} × {self.row.reference}"

    def relative_target(self):
        """The target on the scale of ratio."""
        return 1.0 if self.metric.limit is not None else self.metric.factor


def values_of(results, row, side, key):
    """A figure of a side by round."""
    return {number: figures[key] for number, figures in results.of(row.name, side).items() if key in figures}


def judge(results, row, metric):
    ours = values_of(results, row, RINGCAST, metric.key)
    value = statistics.median(ours.values()) if ours else None
    failed = bool(results.failures.get(row.name, {}).get(RINGCAST))
    if metric.limit is not None:
        met = None if value is None else max(ours.values()) <= metric.limit if metric.limit == 0 else \
            value <= metric.limit
        return Verdict(row, metric, [], value, False if failed else met)
    theirs = values_of(results, row, row.reference, metric.key)
    ratios = [ours[number] / theirs[number] for number in sorted(ours) if theirs.get(number)]
    if not ratios:
        return Verdict(row, metric, [], value, False if failed else None)
    ratio = statistics.median(ratios)
    met = ratio >= metric.factor if metric.more_is_better else ratio <= metric.factor
    return Verdict(row, metric, ratios, value, met and not failed)


def verdicts(results, rows):
    return [judge(results, row, metric) for row in rows for metric in row.metrics]
