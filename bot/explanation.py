"""A decision as it is kept with its turn, and told in words when somebody asks why. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.catalog import Tier
from bot.exploration import REASON
from bot.money import format_usd
from bot.routes import RouteDecision


def to_record(decision: RouteDecision) -> dict[str, object]:
    """A decision in plain values, to be kept with its turn and read by `explain`."""
    requirements = decision.requirements
    expected = requirements.expected
    return {
        "model": decision.model.alias,
        "tier": decision.model.tier.label,
        "wanted_tier": requirements.tier.label,
        "fallbacks": [model.alias for model in decision.fallbacks],
        "reason": decision.reason,
        "reasons": list(requirements.reasons),
        "notes": list(decision.notes),
        "estimated_cost": decision.estimated_cost,
        "p": None if expected is None else {t.label: round(expected.p(t), 4) for t in Tier},
        "estimator": None if expected is None else expected.version,
        "alternatives": {
            tier.label: {"model": alias, "estimated_cost": cost}
            for tier, (alias, cost) in decision.alternatives.items()
        },
        "policy_version": decision.policy_version,
    }


def explain(record: Mapping[str, object]) -> str:
    """A kept decision in words, as Markdown: tier, reasons, probabilities, alternatives."""
    if "model" not in record:  # a command, or a prompt that was refused before
        return "Nothing was decided: no model was asked."
    probabilities = record.get("p")
    head = f"**{record['model']}** of the {record['tier']} tier"
    if isinstance(probabilities, Mapping):
        shares = ", ".join(f"{tier} {p:.0%}" for tier, p in probabilities.items())
        lines = [
            f"{head}. What weighed most: {record['reason']}.",
            f"How likely each tier is to satisfy, by {record['estimator']}: {shares}.",
        ]
        if REASON not in _texts(record.get("reasons")):
            lines.append(
                f"The {record['wanted_tier']} tier was chosen: it costs least once the risk of a "
                "poor answer is counted, which the dial weighs."
            )
    else:
        lines = [f"{head}: {record['reason']}."]
    alternatives = record.get("alternatives")
    if isinstance(alternatives, Mapping) and alternatives:
        prices = ", ".join(
            f"{tier} ({other['model']}) {format_usd(other['estimated_cost'])}"
            for tier, other in alternatives.items()
        )
        lines.append(f"Estimated cost of an answer of usual length: {prices}.")
    return "\n\n".join([*lines, *_texts(record.get("notes"))])


def _texts(value: object) -> Sequence[str]:
    return [str(item) for item in value] if isinstance(value, Sequence) else []
