using System.Globalization;

namespace SlttEngine.Cli;

/// <summary>Reads a command's arguments against its options.</summary>
internal static class ArgumentParser
{
    /// <summary>Applies the options, and returns the positional arguments.</summary>
    /// <param name="arguments">After the command's name.</param>
    /// <param name="options">The options that the command has.</param>
    /// <param name="command">Its name, for the hint.</param>
    /// <exception cref="SlttException">An unknown option, a missing value or one too many, or a value that an option refuses.</exception>
    internal static IReadOnlyList<string> Parse(IReadOnlyList<string> arguments, IReadOnlyList<CliOption> options, string command)
    {
        List<(CliOption Option, string Value)> found = [];
        List<string> rest = [];
        for (int i = 0; i < arguments.Count; i++)
        {
            string argument = arguments[i];
            if (!IsOption(argument))
            {
                rest.Add(argument);
                continue;
            }

            int equals = argument.IndexOf('=', StringComparison.Ordinal);
            string spelled = equals < 0 ? argument : argument[..equals];
            string name = spelled.TrimStart('-').Replace('-', '_');
            CliOption option = options.FirstOrDefault(o => o.Name == name) ?? throw Unknown(spelled, name, options, command);
            string? value = equals < 0 ? null : argument[(equals + 1)..];
            if (option.ValueName is null)
            {
                found.Add(value is null ? (option, string.Empty) : throw new SlttException(ErrorKind.Usage, $"{spelled} takes no value"));
                continue;
            }

            if (value is null)
            {
                if (i + 1 >= arguments.Count || IsOption(arguments[i + 1]))
                {
                    throw new SlttException(ErrorKind.Usage, $"{spelled} needs a value: {spelled} {option.ValueName}", Hint(command));
                }

                value = arguments[++i];
            }

            found.Add((option, value));
        }

        foreach ((CliOption option, string value) in found)
        {
            option.Apply(value);
        }

        return rest;
    }

    // -0.1 is a value, not an option.
    private static bool IsOption(string argument) =>
        argument.Length > 1 && argument[0] == '-' && !double.TryParse(argument, NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    private static SlttException Unknown(string spelled, string name, IReadOnlyList<CliOption> options, string command)
    {
        string? nearest = NearestName.Find(name, options.Select(o => o.Name));
        return new SlttException(
            ErrorKind.Usage, $"unknown option '{spelled}'"
            + (nearest is null ? string.Empty : $"; did you mean '-{nearest}'?"), Hint(command));
    }

    private static string Hint(string command) => $"sltt {command} --help lists the options";
}
