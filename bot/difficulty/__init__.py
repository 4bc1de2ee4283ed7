"""How hard is a prompt: one probability per tier, from rules or from the shipped model."""

from bot.difficulty.estimate import Estimate, Estimator, HistoryTurn
from bot.difficulty.local import LocalEstimator
from bot.difficulty.rules import RulesEstimator

__all__ = ["Estimate", "Estimator", "HistoryTurn", "LocalEstimator", "RulesEstimator"]
