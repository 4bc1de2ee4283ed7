"""LiteLLM's complexity router as a judge to be measured beside ours."""

from adapters.llm.complexity import make_complexity_judge


def test_ranks_by_its_tiers_and_within_them() -> None:
    judge = make_complexity_judge()
    hard = "Think step by step: design a distributed database architecture and prove it scalable."
    assert judge("hi") < judge(hard)
    assert judge("hi") == judge("hi")
