"""Made tests/golden/rliable.json: what rliable 1.2.0 says of the scores in it.

rliable is not a dependency, not even of the tests: it brings eleven packages (arch, statsmodels,
pandas, seaborn, ...), and its statsmodels does not import beside today's pandas. So its figures were
written down once, in an environment of its own:

    python -m venv env && env/bin/pip install rliable==1.2.0 "pandas<3"
    env/bin/python tests/golden/make_rliable.py > tests/golden/rliable.json
"""

import json

import numpy as np
from rliable import library, metrics

SEED, REPETITIONS, RUNS, TASKS = 0, 50_000, 5, 6


def main() -> None:
    rng = np.random.default_rng(SEED)
    ours = np.clip(rng.normal(0.7, 0.2, (RUNS, TASKS)), 0.0, 1.0).round(3)
    theirs = np.clip(rng.normal(0.5, 0.2, (RUNS, TASKS)), 0.0, 1.0).round(3)

    def both(scores: np.ndarray) -> np.ndarray:
        return np.array([metrics.aggregate_iqm(scores), metrics.aggregate_optimality_gap(scores)])

    points, intervals = library.get_interval_estimates(
        {"ours": ours}, both, reps=REPETITIONS, random_state=np.random.RandomState(SEED)
    )
    taus = np.linspace(0.0, 1.0, 11)
    profiles, _ = library.create_performance_profile({"ours": ours}, taus, reps=100)
    told = {
        "ours": ours.tolist(),
        "theirs": theirs.tolist(),
        "iqm": points["ours"][0],
        "optimality_gap": points["ours"][1],
        "iqm_interval": intervals["ours"][:, 0].tolist(),
        "probability_of_improvement": metrics.probability_of_improvement(ours, theirs),
        "taus": taus.tolist(),
        "performance_profile": profiles["ours"].tolist(),
    }
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
