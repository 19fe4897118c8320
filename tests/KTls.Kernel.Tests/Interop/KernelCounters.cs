namespace KTls.Tests.Interop;

/// <summary>The kernel's own word on how many connections it has served since this was made.</summary>
internal sealed class KernelCounters
{
    private readonly TlsStatistics _before = Read();

    /// <summary>At least so many more in both directions: other programs may use kernel TLS, too.</summary>
    public void CheckConnections(int count)
    {
        TlsStatistics now = Read();
        Assert.True(now.TransmitSoftware - _before.TransmitSoftware >= count, "The kernel has sealed for fewer connections than it should.");
        Assert.True(now.ReceiveSoftware - _before.ReceiveSoftware >= count, "The kernel has opened for fewer connections than it should.");
        Assert.Equal(_before.DecryptErrors, now.DecryptErrors);
    }

    private static TlsStatistics Read() => TlsStatistics.Read()
        ?? throw new InvalidOperationException("This kernel has no kernel TLS: no /proc/net/tls_stat. Run these tests by eng/lab.sh.");
}
