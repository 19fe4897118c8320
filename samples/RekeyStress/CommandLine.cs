using System.Globalization;

namespace RekeyStress;

/// <summary>Reads the command line.</summary>
internal static class CommandLine
{
    public const string Help = """
        Drives many TLS 1.3 connections whose keys change all the time (KeyUpdate), and
        checks every byte.

        Usage: RekeyStress [options]

          --updates N      KeyUpdates to send in total, both ends together [20000]
          --connections N  connections at a time [64]
          --seed N         what is tried follows from it [a new one, which is printed]
          --time SEC       at most so long [a day]
          --peer PEER      who is at the other end [ourselves]
                             ourselves, openssl, gnutls
          --no-faults      no connection is reset or cut off
          --user-space     both ends seal and open in this process: needs no kernel TLS
          --netem ARGS     a bad network: tc qdisc add dev lo root netem ARGS. It concerns
                           all of this machine's loopback: for the lab
          --patience SEC   so long without any progress is a hang [60]
          --help           print this

        Exit codes: 0 nothing was wrong, 1 something was, 2 wrong usage or machine.
        """;

    private const int MaxConnections = 10_000;

    /// <exception cref="UserErrorException">An option is unknown, lacks its value or has a wrong one.</exception>
    public static Settings Parse(IReadOnlyList<string> arguments)
    {
        var settings = new Settings { Seed = Random.Shared.Next() };
        using IEnumerator<string> rest = arguments.GetEnumerator();
        while (rest.MoveNext())
        {
            settings = Apply(settings, rest);
        }

        return settings is { UserSpaceOnly: true, Peer: not PeerKind.Ourselves }
            ? throw new UserErrorException("--user-space is for both ends being ours; it does not go with --peer")
            : settings;
    }

    private static Settings Apply(Settings settings, IEnumerator<string> rest)
    {
        string option = rest.Current;
        string Value() => rest.MoveNext() ? rest.Current : throw new UserErrorException($"{option} needs a value; see --help");
        return option switch
        {
            "--help" or "-h" => settings with { ShowHelp = true },
            "--updates" => settings with { Updates = Number(option, Value(), 1, long.MaxValue) },
            "--connections" => settings with { Connections = (int)Number(option, Value(), 1, MaxConnections) },
            "--seed" => settings with { Seed = (int)Number(option, Value(), 0, int.MaxValue) },
            "--time" => settings with { Time = Seconds(option, Value()) },
            "--peer" => settings with { Peer = Peer(Value()) },
            "--no-faults" => settings with { WithFaults = false },
            "--user-space" => settings with { UserSpaceOnly = true },
            "--netem" => settings with { Netem = Value() },
            "--patience" => settings with { Patience = Seconds(option, Value()) },
            _ => throw new UserErrorException($"unknown argument '{option}'; see --help"),
        };
    }

    private static PeerKind Peer(string text) => text switch
    {
        "ourselves" => PeerKind.Ourselves,
        "openssl" => PeerKind.OpenSsl,
        "gnutls" => PeerKind.GnuTls,
        _ => throw new UserErrorException($"--peer: '{text}' is not ourselves, openssl or gnutls"),
    };

    private static TimeSpan Seconds(string option, string text) => TimeSpan.FromSeconds(Number(option, text, 1, 24 * 60 * 60));

    private static long Number(string option, string text, long min, long max) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number >= min && number <= max
            ? number
            : throw new UserErrorException($"{option}: '{text}' is not a number from {min} to {max}");
}
