# .\build.ps1 [build|demo|test|generate|bundle|clean] [options]: builds SlttEngine; what each does stands in eng/build.cs.
$ErrorActionPreference = 'Stop'
if (-not ((Get-Command dotnet -ErrorAction SilentlyContinue) -and (dotnet --list-sdks | Select-String -Quiet '^[1-9][0-9]\.'))) {
    [Console]::Error.WriteLine("build: the .NET 10 SDK was not found; get it from https://dotnet.microsoft.com/download/dotnet/10.0 and put 'dotnet' on the PATH")
    exit 3
}
$env:DOTNET_CLI_TELEMETRY_OPTOUT = '1'
$env:DOTNET_NOLOGO = '1'
dotnet run --file (Join-Path $PSScriptRoot 'eng/build.cs') -- @args
exit $LASTEXITCODE
