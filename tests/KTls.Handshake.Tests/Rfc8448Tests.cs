using System.Net.Security;
using System.Text.Json;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests;

/// <summary>The key schedule against the trace of RFC 8448 §3 (TLS_AES_128_GCM_SHA256, x25519).</summary>
public sealed class Rfc8448Tests
{
    private static readonly CipherSuite Suite = CipherSuite.Find(TlsCipherSuite.TLS_AES_128_GCM_SHA256)!;
    private static readonly Dictionary<string, string> Trace = JsonSerializer.Deserialize<Dictionary<string, string>>(
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "rfc8448-1rtt.json")))!;

    [Fact]
    public void Both_ends_agree_on_the_shared_secret()
    {
        Assert.Equal(Bytes("ecdhe_shared"), Agree("client_private", "server_public"));
        Assert.Equal(Bytes("ecdhe_shared"), Agree("server_private", "client_public"));
    }

    [Fact]
    public void Secrets_follow_the_trace()
    {
        using var schedule = new KeySchedule(Suite);
        Assert.Equal(Bytes("early_secret"), schedule.Current.ToArray());

        schedule.EnterHandshake(Bytes("ecdhe_shared"));
        Assert.Equal(Bytes("handshake_secret"), schedule.Current.ToArray());

        byte[] helloHash = HashOf("client_hello", "server_hello");
        Assert.Equal(Bytes("client_handshake_traffic_secret"), schedule.Derive("c hs traffic"u8, helloHash).Span.ToArray());
        Assert.Equal(Bytes("server_handshake_traffic_secret"), schedule.Derive("s hs traffic"u8, helloHash).Span.ToArray());

        schedule.EnterMaster();
        Assert.Equal(Bytes("master_secret"), schedule.Current.ToArray());

        byte[] finishedHash = HashOf("client_hello", "server_hello", "encrypted_extensions", "certificate", "certificate_verify", "server_finished");
        Assert.Equal(Bytes("client_application_traffic_secret_0"), schedule.Derive("c ap traffic"u8, finishedHash).Span.ToArray());
        Assert.Equal(Bytes("server_application_traffic_secret_0"), schedule.Derive("s ap traffic"u8, finishedHash).Span.ToArray());
        Assert.Equal(Bytes("exporter_master_secret"), schedule.Derive("exp master"u8, finishedHash).Span.ToArray());
    }

    [Theory]
    [InlineData("client_handshake")]
    [InlineData("server_handshake")]
    public void Handshake_keys_follow_the_trace(string name)
    {
        using var keys = new RecordKeys(Suite, Bytes(name + "_traffic_secret"));
        Assert.Equal(Bytes(name + "_key"), keys.Key.ToArray());
        Assert.Equal(Bytes(name + "_iv"), keys.Iv.ToArray());
    }

    [Theory]
    [InlineData("client")]
    [InlineData("server")]
    public void Application_keys_follow_the_trace(string role)
    {
        using var keys = new RecordKeys(Suite, Bytes(role + "_application_traffic_secret_0"));
        Assert.Equal(Bytes(role + "_application_key"), keys.Key.ToArray());
        Assert.Equal(Bytes(role + "_application_iv"), keys.Iv.ToArray());
    }

    [Fact]
    public void Finished_messages_fit_and_a_changed_one_does_not()
    {
        using Transcript beforeServer = TranscriptOf("client_hello", "server_hello", "encrypted_extensions", "certificate", "certificate_verify");
        byte[] finished = Bytes("server_finished");
        Finished.Verify(Suite, Bytes("server_handshake_traffic_secret"), beforeServer, finished);

        finished[^1] ^= 1;
        TlsAlertException e = Assert.Throws<TlsAlertException>(() => Finished.Verify(Suite, Bytes("server_handshake_traffic_secret"), beforeServer, finished));
        Assert.Equal(AlertDescription.DecryptError, e.Description);

        using Transcript beforeClient = TranscriptOf("client_hello", "server_hello", "encrypted_extensions", "certificate", "certificate_verify", "server_finished");
        Finished.Verify(Suite, Bytes("client_handshake_traffic_secret"), beforeClient, Bytes("client_finished"));
    }

    private static byte[] Bytes(string name) => Convert.FromHexString(Trace[name]);

    private static byte[] Agree(string privateKey, string publicKey)
    {
        using var exchange = new X25519KeyExchange(Bytes(privateKey));
        byte[] shared = new byte[KeyExchange.MaxSharedSecretLength];
        return shared[..exchange.Agree(Bytes(publicKey), shared)];
    }

    private static Transcript TranscriptOf(params string[] messages)
    {
        var transcript = new Transcript(Suite);
        foreach (string message in messages)
        {
            transcript.Append(Bytes(message));
        }

        return transcript;
    }

    private static byte[] HashOf(params string[] messages)
    {
        using Transcript transcript = TranscriptOf(messages);
        return transcript.Current(new byte[CipherSuite.MaxHashLength]).ToArray();
    }
}
