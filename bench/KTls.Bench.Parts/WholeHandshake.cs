using BenchmarkDotNet.Attributes;
using KTls.Handshake;

namespace KTls.Bench.Parts;

/// <summary>
/// A full handshake from array to array: no sockets, no threads, no verdict on the certificate. Each role alone meets what the
/// other one has recorded, as far as that goes: a client can be played to only once, so it ends at the answer to its ClientHello.
/// </summary>
public class WholeHandshake
{
    private static readonly ServerHandshakeOptions ServerOptions = new() { Credential = Credential.Ecdsa };
    private static readonly ClientHandshakeOptions ClientOptions = new() { ServerName = "localhost" };

    private byte[] _clientHello = [];

    [GlobalSetup]
    public void SetUp()
    {
        using var client = new ClientHandshake(ClientOptions);
        _clientHello = client.Output.ToArray();
    }

    /// <summary>Key generation and ClientHello.</summary>
    [Benchmark]
    public int ClientHello()
    {
        using var client = new ClientHandshake(ClientOptions);
        return client.Output.Length;
    }

    /// <summary>Reading a ClientHello, up to the choice of options.</summary>
    [Benchmark]
    public HandshakeStatus ParseClientHello()
    {
        using var server = new ServerHandshake();
        server.ReceiveRecord(_clientHello.AsSpan().ToArray());
        return server.Status;
    }

    /// <summary>All of the server but the client's Finished.</summary>
    [Benchmark]
    public int ServerFlight()
    {
        using var server = new ServerHandshake();
        server.ReceiveRecord(_clientHello.AsSpan().ToArray());
        server.Accept(ServerOptions);
        return server.Output.Length;
    }

    [Benchmark]
    public void BothRoles()
    {
        using var client = new ClientHandshake(ClientOptions);
        using var server = new ServerHandshake();
        Deliver(client, server);
        server.Accept(ServerOptions);
        Deliver(server, client);
        Deliver(client, server);
        client.TakeSession().Dispose();
        server.TakeSession().Dispose();
        client.PeerCertificate!.Dispose();
    }

    private static void Deliver(TlsHandshake from, TlsHandshake to)
    {
        byte[] output = from.Output.ToArray();
        from.OutputSent();
        Span<byte> rest = output;
        while (!rest.IsEmpty)
        {
            int length = RecordHeader.Read(rest).RecordLength;
            to.ReceiveRecord(rest[..length]);
            rest = rest[length..];
            if (to.Status == HandshakeStatus.NeedsCertificateVerdict)
            {
                ((ClientHandshake)to).AcceptPeerCertificate();
            }
        }
    }
}
