#!/usr/bin/env bash
# Writes the table of calls in the documentation of the CPU device: the functions that libsltt_cpu.so exports.
#   tools/cpu-device-calls.sh [--check] [path of libsltt_cpu.so]
# --check changes nothing, and fails if the table is out of date.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
doc=$(grep -rl --include='*.md' -e '<!-- calls: begin -->' "$root/docs" | head -n 1)
[ -n "$doc" ] || { echo "cpu-device-calls: no page of docs has the line <!-- calls: begin -->" >&2; exit 2; }
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

# row TITLE PATTERN: the exported functions whose names match.
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
    row "The CPU device alone" '^sltt_cpu_'
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
    echo "cpu-device-calls: the table in ${doc#"$root"/} is out of date; run ./build.sh generate" >&2
    diff "$doc" "$new" >&2 || true
    exit 1
fi
cat "$new" > "$doc"
