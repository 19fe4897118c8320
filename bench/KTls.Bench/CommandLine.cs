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

    private CommandLine(Dictionary<string, string> options) => _options = options;

    /// <summary>The options that a scenario knows.</summary>
    public CommandLine For(IScenario scenario) =>
        new(_options.Where(option => Knows(scenario, option.Key)).ToDictionary());

    /// <exception cref="UsageException">There is an option that none of the scenarios knows.</exception>
    public void Expect(IEnumerable<IScenario> scenarios)
    {
        if (_options.Keys.FirstOrDefault(name => !scenarios.Any(scenario => Knows(scenario, name))) is { } unknown)
        {
            throw new UsageException($"What is '--{unknown}'?");
        }
    }

    public string? Take(string name) => _options.Remove(name, out string? value) ? value : null;

    public int Take(string name, int otherwise)
    {
        if (Take(name) is not { } value)
        {
            return otherwise;
        }

        return Parse(name, value);
    }

    /// <summary>Numbers, separated by commas.</summary>
    public int[] TakeNumbers(string name, string otherwise) => [.. (Take(name) ?? otherwise).Split(',').Select(value => Parse(name, value))];

    /// <summary>Some of the known values, separated by commas; all of them when the option is not there.</summary>
    public string[] TakeSome(string name, params string[] known) => TakeSome(name, known, otherwise: string.Join(',', known));

    /// <summary>Some of the known values, separated by commas.</summary>
    public string[] TakeSome(string name, string[] known, string otherwise)
    {
        string[] chosen = (Take(name) ?? otherwise).Split(',');
        return Array.Find(chosen, value => !known.Contains(value)) is { } unknown
            ? throw new UsageException($"--{name} knows {string.Join(", ", known)}, not '{unknown}'.")
            : chosen;
    }

    /// <summary>For a scenario that has taken all of its options.</summary>
    public void ExpectEnd()
    {
        if (_options.Count != 0)
        {
            throw new InvalidOperationException($"Its usage says --{_options.Keys.First()}, and nobody takes it.");
        }
    }

    private static int Parse(string name, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : throw new UsageException($"--{name} wants a number from 1, not '{value}'.");

    // Its usage names them.
    private static bool Knows(IScenario scenario, string name) => scenario.Usage.Contains($"[--{name} ", StringComparison.Ordinal);
}

/// <summary>The command line is wrong.</summary>
internal sealed class UsageException(string message) : Exception(message);
