using System.Security.Authentication;
using System.Text.Json;
using KTls.Samples.Info;

namespace KTls.Kernel.Tests;

public class CapabilityTests
{
    // Debian's 6.1 and 6.12 can neither change keys nor limit a record's payload; the lab's newest kernel can do both.
    private static bool IsNew => Environment.OSVersion.Version >= new Version(6, 19);

    [Fact]
    public void Every_cipher_is_there_in_both_versions_and_directions()
    {
        KernelTlsCapabilities found = KernelTls.Probe();
        Assert.True(found.IsAvailable, found.ToString());
        Assert.Equal(8, found.Ciphers.Count);
        Assert.Equal(["AES-128-CCM", "AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"], found.Ciphers.Select(c => c.Cipher).Distinct().Order(StringComparer.Ordinal));
        Assert.All(found.Ciphers, support =>
        {
            Assert.Equal(KernelFeature.Available, support.Send);
            Assert.Equal(KernelFeature.Available, support.Receive);
        });
    }

    [Fact]
    public void Keys_can_change_in_TLS_13_on_new_kernels_only()
    {
        foreach (KernelCipherSupport support in KernelTls.Probe().Ciphers)
        {
            if (support.Protocol == SslProtocols.Tls12)
            {
                Assert.Null(support.Rekey);
                continue;
            }

            Assert.Equal(IsNew, support.Rekey!.Value.IsAvailable);
            Assert.Equal(IsNew ? 0 : ErrorNumber.EBUSY, support.Rekey.Value.Errno);
        }
    }

    [Fact]
    public void Options_are_as_the_kernel_has_them()
    {
        KernelTlsCapabilities found = KernelTls.Probe();
        Assert.Equal(KernelFeature.Available, found.ExpectNoPadding);
        Assert.Equal(KernelFeature.Available, found.ZeroCopySendFile);
        Assert.Equal(IsNew ? 0 : ErrorNumber.ENOPROTOOPT, found.RecordPayloadLimit.Errno);
        Assert.False(found.DeviceOffloadSeen);
    }

    /// <summary>What is said to work does: records come no longer than they were limited to.</summary>
    [Fact]
    public async Task A_limit_for_records_holds_where_there_is_one()
    {
        using UserSpacePeer peer = new(CryptoInfo.Tls13);
        KernelPair.Install(peer.Server, KernelDirection.Send, CryptoInfo.Tls13, KernelCipher.AesGcm128, fromClient: false);
        int errno = peer.Server.LimitRecordPayload(1000);
        Assert.Equal(KernelTls.Probe().RecordPayloadLimit.Errno, errno);
        await peer.Server.SendAsync(new byte[3000], CancellationToken.None);
        byte[] header = new byte[5];
        peer.Wire.Receive(header);

        // Content, its type and the tag.
        Assert.Equal((IsNew ? 1000 : 3000) + 1 + 16, (header[3] << 8) | header[4]);
    }

    [Fact]
    public void The_report_is_found_once_and_says_why_not()
    {
        KernelTlsCapabilities found = KernelTls.Probe();
        Assert.Same(found, KernelTls.Probe());
        string report = found.ToString();
        Assert.Contains("TLS 1.3, AES-128-GCM", report, StringComparison.Ordinal);
        Assert.Contains("TLS_RX_EXPECT_NO_PAD", report, StringComparison.Ordinal);
        Assert.Equal(!IsNew, report.Contains("no (EBUSY)", StringComparison.Ordinal));
        Assert.Equal(!IsNew, report.Contains("Linux 6.14", StringComparison.Ordinal));
        Assert.Equal(!IsNew, report.Contains("no (ENOPROTOOPT)", StringComparison.Ordinal));
    }

    /// <summary>The report in KTlsInfo's README is one of a kernel that cannot change keys; the others differ from it in what they can do.</summary>
    [Fact]
    public void KTlsInfo_tells_people_what_its_README_shows()
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "KTls.sln")))
        {
            root = Path.GetDirectoryName(root)!;
        }

        using var output = new StringWriter();
        Assert.Equal(0, Program.Run([], output, TextWriter.Null));
        string[] shown = File.ReadAllText(Path.Combine(root, "samples/KTlsInfo/README.md")).Split("```text\n")[1].Split("```")[0].TrimEnd().Split('\n');
        string[] told = output.ToString().TrimEnd().Split('\n');
        Assert.StartsWith("Kernel TLS on Linux ", shown[0], StringComparison.Ordinal);
        Assert.Equal($"Kernel TLS on Linux {Environment.OSVersion.Version}: yes", told[0]);
        if (IsNew)
        {
            Assert.Equal(shown.Skip(1).Where(IsFeature).Select(Feature), told.Skip(1).Where(IsFeature).Select(Feature));
        }
        else
        {
            Assert.Equal(shown[1..], told[1..]);
        }

        static bool IsFeature(string line) => line.StartsWith("  ", StringComparison.Ordinal);
        static string Feature(string line) => line[..48];
    }

    [Fact]
    public void KTlsInfo_tells_programs()
    {
        using var output = new StringWriter();
        Assert.Equal(0, Program.Run(["--json"], output, TextWriter.Null));
        using var document = JsonDocument.Parse(output.ToString());
        JsonElement first = document.RootElement.GetProperty("ciphers")[0];
        Assert.Equal("Tls13", first.GetProperty("protocol").GetString());
        Assert.True(first.GetProperty("receive").GetProperty("isAvailable").GetBoolean());
        Assert.Equal(IsNew ? 0 : ErrorNumber.EBUSY, first.GetProperty("rekey").GetProperty("errno").GetInt32());
    }

    /// <summary>What a kernel refuses is told, one feature at a time.</summary>
    [Fact]
    public void A_cipher_that_the_kernel_lacks_is_told_apart()
    {
        int keys = 0;
        _ = KernelTls.Probe(); // whether keys can change is known from here on, and not tried again below
        try
        {
            // The third connection's first two sets of keys: ChaCha20-Poly1305 in TLS 1.3.
            CallFaults.Next = (_, call, option) => call == "setsockopt" && option is 1 or 2 && ++keys is 9 or 10 ? ErrorNumber.ENOENT : 0;
            KernelTlsCapabilities found = CapabilityTrial.Run();
            KernelCipherSupport lacking = Assert.Single(found.Ciphers, c => !c.Send.IsAvailable);
            Assert.Equal(("ChaCha20-Poly1305", SslProtocols.Tls13), (lacking.Cipher, lacking.Protocol));
            Assert.Equal(ErrorNumber.ENOENT, lacking.Receive.Errno);
            Assert.Contains("chacha20poly1305", found.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            CallFaults.Next = null;
        }
    }
}
