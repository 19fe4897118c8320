using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using KTls.Handshake;
using KTls.Kernel;

namespace KTls.DataPlane.Tests;

/// <summary>Every system call of a connection fails once, at every place: nothing is lost or wrong, nothing hangs, and the error has a name.</summary>
public sealed class FaultTests
{
    private const int TlsSend = 1;
    private const int TlsReceive = 2;
    private const int ExpectNoPadding = 4;
    private const int SendBuffer = 7;
    private const int SendTimeout = 21;
    private const int Ulp = 31;

    private static readonly int[] Refusals = [ErrorNumber.ENOMEM, ErrorNumber.EPERM, ErrorNumber.ENOENT, ErrorNumber.EINVAL];

    /// <summary>The keys are refused: that direction goes on in user space, and the stream says so.</summary>
    [Theory]
    [InlineData(TlsSend, 1)]
    [InlineData(TlsSend, 2)]
    [InlineData(TlsReceive, 1)]
    [InlineData(TlsReceive, 2)]
    public async Task Refused_keys_leave_their_direction_in_user_space(int direction, int refusedDirections)
    {
        foreach (int errno in Refusals.Append(ErrorNumber.EOPNOTSUPP))
        {
            foreach (SslProtocols protocol in new[] { SslProtocols.Tls12, SslProtocols.Tls13 })
            {
                // Refused in one direction, or in both.
                bool Refuses(string call, int option) => call == "setsockopt" && (refusedDirections == 2 ? option is TlsSend or TlsReceive : option == direction);
                var run = new FaultRun((call, option, _) => Refuses(call, option) ? errno : 0) { Protocol = protocol, ReceiveWithoutRekey = ReceiveWithoutRekey.Kernel, PeerUpdatesKeys = Refuses("setsockopt", TlsReceive) };
                await run.RunAsync();
                Assert.Null(run.Failure);
                AssertPlane(run.Sending, Refuses("setsockopt", TlsSend), errno, "TLS_TX");
                AssertPlane(run.Receiving, Refuses("setsockopt", TlsReceive), errno, "TLS_RX");
            }
        }
    }

    [Theory]
    [InlineData(TlsSend, "TLS_TX")]
    [InlineData(TlsReceive, "TLS_RX")]
    public async Task Refused_keys_fail_by_name_where_the_kernel_is_required(int direction, string name)
    {
        var run = new FaultRun((call, option, _) => call == "setsockopt" && option == direction ? ErrorNumber.ENOMEM : 0) { Policy = DataPlanePolicy.RequireKernel };
        await run.RunAsync();
        KernelTlsException e = Assert.IsType<KernelTlsException>(run.Failure);
        Assert.Equal(ErrorNumber.ENOMEM, e.Errno);
        Assert.Contains(name, e.Call, StringComparison.Ordinal);
    }

    /// <summary>Our KeyUpdate is out and the kernel refuses the new keys: the peer opens with them, so that nothing sealed with the old ones may follow.</summary>
    [Fact]
    public async Task After_a_KeyUpdate_whose_keys_are_refused_not_even_an_alert_follows()
    {
        await using Link link = await Link.ServerAsync(new KTlsOptions { DataPlane = DataPlanePolicy.RequireKernel });
        SafeHandle handle = link.Tcp.Server.SafeHandle;
        CallFaults.Next = (descriptor, call, option) => descriptor == handle && call == "setsockopt" && option == TlsSend ? ErrorNumber.ENOMEM : 0;
        try
        {
            if (!Lab.CanRekey)
            {
                await Assert.ThrowsAsync<PlatformNotSupportedException>(() => link.Ours.UpdateKeysAsync());
                return;
            }

            Assert.Equal(ErrorNumber.ENOMEM, (await Assert.ThrowsAsync<KernelTlsException>(() => link.Ours.UpdateKeysAsync())).Errno);
        }
        finally
        {
            CallFaults.Next = null;
        }

        await link.AssertReceivesAsync(ContentType.Handshake, Lab.KeyUpdate());
        await link.SendAsync((ContentType.Alert, [1, 0, 0]));
        await link.AssertReadFailsAsync<IOException>();
        await Assert.ThrowsAsync<KernelTlsException>(() => link.Ours.ShutdownAsync());
        await link.Ours.DisposeAsync();
        Assert.Equal(0, await link.Tcp.Client.ReceiveAsync(new byte[100]).WaitAsync(Lab.Patience));
    }

    /// <summary>The ULP is refused before the first byte: SslStream serves, and says why.</summary>
    [Fact]
    public async Task A_refused_ULP_leaves_the_connection_to_SslStream()
    {
        foreach (int errno in new[] { ErrorNumber.ENOMEM, ErrorNumber.EPERM, ErrorNumber.EINVAL })
        {
            var run = new FaultRun((call, option, _) => call == "setsockopt" && option == Ulp ? errno : 0);
            await run.RunAsync();
            Assert.Null(run.Failure);
            Assert.Equal(DataPlaneKind.SslStream, run.Sending.Kind);
            Assert.Contains(ErrorNumber.NameOf(errno), run.Sending.Reason, StringComparison.Ordinal);
        }
    }

    public static TheoryData<SslProtocols, DataPlanePolicy> Connections => new()
    {
        { SslProtocols.Tls13, DataPlanePolicy.PreferKernel },
        { SslProtocols.Tls13, DataPlanePolicy.UserSpace },
        { SslProtocols.Tls12, DataPlanePolicy.PreferKernel },
    };

    /// <summary>One call fails, and all around it succeed; then the next one.</summary>
    [Theory]
    [MemberData(nameof(Connections))]
    public async Task Every_call_fails_once(SslProtocols protocol, DataPlanePolicy policy)
    {
        var counted = new FaultRun((_, _, _) => 0) { Protocol = protocol, Policy = policy };
        await counted.RunAsync();
        Assert.Null(counted.Failure);
        Assert.InRange(counted.Calls.Count, policy == DataPlanePolicy.UserSpace ? 3 : 8, 30);
        int failures = 0;
        foreach (((string call, int option), int count) in counted.Calls)
        {
            // The first ones differ most; of many alike some are enough.
            foreach (int place in Enumerable.Range(1, count).Where(i => i <= 8 || i == count || i % 16 == 0))
            {
                foreach (int errno in new[] { ErrorNumber.ENOMEM, ErrorNumber.EPERM, ErrorNumber.EINTR })
                {
                    if (errno == ErrorNumber.EINTR && call is not ("recv" or "send" or "recvmsg" or "sendmsg" or "sendfile" or "poll"))
                    {
                        continue;
                    }

                    var run = new FaultRun((c, o, n) => c == call && o == option && n == place ? errno : 0) { Protocol = protocol, Policy = policy };
                    await run.RunAsync();
                    string where = $"{call}({option}), number {place}, {ErrorNumber.NameOf(errno)}: {run.Failure}";
                    bool mustSucceed = errno == ErrorNumber.EINTR
                        || (call == "setsockopt" && (option is ExpectNoPadding or SendTimeout or SendBuffer or Ulp || (place == 1 && option is TlsSend or TlsReceive)))
                        || call == "getsockopt";
                    Assert.True(run.Failure is null or IOException, where);
                    Assert.True(run.Failure is null || !mustSucceed, where);
                    failures += run.Failure is null ? 0 : 1;
                }
            }
        }

        Assert.InRange(failures, 10, int.MaxValue);
    }

    private static void AssertPlane(DataPlaneStatus status, bool refused, int errno, string name)
    {
        Assert.Equal(refused ? DataPlaneKind.UserSpace : DataPlaneKind.Kernel, status.Kind);
        if (refused)
        {
            Assert.Contains(ErrorNumber.NameOf(errno), status.Reason, StringComparison.Ordinal);
            Assert.Contains(name, status.Reason, StringComparison.Ordinal);
        }
    }

    /// <summary>A connection of ours whose system calls fail as a function says, with a peer that no fault touches.</summary>
    private sealed class FaultRun(Func<string, int, int, int> errnoOf)
    {
        private const int Size = 40_000;

        private static readonly byte[] Data = System.Security.Cryptography.RandomNumberGenerator.GetBytes(Size);
        private static readonly TempFile File = new(Data);

        private bool _ownsSocket;

        public SslProtocols Protocol { get; init; } = SslProtocols.Tls13;

        public DataPlanePolicy Policy { get; init; }

        public ReceiveWithoutRekey ReceiveWithoutRekey { get; init; }

        public bool PeerUpdatesKeys { get; init; } = true;

        /// <summary>How often each call was made.</summary>
        public ConcurrentDictionary<(string Call, int Option), int> Calls { get; } = [];

        /// <summary>What the connection of ours failed with; null when all went well, and all arrived.</summary>
        public Exception? Failure { get; private set; }

        public DataPlaneStatus Sending { get; private set; }

        public DataPlaneStatus Receiving { get; private set; }

        public async Task RunAsync()
        {
            using TcpPair tcp = TcpPair.Connect(bufferSize: 32768);
            SafeHandle handle = tcp.Server.SafeHandle;
            CallFaults.Next = (descriptor, call, option) =>
                descriptor == handle ? errnoOf(call, option, Calls.AddOrUpdate((call, option), 1, (_, count) => count + 1)) : 0;
            try
            {
                Task peer = RunPeerAsync(tcp);
                try
                {
                    await RunOursAsync(tcp).WaitAsync(Lab.Patience);
                }
                catch (Exception e) when (e is not TimeoutException)
                {
                    Failure = e;
                    if (!_ownsSocket)
                    {
                        tcp.Server.Dispose();
                    }
                }

                // The peer gets all, or sees an end or an error, too. It never gets other bytes than ours.
                Exception? peerFailure = await Record.ExceptionAsync(() => peer.WaitAsync(Lab.Patience));
                Assert.True(peerFailure is null || (Failure is not null && peerFailure is IOException or AuthenticationException), $"ours: {Failure}\npeer: {peerFailure}");
            }
            finally
            {
                CallFaults.Next = null;
            }

            // A stream that ended with records that TCP had no room for: the test closes nothing under it, and leaves nothing to the next.
            tcp.Client.Dispose();
            for (int i = 0; LingeringSockets.Shared.Count != 0; i++)
            {
                Assert.InRange(i, 0, 1000);
                await Task.Delay(10);
            }
        }

        private async Task RunOursAsync(TcpPair tcp)
        {
            System.Net.Security.SslServerAuthenticationOptions server = TestPki.Server();
            server.EnabledSslProtocols = Protocol;
            var options = new KTlsOptions { DataPlane = Policy, ReceiveWithoutRekey = ReceiveWithoutRekey };
            await using KTlsStream stream = await KTlsStream.AuthenticateAsServerAsync(tcp.Server, server, options);
            _ownsSocket = true;
            byte[] received = new byte[Size];
            for (int i = 0; i < 2; i++)
            {
                await Task.WhenAll(stream.WriteAsync(Data).AsTask(), ReadAsync(stream, received));
                if (Protocol == SslProtocols.Tls13 && (stream.Sending.Kind == DataPlaneKind.UserSpace || (stream.Sending.Kind == DataPlaneKind.Kernel && Lab.CanRekey)))
                {
                    await stream.UpdateKeysAsync();
                }

                Assert.Equal(0, await stream.ReadAsync(Memory<byte>.Empty));
                await Task.WhenAll(stream.SendFileAsync(File.Handle, 0, Size).AsTask(), ReadAsync(stream, received));
            }

            (Sending, Receiving) = (stream.Sending, stream.Receiving);
            await stream.ShutdownAsync();
            Assert.Equal(0, await stream.ReadAsync(received));
            Assert.True(stream.CloseNotifyReceived);
        }

        private async Task RunPeerAsync(TcpPair tcp)
        {
            await using KTlsStream stream = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace });
            byte[] received = new byte[Size];
            for (int i = 0; i < 4; i++)
            {
                await Task.WhenAll(stream.WriteAsync(Data).AsTask(), ReadAsync(stream, received));
                if (Protocol == SslProtocols.Tls13 && PeerUpdatesKeys)
                {
                    await stream.UpdateKeysAsync();
                }
            }

            await stream.ShutdownAsync();
            if (await stream.ReadAsync(received) != 0 || !stream.CloseNotifyReceived)
            {
                throw new IOException("No proper end.");
            }
        }

        private static async Task ReadAsync(KTlsStream stream, byte[] buffer)
        {
            Array.Clear(buffer);
            int count = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false);
            Assert.True(Data.AsSpan(0, count).SequenceEqual(buffer.AsSpan(0, count)), "Other bytes than those that were sent.");
            if (count < buffer.Length)
            {
                throw new IOException("Cut off.");
            }
        }
    }
}
