namespace RekeyStress;

/// <summary>Who is at the other end of our connections.</summary>
internal enum PeerKind
{
    /// <summary>KTls itself: both ends are in this process.</summary>
    Ourselves,

    /// <summary>The programs openssl s_client and s_server.</summary>
    OpenSsl,

    /// <summary>The programs gnutls-cli and gnutls-serv.</summary>
    GnuTls,
}

/// <summary>What the command line asks for, with the defaults.</summary>
internal sealed record Settings
{
    public bool ShowHelp { get; init; }

    /// <summary>KeyUpdates that all ends together shall send, answers to requests included.</summary>
    public long Updates { get; init; } = 20_000;

    public int Connections { get; init; } = 64;

    public int Seed { get; init; }

    public TimeSpan Time { get; init; } = TimeSpan.FromDays(1);

    public PeerKind Peer { get; init; }

    public bool WithFaults { get; init; } = true;

    public bool UserSpaceOnly { get; init; }

    /// <summary>What goes to "tc qdisc add dev lo root netem"; null: the network is left alone.</summary>
    public string? Netem { get; init; }

    /// <summary>After so long without a byte or a KeyUpdate something hangs.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);
}
