#!/usr/bin/env bash
# usage: tools/kill-and-resume.sh SLTT DATA_DIR [KILLS]
# Kills a training run (SIGKILL) at random moments and resumes it, until so many kills are done (default 200); then compares the
# last checkpoint with that of a run that nothing stopped. DATA_DIR holds CIFAR-10; a small or partial one will do.
set -eu
sltt=$(realpath "$1")
data=$(realpath "$2")
kills=${3:-200}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
options=(-dataset cifar10 -model spiking_resnet18 -width_divisor 16 -T 2 -b 32 -j 2 --device cpu -data_dir "$data" --allow-incomplete)

train() { # train OUT EPOCHS [more]
  local out=$1 epochs=$2
  shift 2
  exec "$sltt" train "${options[@]}" -epochs "$epochs" -T_max "$epochs" -out_dir "$out" "$@" >"$work/log" 2>&1
}

done_kills=0
in_write=0
round=0
while [ "$done_kills" -lt "$kills" ]; do
  round=$((round + 1))
  epochs=$((20 + RANDOM % 20))
  (train "$work/whole$round" "$epochs") || { cat "$work/log"; exit 1; }
  whole=$(echo "$work/whole$round"/*/checkpoint_latest.safetensors)
  killed=$work/killed$round
  while true; do
    latest=$(echo "$killed"/*/checkpoint_latest.safetensors)
    more=()
    [ ! -f "$latest" ] || more=(-resume "$latest")
    (train "$killed" "$epochs" "${more[@]}") &
    child=$!
    if [ "$done_kills" -lt "$kills" ]; then
      sleep "$(awk -v r=$RANDOM 'BEGIN { printf "%.3f", 0.3 + 1.7 * r / 32768 }')"
      if kill -KILL "$child" 2>/dev/null; then
        done_kills=$((done_kills + 1))
        # A left-over temporary file: the kill fell into a write.
        [ -z "$(find "$killed" -name '.*.tmp' 2>/dev/null)" ] || in_write=$((in_write + 1))
      fi
    fi
    code=0
    wait "$child" 2>/dev/null || code=$?
    [ "$code" -ne 137 ] || continue
    [ "$code" -eq 0 ] || { echo "a resumed run ended with exit code $code:"; cat "$work/log"; exit 1; }
    break
  done
  cmp "$whole" "$killed"/*/checkpoint_latest.safetensors || { echo "round $round: not the same after $done_kills kills"; exit 1; }
  rm -rf "$work/whole$round" "$killed"
done
echo "$done_kills kills in $round runs, $in_write left a half-written file: each run ended with the same bytes as one that nothing stopped"
