namespace KTls.Kernel.Tests;

public class TlsStatisticsTests
{
    [Fact]
    public void Reads_the_kernels_lines_and_tells_missing_ones_from_zero()
    {
        TlsStatistics statistics = TlsStatistics.Parse(
        [
            "TlsCurrTxSw                     \t3",
            "TlsCurrRxSw                     \t0",
            "TlsDecryptError                 \t18446744073709551615",
            "something else entirely",
            "",
            "TlsTxSw 12345678901",
        ]);
        Assert.Equal(3, statistics.CurrentTransmitSoftware);
        Assert.Equal(0, statistics.CurrentReceiveSoftware);
        Assert.Equal(12345678901, statistics.TransmitSoftware);
        Assert.Null(statistics.ReceiveRekeys);
        Assert.Null(statistics.DecryptErrors);
        Assert.Null(statistics["TlsNothing"]);
        Assert.Equal(["TlsCurrRxSw", "TlsCurrTxSw", "TlsTxSw"], statistics.Names.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Is_null_where_there_is_no_kernel_tls()
    {
        Assert.Equal(File.Exists("/proc/net/tls_stat"), TlsStatistics.Read() is not null);
    }

    [Fact]
    public async Task Counts_connections_and_bad_records()
    {
        TlsStatistics? before = TlsStatistics.Read();
        Assert.NotNull(before);
        using (KernelPair pair = KernelPair.Secure())
        {
            TlsStatistics during = TlsStatistics.Read()!;
            Assert.Equal(before.CurrentTransmitSoftware + 2, during.CurrentTransmitSoftware);
            Assert.Equal(before.CurrentReceiveSoftware + 2, during.CurrentReceiveSoftware);
            Assert.Equal(before.TransmitSoftware + 2, during.TransmitSoftware);
            Assert.Equal(before.ReceiveSoftware + 2, during.ReceiveSoftware);
            Assert.Equal(0, during.CurrentTransmitDevice);
            Assert.Equal(0, during.CurrentReceiveDevice);
            Assert.Equal(0, during.TransmitDevice);
            Assert.Equal(0, during.ReceiveDevice);
        }

        using UserSpacePeer peer = new(CryptoInfo.Tls13);
        byte[] record = peer.Sealer.Seal(23, "hello"u8);
        record[7] ^= 1;
        peer.Wire.Send(record);
        await Assert.ThrowsAsync<KernelTlsException>(
            () => peer.Server.ReceiveRecordAsync(new byte[10], CancellationToken.None).Soon());
        Assert.Equal(before.DecryptErrors + 1, TlsStatistics.Read()!.DecryptErrors);
    }
}
