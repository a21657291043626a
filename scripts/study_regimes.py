"""One driver of a study that compares regimes: trained, judged, and neither done twice."""

from __future__ import annotations

import json
from collections.abc import Callable
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
    judge: Callable[[Path], dict[str, float]],
) -> dict[str, Any]:
    """Train on `out`/data-REGIME and judge the run's folder; the row of the table."""
    from redrive import train

    name = run_name(regime, policy, seed)
    folder, judged = out / "runs" / name, out / "runs" / f"{name}.json"
    if judged.is_file():
        report(steps, "was done before")
        row: dict[str, Any] = json.loads(judged.read_text())
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
    write_json(judged, row)
    report(steps - done, "driven")
    return row
