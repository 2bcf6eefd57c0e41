"""Plots of distributions, as PNG and SVG in build/bench."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.ticker import LogLocator, NullFormatter

from tests.bench.measures import FOLDER


def distribution(name: str, title: str, samples: Mapping[str, Sequence[float]]) -> None:
    """Plot which share of each kind of samples, in milliseconds, is at or below a time."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for label, found in samples.items():
        axes.ecdf(found, label=f"{label} ({len(found)})")
    axes.set(title=title, xlabel="milliseconds", ylabel="share", xscale="log", ylim=(0, 1))
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    for kind in ("png", "svg"):
        figure.savefig(FOLDER / f"{name}.{kind}", dpi=150)
    plt.close(figure)
