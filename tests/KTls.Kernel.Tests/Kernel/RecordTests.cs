namespace KTls.Kernel.Tests;

public class RecordTests
{
    public static TheoryData<int, int> VersionsAndCiphers
    {
        get
        {
            TheoryData<int, int> data = [];
            foreach (KernelCipher cipher in Enum.GetValues<KernelCipher>())
            {
                data.Add(CryptoInfo.Tls12, (int)cipher);
                data.Add(CryptoInfo.Tls13, (int)cipher);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(VersionsAndCiphers))]
    public async Task Every_cipher_carries_data_both_ways(int version, int cipher)
    {
        using KernelPair pair = KernelPair.Secure((ushort)version, (KernelCipher)cipher);
        foreach (int length in new[] { 1, 100, 16383, 16384, 16385, 100_000 })
        {
            byte[] up = Transfer.Bytes(length, seed: length);
            byte[] down = Transfer.Bytes(length, seed: length + 1);
            Task<byte[]> atServer = Transfer.ReceiveAsync(pair.Server, length);
            await pair.Client.SendAsync(up, CancellationToken.None).Soon();
            Assert.Equal(up, await atServer.Soon());

            Task<byte[]> atClient = Transfer.ReceiveAsync(pair.Client, length);
            await pair.Server.SendAsync(down, CancellationToken.None).Soon();
            Assert.Equal(down, await atClient.Soon());
        }
    }

    [Theory]
    [MemberData(nameof(VersionsAndCiphers))]
    public async Task The_sequence_number_goes_on_where_the_handshake_left_it(int version, int cipher)
    {
        using KernelPair pair = KernelPair.Secure((ushort)version, (KernelCipher)cipher, sequence: 0xFFFF_FFFE);
        byte[] data = Transfer.Bytes(100_000);
        Task<byte[]> atServer = Transfer.ReceiveAsync(pair.Server, data.Length);
        await pair.Client.SendAsync(data, CancellationToken.None).Soon();
        Assert.Equal(data, await atServer.Soon());
    }

    // The kernel against another implementation of the record layer, so that both ends of a test cannot be wrong alike.
    [Theory]
    [InlineData(CryptoInfo.Tls12)]
    [InlineData(CryptoInfo.Tls13)]
    public async Task The_kernel_opens_what_user_space_sealed(int version)
    {
        using UserSpacePeer peer = new((ushort)version);
        peer.Send(23, "first"u8);
        peer.Send(23, "second"u8);
        Assert.Equal("firstsecond"u8.ToArray(), await Transfer.ReceiveAsync(peer.Server, 11).Soon());
    }

    [Fact]
    public async Task A_record_arrives_byte_by_byte()
    {
        using UserSpacePeer peer = new(CryptoInfo.Tls13);
        Task<byte[]> receive = Transfer.ReceiveAsync(peer.Server, 5);
        foreach (byte b in peer.Sealer.Seal(23, "hello"u8))
        {
            await Task.Delay(1);
            Assert.False(receive.IsCompleted);
            peer.Wire.Send([b]);
        }

        Assert.Equal("hello"u8.ToArray(), await receive.Soon());
    }

    [Fact]
    public async Task A_small_buffer_takes_a_record_in_pieces()
    {
        using KernelPair pair = KernelPair.Secure();
        byte[] data = Transfer.Bytes(1000);
        await pair.Client.SendAsync(data, CancellationToken.None).Soon();
        Assert.Equal(data, await Transfer.ReceiveAsync(pair.Server, 1000, bufferSize: 7).Soon());
    }

    [Fact]
    public async Task Padding_is_taken_off()
    {
        using UserSpacePeer peer = new(CryptoInfo.Tls13);
        Assert.Equal("0", $"{peer.Server.ExpectNoPadding()}");
        peer.Send(23, "padded"u8, padding: 3000);
        peer.Send(23, "plain"u8);
        Assert.Equal("paddedplain"u8.ToArray(), await Transfer.ReceiveAsync(peer.Server, 11).Soon());
    }

    [Theory]
    [InlineData(CryptoInfo.Tls12)]
    [InlineData(CryptoInfo.Tls13)]
    public async Task Empty_records_do_not_look_like_the_end(int version)
    {
        using UserSpacePeer peer = new((ushort)version);
        byte[] buffer = new byte[100];

        // Alone: the kernel opens it and goes on waiting.
        peer.Send(23, []);
        await Task.Delay(50);
        Assert.False(peer.Server.TryReceiveRecord(buffer, out _));

        // Before data, between data, and many of them.
        for (int i = 0; i < 40; i++)
        {
            peer.Send(23, []);
        }

        peer.Send(23, "a"u8);
        peer.Send(23, []);
        peer.Send(23, "b"u8);
        Assert.Equal("ab"u8.ToArray(), await Transfer.ReceiveAsync(peer.Server, 2).Soon());
    }

    [Theory]
    [InlineData(CryptoInfo.Tls12)]
    [InlineData(CryptoInfo.Tls13)]
    public async Task An_empty_record_before_a_control_record_does_not_look_like_the_end(int version)
    {
        using UserSpacePeer peer = new((ushort)version);
        peer.Wire.Send([.. peer.Sealer.Seal(23, []), .. peer.Sealer.Seal(21, [1, 0])]);
        Assert.Equal(new ReceivedRecord(21, 2, false), await ReceiveAfterEmptyAsync(peer.Server));
    }

    [Theory]
    [InlineData(CryptoInfo.Tls12)]
    [InlineData(CryptoInfo.Tls13)]
    public async Task An_empty_record_before_the_end_is_not_the_end(int version)
    {
        using UserSpacePeer peer = new((ushort)version);
        peer.Send(23, []);
        peer.Wire.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        Assert.Equal(new ReceivedRecord(0, 0, true), await ReceiveAfterEmptyAsync(peer.Server));
    }

    [Theory]
    [InlineData(CryptoInfo.Tls12)]
    [InlineData(CryptoInfo.Tls13)]
    public async Task A_damaged_record_is_EBADMSG(int version)
    {
        using UserSpacePeer peer = new((ushort)version);
        byte[] record = peer.Sealer.Seal(23, "hello"u8);
        record[^1] ^= 1;
        peer.Wire.Send(record);
        await AssertFailsAsync(peer, ErrorNumber.EBADMSG);
    }

    [Fact]
    public async Task A_record_that_is_too_long_is_EMSGSIZE()
    {
        using UserSpacePeer peer = new(CryptoInfo.Tls13);
        peer.Wire.Send([23, 3, 3, 0x41, 0x01]); // 2^14 + 257
        await AssertFailsAsync(peer, ErrorNumber.EMSGSIZE);
    }

    [Fact]
    public async Task A_wrong_version_is_EINVAL()
    {
        using UserSpacePeer peer = new(CryptoInfo.Tls13);
        peer.Wire.Send([23, 3, 1, 0, 40, .. new byte[40]]);
        await AssertFailsAsync(peer, ErrorNumber.EINVAL);
    }

    [Fact]
    public void Keys_without_the_ulp_and_keys_twice_are_told_by_errno()
    {
        using KernelPair plain = KernelPair.Plain();
        TestKeys keys = TestKeys.For(CryptoInfo.Tls12, KernelCipher.AesGcm128, fromClient: true);
        Assert.Equal(
            ErrorNumber.ENOPROTOOPT,
            plain.Client.SetKeys(KernelDirection.Send, CryptoInfo.Tls12, KernelCipher.AesGcm128, keys.Key, keys.Iv, 0));

        using KernelPair pair = KernelPair.Secure(CryptoInfo.Tls12);
        Assert.Equal(0, pair.Client.AttachUlp());
        Assert.Equal(
            ErrorNumber.EBUSY,
            pair.Client.SetKeys(KernelDirection.Send, CryptoInfo.Tls12, KernelCipher.AesGcm128, keys.Key, keys.Iv, 0));
    }

    [Fact]
    public void The_ulp_needs_a_connection()
    {
        using System.Net.Sockets.Socket socket = new(
            System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        using KernelSocket kernel = new(socket.SafeHandle);
        Assert.Equal(ErrorNumber.ENOTCONN, kernel.AttachUlp());
    }

    [Fact]
    public async Task With_the_ulp_but_no_keys_the_socket_stays_plain()
    {
        using KernelPair pair = KernelPair.Plain();
        Assert.Equal(0, pair.Client.AttachUlp());
        Assert.Equal(0, pair.Server.AttachUlp());
        Task<byte[]> atServer = Transfer.ReceiveAsync(pair.Server, 5);
        await pair.Client.SendAsync("hello"u8.ToArray(), CancellationToken.None).Soon();
        Assert.Equal("hello"u8.ToArray(), await atServer.Soon());
    }

    private static async Task AssertFailsAsync(UserSpacePeer peer, int errno)
    {
        KernelTlsException exception = await Assert.ThrowsAsync<KernelTlsException>(
            () => peer.Server.ReceiveRecordAsync(new byte[100], CancellationToken.None).Soon());
        Assert.Equal(ErrorNumber.NameOf(errno), ErrorNumber.NameOf(exception.Errno));
        Assert.Equal("recvmsg", exception.Call);
        Assert.Contains(ErrorNumber.NameOf(errno), exception.Message, StringComparison.Ordinal);
    }

    // A kernel may report the empty record or skip it.
    private static async Task<ReceivedRecord> ReceiveAfterEmptyAsync(KernelSocket socket)
    {
        byte[] buffer = new byte[100];
        ReceivedRecord record = await socket.ReceiveRecordAsync(buffer, CancellationToken.None).Soon();
        return record == new ReceivedRecord(23, 0, false)
            ? await socket.ReceiveRecordAsync(buffer, CancellationToken.None).Soon()
            : record;
    }
}
