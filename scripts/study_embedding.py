"""The study `embedding`: route commands as one-hot numbers or as learned vectors.

There are many words for few turnings: each of 8 directions has several names, as a navigator has. A
small network is told the word and where the car is, and learns the curvature to steer. The word
enters as the driver's encoder lets it in (`redrive.models.encoder.Route`): one-hot, or as a learned
vector. Nobody says which words mean the same; the study looks for it in the learned vectors. At the
end a word that was never heard is learned from a few examples, everything else being kept. There is
no camera: it isolates how a symbol enters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from redrive import study_runs as runs
from redrive import terminal
from redrive.side_by_side import Job, Report, run_side_by_side, usable_cores
from redrive.study import StudyOptions, write_page, write_table
from redrive.study_plots import COLOURS, band, new_figure, save_figure

if TYPE_CHECKING:
    from torch import Tensor, nn

DIRECTIONS = 8
INPUTS: Mapping[str, tuple[str, int, float]] = {
    # How a word enters, in how many numbers, and how many times as far apart as usual they begin.
    "one-hot": ("one-hot", 0, 1.0),
    "learned, 2 numbers": ("embedding", 2, 1.0),
    "learned, 8 numbers": ("embedding", 8, 1.0),
    "learned, 8, begun far apart": ("embedding", 8, 10.0),
}
FEW = 4  # examples of the new word
BATCH = 64


@dataclass(frozen=True)
class Size:
    """How large the study is."""

    words: tuple[int, ...] = (8, 64)
    examples: tuple[int, ...] = (128, 512, 2048)
    steps: int = 1000
    seeds: int = 4


QUICK = Size(words=(16,), examples=(128, 512), steps=60, seeds=2)


def study(options: StudyOptions) -> dict[str, Any]:
    """Run it; the summary."""
    size = QUICK if options.quick else Size()
    jobs = [
        Job(f"{words} words {entry} {examples}", 1, _learn,
            (options.out, words, entry, examples, options.seed + seed, size))
        for words in size.words for entry in INPUTS for examples in size.examples
        for seed in range(size.seeds)
    ]  # fmt: skip
    done = run_side_by_side("learning", jobs, options.processes or usable_cores())
    figures = ("error", "new_word_error", "kinship")
    columns = ("words", "input", "examples", "seed", *figures)
    rows = [{name: row[name] for name in columns} for row in done]
    write_table(options.out / "runs.csv", rows)
    table = runs.over_seeds(rows, ("words", "input", "examples"), figures)
    write_table(options.out / "table.csv", table)
    most = (size.words[-1], "learned, 2 numbers", size.examples[-1])
    maps = [row["cosine"] for row in done if (row["words"], row["input"], row["examples"]) == most]
    _plot(options.out / "embedding.png", table, np.mean(maps, axis=0), size)
    terminal.say("how a word enters: means over seeds are in table.csv")
    write_page(
        options.out / "index.html",
        "Route commands as one-hot numbers or as learned vectors",
        f"{DIRECTIONS} directions with several words each, {size.seeds} training seeds with 95 % "
        "intervals. No camera and no road: how a symbol enters a network, alone.",
        [("embedding.png", "errors by number of examples, and which learned vectors point alike")],
        f"redrive study embedding --out {options.out}" + " --quick" * options.quick,
    )
    found: dict[str, Any] = {}
    for row in table:
        cell = {
            figure: {
                "mean": row[figure],
                "low": row[f"{figure}_low"],
                "high": row[f"{figure}_high"],
            }
            for figure in figures
        }
        words = found.setdefault(str(row["words"]), {})
        words.setdefault(row["input"], {})[str(row["examples"])] = cell
    return {"cells": found}


def direction_of(word: np.ndarray) -> np.ndarray:
    """The turning that a word means [rad], -157.5 to 157.5 degrees in steps of 45."""
    return (word % DIRECTIONS - 0.5 * (DIRECTIONS - 1)) * 2.0 * np.pi / DIRECTIONS


def draw_examples(
    rng: np.random.Generator, words: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each word: where the car is (N, 2), and the steering to learn (N, 1), about 1 in size.

    The nearer the fork, the harder it steers where the word says; and always back to the lane.
    """
    place = rng.uniform(-1.0, 1.0, (len(words), 2))  # nearness of the fork, lateral offset
    turn = np.sin(0.5 * direction_of(words)) * np.exp(place[:, 0])
    return words, place, (turn - 0.5 * place[:, 1])[:, None]


def _learn(
    report: Report, out: Path, words: int, entry: str, examples: int, seed: int, size: Size
) -> dict[str, Any]:
    """One network; in a process of its own."""

    def work() -> dict[str, Any]:
        told = {"words": words, "input": entry, "examples": examples, "seed": seed}
        return told | learn_words(words, entry, examples, size.steps, seed)

    name = f"{words}-{entry}-{examples}-{seed}.json".replace(" ", "-").replace(",", "")
    found = runs.once(out / "runs" / name, work)
    report(1, "")
    return found


def learn_words(words: int, entry: str, examples: int, steps: int, seed: int) -> dict[str, Any]:
    """Root mean square errors on known words and on a new one, and how alike kindred words became.

    Returns:
        error, new_word_error: typical steering is 1; kinship: mean cosine of words that mean the
        same, less that of words that do not; cosine: (W, W) of the learned words, by direction.
    """
    import torch

    torch.set_num_threads(1)
    rng = np.random.default_rng([seed, words, examples])
    new = words - 1  # never heard at first
    table, net = _network(words, entry, seed)
    heard = draw_examples(rng, rng.integers(0, new, examples))
    _fit(table, net, heard, steps, 3e-3, [*table.parameters(), *net.parameters()], rng)
    error = _error(table, net, draw_examples(rng, rng.integers(0, new, 2000)))
    cosine = _cosines(table, net, np.arange(new))
    _learn_new_word(table, net, new, draw_examples(rng, np.full(FEW, new)), rng)
    new_error = _error(table, net, draw_examples(rng, np.full(2000, new)))
    order = np.argsort(direction_of(np.arange(new)), kind="stable")
    same = direction_of(order)[:, None] == direction_of(order)
    other = ~np.eye(new, dtype=bool)
    ordered = cosine[np.ix_(order, order)]
    alike = ordered[same & other].mean() if (same & other).any() else np.nan
    return {
        "error": error,
        "new_word_error": new_error,
        "kinship": float(np.nan_to_num(alike - ordered[~same].mean())),
        "cosine": np.round(ordered, 4).tolist(),
    }


def _network(words: int, entry: str, seed: int) -> tuple[nn.Module, nn.Module]:
    import torch
    from torch import nn

    from redrive.models.encoder import Route
    from redrive.models.policy import ObservationSpec, SensorSpec

    seen, numbers, apart = INPUTS[entry]
    spec = ObservationSpec({"route": SensorSpec((), "int64", {"choices": words})})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        table = Route(spec, seen, numbers)  # type: ignore[arg-type]  # one of its words
        with torch.no_grad():
            for vectors in table.parameters():
                vectors.mul_(apart)
        net = nn.Sequential(
            nn.Linear(table.size + 2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
        )
    return table, net


def _say(table: nn.Module, net: nn.Module, words: np.ndarray, place: np.ndarray) -> Tensor:
    import torch

    word = table({"route": torch.from_numpy(words)})
    said: Tensor = net(torch.cat([word, torch.from_numpy(place).float()], dim=-1))
    return said


def _fit(
    table: nn.Module,
    net: nn.Module,
    examples: tuple[np.ndarray, np.ndarray, np.ndarray],
    steps: int,
    learning_rate: float,
    parameters: list[nn.Parameter],
    rng: np.random.Generator,
    only: Tensor | None = None,
) -> None:
    """Adam on random batches; where `only` is given, the first parameter learns only where it is true."""
    import torch

    words, place, label = examples
    optimizer = torch.optim.Adam(parameters, lr=learning_rate)
    for _ in range(steps):
        some = rng.integers(0, len(words), min(BATCH, len(words)))
        wrong = _say(table, net, words[some], place[some]) - torch.from_numpy(label[some]).float()
        optimizer.zero_grad()
        wrong.square().mean().backward()
        if only is not None and parameters[0].grad is not None:
            parameters[0].grad *= only
        optimizer.step()


def _learn_new_word(
    table: nn.Module,
    net: nn.Module,
    word: int,
    examples: tuple[np.ndarray, np.ndarray, np.ndarray],
    rng: np.random.Generator,
) -> None:
    """Change nothing but what only this word touches: its vector, or its column of the first layer."""
    import torch

    embedded = list(table.parameters())
    touched = embedded[0] if embedded else next(net.parameters())
    only = torch.zeros_like(touched)
    if embedded:
        only[word] = 1.0
    else:
        only[:, word] = 1.0
    known = touched.detach().clone()
    with torch.no_grad():  # begin in the middle of the known words, not where chance left it
        if embedded:
            touched[word] = torch.cat([known[:word], known[word + 1 :]]).mean(dim=0)
        else:
            touched[:, word] = known[:, :word].mean(
                dim=1
            )  # the last word: before it are words only
    _fit(table, net, examples, 300, 1e-2, [touched], rng, only)


def _error(
    table: nn.Module, net: nn.Module, examples: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> float:
    import torch

    words, place, label = examples
    with torch.no_grad():
        said = _say(table, net, words, place).numpy()
    return float(np.sqrt(np.mean((said - label) ** 2)))


def _cosines(table: nn.Module, net: nn.Module, words: np.ndarray) -> np.ndarray:
    """(W, W): of the words' vectors; of one-hot words, of what the first layer makes of each."""
    import torch

    with torch.no_grad():
        vectors: Tensor = table({"route": torch.from_numpy(words)})
        if not list(table.parameters()):
            first: Any = net[0]  # type: ignore[index]
            vectors = vectors @ first.weight[:, : vectors.shape[1]].T
        unit = torch.nn.functional.normalize(vectors, dim=1)
        found: np.ndarray = (unit @ unit.T).numpy()
    return found


def _plot(path: Path, table: Sequence[dict[str, Any]], cosine: np.ndarray, size: Size) -> None:
    figure, axes = new_figure(3, (14.5, 4.2))
    for axis, figure_name, title in (
        (axes[0], "error", "error on words it has heard"),
        (axes[1], "new_word_error", f"error on a new word, after {FEW} examples"),
    ):
        for entry, colour in zip(INPUTS, COLOURS, strict=False):
            rows = [r for r in table if (r["words"], r["input"]) == (size.words[-1], entry)]
            band(axis, [row["examples"] for row in rows], rows, figure_name, entry, colour)
        axis.set_xscale("log")
        axis.set_xticks(size.examples, [str(count) for count in size.examples])
        axis.minorticks_off()
        axis.set_ylim(bottom=0.0)
        axis.set_xlabel(f"examples of {size.words[-1]} words")
        axis.set_title(title)
    axes[0].legend(frameon=False, fontsize=9)
    picture = axes[2].imshow(cosine, cmap="RdBu", vmin=-1.0, vmax=1.0)
    per_direction = len(cosine) / DIRECTIONS
    names = ["-157°", "-112°", "-67°", "-22°", "22°", "67°", "112°", "157°"]
    axes[2].set_xticks(
        [(i + 0.5) * per_direction - 0.5 for i in range(DIRECTIONS)], names, fontsize=8
    )
    axes[2].set_yticks(
        [(i + 0.5) * per_direction - 0.5 for i in range(DIRECTIONS)], names, fontsize=8
    )
    axes[2].set_title("cosine of words (2 numbers), by meaning")
    figure.colorbar(picture, ax=axes[2], shrink=0.8)
    save_figure(figure, path)
