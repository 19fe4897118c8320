using System.Formats.Asn1;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;

namespace KTls.Interop.Tests.WrongPeers;

/// <summary>OpenSSL's client with a ticket that is not for this server name, or not ours any more: the handshake is a full one.</summary>
public sealed class WrongTicketTests
{
    [Theory]
    [InlineData(SslProtocols.Tls12, "nothing", true)]
    [InlineData(SslProtocols.Tls13, "nothing", true)]
    [InlineData(SslProtocols.Tls12, "name", false)]
    [InlineData(SslProtocols.Tls13, "name", false)]
    [InlineData(SslProtocols.Tls12, "ticket", false)]
    [InlineData(SslProtocols.Tls13, "ticket", false)]
    public async Task A_ticket_is_for_one_name_and_unchanged(SslProtocols version, string wrong, bool isResumed)
    {
        string session = Path.Combine(Scenario.Directory, Path.GetRandomFileName());
        Assert.False(await ConnectAsync(version, "one.ktls.test", "-sess_out", session));
        if (wrong == "ticket")
        {
            await File.WriteAllTextAsync(session, ChangeTicket(await File.ReadAllTextAsync(session)));
        }

        Assert.Equal(isResumed, await ConnectAsync(version, wrong == "name" ? "other.ktls.test" : "one.ktls.test", "-sess_in", session));
    }

    // Whether both ends say that the session was resumed.
    private static async Task<bool> ConnectAsync(SslProtocols version, string name, params string[] arguments)
    {
        using Socket listener = Scenario.Listen(out int port);
        using PeerProcess peer = PeerProcess.Start(
            "openssl",
            ["s_client", "-connect", $"127.0.0.1:{port}", "-servername", name, "-CAfile", Scenario.RootFile, "-verify_return_error",
             version == SslProtocols.Tls12 ? "-tls1_2" : "-tls1_3", .. arguments]);
        await using KTlsStream ours = await KTlsStream.AuthenticateAsServerAsync(await listener.AcceptAsync(), TestPki.Server(), Scenario.Kernel);
        Assert.Equal(name, ours.TargetHostName);

        // s_client writes the session down when it has read the ticket, which comes before the data.
        await ours.WriteAsync("hello\n"u8.ToArray());
        await ours.ShutdownAsync();
        string output = Encoding.ASCII.GetString(await peer.FinishAsync());
        Assert.Contains("hello", output, StringComparison.Ordinal);
        Assert.Contains(ours.IsResumed == true ? "Reused, TLSv1." : "New, TLSv1.", output, StringComparison.Ordinal);
        return ours.IsResumed == true;
    }

    // SSL_SESSION of OpenSSL: a sequence, in which the ticket is the field [10].
    private static string ChangeTicket(string pem)
    {
        PemFields fields = PemEncoding.Find(pem);
        byte[] der = Convert.FromBase64String(pem[fields.Base64Data]);
        AsnReader sequence = new AsnReader(der, AsnEncodingRules.BER).ReadSequence();
        var tag = new Asn1Tag(TagClass.ContextSpecific, 10, isConstructed: true);
        while (sequence.PeekTag() != tag)
        {
            sequence.ReadEncodedValue();
        }

        byte[] ticket = sequence.ReadSequence(tag).ReadOctetString();
        der[der.AsSpan().IndexOf(ticket) + (ticket.Length / 2)] ^= 1;
        return PemEncoding.WriteString(pem[fields.Label], der);
    }
}
