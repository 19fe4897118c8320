using System.Text.Json;
using KTls.Samples.Info;

namespace KTls.Tests;

/// <summary>What is told of a kernel without TLS. On a host that has it, that is told; the kernel tests look at the rest.</summary>
public sealed class CapabilityTests
{
    private static bool HostHasKernelTls => TlsStatistics.Read() is not null;

    [Fact]
    public void A_kernel_without_TLS_is_told_plainly_with_the_reason()
    {
        KernelTlsCapabilities found = KernelTls.Probe();
        Assert.Equal(HostHasKernelTls, found.IsAvailable);
        if (found.IsAvailable)
        {
            return;
        }

        Assert.Equal(2, found.UpperLayerProtocol.Errno);
        Assert.Empty(found.Ciphers);
        Assert.False(found.ExpectNoPadding.IsAvailable);
        Assert.Equal("There is no kernel TLS.", found.RecordPayloadLimit.Reason);
        Assert.Contains("no (ENOENT)", found.ToString(), StringComparison.Ordinal);
        Assert.Contains("modprobe tls", found.ToString(), StringComparison.Ordinal);

        // A module may be loaded later: what is missing is not remembered for good.
        Assert.NotSame(found, KernelTls.Probe());
    }

    [Fact]
    public void KTlsInfo_tells_it_to_people_and_programs()
    {
        int expected = HostHasKernelTls ? 0 : 1;
        using var text = new StringWriter();
        Assert.Equal(expected, Program.Run([], text, TextWriter.Null));
        Assert.StartsWith($"Kernel TLS on Linux {Environment.OSVersion.Version}: {(expected == 0 ? "yes" : "no")}", text.ToString(), StringComparison.Ordinal);

        using var json = new StringWriter();
        Assert.Equal(expected, Program.Run(["--json"], json, TextWriter.Null));
        using var document = JsonDocument.Parse(json.ToString());
        Assert.Equal(HostHasKernelTls, document.RootElement.GetProperty("isAvailable").GetBoolean());
        Assert.Equal(expected * 2, document.RootElement.GetProperty("upperLayerProtocol").GetProperty("errno").GetInt32());

        using var error = new StringWriter();
        Assert.Equal(2, Program.Run(["--yaml"], TextWriter.Null, error));
        Assert.StartsWith("Usage", error.ToString(), StringComparison.Ordinal);
    }
}
