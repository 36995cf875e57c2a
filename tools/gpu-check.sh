#!/usr/bin/env bash
# Checks and measures SlttEngine on a machine with a GPU, in under eight minutes without `variants` and `official`.
# In the bundle it needs no .NET; in the source tree it runs what ./build.sh built.
#
#   tools/gpu-check.sh [--device cuda|cpu] [--out DIR] [--vectors DIR] [--official DIR --spikingjelly DIR
#                      [--spikingjelly2 DIR]] [PIECE...]
#
# Pieces (all but the last two by default):
#   devices    the devices, and that `auto` picks the GPU
#   tests      kernel and engine tests on the device
#   verify     replays recorded vectors (--vectors, else the tests' own)
#   memcheck   kernel tests under compute-sanitizer's memcheck
#   racecheck  kernel tests under compute-sanitizer's racecheck
#   kernels    GB/s of every kernel beside the device's copy rate
#   training   iterations of ResNet-18, VGG-11 and NF-ResNet-34: images/s, memory at T = 6 and T = 48 (T = 12 on a CPU)
#   profile    where an iteration's time goes, of the same three: by kind, layer and kernel, with traces for Perfetto
#   variants   the same three with time steps side by side, recomputing, BPTT, small clears as kernels, and float32 in all its ways;
#              recorded vectors with steps side by side and with weights in two parts
#   official   the official programs beside ours: sources in --official and --spikingjelly, PyTorch in $PYTHON (python3);
#              with --spikingjelly2, a checkout of SpikingJelly 2, its ResNet-18 and VGG-11 too
#
# Each piece has its time limit, and all pieces but `variants` and `official` share 470 s. A piece writes its log and results to --out
# (gpu-check/) while it runs, and its line of summary.txt when it ends. --device cpu rehearses every piece with small
# sizes. Exit code 0 if every piece passed.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}
device=cuda out=gpu-check vectors= official= spikingjelly= spikingjelly2=
pieces=()
while [ $# -gt 0 ]; do
  case $1 in
    --device|--out|--vectors|--official|--spikingjelly|--spikingjelly2)
      [ $# -ge 2 ] || { echo "gpu-check: $1 needs a value" >&2; exit 2; }
      declare "${1#--}=$2"; shift 2 ;;
    devices|tests|verify|memcheck|racecheck|kernels|training|profile|variants|official) pieces+=("$1"); shift ;;
    --help|-h) sed -n '2,/^set -u/{/^set -u/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) echo "gpu-check: unknown argument '$1' (--help lists the pieces)" >&2; exit 2 ;;
  esac
done
[ ${#pieces[@]} -gt 0 ] || pieces=(devices tests verify memcheck racecheck kernels training profile)
case $device in cuda|cpu) ;; *) echo "gpu-check: --device is cuda or cpu, not '$device'" >&2; exit 2 ;; esac

# In the bundle the programs are in $here; in the source tree, in the folders that the build wrote.
if [ -x "$here/sltt-tests" ]; then
  sltt=("$here/sltt") tests=("$here/sltt-tests") bench=("$here/sltt-bench") golden=$here/lib/Golden
else
  sltt=("$here/out/sltt") tests=(dotnet "$here/tests/SlttEngine.Tests/bin/Release/net10.0/SlttEngine.Tests.dll")
  bench=(dotnet "$here/bench/SlttEngine.Bench/bin/Release/net10.0/SlttEngine.Bench.dll")
  golden=$here/tests/SlttEngine.Tests/Golden
fi
[ -x "${sltt[0]}" ] || { echo "gpu-check: ${sltt[0]} is not there: run ./build.sh first" >&2; exit 2; }
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 4
[ -n "$vectors" ] || vectors=$golden
export SLTT_TEST_DEVICE=$device
PATH=$PATH:/usr/local/cuda/bin  # compute-sanitizer is there, on many machines without an entry in PATH
# The cache says which of cuDNN's algorithms were measured, so it is kept with the results.
export SLTT_CACHE_DIR=${SLTT_CACHE_DIR:-$out/cache}

left_out=77  # exit code of a piece that cannot run here; no program returns it
kernel_tests="FullyQualifiedName~Tests.Kernels"
max_t=48
[ $device = cuda ] || max_t=12

devices() {
  "${sltt[@]}" devices
  if [ $device = cuda ]; then nvidia-smi -L; "${sltt[@]}" devices | grep -q '^auto  is cuda'; fi
}
tests() { "${tests[@]}" --filter "FullyQualifiedName~Tests.Kernels|FullyQualifiedName~Tests.Engine"; }
verify() {
  find "$vectors" -name '*.safetensors' -not -path '*checkpoint*' -print0 | sort -z | xargs -0 "${sltt[@]}" verify --device $device
}
sanitize() {
  if [ $device = cpu ]; then echo "compute-sanitizer needs a GPU"; return $left_out; fi
  if ! command -v compute-sanitizer >/dev/null; then echo "compute-sanitizer is not on the PATH"; return $left_out; fi
  # API errors are not reported: the engine checks its calls, and NVIDIA's libraries query functions that a driver may lack.
  compute-sanitizer --tool "$1" --target-processes all --report-api-errors no --error-exitcode 9 --print-limit 20 \
    "${tests[@]}" --filter "$kernel_tests"
}
memcheck() { sanitize memcheck; }
racecheck() { sanitize racecheck; }
kernels() {
  if [ $device = cuda ]; then "${bench[@]}" kernels --types f16 --device cuda --out "$out/kernels"
  else "${bench[@]}" kernels --smoke --types f32 --filter lif --device cpu --out "$out/kernels"; fi
}

# workload NAME OPTIONS: times training at T = 6 and at the largest T; results in NAME-T*.json.
workload() {
  local name=$1 small=() iterations=10 result t; shift
  [ $device = cuda ] || { small=(-b 2 -width_divisor 16); iterations=1; }
  for t in 6 $max_t; do
    result=$out/$name-T$t.json
    "${sltt[@]}" bench "$@" "${small[@]}" -T $t --iterations $iterations --device $device --json > "$result" || return 1
    echo "$name T=$t: $(grep -E 'seconds_per|images_per|"device_.*bytes' "$result" | tr -s ' \n' ' ')"
  done
}
training() {
  workload resnet18-f16 -dataset cifar10 -model spiking_resnet18 -b 128 -amp || return 1
  same_memory resnet18-f16 || return 1
  workload vgg11-f16 -dataset dvsgesture -model spiking_vgg11_bn -b 16 -amp || return 1
  workload nfresnet34-f16 -dataset imagenet -model spiking_nfresnet34 -b 64 -amp || return 1
  same_memory nfresnet34-f16
}
device_bytes() { sed -n 's/.*"device_bytes": \([0-9]*\).*/\1/p' "$1"; }
# same_memory NAME: fails if a workload's device memory grew with T.
same_memory() {
  local at_6 at_max
  at_6=$(device_bytes "$out/$1-T6.json") at_max=$(device_bytes "$out/$1-T$max_t.json")
  if [ -z "$at_6" ] || [ "$at_6" != "$at_max" ]; then
    echo "$1: $at_6 bytes at T = 6 but $at_max at T = $max_t"
    return 1
  fi
  echo "$1: device memory at T = $max_t is that at T = 6"
}
# profiled NAME OPTIONS: NAME-profile.txt and NAME-trace.json.
profiled() {
  local name=$1 small=(); shift
  [ $device = cuda ] || small=(-b 2 -width_divisor 16)
  "${sltt[@]}" profile "$@" "${small[@]}" --iterations 5 --device $device --trace "$out/$name-trace.json" \
    > "$out/$name-profile.txt" || return 1
  echo "$name"; sed -n '2,/by layer/p' "$out/$name-profile.txt"
}
profile() {
  profiled resnet18-f16 -dataset cifar10 -model spiking_resnet18 -T 6 -b 128 -amp || return 1
  profiled vgg11-f16 -dataset dvsgesture -model spiking_vgg11_bn -T 20 -b 16 -amp || return 1
  profiled nfresnet34-f16 -dataset imagenet -model spiking_nfresnet34 -T 6 -b 64 -amp
}
# variant NAME OPTIONS: times training; the result in variant-NAME.json.
variant() {
  local name=$1 small=() iterations=10 result; shift
  [ $device = cuda ] || { small=(-b 2 -width_divisor 16); iterations=1; }
  result=$out/variant-$name.json
  "${sltt[@]}" bench "$@" "${small[@]}" --iterations $iterations --device $device --json > "$result" || return 1
  echo "$name: $(grep -E 'seconds_per_iteration|images_per|"device_bytes' "$result" | tr -s ' \n' ' ')"
}
variants() {
  local resnet=(-dataset cifar10 -model spiking_resnet18 -T 6 -b 128) vgg=(-dataset dvsgesture -model spiking_vgg11_bn -T 20 -b 16 -amp)
  local nf=(-dataset imagenet -model spiking_nfresnet34 -T 6 -b 64 -amp) c failed=0
  for c in 1 2 3 6; do variant resnet18-c$c "${resnet[@]}" -amp --steps-at-once $c || failed=1; done
  SLTT_GRAPH_CLEARS=kernels variant resnet18-c1-clears "${resnet[@]}" -amp || failed=1
  variant resnet18-c1-recompute "${resnet[@]}" -amp --recompute || failed=1
  variant resnet18-c2-recompute "${resnet[@]}" -amp --recompute --steps-at-once 2 || failed=1
  for c in 1 6; do variant resnet18-bptt-c$c "${resnet[@]}" -amp -method bptt --steps-at-once $c || failed=1; done
  variant resnet18-f32 "${resnet[@]}" || failed=1
  variant resnet18-f32-split "${resnet[@]}" --split-tf32 || failed=1
  variant resnet18-f32-fast "${resnet[@]}" --fast-math || failed=1
  for c in 1 4 20; do variant vgg11-c$c "${vgg[@]}" --steps-at-once $c || failed=1; done
  for c in 1 2 6; do variant nfresnet34-c$c "${nf[@]}" --steps-at-once $c || failed=1; done
  local way
  for way in "--steps-at-once 2" "--steps-at-once auto" "--split-tf32" "--recompute"; do
    echo "verify $way: $(find "$vectors" -name '*.safetensors' -path '*model*' -print0 | sort -z \
      | xargs -0 "${sltt[@]}" verify --device $device $way | tail -n 1)" || failed=1
  done
  return $failed
}
official() {
  [ -n "$official" ] && [ -n "$spikingjelly" ] || { echo "--official and --spikingjelly name the official sources"; return 2; }
  local failed=0 newer=()
  if [ -n "$spikingjelly2" ]; then newer=(--spikingjelly2 "$spikingjelly2"); fi
  if [ $device = cpu ]; then compare resnet18 1 "${newer[@]}" -T 2 -b 2; return; fi
  compare resnet18 20 "${newer[@]}" -T 6 -b 128 --amp float16 || failed=1
  compare vgg11 5 "${newer[@]}" --model spiking_vgg11_bn -T 20 -b 16 --amp float16 || failed=1
  compare nfresnet34 5 --model spiking_nfresnet34 -T 6 -b 64 --amp float16 || failed=1
  return $failed
}
# compare NAME ITERATIONS OPTIONS: both programs on one workload.
compare() {
  local name=$1 iterations=$2; shift 2
  "$python" "$here/bench/peer/compare.py" --sltt "$official" --spikingjelly "$spikingjelly" --command "${sltt[0]}" \
    --device $device --rounds 2 "$@" --iterations "$iterations" --out "$out/official-$name.json"
}

declare -A limit=([devices]=20 [tests]=150 [verify]=90 [memcheck]=75 [racecheck]=75 [kernels]=80 [training]=80 [profile]=60
  [variants]=240 [official]=540)
shared_left=470  # seconds left for all pieces but `variants` and `official`
failed=0 group=
# A program that outlived its limit or Ctrl-C would use the GPU while the next piece is timed. So the whole process group ends.
end_group() { if [ -n "$group" ]; then kill -KILL -- "-$group" 2>/dev/null; group=; fi; }
trap end_group EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
export -f devices tests verify sanitize memcheck racecheck kernels workload training device_bytes same_memory profiled profile
export -f variant variants official compare
variables="python sltt tests bench device max_t out vectors official spikingjelly spikingjelly2 here left_out kernel_tests"
: > "$out/summary.txt"
for piece in "${pieces[@]}"; do
  echo "== $piece"
  begin=$SECONDS seconds=${limit[$piece]}
  if [ "$piece" != official ] && [ "$piece" != variants ] && [ $seconds -gt $shared_left ]; then seconds=$shared_left; fi
  if [ $seconds -le 0 ]; then
    echo "no time is left for this piece: $0 --out DIR $piece runs it alone"
    printf '%-10s %-24s %4d s\n' "$piece" "not run" 0 >> "$out/summary.txt"
    failed=1
    continue
  fi
  # timeout makes a process group, so that the limit ends everything that the piece started.
  timeout -k 5 "$seconds" bash -c "$(declare -p $variables); $piece" > "$out/$piece.log" 2>&1 &
  group=$!
  wait $group
  code=$?
  end_group
  case $code in
    0) result=passed ;;
    $left_out) result="left out" ;;
    124|137) result="stopped after $seconds s"; failed=1 ;;
    *) result="FAILED ($code)"; failed=1 ;;
  esac
  [ "$piece" = official ] || [ "$piece" = variants ] || shared_left=$((shared_left - SECONDS + begin))
  tail -n 12 "$out/$piece.log"
  printf '%-10s %-24s %4d s\n' "$piece" "$result" $((SECONDS - begin)) >> "$out/summary.txt"
done
echo "== summary ($out)"
cat "$out/summary.txt"
exit $failed
