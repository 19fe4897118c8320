using System.Globalization;

namespace KTls.Fuzz;

/// <summary>What is to be done.</summary>
internal sealed class CommandLine
{
    public string Command { get; private set; } = "run";

    /// <summary>Seconds for all targets together, shared out by their weights.</summary>
    public int Seconds { get; private set; } = 60;

    public int Seed { get; private set; } = 1;

    public Target[] Targets { get; private set; } = KTls.Fuzz.Targets.All;

    /// <summary>An input in hexadecimal digits.</summary>
    public string Hex { get; private set; } = string.Empty;

    /// <summary>The folder of this project's source, for what is committed.</summary>
    public string Source { get; private set; } = "tests/Fuzz";

    /// <exception cref="ArgumentException">They cannot be understood.</exception>
    public static CommandLine Parse(string[] arguments)
    {
        var line = new CommandLine();
        int next = 0;
        if (arguments.Length != 0 && !arguments[0].StartsWith('-'))
        {
            line.Command = arguments[next++];
        }

        for (; next < arguments.Length; next += 2)
        {
            string value = next + 1 < arguments.Length ? arguments[next + 1] : throw new ArgumentException($"{arguments[next]} needs a value.");
            switch (arguments[next])
            {
                case "--seconds":
                    line.Seconds = int.Parse(value, CultureInfo.InvariantCulture);
                    break;
                case "--seed":
                    line.Seed = int.Parse(value, CultureInfo.InvariantCulture);
                    break;
                case "--target":
                    line.Targets = [.. value.Split(',').Select(KTls.Fuzz.Targets.ByName)];
                    break;
                case "--hex":
                    line.Hex = value;
                    break;
                case "--source":
                    line.Source = value;
                    break;
                default:
                    throw new ArgumentException($"There is no option {arguments[next]}.");
            }
        }

        return line;
    }
}
