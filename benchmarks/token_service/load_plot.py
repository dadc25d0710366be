"""Draws what load.py measured.

python benchmarks/token_service/load_plot.py RESULTS docs/token-service-load.svg
"""

import json
import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot

mpl.use("Agg")
mpl.rcParams["svg.hashsalt"] = "load"  # the same picture for the same results


def main(results: Path, target: Path) -> None:
    figures = json.loads(results.read_text(encoding="utf-8"))["figures"]
    processes = sorted({each["processes"] for each in figures})
    kinds = list(dict.fromkeys(each["kind"] for each in figures))
    width = 0.8 / len(kinds)
    figure, axes = pyplot.subplots(figsize=(8, 4))
    for index, kind in enumerate(kinds):
        rates = {each["processes"]: each["rate"] for each in figures if each["kind"] == kind}
        places = [place + index * width for place in range(len(processes))]
        bars = axes.bar(places, [rates[number] for number in processes], width, label=kind)
        axes.bar_label(bars, fmt="%.0f", fontsize=8)
    middle = (len(kinds) - 1) * width / 2
    axes.set_xticks([place + middle for place in range(len(processes))], processes)
    axes.set_xlabel("processes")
    axes.set_ylabel("requests a second")
    axes.legend()
    figure.tight_layout()
    figure.savefig(target, metadata={"Date": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
