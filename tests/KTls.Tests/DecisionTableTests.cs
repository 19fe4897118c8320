using KTls.Diagnostics;
using KTls.Fallback;

namespace KTls.Tests;

/// <summary>Who serves a connection: every row of docs/FALLBACK.md.</summary>
public sealed class DecisionTableTests
{
    private static readonly Obstacle Option = new(FallbackReason.Options, "an option");
    private static readonly Obstacle Offer = new(FallbackReason.CipherSuite, "an offer");
    private static readonly Obstacle NoKernel = new(FallbackReason.NoKernelTls, "no kernel TLS");

    public static TheoryData<DataPlanePolicy, FallbackPolicy> Rows => new(
        from dataPlane in Enum.GetValues<DataPlanePolicy>() from fallback in Enum.GetValues<FallbackPolicy>() select (dataPlane, fallback));

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_row(DataPlanePolicy dataPlane, FallbackPolicy fallback)
    {
        (Choice free, Choice withoutKernel, Choice withoutUs, Choice elsewhere) = (dataPlane, fallback) switch
        {
            (DataPlanePolicy.PreferKernel, FallbackPolicy.Forbid) => (Choice.Kernel, Choice.UserSpace, Choice.Refuse, Choice.Refuse),
            (DataPlanePolicy.PreferKernel, _) => (Choice.Kernel, Choice.SslStream, Choice.SslStream, Choice.SslStream),
            (DataPlanePolicy.RequireKernel, _) => (Choice.Kernel, Choice.Refuse, Choice.Refuse, Choice.Refuse),
            (DataPlanePolicy.UserSpace, FallbackPolicy.Forbid) => (Choice.UserSpace, Choice.UserSpace, Choice.Refuse, Choice.Refuse),
            (DataPlanePolicy.UserSpace, _) => (Choice.UserSpace, Choice.UserSpace, Choice.SslStream, Choice.SslStream),
            _ => (Choice.SslStream, Choice.SslStream, Choice.SslStream, Choice.SslStream),
        };
        Decision Make(Obstacle? handshake, Obstacle? kernel, bool isLinux = true) => Decision.Make(dataPlane, fallback, isLinux, handshake, kernel);

        Assert.Equal(free, Make(null, null).Choice);
        Assert.Equal(withoutKernel, Make(null, NoKernel).Choice);
        foreach (Obstacle us in new[] { Option, Offer })
        {
            Assert.Equal(withoutUs, Make(us, null).Choice);
            Assert.Equal(withoutUs, Make(us, NoKernel).Choice);
        }

        Assert.Equal(elsewhere, Make(null, null, isLinux: false).Choice);
        Assert.Equal(elsewhere, Make(Option, null, isLinux: false).Choice);
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void The_reason_is_the_obstacle_that_decided(DataPlanePolicy dataPlane, FallbackPolicy fallback)
    {
        foreach (Obstacle? handshake in new[] { null, Option, Offer })
        {
            foreach ((Obstacle? kernel, bool isLinux) in new[] { (null, true), (NoKernel, true), (null, false) })
            {
                Decision decision = Decision.Make(dataPlane, fallback, isLinux, handshake, kernel);
                Assert.Equal(decision.Choice == Choice.Kernel, decision.Obstacle is null);
                FallbackReason[] expected = dataPlane == DataPlanePolicy.SslStream ? [FallbackReason.SwitchedOff]
                    : !isLinux ? [FallbackReason.NotLinux]
                    : handshake is not null ? [handshake.Reason]
                    : dataPlane == DataPlanePolicy.UserSpace ? [FallbackReason.SwitchedOff]
                    : kernel is not null ? [kernel.Reason]
                    : [];
                Assert.Equal(expected, decision.Obstacle is { } obstacle ? [obstacle.Reason] : []);
            }
        }
    }

    /// <summary>A reason that the table lacks nobody finds; and it is counted by the name that stands there, or not at all.</summary>
    [Fact]
    public void The_documentation_has_every_reason()
    {
        FallbackReason[] uncounted = [FallbackReason.None, FallbackReason.EarlyRecords];
        string[] lines = File.ReadAllLines(Path.Combine(OptionsTableTests.Root(), "docs", "FALLBACK.md"));
        foreach (FallbackReason reason in Enum.GetValues<FallbackReason>())
        {
            string metric = uncounted.Contains(reason) ? "|" : $"`{Instruments.NameOf(reason)}` |";
            Assert.Single(lines, line => line.StartsWith($"| `{reason}` | {metric}", StringComparison.Ordinal));
        }

        Assert.All(uncounted, reason => Assert.Throws<ArgumentOutOfRangeException>(() => Instruments.NameOf(reason)));
    }
}
