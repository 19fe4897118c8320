using System.Net.Security;
using KTls.Handshake;

namespace KTls.Tests.Interop;

/// <summary>What every one of these tests asks for and looks at: that the kernel does it.</summary>
internal static class InKernel
{
    public static KTlsOptions Required { get; } = new() { DataPlane = DataPlanePolicy.RequireKernel };

    public static TheoryData<TlsCipherSuite> Suites { get; } =
        [TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256];

    /// <summary>Every suite with each kind of certificate, and with each group.</summary>
    public static TheoryData<TlsCipherSuite, string, NamedGroup> Matrix()
    {
        var data = new TheoryData<TlsCipherSuite, string, NamedGroup>();
        foreach (TheoryDataRow<TlsCipherSuite> suite in Suites)
        {
            data.Add(suite.Data, "ecdsa", NamedGroup.X25519);
            data.Add(suite.Data, "rsa", NamedGroup.Secp256r1);
        }

        return data;
    }

    /// <summary>What a fresh connection must say of itself.</summary>
    public static void Check(KTlsStream ours, TlsCipherSuite suite, NamedGroup group)
    {
        Assert.Equal(suite, ours.NegotiatedCipherSuite);
        Assert.Equal(group, ours.NegotiatedGroup);
        Assert.Equal(SslApplicationProtocol.Http11, ours.NegotiatedApplicationProtocol);
        Assert.Equal("localhost", ours.TargetHostName);
        Assert.Equal(DataPlaneKind.Kernel, ours.Sending.Kind);
    }

    /// <summary>What a connection must say of itself after its last read: the kernel opened all, and the peer ended it properly.</summary>
    public static async Task CheckEndAsync(KTlsStream ours)
    {
        Assert.Equal(0, await ours.ReadAsync(new byte[1]).Soon());
        Assert.True(ours.CloseNotifyReceived, "TCP ended without close_notify.");
        Assert.Equal(DataPlaneKind.Kernel, ours.Sending.Kind);
        Assert.Equal(DataPlaneKind.Kernel, ours.Receiving.Kind);
    }
}
