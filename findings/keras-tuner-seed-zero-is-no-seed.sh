#!/usr/bin/env bash
# KerasTuner's searches take a `seed`. Any seed but 0 makes two searches propose the same values in the same order. 0, the
# commonest choice, is taken for "none given" (`seed or random`): each search proposes others, without a word.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "keras-tuner==1.4.8" "keras==3.12.0" scipy==1.15.3 jax==0.7.2 six==1.17.0 2>/dev/null
cd "$folder"
KERAS_BACKEND=numpy "$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import keras_tuner


def proposed(seed, number):
    """Return the first five learning rates of a random search in a folder of its own."""
    space = keras_tuner.HyperParameters()
    space.Float("rate", 1e-4, 1e-1, sampling="log")
    oracle = keras_tuner.oracles.RandomSearchOracle(
        objective=keras_tuner.Objective("score", "max"), max_trials=5, seed=seed, hyperparameters=space
    )
    oracle.verbose = 0
    oracle._set_project_dir(f"search-{seed}-{number}", "tuner")
    return [oracle.create_trial("one").hyperparameters.get("rate") for _ in range(5)]


print("Python", sys.version.split()[0], "keras-tuner", version("keras-tuner"), "keras", version("keras"))
seen = {}
for seed in (0, 1, 7):
    searches = {tuple(proposed(seed, number)) for number in range(4)}
    seen[seed] = len(searches)
    print(f"seed {seed}: four searches propose {len(searches)} different lists of values")
sys.exit(not (seen[0] > 1 and seen[1] == seen[7] == 1))
PYTHON
