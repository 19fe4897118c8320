namespace KTls.Kernel.Tests;

public class ControlRecordTests
{
    [Theory]
    [InlineData(CryptoInfo.Tls12)]
    [InlineData(CryptoInfo.Tls13)]
    public async Task Control_records_keep_their_place_between_data(int version)
    {
        using KernelPair pair = KernelPair.Secure((ushort)version);
        byte[] ticket = Transfer.Bytes(300);
        await pair.Client.SendAsync("one"u8.ToArray(), CancellationToken.None);
        await pair.Client.SendControlAsync(22, ticket, CancellationToken.None);
        await pair.Client.SendControlAsync(22, "again"u8.ToArray(), CancellationToken.None);
        await pair.Client.SendAsync("two"u8.ToArray(), CancellationToken.None);
        await pair.Client.SendAsync("three"u8.ToArray(), CancellationToken.None);
        await pair.Client.SendControlAsync(21, new byte[] { 1, 0 }, CancellationToken.None);

        byte[] buffer = new byte[MaxBuffer];
        await AssertNextAsync(23, "one"u8.ToArray(), pair.Server, buffer);
        await AssertNextAsync(22, ticket, pair.Server, buffer);
        await AssertNextAsync(22, "again"u8.ToArray(), pair.Server, buffer);
        byte[] data = await Transfer.ReceiveAsync(pair.Server, 8).Soon();
        Assert.Equal("twothree"u8.ToArray(), data);
        await AssertNextAsync(21, new byte[] { 1, 0 }, pair.Server, buffer);
        Assert.False(pair.Server.TryReceiveRecord(buffer, out _));
    }

    [Fact]
    public async Task The_longest_control_record_is_one_record()
    {
        using KernelPair pair = KernelPair.Secure();
        byte[] payload = Transfer.Bytes(KernelSocket.MaxRecordPayload);
        await pair.Client.SendControlAsync(22, payload, CancellationToken.None).Soon();
        await AssertNextAsync(22, payload, pair.Server, new byte[MaxBuffer]);
    }

    [Fact]
    public async Task A_control_record_longer_than_the_buffer_comes_in_parts()
    {
        using KernelPair pair = KernelPair.Secure();
        byte[] payload = Transfer.Bytes(100);
        await pair.Client.SendControlAsync(22, payload, CancellationToken.None).Soon();
        byte[] buffer = new byte[64];
        await AssertNextAsync(22, payload[..64], pair.Server, buffer, endOfRecord: false);
        await AssertNextAsync(22, payload[64..], pair.Server, buffer);
    }

    [Fact]
    public async Task A_plain_receive_leaves_the_control_record_to_the_next_receive()
    {
        using KernelPair pair = KernelPair.Secure();
        await pair.Client.SendControlAsync(21, new byte[] { 1, 0 }, CancellationToken.None);
        byte[] buffer = new byte[16];
        KernelTlsException exception = await Assert.ThrowsAsync<KernelTlsException>(
            () => pair.Server.ReceiveAsync(buffer, CancellationToken.None).Soon());
        Assert.Equal(ErrorNumber.EIO, exception.Errno);
        await AssertNextAsync(21, new byte[] { 1, 0 }, pair.Server, buffer);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(KernelSocket.MaxRecordPayload + 1)]
    public async Task Lengths_that_are_no_record_are_refused(int length)
    {
        using KernelPair pair = KernelPair.Secure();
        await Assert.ThrowsAsync<ArgumentException>(
            async () => await pair.Client.SendControlAsync(22, new byte[length], CancellationToken.None));
    }

    // While the send buffer is full, a control record has to wait its turn, whole and with its type.
    [Theory]
    [InlineData(CryptoInfo.Tls12)]
    [InlineData(CryptoInfo.Tls13)]
    public async Task Control_records_survive_back_pressure(int version)
    {
        using KernelPair pair = KernelPair.Secure((ushort)version, bufferSize: 8192);
        const int Rounds = 100;
        byte[] block = Transfer.Bytes(20_000);
        byte[] message = Transfer.Bytes(5000, seed: 9);

        async Task SendAsync()
        {
            for (int i = 0; i < Rounds; i++)
            {
                await pair.Client.SendAsync(block, CancellationToken.None);
                await pair.Client.SendControlAsync(22, message, CancellationToken.None);
            }
        }

        Task send = SendAsync();
        await Task.Delay(50);
        Assert.False(send.IsCompleted);
        byte[] buffer = new byte[MaxBuffer];
        for (int i = 0; i < Rounds; i++)
        {
            Assert.Equal(block, await Transfer.ReceiveAsync(pair.Server, block.Length).Soon());
            await AssertNextAsync(22, message, pair.Server, buffer);
        }

        await send.Soon();
    }

    // Linux 6.14 and later replace keys (and distributions carry that back); the others say EBUSY and keep the old ones.
    [Fact]
    public async Task A_key_update_replaces_the_keys_or_is_refused_with_EBUSY()
    {
        using KernelPair pair = KernelPair.Secure();
        byte[] keyUpdate = [24, 0, 0, 1, 0];
        byte[] buffer = new byte[MaxBuffer];
        TestKeys next = TestKeys.For(CryptoInfo.Tls13, KernelCipher.AesGcm128, fromClient: true, generation: 1);

        int errno = pair.Server.SetKeys(
            KernelDirection.Receive, CryptoInfo.Tls13, KernelCipher.AesGcm128, next.Key, next.Iv, 0);
        if (errno == ErrorNumber.EBUSY)
        {
            await pair.Client.SendAsync("old"u8.ToArray(), CancellationToken.None);
            await AssertNextAsync(23, "old"u8.ToArray(), pair.Server, buffer);
            return;
        }

        // The new receive keys are in; the client follows.
        Assert.Equal(0, errno);
        KernelPair.Install(
            pair.Client, KernelDirection.Send, CryptoInfo.Tls13, KernelCipher.AesGcm128, fromClient: true, generation: 1);
        await pair.Client.SendAsync("new"u8.ToArray(), CancellationToken.None);
        await AssertNextAsync(23, "new"u8.ToArray(), pair.Server, buffer);

        // The order of RFC 8446, 4.6.3: KeyUpdate under the old keys, then the new ones; what follows has to wait for them.
        await pair.Client.SendControlAsync(22, keyUpdate, CancellationToken.None);
        KernelPair.Install(
            pair.Client, KernelDirection.Send, CryptoInfo.Tls13, KernelCipher.AesGcm128, fromClient: true, generation: 2);
        await pair.Client.SendAsync("newer"u8.ToArray(), CancellationToken.None);
        await AssertNextAsync(22, keyUpdate, pair.Server, buffer);
        KernelTlsException exception = await Assert.ThrowsAsync<KernelTlsException>(() => pair.Server.ReceiveRecordAsync(buffer, CancellationToken.None).Soon());
        Assert.Equal(ErrorNumber.EKEYEXPIRED, exception.Errno);
        KernelPair.Install(
            pair.Server, KernelDirection.Receive, CryptoInfo.Tls13, KernelCipher.AesGcm128, fromClient: true, generation: 2);
        await AssertNextAsync(23, "newer"u8.ToArray(), pair.Server, buffer);
    }

    private const int MaxBuffer = KernelSocket.MaxRecordPayload;

    private static async Task AssertNextAsync(byte contentType, byte[] content, KernelSocket socket, byte[] buffer, bool endOfRecord = true)
    {
        ReceivedRecord record = await socket.ReceiveRecordAsync(buffer, CancellationToken.None).Soon();
        Assert.Equal(new ReceivedRecord(contentType, content.Length, false, endOfRecord), record);
        Assert.Equal(content, buffer[..record.Length]);
    }
}
