#!/usr/bin/env bash
# The whole story of nano: from nothing to the weights this package ships, on two CPU cores.
# Stop it whenever you like; called again it goes on where it stopped, bit for bit.
set -eu
cd "$(dirname "$0")/.."
minutes=${MINUTES:-150}
out=${OUT:-runs/out/nano}
bise=.venv/bin/bise

make setup
mkdir -p "$out"
words=$out/tekken.json
[ -e "$words" ] || $bise train tokenizer nano "$words" --seed 0
$bise train nano --out "$out" --seed 0 --processes 2 --max-minutes "$minutes" --anneal --tokenizer "$words"
$bise train export "$out" src/bise/assets/nano --tokenizer "$words"
$bise eval nano --num 500 --seed 0 --out src/bise/assets/nano/evals
$bise eval report nano
$bise eval report nano --page src/bise/assets/nano/README.md
