#!/usr/bin/env bash
# The table of calls in docs/internals/cpu-device.md, from what libsltt_cpu.so exports.
#   tools/cpu-device-calls.sh [--check] [path of libsltt_cpu.so]
# --check: changes nothing and fails if the table is not current.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
doc="$root/docs/internals/cpu-device.md"
check=false
if [ "${1:-}" = "--check" ]; then
    check=true
    shift
fi
library="${1:-$root/out/native/libsltt_cpu.so}"
if [ ! -f "$library" ]; then
    echo "cpu-device-calls: $library is not there; run ./build.sh or name the library" >&2
    exit 2
fi
command -v nm > /dev/null || { echo "cpu-device-calls: nm was not found (package binutils)" >&2; exit 2; }

# One row of the table: title, pattern of the names.
row() {
    names=$(nm -D --defined-only "$library" | awk '{ print $3 }' | grep -E "$2" | LC_ALL=C sort | sed 's/.*/`&`/' | paste -sd ' ')
    echo "| $1 | ${names:-none} |"
}
table=$(
    echo "| API | Calls |"
    echo "|---|---|"
    row "CUDA driver: device, context" '^cu(Init|Driver|Device|Ctx|GetError)'
    row "CUDA driver: memory" '^cu(Mem|Pointer)'
    row "CUDA driver: modules, launches" '^cu(Module|Func|Launch|Occupancy)'
    row "CUDA driver: streams, events, graphs" '^cu(Stream|Event|Graph|Thread)'
    row "cuDNN 9" '^cudnn'
    row "cuBLAS" '^cublas'
    row "Its own" '^sltt_cpu_'
)
new=$(mktemp)
trap 'rm -f "$new"' EXIT
table="$table" awk '
    /<!-- calls: end -->/ { inside = 0 }
    !inside { print }
    /<!-- calls: begin -->/ { inside = 1; print ENVIRON["table"] }
' "$doc" > "$new"
if cmp -s "$new" "$doc"; then
    exit 0
fi
if $check; then
    echo "cpu-device-calls: the table in docs/internals/cpu-device.md is not current; run tools/cpu-device-calls.sh" >&2
    diff "$doc" "$new" >&2 || true
    exit 1
fi
cat "$new" > "$doc"
