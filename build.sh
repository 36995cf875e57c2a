#!/usr/bin/env bash
# ./build.sh [WORD] [options]: builds SlttEngine; eng/Build/Program.cs says what each word does.
set -eu
root=$(cd "$(dirname "$0")" && pwd)
if ! dotnet --list-sdks 2>/dev/null | grep -qE '^[1-9][0-9]\.'; then
  echo "build: the .NET 10 SDK was not found; get it from https://dotnet.microsoft.com/download/dotnet/10.0" \
    "and put 'dotnet' on the PATH" >&2
  exit 3
fi
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
exec dotnet run --project "$root/eng/Build" -c Release -v quiet -- "$@"
