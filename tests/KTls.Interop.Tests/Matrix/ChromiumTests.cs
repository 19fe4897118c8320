using System.Net.Security;
using KTls.Handshake;

namespace KTls.Interop.Tests.Matrix;

/// <summary>What a browser does by itself.</summary>
public sealed class ChromiumTests
{
    [Fact]
    public async Task A_page_comes_over_X25519MLKEM768()
    {
        var trial = new Trial(new Cell(TlsCipherSuite.TLS_AES_128_GCM_SHA256, CellKind.Full)) { Question = "\r\n\r\n", Answer = "<!doctype html><p>A page.</p>" };
        await using var server = new OurServer(trial);
        (string page, NetLog log) = await Browser.OpenAsync($"https://{trial.ServerName}:{server.Port}/", asking: []);
        Assert.Contains("<p>A page.</p>", page, StringComparison.Ordinal);
        Assert.All(log.Connections, connection => Assert.Equal((int)NamedGroup.X25519MLKem768, connection.Group));
        Assert.NotEmpty(server.Groups);
        Assert.All(server.Groups, group => Assert.Equal(NamedGroup.X25519MLKem768, group));
    }
}
