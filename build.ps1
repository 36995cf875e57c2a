# .\build.ps1 [WORD] [options]: builds SlttEngine; eng/Build/Program.cs says what each word does.
$ErrorActionPreference = 'Stop'
if (-not ((Get-Command dotnet -ErrorAction SilentlyContinue) -and (dotnet --list-sdks | Select-String -Quiet '^[1-9][0-9]\.'))) {
    $page = 'https://dotnet.microsoft.com/download/dotnet/10.0'
    [Console]::Error.WriteLine("build: the .NET 10 SDK was not found; get it from $page and put 'dotnet' on the PATH")
    exit 3
}
$env:DOTNET_CLI_TELEMETRY_OPTOUT = '1'
$env:DOTNET_NOLOGO = '1'
dotnet run --project (Join-Path $PSScriptRoot 'eng/Build') -c Release -v quiet -- @args
exit $LASTEXITCODE
