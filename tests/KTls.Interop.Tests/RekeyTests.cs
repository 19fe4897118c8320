using System.Text;
using RekeyStress;

namespace KTls.Interop.Tests;

/// <summary>KeyUpdates both ways with OpenSSL and GnuTLS: the sample RekeyStress with such a peer.</summary>
public sealed class RekeyTests
{
    // GnuTLS takes 8 KeyUpdates a second.
    [Theory]
    [InlineData("openssl", 200)]
    [InlineData("gnutls", 48)]
    public async Task Both_ways(string peer, int updates)
    {
        using PeerProcess program = PeerProcess.Start(
            "dotnet", "exec", typeof(Application).Assembly.Location, "--peer", peer, "--updates", $"{updates}", "--connections", "4", "--seed", "1");
        string output = Encoding.UTF8.GetString(await program.FinishAsync());
        Assert.True(program.ExitCode == 0, output + await program.ErrorsAsync());
        Assert.Contains("\nnothing was wrong\n", output, StringComparison.Ordinal);
        Assert.Contains("\nconnections    4 closed in order, 0 cut off", output, StringComparison.Ordinal);
    }
}
