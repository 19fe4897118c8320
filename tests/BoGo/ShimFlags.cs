namespace KTls.BoGo;

/// <summary>The command line of one test.</summary>
internal sealed class ShimFlags
{
    public int Port { get; private set; }

    public bool IsIPv6 { get; private set; }

    public ulong ShimId { get; private set; }

    /// <summary>Connections after the first one; they are to resume.</summary>
    public int ResumeCount { get; private set; }

    public ConnectionFlags Initial { get; } = new();

    public ConnectionFlags Resume { get; } = new();

    /// <exception cref="UnimplementedException">A flag is not known.</exception>
    public static ShimFlags Parse(string[] arguments)
    {
        var flags = new ShimFlags();
        for (int i = 0; i < arguments.Length; i++)
        {
            switch (arguments[i])
            {
                case "-port":
                    flags.Port = FlagTable.Number(arguments[++i]);
                    break;
                case "-ipv6":
                    flags.IsIPv6 = true;
                    break;
                case "-shim-id":
                    flags.ShimId = ulong.Parse(arguments[++i], System.Globalization.CultureInfo.InvariantCulture);
                    break;
                case "-resume-count":
                    flags.ResumeCount = FlagTable.Number(arguments[++i]);
                    break;
                default:
                    flags.ReadConnectionFlag(arguments, ref i);
                    break;
            }
        }

        return flags;
    }

    private void ReadConnectionFlag(string[] arguments, ref int i)
    {
        string name = arguments[i];

        // The runner's tests may split a handshake between two processes; here is only the one.
        bool isForOther = RemovePrefix(ref name, "-on-handshaker-");
        RemovePrefix(ref name, "-on-shim-");
        ConnectionFlags[] targets = [Initial, Resume];
        if (RemovePrefix(ref name, "-on-initial-"))
        {
            targets = [Initial];
        }
        else if (RemovePrefix(ref name, "-on-resume-"))
        {
            targets = [Resume];
        }
        else if (RemovePrefix(ref name, "-on-retry-"))
        {
            // The connection after early data was refused: there is none.
            targets = [];
        }

        FlagTable.Flag flag = FlagTable.Find(name);
        string value = flag.HasValue ? arguments[++i] : string.Empty;
        foreach (ConnectionFlags target in isForOther ? [] : targets)
        {
            flag.Apply(target, value);
        }
    }

    private static bool RemovePrefix(ref string name, string prefix)
    {
        if (!name.StartsWith(prefix, StringComparison.Ordinal))
        {
            return false;
        }

        name = string.Concat("-", name.AsSpan(prefix.Length));
        return true;
    }
}
