"""Draws what run.py measured.

    python -m pip install -r benchmarks/requirements.txt
    python benchmarks/clients/run.py --json results.json
    python benchmarks/clients/plot.py results.json docs/performance

Writes docs/performance.png and docs/performance.svg.
"""

import json
import sys
from pathlib import Path
from statistics import median

import matplotlib as mpl
from matplotlib import pyplot

mpl.use("Agg")
mpl.rcParams["svg.hashsalt"] = "performance"  # the same picture for the same results

GROUPS = ["sync", "8 threads", "async, 1 task", "async, 64 tasks"]
CLIENTS = {"official": "official Python 1.5.0", "javascript": "JavaScript 1.3.1", "ours": "ours"}
COLOURS = {"official": "#9aa5b1", "javascript": "#d9a441", "ours": "#1f6feb"}
WIDTH = 0.26


def main(results: Path, target: Path) -> None:
    raw = json.loads(results.read_text())["raw"]
    figure, axes = pyplot.subplots(figsize=(8, 4))
    for index, (client, label) in enumerate(CLIENTS.items()):
        places, heights = [], []
        for place, group in enumerate(GROUPS):
            answers = raw[group]["answers"].get(client)
            if answers:
                cpu = median(answer["cpu"] for answer in answers)
                places.append(place + (index - 1) * WIDTH)
                heights.append(1e6 * cpu / raw[group]["calls"])
        bars = axes.bar(places, heights, WIDTH, label=label, color=COLOURS[client])
        axes.bar_label(bars, fmt="%.0f", fontsize=8)
    axes.set_xticks(range(len(GROUPS)), GROUPS)
    axes.set_ylabel("CPU per get_token, \u00b5s (less is better)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.tight_layout()
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target.with_suffix(".png"), dpi=150)
    figure.savefig(target.with_suffix(".svg"), metadata={"Date": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
