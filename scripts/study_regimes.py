"""One driver of a study that compares regimes: trained, judged, and neither done twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from redrive.side_by_side import Report
from redrive.study import write_json


def run_name(regime: str, policy: str, seed: int) -> str:
    """The name of a run's folder."""
    return f"{regime}-{policy}-{seed}"


def learn_and_judge(
    report: Report,
    out: Path,
    regime: str,
    policy: str,
    seed: int,
    steps: int,
    judging: Mapping[str, Any],
    judge: Callable[[Path], dict[str, Any]],
) -> dict[str, Any]:
    """Train on `out`/data-REGIME and judge the run's folder; the row of the table.

    What was done before is not done again: a run that was trained is not trained, and one that
    was judged in the same way is not judged.

    Args:
        judging: what it is judged on, plain JSON values; what was judged on something else is
            judged anew.
        judge: figures of the trained run's folder, plain JSON values.
    """
    from redrive import train

    name = run_name(regime, policy, seed)
    folder, judged = out / "runs" / name, out / "runs" / f"{name}.json"
    judging = json.loads(json.dumps({"steps": steps, **judging}))
    if judged.is_file():
        before: dict[str, Any] = json.loads(judged.read_text())
        if before.get("judging") == judging:
            report(steps, "was done before")
            row: dict[str, Any] = before["row"]
            return row
    done = 0

    def show(progress: Any) -> None:
        nonlocal done
        report(progress.step - done, "")
        done = progress.step

    train.run(
        train.TrainOptions(
            data=(out / f"data-{regime}",),
            out=folder,
            policy=policy,  # type: ignore[arg-type]  # one of those there are
            seed=seed,
            steps=steps,
            resume=train.is_started(folder),
        ),
        show,
    )
    row = {"regime": regime, "policy": policy, "training_seed": seed, **judge(folder)}
    write_json(judged, {"judging": judging, "row": row})
    report(steps - done, "driven")
    return row
