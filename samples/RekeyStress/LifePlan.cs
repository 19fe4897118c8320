using System.Net.Security;

namespace RekeyStress;

/// <summary>How a connection ends.</summary>
internal enum Ending
{
    /// <summary>Each end says close_notify when it has done its part; the other one goes on.</summary>
    CloseNotify,

    /// <summary>One end resets TCP (RST) in the middle of everything.</summary>
    Reset,

    /// <summary>One end ends its half of TCP (FIN) in the middle of everything, without close_notify.</summary>
    Cut,
}

/// <summary>What one end does in the life of a connection.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Seed">Names its steps.</param>
/// <param name="Steps">So many pieces of data it sends.</param>
/// <param name="Origin">Where on the ring of the <see cref="Pattern"/> the stream begins that it sends.</param>
/// <param name="InUserSpace">Whether this process seals and opens, rather than the kernel.</param>
/// <param name="BufferSize">Of its socket, for each direction; 0: as it is.</param>
/// <param name="RekeyAfterRecords">When its keys change by themselves.</param>
internal sealed record EndPlan(string Name, int[] Seed, int Steps, long Origin, bool InUserSpace, int BufferSize, long RekeyAfterRecords);

/// <summary>The life of one connection.</summary>
/// <param name="Suite">The cipher suite.</param>
/// <param name="Ending">How it ends.</param>
/// <param name="FaultAtClient">Whose the fault is that ends it.</param>
/// <param name="FaultStep">The step of that end at which it happens.</param>
internal sealed record LifePlan(TlsCipherSuite Suite, EndPlan Client, EndPlan Server, Ending Ending, bool FaultAtClient, int FaultStep)
{
    /// <summary>Those that the kernel knows.</summary>
    public static readonly TlsCipherSuite[] Suites =
    [
        TlsCipherSuite.TLS_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256,
    ];

    private const long DefaultRekeyAfterRecords = 1L << 22;

    /// <summary>The plan of a connection.</summary>
    /// <param name="settings">Those of the run.</param>
    /// <param name="kernelCanRekey">Else one end of each connection is in user space: the one that changes its keys.</param>
    /// <param name="connection">Which of the connections at a time.</param>
    /// <param name="life">How many came before it in this place.</param>
    public static LifePlan Draw(Settings settings, bool kernelCanRekey, int connection, int life)
    {
        Random random = Script.RandomOf(settings.Seed, connection, life);
        int inUserSpace = random.Next(kernelCanRekey ? 16 : 2);
        EndPlan client = DrawEnd(random, "client", [settings.Seed, connection, life, 1], settings.UserSpaceOnly || inUserSpace == 0);
        EndPlan server = DrawEnd(random, "server", [settings.Seed, connection, life, 2], settings.UserSpaceOnly || inUserSpace == 1);
        bool atClient = random.Next(2) == 0;
        int step = random.Next((atClient ? client : server).Steps);
        int ending = random.Next(100);
        return new LifePlan(
            Suites[random.Next(Suites.Length)], client, server,
            !settings.WithFaults || ending < 60 ? Ending.CloseNotify : ending < 85 ? Ending.Reset : Ending.Cut, atClient, step);
    }

    private static EndPlan DrawEnd(Random random, string name, int[] seed, bool inUserSpace) => new(
        name, seed, random.Next(50, 800), random.Next(Pattern.Length), inUserSpace,
        random.Next(3) == 0 ? random.Next(16_384, 262_144) : 0,
        random.Next(4) == 0 ? random.Next(16, 1024) : DefaultRekeyAfterRecords);
}
