#!/usr/bin/env bash
# Checksums of every tensor that `sltt verify` computes from recorded vectors, in each way the CPU device can compute them.
# Two builds that give the same files compute the same bits.
#
#   tools/checksums.sh SLTT OUT FILE...
#
# SLTT is the command, OUT a folder for one list a way, FILE the recorded vectors. Two threads, one instruction set (v3, and v2
# once), and the CPU device's own estimates (an older build measures without this word), so that every machine computes alike.
set -u
[ $# -ge 3 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
sltt=$1 out=$2; shift 2
mkdir -p "$out" || exit 4
export SLTT_CPU_THREADS=2 OMP_NUM_THREADS=2 SLTT_CPU_ISA=v3 ONEDNN_MAX_CPU_ISA=AVX2 SLTT_CPU_CONV=estimate
failed=0
way() {
  local name=$1; shift
  "$sltt" verify "$@" --checksums "$out/$name.txt" "${files[@]}" > "$out/$name.log" 2>&1 || { echo "$name: exit code $?"; failed=1; }
}
files=("$@")
way fast --device cpu
way strict --device cpu-strict
way cudnn --device cpu --batch-norm cudnn
SLTT_CPU_CONV=event way event --device cpu
SLTT_CPU_CONV=dense way dense --device cpu
# Winograd's algorithm rounds more than the tolerances allow. Its checksums count, its exit code does not.
SLTT_CPU_CONV=winograd "$sltt" verify --device cpu --fast-math --checksums "$out/winograd.txt" "$@" > "$out/winograd.log" 2>&1
SLTT_CPU_ISA=v2 ONEDNN_MAX_CPU_ISA=SSE41 way v2 --device cpu
exit $failed
