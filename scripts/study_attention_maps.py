"""The study `attention-maps`: what a driver with attention looks at when it decides at the fork.

A map alone proves nothing. So the frames that it looks at most are taken away, and the drives are
driven again, in closed loop, beside drives that lack as many frames chosen at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from redrive import terminal
from redrive.agents.agent import Agent, View
from redrive.agents.rollout import rollout
from redrive.memory_lab import (
    CORES,
    LEARNED_ROADS,
    TEST_ROADS,
    TEST_SEED,
    demonstrate,
    learn_core,
    make_eyes,
    recall_world,
)
from redrive.sim.success import decision, is_success
from redrive.sim.vehicle import Command
from redrive.sim.world import RoadWorld
from redrive.study import StudyOptions, write_page, write_table
from redrive.study_runs import once, success_interval

if TYPE_CHECKING:
    from redrive.models.attention import AttentionPolicy

AFTER = 3  # steps after the fork has begun: then the wheel is being turned
PRESENT = 3  # the last frames are what the road is steered by; they are not taken away
BLANK_STEP = (
    6  # its frame stands in for those that are taken away: the board is there, switched off
)
TAKEN = (1, 3, 6)  # frames


@dataclass(frozen=True)
class Plan:
    """How large the study is."""

    delay: int
    seeds: int
    drives: int
    eyes: tuple[int, int]  # steps, and frames in each
    eyes_drives: int
    steps: int
    episodes: int


FULL = Plan(delay=16, seeds=8, drives=96, eyes=(500, 128), eyes_drives=192, steps=150, episodes=64)
QUICK = Plan(delay=8, seeds=1, drives=96, eyes=(400, 64), eyes_drives=128, steps=100, episodes=16)


@dataclass(frozen=True)
class Missing:
    """A driver whose frames at some steps are replaced by one that shows the corridor alone."""

    driver: Agent
    taken: np.ndarray  # (B, T) bool
    blank: np.ndarray  # (B, H, W, 3) uint8

    def begin(self, batch_size: int) -> Any:
        """The driver's own memory."""
        return self.driver.begin(batch_size)

    def act(self, view: View, memory: Any) -> tuple[Command, Any]:
        """What the driver does when it does not see this frame."""
        step = np.minimum(view["state_id"] & 0xFFFFFF, self.taken.shape[1] - 1)
        gone = self.taken[np.arange(len(step)), step]
        camera = np.where(gone[:, None, None, None], self.blank, view["camera"])
        return self.driver.act({**view, "camera": camera}, memory)


@dataclass(frozen=True, eq=False)
class Maps:
    """What was looked at, at the decision of each of B drives, by the step of the frame, 0 to T - 1."""

    now: np.ndarray  # (B,) the step of the decision
    weights: np.ndarray  # (B, layers, heads, T)
    rollout: np.ndarray  # (B, T) through all layers
    gradient: np.ndarray  # (B, T) size of gradient times input
    blank: np.ndarray  # (B, H, W, 3)
    frames: np.ndarray  # (T, H, W, 3) of the first drive
    success: np.ndarray  # (B,) bool


def study(options: StudyOptions) -> dict[str, Any]:
    """Run it; the summary."""
    plan = QUICK if options.quick else FULL
    rows: list[dict[str, Any]] = []
    maps: Maps | None = None
    with terminal.progress("looking back", plan.seeds * (1 + 2 * len(TAKEN) + 2)) as tick:
        for seed in range(options.seed, options.seed + plan.seeds):
            policy = _policy(options.out, plan, seed)
            maps = look_back(policy, recall_world(plan.delay, TEST_ROADS), plan.episodes)
            tick(1)
            rows += _take_away(policy, plan, maps, seed, tick, options.out)
    assert maps is not None
    write_table(options.out / "table.csv", rows)
    _plot(options.out / "maps.png", maps, rows, plan)
    _show(options.out / "frames.png", maps)
    write_page(
        options.out / "index.html",
        "What the driver looks at when it decides",
        "Attention at the fork, by the frame that is looked at, and what happens to drives in which "
        "those frames are missing.",
        [
            ("maps.png", "weights by frame; through all layers; success without some frames"),
            ("frames.png", "the frames that were looked at most, and the fork (last)"),
        ],
        f"redrive study attention-maps --out {options.out}" + " --quick" * options.quick,
    )
    return summarise(rows) | {"delay": plan.delay, "quick": options.quick}


def _policy(folder: Path, plan: Plan, seed: int) -> AttentionPolicy:
    """The driver of a seed, learned once."""
    from redrive.models.checkpoint import DESCRIPTION, load_policy, save_policy
    from redrive.models.two_stage import encode_episodes

    run = folder / "runs" / f"attention-{seed}"
    if not (run / DESCRIPTION).is_file():
        eyes = folder / "runs" / "eyes"
        if not (eyes / DESCRIPTION).is_file():
            world = recall_world("4+16", LEARNED_ROADS)
            drives = demonstrate(world, plan.eyes_drives, 500_000)
            save_policy(eyes, *make_eyes(world, drives, *plan.eyes, 0, lambda steps: None))
        teacher: Any = load_policy(eyes)
        world = recall_world(plan.delay, LEARNED_ROADS)
        drives = demonstrate(world, plan.drives, 1_000_000 * (seed + 1) + 10_000)
        encoded = encode_episodes(teacher, drives)
        learn_core(CORES["attention"], plan.delay, teacher, encoded, run, seed, plan.steps)
    policy: Any = load_policy(run)
    return policy


def look_back(policy: AttentionPolicy, world: RoadWorld, episodes: int) -> Maps:
    """Drive, and note for each drive what its driver looked at when it decided."""
    import torch

    from redrive.agents.learned import LearnedDriver

    start = state = world.reset(TEST_SEED + np.arange(episodes))
    first_lane = state.lane
    rows: list[dict[str, np.ndarray]] = []
    now = np.zeros(episodes, np.int64)
    for frame in rollout(world, LearnedDriver(policy), start):
        rows.append({name: frame.view[name] for name in policy.spec.sensors})
        state = frame.after
        now = np.where((now == 0) & (state.lane != first_lane), state.steps + AFTER, now)
    now = np.minimum(np.where(now == 0, len(rows) - 1, now), len(rows) - 1)
    steps = int(now.max()) + 1
    obs = {
        name: torch.from_numpy(np.stack([row[name] for row in rows[:steps]], axis=1))
        for name in policy.spec.sensors
    }
    features = policy.encode(obs).detach().requires_grad_(True)
    memory = policy.initial_state(episodes)
    with torch.no_grad():
        _, _, weights = policy.core.forward_with_weights(features, memory)
    at = torch.arange(episodes)
    decided = torch.from_numpy(now)
    hidden, _ = policy.core(features, memory, None)
    policy.head(hidden)[at, decided, 0].sum().backward()
    assert features.grad is not None
    by_step = by_frame(weights.numpy(), now)
    return Maps(
        now=now,
        weights=by_step,
        rollout=through_layers(weights.numpy(), now),
        gradient=(features.grad * features).sum(-1).abs().detach().numpy(),
        blank=rows[BLANK_STEP]["camera"],
        frames=np.stack([row["camera"][0] for row in rows[:steps]]),
        success=is_success(world.task, state, world.dt),
    )


def by_frame(weights: np.ndarray, now: np.ndarray) -> np.ndarray:
    """(B, layers, heads, T): what is looked at at step `now`, by the step of the frame.

    Args:
        weights: (B, layers, heads, T, window), by age.
    """
    batch, layers, heads, steps, window = weights.shape
    out = np.zeros((batch, layers, heads, steps))
    for b in range(batch):
        ages = np.arange(min(now[b] + 1, window))
        out[b][..., now[b] - ages] = weights[b, :, :, now[b]][..., ages]
    return out


def through_layers(weights: np.ndarray, now: np.ndarray) -> np.ndarray:
    """(B, T): how much of each frame reaches the decision, if each layer keeps half and mixes half.

    Source: Abnar and Zuidema, Quantifying attention flow in transformers, 2020 (attention rollout).
    """
    batch, layers, _, steps, window = weights.shape
    mean = weights.mean(axis=2)
    flow = np.tile(np.eye(steps), (batch, 1, 1))
    t = np.arange(steps)
    for layer in range(layers):
        looked = np.zeros((batch, steps, steps))
        for age in range(min(window, steps)):
            looked[:, t[age:], t[age:] - age] = mean[:, layer, age:, age]
        flow = (0.5 * np.eye(steps) + 0.5 * looked) @ flow
    found: np.ndarray = flow[np.arange(batch), now]
    return found


def _take_away(
    policy: AttentionPolicy, plan: Plan, maps: Maps, seed: int, tick: Any, folder: Path
) -> list[dict[str, Any]]:
    """Success and decisions without some frames: those looked at most, random ones, the sign's."""
    from redrive.agents.learned import LearnedDriver

    world = recall_world(plan.delay, TEST_ROADS)
    episodes, steps = maps.rollout.shape
    past = np.arange(steps) <= (maps.now - PRESENT)[:, None]  # (B, T) what may be taken
    rng = np.random.default_rng(seed)
    shown = np.tile(np.arange(steps) < world.task.sign_steps, (episodes, 1))
    choices = {("none", 0): np.zeros((episodes, steps), bool), ("sign", 3): shown}
    for count in TAKEN:
        choices["looked at most", count] = top(np.where(past, maps.rollout, -1.0), count)
        choices["random", count] = top(np.where(past, rng.random(past.shape), -1.0), count)
    mass = {
        "mass_on_sign_last_layer": float(maps.weights[:, -1].mean(1)[shown].sum() / episodes),
        "mass_on_sign_all_layers": float(maps.rollout[shown].sum() / episodes),
        "mass_on_sign_if_even": float(np.mean(world.task.sign_steps / (maps.now + 1))),
        "sign_among_top3": float((choices["looked at most", 3] & shown).any(1).mean()),
        "rank_correlation_with_gradient": rank_correlation(maps.rollout, maps.gradient, past),
        **similarity_to_sign(maps, shown),
    }
    rows = []
    for (kind, count), taken in choices.items():

        def drive(taken: np.ndarray = taken) -> dict[str, Any]:
            driver = Missing(LearnedDriver(policy), taken, maps.blank)
            state = world.reset(TEST_SEED + np.arange(episodes))
            for frame in rollout(world, driver, state):
                state = frame.after
            branch = decision(world.pool.lanes, state)
            return {
                "success": float(is_success(world.task, state, world.dt).mean()),
                "decision_correct": float((branch == state.route).mean()),
                "sign_frames_taken": float((taken & shown).sum(1).mean()),
            }

        found = once(folder / "found" / f"{kind.replace(' ', '-')}-{count}-{seed}.json", drive)
        rows.append(
            {"taken": kind, "frames": count, "seed": seed, "episodes": episodes, **found, **mass}
        )
        tick(1)
    return rows


def similarity_to_sign(maps: Maps, shown: np.ndarray) -> dict[str, float]:
    """How much more the decision's query resembles the keys of the sign than those of other frames.

    Of the head of the last layer that looks at the sign most. The logarithm of a weight is the
    similarity of query and key, a scaled dot product, up to a constant that all frames share.

    Args:
        shown: (B, T) bool, the frames of the sign.
    """
    steps = np.arange(maps.weights.shape[-1])
    others = (steps <= maps.now[:, None]) & ~shown  # (B, T)
    mass = (maps.weights[:, -1] * shown[:, None]).sum(-1)  # (B, heads)
    head = int(mass.mean(0).argmax())
    similar = np.log(np.maximum(maps.weights[:, -1, head], 1e-12))
    ahead = _mean(similar, shown) - _mean(similar, others)
    return {
        "mass_on_sign_best_head": float(mass[:, head].mean()),
        "similarity_sign_over_others": float(ahead.mean()),
        "similarity_sign_over_others_share": float((ahead > 0.0).mean()),
    }


def _mean(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """(B,) means of rows of (B, T) at the places `where`."""
    found: np.ndarray = (values * where).sum(1) / where.sum(1)
    return found


def top(values: np.ndarray, count: int) -> np.ndarray:
    """(B, T) bool: where the `count` largest of each row are."""
    order = np.argsort(-values, axis=1, kind="stable")[:, :count]
    chosen = np.zeros(values.shape, bool)
    np.put_along_axis(chosen, order, True, axis=1)
    return chosen


def rank_correlation(one: np.ndarray, other: np.ndarray, where: np.ndarray) -> float:
    """Spearman's, of the rows of two (B, T) arrays at the places `where`, on average."""
    found = []
    for a, b, here in zip(one, other, where, strict=True):
        ranks = [np.argsort(np.argsort(values[here])) for values in (a, b)]
        found.append(np.corrcoef(ranks[0], ranks[1])[0, 1])
    return float(np.mean(found))


def summarise(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Success without each kind of frames, the mass on the sign, over the seeds."""
    success: dict[str, Any] = {}
    for kind, count in dict.fromkeys((row["taken"], row["frames"]) for row in rows):
        some = [row for row in rows if (row["taken"], row["frames"]) == (kind, count)]
        rates = [row["success"] for row in some]
        name = kind if kind in ("none", "sign") else f"{kind}, {count}"
        found = success_interval(rates, [row["episodes"] for row in some])
        success[name] = found._asdict()
    told = [
        name
        for name in rows[0]
        if name.startswith(("mass", "rank", "similarity")) or "top3" in name
    ]
    return {"success": success} | {
        name: float(np.mean([row[name] for row in rows])) for name in told
    }


def _plot(path: Path, maps: Maps, rows: Sequence[dict[str, Any]], plan: Plan) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(15, 4.4), layout="constrained")
    heads = maps.weights.mean(axis=0).reshape(-1, maps.weights.shape[-1])
    image = axes[0].imshow(heads, aspect="auto", cmap="magma", vmin=0.0)
    layers, count = maps.weights.shape[1:3]
    names = [f"layer {i + 1}, head {j + 1}" for i in range(layers) for j in range(count)]
    axes[0].set_yticks(range(len(names)), names, fontsize=8)
    axes[0].set_title("weight at the decision, mean of the drives")
    figure.colorbar(image, ax=axes[0])
    axes[1].plot(maps.rollout.mean(axis=0), color="C1", label="attention, through all layers")
    scaled = maps.gradient / maps.gradient.sum(axis=1, keepdims=True)
    axes[1].plot(scaled.mean(axis=0), color="C0", alpha=0.7, label="gradient x input, share")
    axes[1].set_title("share of each frame")
    axes[1].legend(fontsize=8)
    for axis in axes[:2]:
        axis.axvspan(-0.5, 2.5, color="tab:green", alpha=0.25)
        axis.set_xlabel("step of the frame (green: the sign is shown)")
    found = summarise(rows)["success"]
    names = list(found)
    mean = np.array([found[name]["mean"] for name in names])
    spread = np.array(
        [[found[n]["mean"] - found[n]["low"] for n in names],
         [found[n]["high"] - found[n]["mean"] for n in names]]
    )  # fmt: skip
    colours = ["C2" if n in ("none", "sign") else "C1" if "most" in n else "0.6" for n in names]
    axes[2].barh(range(len(names)), mean, xerr=np.maximum(spread, 0.0), color=colours, capsize=2)
    axes[2].set_yticks(range(len(names)), names)
    axes[2].invert_yaxis()
    axes[2].axvline(0.5, color="0.4", linestyle=":")
    axes[2].set_xlim(0.0, 1.02)
    axes[2].set_title(f"success without these frames (delay {plan.delay})")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _show(path: Path, maps: Maps) -> None:
    """The four frames of one drive that were looked at most, in order of time, and the decision's."""
    import cv2

    now = int(maps.now[0])
    most = sorted(np.argsort(-maps.rollout[0, : now - PRESENT + 1])[:4].tolist())
    tiles = []
    for step in [*most, now]:
        tile = cv2.resize(maps.frames[step], (288, 192), interpolation=cv2.INTER_NEAREST)
        told = f"step {step}: {maps.rollout[0, step]:.3f}"
        cv2.rectangle(tile, (0, 0), (150, 24), (0, 0, 0), -1)
        cv2.putText(tile, told, (6, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1)
        tiles.append(np.pad(tile, ((0, 0), (0, 6), (0, 0)), constant_values=255))
    cv2.imwrite(str(path), np.concatenate(tiles, axis=1)[..., ::-1])
