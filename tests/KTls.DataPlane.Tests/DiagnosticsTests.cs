using System.Net.Sockets;
using KTls.Handshake;
using KTls.Kernel;

namespace KTls.DataPlane.Tests;

/// <summary>What metrics tell of a connection that the kernel serves.</summary>
public sealed class DiagnosticsTests
{
    private static KTlsOptions Kernel => new() { DataPlane = DataPlanePolicy.PreferKernel };

    [Fact]
    public async Task Data_planes_and_fallbacks_are_what_the_streams_say()
    {
        using var measured = new Measurements("ktls.data_planes", "ktls.fallbacks", "ktls.kernel.errors");
        await using StreamPair pair = await StreamPair.ConnectAsync(Kernel, Kernel);
        Assert.Equal(2, measured["ktls.data_planes ktls.data_plane=kernel network.io.direction=transmit"]);
        Assert.Equal(2, measured[$"ktls.data_planes ktls.data_plane={(Lab.CanRekey ? "kernel" : "user_space")} network.io.direction=receive"]);
        Assert.Equal(Lab.CanRekey ? 0 : 2, measured["ktls.fallbacks ktls.fallback.reason=no_rekey network.io.direction=receive"]);
        Assert.Equal(Lab.CanRekey ? 2 : 3, measured.Sums.Count);
    }

    [Fact]
    public async Task Key_updates_are_counted_both_ways()
    {
        using var measured = new Measurements("ktls.key_updates");
        var userSpace = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace };
        await using StreamPair pair = await StreamPair.ConnectAsync(userSpace, Lab.CanRekey ? Kernel : userSpace);
        await pair.Client.UpdateKeysAsync(requestPeerUpdate: true);
        await pair.Client.WriteAsync(new byte[1]);
        Assert.Equal(1, await pair.Server.ReadAsync(new byte[1]));
        await pair.Server.WriteAsync(new byte[1]);
        Assert.Equal(1, await pair.Client.ReadAsync(new byte[1]));
        Assert.Equal(2, measured["ktls.key_updates network.io.direction=transmit"]);
        Assert.Equal(2, measured["ktls.key_updates network.io.direction=receive"]);
    }

    [Fact]
    public async Task Refused_keys_are_a_fallback_and_a_kernel_error()
    {
        using var measured = new Measurements("ktls.data_planes", "ktls.fallbacks", "ktls.kernel.errors");
        try
        {
            CallFaults.Next = (_, call, option) => call == "setsockopt" && option == (int)KernelDirection.Send ? ErrorNumber.ENOMEM : 0;
            await using StreamPair pair = await StreamPair.ConnectAsync(Kernel, Kernel);
            Assert.Equal(DataPlaneKind.UserSpace, pair.Server.Sending.Kind);
        }
        finally
        {
            CallFaults.Next = null;
        }

        Assert.Equal(2, measured["ktls.fallbacks ktls.fallback.reason=keys_refused network.io.direction=transmit"]);
        Assert.Equal(2, measured["ktls.data_planes ktls.data_plane=user_space network.io.direction=transmit"]);
        Assert.Equal(2, measured["ktls.kernel.errors error.type=ENOMEM ktls.call=setsockopt(TLS_TX)"]);
    }

    [Fact]
    public async Task A_reset_is_counted_by_call_and_errno()
    {
        using var measured = new Measurements("ktls.kernel.errors");
        await using Link link = await Link.ServerAsync(new KTlsOptions { DataPlane = DataPlanePolicy.RequireKernel });
        link.Tcp.Client.LingerState = new LingerOption(true, 0);
        link.Tcp.Client.Dispose();
        await Assert.ThrowsAnyAsync<IOException>(async () => await link.Ours.ReadAsync(new byte[1]));
        Assert.Equal(1, measured["ktls.kernel.errors error.type=ECONNRESET ktls.call=recvmsg"]);
    }

    [Fact]
    public async Task The_kernels_counters_are_told_as_the_kernel_has_them()
    {
        // Some of each kind: connections, records decrypted twice (what is no data, where no padding is expected), one that is forged.
        await using StreamPair pair = await StreamPair.ConnectAsync(Kernel, Kernel);
        await using Link link = await Link.ServerAsync(new KTlsOptions { DataPlane = DataPlanePolicy.RequireKernel });
        for (int i = 0; i < 3; i++)
        {
            await link.SendAsync((ContentType.Alert, TlsAlert.Create(AlertDescription.UserCanceled)));
        }

        byte[] forged = link.Peer.Seal(ContentType.ApplicationData, new byte[10]);
        forged[^1] ^= 1;
        await link.Peer.SendAsync(forged);
        await Assert.ThrowsAsync<KernelTlsException>(async () => await link.Ours.ReadAsync(new byte[100]));

        using var measured = new Measurements();
        SortedDictionary<string, double> told = measured.Observe();
        TlsStatistics statistics = TlsStatistics.Read()!;
        const string Transmit = "network.io.direction=transmit";
        const string Receive = "network.io.direction=receive";
        Dictionary<string, long?> expected = new()
        {
            [$"ktls.kernel.active_connections ktls.offload=software {Transmit}"] = statistics.CurrentTransmitSoftware,
            [$"ktls.kernel.active_connections ktls.offload=device {Transmit}"] = 0,
            [$"ktls.kernel.active_connections ktls.offload=software {Receive}"] = statistics.CurrentReceiveSoftware,
            [$"ktls.kernel.active_connections ktls.offload=device {Receive}"] = 0,
            [$"ktls.kernel.connections ktls.offload=software {Transmit}"] = statistics.TransmitSoftware,
            [$"ktls.kernel.connections ktls.offload=device {Transmit}"] = 0,
            [$"ktls.kernel.connections ktls.offload=software {Receive}"] = statistics.ReceiveSoftware,
            [$"ktls.kernel.connections ktls.offload=device {Receive}"] = 0,
            [$"ktls.kernel.rekeys ktls.result=ok {Transmit}"] = statistics.TransmitRekeys,
            [$"ktls.kernel.rekeys ktls.result=error {Transmit}"] = statistics.TransmitRekeyErrors,
            [$"ktls.kernel.rekeys ktls.result=ok {Receive}"] = statistics.ReceiveRekeys,
            [$"ktls.kernel.rekeys ktls.result=error {Receive}"] = statistics.ReceiveRekeyErrors,
            ["ktls.kernel.key_updates_received"] = statistics.KeyUpdatesReceived,
            ["ktls.kernel.decrypt_errors"] = statistics.DecryptErrors,
            ["ktls.kernel.decrypt_retries"] = statistics.DecryptRetries,
        };
        Assert.True(statistics is { DecryptErrors: > 0, DecryptRetries: > 2, CurrentTransmitSoftware: > 1 });
        Assert.Equal(Lab.CanRekey, statistics.ReceiveRekeys is not null);

        // What an older kernel does not count is not told, rather than told as zero.
        Assert.Equal(
            expected.Where(pair => pair.Value is not null).Select(pair => (pair.Key, (double)pair.Value!)).Order(),
            told.Where(pair => pair.Key.StartsWith("ktls.kernel.", StringComparison.Ordinal)).Select(pair => (pair.Key, pair.Value)).Order());
    }
}
