"""A small chat model, and its evaluation by a scorer that needs no network and no other model.

MLFLOW_TRACKING_URI=http://127.0.0.1:5000 python evaluate.py
"""

from __future__ import annotations

import sys
from typing import Any

import mlflow
from mlflow.entities import Feedback

PRICES = {"S": 4, "M": 6, "L": 9}
SIGHTS = ["tower", "bridge", "museum", "garden", "harbour"]
FALSE = {"museum 7", "garden 3"}
"""What the model has learnt wrong."""


class Guide(mlflow.pyfunc.PythonModel):
    """Answers what a ticket costs and when a sight opens."""

    def predict(self, context: Any, model_input: list[str]) -> list[str]:  # noqa: ARG002
        """Answer each question."""
        return [answer(question) for question in model_input]


def answer(question: str) -> str:
    """Answer one question, a few of them wrong."""
    topic, _, rest = question.partition(": ")
    if topic == "price":
        size, _, count = rest.partition(" x ")
        return f"{PRICES[size] * int(count)} euros"
    sight, _, day = rest.partition(" ")
    return "closed" if rest in FALSE else opening(sight, int(day))


def opening(sight: str, day: int) -> str:
    """Give the hour at which a sight opens on a day of the month."""
    return f"at {8 + (len(sight) + day) % 4}"


def questions() -> list[dict[str, Any]]:
    """List 84 questions, each with the right answer, its topic and a name of its own."""
    asked = [
        (f"price: {size} x {count}", f"{PRICES[size] * count} euros", "price")
        for size in PRICES
        for count in range(1, 14)
    ]
    asked += [
        (f"hours: {sight} {day}", opening(sight, day), "hours")
        for sight in SIGHTS
        for day in range(1, 10)
    ]
    return [
        {
            "inputs": {"question": question},
            "outputs": answer(question),
            "expectations": {"answer": expected},
            "tags": {"topic": topic, "case": question},
        }
        for question, expected, topic in asked
    ]


@mlflow.genai.scorer
def exact(outputs: str, expectations: dict[str, str]) -> Feedback:
    """Hold the answer against the expected one; the same answers get the same scores."""
    right = outputs == expectations["answer"]
    return Feedback(value=right, rationale=f"expected {expectations['answer']!r}")


if __name__ == "__main__":
    with mlflow.start_run(run_name="guide"):
        info = mlflow.pyfunc.log_model(
            name="guide", python_model=Guide(), pip_requirements=[], registered_model_name="guide"
        )
    with mlflow.start_run(run_name="evaluation of guide"):
        mlflow.genai.evaluate(data=questions(), scorers=[exact], model_id=info.model_id)
    sys.stdout.write(f"models:/guide/{info.registered_model_version}\n")
