using System.Globalization;

namespace KTls.Bench;

/// <summary>The options of a scenario: <c>--name value</c>. What nobody takes is an error.</summary>
internal sealed class CommandLine
{
    private readonly Dictionary<string, string> _options = [];

    public CommandLine(ReadOnlySpan<string> arguments)
    {
        for (int i = 0; i < arguments.Length; i += 2)
        {
            if (!arguments[i].StartsWith("--", StringComparison.Ordinal) || i + 1 == arguments.Length)
            {
                throw new UsageException($"What is '{arguments[i]}'? Options are --name value.");
            }

            _options[arguments[i][2..]] = arguments[i + 1];
        }
    }

    public string? Take(string name) => _options.Remove(name, out string? value) ? value : null;

    public int Take(string name, int otherwise)
    {
        if (Take(name) is not { } value)
        {
            return otherwise;
        }

        return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : throw new UsageException($"--{name} wants a number from 1, not '{value}'.");
    }

    /// <summary>Some of the known values, separated by commas; all of them when the option is not there.</summary>
    public string[] TakeSome(string name, params string[] known)
    {
        string[] chosen = Take(name)?.Split(',') ?? known;
        return Array.Find(chosen, value => !known.Contains(value)) is { } unknown
            ? throw new UsageException($"--{name} knows {string.Join(", ", known)}, not '{unknown}'.")
            : chosen;
    }

    public void ExpectEnd()
    {
        if (_options.Count != 0)
        {
            throw new UsageException($"What is '--{_options.Keys.First()}'?");
        }
    }
}

/// <summary>The command line is wrong.</summary>
internal sealed class UsageException(string message) : Exception(message);
