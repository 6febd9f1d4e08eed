#!/usr/bin/env bash
# The whole story of nano: from nothing to the weights this package ships.
# DEVICE=cuda: nine minutes of one H200, as the shipped ones were made. DEVICE=cpu: two cores, hours.
# Stop it whenever you like; called again it goes on where it stopped (on a CPU bit for bit).
set -eu
cd "$(dirname "$0")/.."
device=${DEVICE:-cpu}
out=${OUT:-runs/out/nano-$device}
bise=.venv/bin/bise
if [ "$device" = cpu ]; then
    how="--processes 2 --max-minutes ${MINUTES:-150}"
else
    how="--device $device --makers ${MAKERS:-12} --max-minutes ${MINUTES:-9} \
        --set parts=12 --set part_tokens=10240 --set optimiser.peak_rate=3e-3 --set decay_share=0.3 \
        --set mix.flat_steps=100 --set mix.ramp_steps=1200 --set eval_every=0"
fi

make setup
mkdir -p "$out"
words=$out/tekken.json
[ -e "$words" ] || $bise train tokenizer nano "$words" --seed 0
# shellcheck disable=SC2086
$bise train run nano --out "$out" --seed 0 --anneal --tokenizer "$words" $how
$bise train export "$out" src/bise/assets/nano --tokenizer "$words"
$bise eval run nano --num 500 --seed 0 --out src/bise/assets/nano/evals
$bise eval report nano
$bise eval report nano --page src/bise/assets/nano/README.md
